"""Danish: extracted from the code and compiled by Babel, so that nobody needs gettext on the machine.

    python -m config.translations compile   # what pages read; done by make run and make test
    python -m config.translations update    # writes new texts into locale/da, keeping what is translated
    python -m config.translations check     # fails on what is fuzzy, missing, gone or wrongly filled in

Code holds English, so English needs no catalogue.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from config.services import ROOT

FOLDER = ROOT / "locale" / "da" / "LC_MESSAGES"
CATALOGUE = FOLDER / "django.po"
COMPILED = FOLDER / "django.mo"
METHODS = [
    ("**/templates/**.html", "django"),
    ("**/templates/**.txt", "django"),
    ("templates/**.html", "django"),
]
METHODS += [("templates/**.txt", "django"), ("**.py", "python")]
LEFT_OUT = {"tests", "node_modules", "static_built", "staticfiles", "media", "docs", "locale", "requirements"}
KEYWORDS: dict[str, Any] = {
    name: spec
    for base, spec in {
        "gettext": None,
        "ngettext": (1, 2),
        "pgettext": ((1, "c"), 2),
        "npgettext": ((1, "c"), 2, 3),
    }.items()
    for name in (base, f"{base}_lazy")
} | {"_": None, "gettext_noop": None}


def extract() -> Catalog:
    catalogue = Catalog(project="Øjenhøjde", charset="utf-8")
    for file, line, text, comments, context in extract_from_dir(
        ROOT, METHODS, keywords=KEYWORDS, comment_tags=("Translators:",), directory_filter=_is_ours
    ):
        catalogue.add(text, locations=[(file, line)], auto_comments=comments, context=context)
    return catalogue


def _is_ours(folder: str | os.PathLike[str]) -> bool:
    name = Path(folder).name
    return not name.startswith(".") and name not in LEFT_OUT and not name.endswith(".egg-info")


def translated() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="da", charset="utf-8")


def update() -> None:
    """The whole catalogue again: extracted texts in order, with the Danish that is known; what is gone is dropped."""
    fresh, known = extract(), translated()
    result = Catalog(locale="da", project="Øjenhøjde", charset="utf-8", header_comment="", creation_date=None)
    for message in sorted((each for each in fresh if each.id), key=_order):
        before = known.get(message.id, message.context)
        if before is not None and _same_shape(message, before):
            message.string, message.flags = before.string, message.flags | (before.flags & {"fuzzy"})
            message.user_comments = before.user_comments
        # no line numbers: they would change with every edit
        files: Any = sorted({file for file, _ in message.locations})
        message.locations = [(file, None) for file in files]  # type: ignore[misc]
        result[message.id] = message
    for message in known:
        if message.id and _overrides(message) and fresh.get(message.id, message.context) is None:
            result[message.id] = message
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = io.BytesIO()
    write_po(text, result, width=110, omit_header=True)
    CATALOGUE.write_bytes(HEADER.encode() + text.getvalue())


HEADER = """msgid ""
msgstr ""
"Language: da\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def _overrides(message: Message) -> bool:
    """A better Danish for a text that isn't ours; says so in a comment: `# overrides Django`."""
    return any(comment.startswith("overrides ") for comment in message.user_comments)


def _order(message: Message) -> tuple[str, str, str]:
    return (min(file for file, _ in message.locations), _first(message.id), message.context or "")


def _first(text: Any) -> str:
    return text if isinstance(text, str) else str(text[0])


def _same_shape(one: Message, other: Message) -> bool:
    return isinstance(one.id, str) == isinstance(other.id, str)


def compile_all() -> None:
    if COMPILED.exists() and CATALOGUE.stat().st_mtime <= COMPILED.stat().st_mtime:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = COMPILED.with_name(f"{COMPILED.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        write_mo(file, translated())
    unfinished.replace(COMPILED)


def faults() -> Iterator[str]:
    fresh, known = extract(), translated()
    for message in fresh:
        if not message.id:
            continue
        where = ", ".join(sorted({file for file, _ in message.locations}))
        danish = known.get(message.id, message.context)
        if danish is None or not all(_strings(danish)):
            yield f"missing: {_first(message.id)!r} ({where})"
        elif danish.fuzzy:
            yield f"fuzzy: {_first(message.id)!r} ({where})"
        elif not _same_shape(message, danish):
            yield f"singular and plural don't match: {_first(message.id)!r} ({where})"
        else:
            danish.flags |= message.flags
            for error in danish.check(known):
                yield f"{error}: {_first(message.id)!r} ({where})"
    for message in known:
        if message.id and fresh.get(message.id, message.context) is None and not _overrides(message):
            yield f"no longer in the code: {_first(message.id)!r}"


def _strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["compile"]:
            compile_all()
        case ["update"]:
            update()
        case ["check"]:
            found = list(faults())
            print(*found, sep="\n", end="\n" if found else "")
            return 1 if found else 0
        case _:
            print("python -m config.translations compile|update|check", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
