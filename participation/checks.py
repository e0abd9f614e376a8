"""System checks: what code can't promise about the data, and what settings must say."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.models import Exists, OuterRef


@register(Tags.database)
def each_process_has_its_detail(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Process and detail are made by one action; a process without its detail was written past it."""
    from participation import formats
    from participation.models import Process

    if not databases or Process._meta.db_table not in connections["default"].introspection.table_names():
        return []
    messages: list[CheckMessage] = []
    known = {fmt.key: fmt for fmt in formats.all_formats()}
    for key, fmt in known.items():
        detail = fmt.detail_model._default_manager.filter(process=OuterRef("pk"))
        for slug in Process.objects.filter(~Exists(detail), format=key).values_list("slug", flat=True)[:10]:
            messages.append(
                Error(
                    f"The process “{slug}” has no {fmt.detail}.",
                    hint="Processes are made by participation.actions.process.create_process only.",
                    id="participation.E001",
                )
            )
    for slug in Process.objects.exclude(format__in=known).values_list("slug", flat=True)[:10]:
        messages.append(
            Error(
                f"The process “{slug}” has a format that no app registers.",
                hint="Put the format's app back in INSTALLED_APPS.",
                id="participation.E002",
            )
        )
    return messages


@register()
def formats_are_whole(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A format's detail is a ProcessDetail, its phases and ladder steps are there, its frozen fields exist."""
    from participation import formats
    from participation.models import ProcessDetail

    messages: list[CheckMessage] = []
    for fmt in formats.all_formats():
        if not issubclass(fmt.detail_model, ProcessDetail):
            messages.append(Error(f"{fmt.detail} is no ProcessDetail.", id="participation.E003"))
        if not fmt.phase_kinds or not fmt.ladder_steps:
            messages.append(
                Error(f"The format {fmt.key} needs phases and ladder steps.", id="participation.E004")
            )
        if fmt.create_detail is not None and not fmt.frozen_fields:
            messages.append(
                Warning(
                    f"The format {fmt.key} names no frozen_fields, so nothing of it can be amended.",
                    id="participation.W001",
                )
            )
    return messages
