"""What runs by itself, and what its messages may hold."""

import inspect

import pytest
from django.conf import settings

from config.celery import app


def test_everything_in_the_settings_is_scheduled() -> None:
    """A schedule set on the app as well would quietly take the place of the whole of this one."""
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled == {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert {
        "participation.move_by_the_clock",
        "budgets.seal_rounds",
        "budgets.anonymise_rolls",
        "accounts.tasks.purge_personal_data",
    } <= scheduled


def test_messages_are_read_as_json_only() -> None:
    """Whoever gets at the broker may not make a worker run what they like."""
    assert set(app.conf.accept_content) == {"json"}
    assert app.conf.task_serializer == "json"


def test_messages_carry_ids_and_nothing_else() -> None:
    app.loader.import_default_modules()
    ours = [
        task
        for name, task in app.tasks.items()
        if name.partition(".")[0] in {"accounts", "participation", "budgets", "mailouts"}
    ]
    assert len(ours) >= len(settings.CELERY_BEAT_SCHEDULE)
    for task in ours:
        for parameter in inspect.signature(task.run).parameters.values():
            assert parameter.annotation in {int, "int"}, f"{task.name}({parameter})"


@pytest.mark.parametrize("name", ["CELERY_RESULT_BACKEND"])
def test_nothing_is_kept_of_what_tasks_answered(name: str) -> None:
    assert not getattr(settings, name, "")
    assert settings.CELERY_TASK_IGNORE_RESULT
