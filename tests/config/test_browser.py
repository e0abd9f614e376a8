"""The browser and axe that every browser test trusts: they start, render our font, and find what is wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from config.assets import BUILT

GOOD = """<!doctype html><html lang="da"><head><title>Prøve</title></head>
<body><main><h1>Hej på dig</h1><p>Et afsnit.</p><img src="data:," alt="Et træ"></main></body></html>"""


def test_axe_passes_a_good_page_and_says_which_rules_ran(page: Page, axe: Callable[..., Any]) -> None:
    page.set_content(GOOD)
    assert {"document-title", "html-has-lang", "image-alt"} <= set(axe(page).ran)


def test_axe_fails_a_picture_without_words(page: Page, axe: Callable[..., Any]) -> None:
    page.set_content(GOOD.replace('alt="Et træ"', ""))
    with pytest.raises(AssertionError, match="image-alt"):
        axe(page)


def test_axe_fails_when_hardly_any_rule_ran(page: Page, axe: Callable[..., Any]) -> None:
    page.set_content(GOOD)
    with pytest.raises(AssertionError, match="Only"):
        axe(page, within="img")


def test_the_built_sheet_brings_its_own_letters(page: Page, live_server: Any) -> None:
    page.goto("/static/dkfds/dkfds.css")  # the same origin, so that fonts may load
    page.set_content(
        '<!doctype html><html lang="da"><head><title>Prøve</title>'
        '<link rel="stylesheet" href="/static/dkfds/dkfds.css"></head><body><p>Rødgrød på æblekage</p></body></html>'
    )
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter((face) => face.status === 'loaded').map((face) => face.family)"
    )
    assert "IBM Plex Sans" in " ".join(loaded)


def test_the_built_sheet_names_only_files_that_are_there() -> None:
    sheet = (BUILT / "dkfds" / "dkfds.css").read_text()
    assert "sourceMappingURL" not in sheet
    assert sheet.count("@font-face") == 3
