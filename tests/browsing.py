"""A real browser for whole stories: `page` opens the live server, `axe` judges what it shows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from config import assets
from config.browser import find
from tests.patience import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Not by intercepting requests: that takes the browser's cache away, and every page would fetch its styles again.
ONLY_THIS_MACHINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
FEWEST_RULES = 10  # a page on which fewer rules ran was not looked at


@dataclass(frozen=True)
class Verdict:
    """What axe found; `incomplete` is what a person must look at, as "rule: the elements"."""

    ran: list[str]
    violations: list[str]
    incomplete: list[str]


@cache
def axe_source() -> str:
    return (assets.PACKAGES / "axe-core" / "axe.min.js").read_text()


def arrived(act: Callable[..., Any]) -> Callable[..., Any]:
    """What leads to another page is over when that page is there with its styles, not when its first byte is: Playwright waits
    for the latter only, and on a busy machine the next line then asks half a page."""

    @wraps(act)
    def acting(self: Page | Locator, *given: Any, **options: Any) -> Any:
        result = act(self, *given, **options)
        (self if isinstance(self, Page) else self.page).wait_for_load_state()
        return result

    return acting


Page.click, Page.go_back, Locator.click = map(arrived, (Page.click, Page.go_back, Locator.click))  # type: ignore[method-assign]


def go_back_and_send_again(page: Page) -> None:
    """Back to a page that answered a form and may not be kept: the browser asks whether to send the form again; yes."""
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()
    page.wait_for_url("chrome-error://chromewebdata/")
    page.reload()


def examine(page: Page, *, within: str | None = None, leave_out: tuple[str, ...] = ()) -> Verdict:
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_source())
    results: dict[str, Any] = page.evaluate(
        "([within, values, off]) => axe.run(within || document, {runOnly: {type: 'tag', values},"
        " resultTypes: ['violations', 'incomplete'],"
        " rules: Object.fromEntries(off.map((rule) => [rule, {enabled: false}]))})",
        [within, STANDARDS, list(leave_out)],
    )
    ran = [rule["id"] for kind in ("passes", "violations", "incomplete") for rule in results[kind]]
    return Verdict(ran, _lines(results["violations"]), _lines(results["incomplete"]))


def _lines(found: list[dict[str, Any]]) -> list[str]:
    return [
        f"{rule['id']}: {rule['help']}\n"
        + "\n".join(
            f"    {node['target']} {node['html'][:160]}\n      {node['failureSummary']}"
            for node in rule["nodes"]
        )
        for rule in found
    ]


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        # Playwright's loop lives in this thread, and Django would take every query for one made from async code.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield driver
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture(scope="session")
def browser(playwright_driver: Playwright) -> Iterator[Browser]:
    found = find()
    browser = playwright_driver.chromium.launch(
        executable_path=found.executable,
        args=[*found.arguments, ONLY_THIS_MACHINE],
        env={**os.environ, **found.env},
    )
    yield browser
    browser.close()


@pytest.fixture
def new_context(browser: Browser, live_server: Any) -> Iterator[Callable[..., BrowserContext]]:
    """A fresh person at a fresh machine; options as Playwright's new_context (`java_script_enabled=False`, `viewport=…`)."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        options = {
            "base_url": live_server.url,
            "locale": "da-DK",
            "timezone_id": "Europe/Copenhagen",
            "viewport": {"width": 1280, "height": 900},
        } | options
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """One page with script, wide screen. What the page's own script got wrong fails the test."""
    page = new_context().new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield page
    assert errors == []


@pytest.fixture
def axe() -> Callable[..., Verdict]:
    """`axe(page)`: asserts that rules ran and found nothing; what needs a person's eye is printed with the test."""

    def check(page: Page, *, within: str | None = None, leave_out: tuple[str, ...] = ()) -> Verdict:
        verdict = examine(page, within=within, leave_out=leave_out)
        assert len(verdict.ran) >= FEWEST_RULES, f"Only {verdict.ran} ran on {page.url}"
        assert not verdict.violations, f"{page.url}\n" + "\n".join(verdict.violations)
        if verdict.incomplete:
            print(f"For a person to look at on {page.url}:", *verdict.incomplete, sep="\n  ")
        return verdict

    return check
