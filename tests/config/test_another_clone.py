"""A clone that was deleted leaves data behind that the next one can't read."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from config import environment, run, services


@pytest.mark.parametrize(
    ("secrets", "data", "forgotten"), [(False, True, 1), (True, True, 0), (False, False, 0)]
)
def test_data_without_their_secrets_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: bool, data: bool, forgotten: int
) -> None:
    folder, file = tmp_path / "state", tmp_path / "env"
    if data:
        folder.mkdir()
    if secrets:
        file.write_text("SECRET_KEY=x\n")
    calls: list[str] = []
    monkeypatch.setattr(services, "place", lambda kind: SimpleNamespace(folder=folder))
    monkeypatch.setattr(environment, "FILE", file)
    monkeypatch.setattr(run, "reset", lambda: calls.append("reset"))
    run.forget_another_clone()
    assert len(calls) == forgotten
