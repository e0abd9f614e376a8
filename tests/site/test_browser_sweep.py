"""Every page of the sweep in a real browser: axe on a wide and a narrow screen, nothing sideways, and the way by keyboard.

The addresses come from the URLconf and from the table of roles, so that a new page is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import BrowserContext, Page

from participation.admin import notice_gallery
from tests.browsing import FEWEST_RULES, Verdict, examine
from tests.site.addresses import behind, path_of, query_of
from tests.site.test_url_by_role import ADDRESSES, TABLE
from tests.site.world import World, build

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 700}

# What axe can't decide by itself, and what a person saw who looked: the rule, and how its reason begins.
LOOKED_AT = (
    ("color-contrast", "due to a background image"),  # the arrow of a select, beside dark text on white
    (
        "color-contrast",
        "due to a pseudo element",
    ),  # the box drawn for a checkbox or radio button, beside its label
    (
        "color-contrast",
        "overlapped by another element",
    ),  # what is scrolled to under the sticky bar or in a wide table
    ("color-contrast", "contains an image node"),  # the words of a chart: dark, on white
    ("color-contrast", "partially obscured"),
    ("color-contrast", "partially overlaps"),
    (
        "color-contrast",
        "too short",
    ),  # a cell with one digit that a wide table has scrolled away, dark on white
    ("frame-tested", ""),  # an e-mail in its frame, where no script runs: judged by itself below
    ("th-has-data-cells", ""),  # Django's lists: the column of boxes to tick, and a list with nothing in it
)
# allauth's own list of passkeys has a column of buttons without a heading.
KNOWN = {("/konto/noegle/", "empty-table-header")}
# Not pages: files and what machines read.
FILES = (".pdf", ".jpg", ".atom", ".ics", ".pb", ".py", ".csv", ".geojson")
MADE_FOR_SCRIPT = {
    "mfa_login_webauthn",
    "admin:jsi18n",
    "mfa_download_recovery_codes",
    "admin:mailout-progress",
}
# A page whose policy lets no script run answers axe never; what stands in it is judged by itself below.
WITHOUT_SCRIPT = {"admin:notice-sample-html"}


@pytest.fixture
def world() -> World:
    cache.clear()
    return build()


@pytest.fixture
def browsing(new_context: Callable[..., BrowserContext], world: World) -> Callable[[str], Page]:
    """A page in the hands of that role; what a page's own script or policy gets wrong fails the test."""

    def sit_down(role: str) -> Page:
        context = new_context(viewport=WIDE)
        if role in world.sessions:
            context.add_cookies(
                [
                    {
                        "name": settings.SESSION_COOKIE_NAME,
                        "value": world.sessions[role],
                        "domain": "localhost",
                        "path": "/",
                    }
                ]
            )
        page = context.new_page()
        page.faults = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
        page.on(
            "console",
            lambda said: page.faults.append(said.text) if "Content Security Policy" in said.text else None,  # type: ignore[attr-defined]
        )
        return page

    return sit_down


def pages_of(world: World, role: str, others: tuple[str, ...] = ()) -> list[str]:
    """What this role is shown, and the roles before it are not."""
    found = []
    for name, (method, row) in TABLE.items():
        address = ADDRESSES.get(name)
        if (
            address is None
            or method != "GET"
            or row[role] != "200"
            or name in MADE_FOR_SCRIPT | WITHOUT_SCRIPT
        ):
            continue
        if any(row[other] == "200" for other in others):
            continue
        path = path_of(address, behind(world)(address))
        if not path.endswith(FILES):
            found.append(path + query_of(address, world))
    return found


def look(page: Page, paths: list[str]) -> None:
    wrong: list[str] = []
    for path in paths:
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        answer = page.goto(path)
        if answer is None or answer.status != 200:
            wrong.append(f"{path}: {answer and answer.status}")
            continue
        wrong += [f"{path}: {fault}" for fault in page.faults]  # type: ignore[attr-defined]
        wrong += sideways(page, path)
        wrong += found_by_axe(path, "wide", examine(page))
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        wrong += sideways(page, path)
        wrong += found_by_axe(path, "narrow", examine(page))
        page.faults.clear()  # type: ignore[attr-defined]  # axe itself tries a style sheet of its own
    assert not wrong, "\n".join(wrong)


def sideways(page: Page, path: str) -> list[str]:
    too_wide, width = page.evaluate(f"[{SIDEWAYS}, window.innerWidth]")
    return [f"{path}: {too_wide} pixels sideways at {width}"] if too_wide > 0 else []


def found_by_axe(path: str, width: str, verdict: Verdict) -> list[str]:
    wrong = [
        f"{path} ({width}): {one}" for one in verdict.violations if (path, one.partition(":")[0]) not in KNOWN
    ]
    if len(verdict.ran) < FEWEST_RULES:
        wrong.append(f"{path} ({width}): only {verdict.ran} ran")
    wrong += [
        f"{path} ({width}): for a person to look at: {one}"
        for one in verdict.incomplete
        if not looked_at(one)
    ]
    return wrong


def looked_at(incomplete: str) -> bool:
    """Every element of it for a reason that is known."""
    rule = incomplete.partition(":")[0]
    reasons = [line for line in incomplete.splitlines() if "could not" in line or "too short" in line] or [""]
    known = [reason for name, reason in LOOKED_AT if name == rule]
    return all(any(reason in line for reason in known) for line in reasons)


class SweepByRole:
    """What a role is shown that those in `others` are not. A class for each share of the pages, so that both cores of a
    machine take part: tests of one class stay together."""

    role: str
    others: tuple[str, ...] = ()
    share, of = 0, 1
    least = 10

    def more(self, world: World) -> list[str]:
        return []

    def test_axe_and_nothing_sideways(self, browsing: Callable[[str], Page], world: World) -> None:
        paths = [*pages_of(world, self.role, self.others), *self.more(world)]
        assert len(paths) > self.least
        look(browsing(self.role), paths[self.share :: self.of])


class TestEverybody(SweepByRole):
    role, least = "anonymous", 25

    def more(self, world: World) -> list[str]:
        shown = [
            world.processes[key].get_absolute_url() for key in ("approved", "vote", "decided", "cancelled")
        ]
        return [*shown, "/en/", "/en/forloeb/"]


class TestCitizens(SweepByRole):
    role, others, least = "citizen", ("anonymous",), 8

    def more(self, world: World) -> list[str]:
        return [path_of(ADDRESSES["budgets:vote"], behind(world)(ADDRESSES["budgets:vote"]))]


class TestCaseworkers(SweepByRole):
    role, others, least = "worker", ("anonymous", "citizen"), 40
    share, of = 0, 3


class TestCaseworkersSecondShare(TestCaseworkers):
    share = 1


class TestCaseworkersThirdShare(TestCaseworkers):
    share = 2


class TestPollingOfficers(SweepByRole):
    role, others, least = "polling", ("anonymous", "citizen", "worker"), 5

    def more(self, world: World) -> list[str]:
        paths = pages_of(world, "polling", ("anonymous", "citizen"))
        assert any("/afstemningssted/" in path for path in paths)
        return paths[:12]


class TestAdministrators(SweepByRole):
    role, others, least = "administrator", ("anonymous", "citizen", "worker"), 15


# The main thing to do on a page, by keyboard alone: the first press of Tab leads past the menu, and some presses later
# the action has the focus and can be seen to have it.
ACTIONS = {
    "/": ("anonymous", ".process-card a.button"),
    "{open}": ("anonymous", "main a.button-primary"),
    "{open}bidrag/nyt/": ("citizen", "main button.button-primary"),
    "{vote}": ("anonymous", "main a.button-primary"),
    "/borgerbudget/{slug}/stem/": ("citizen", "main button.button-primary"),
    "/konto/log-ind/": ("anonymous", "main button.button-primary"),
    "/forloeb/": ("anonymous", "main button[type=submit]"),
}


def test_the_main_action_is_within_reach_of_the_keyboard(
    browsing: Callable[[str], Page], world: World
) -> None:
    places: dict[str, Any] = {
        "open": world.processes["open"].get_absolute_url(),
        "vote": world.processes["vote"].get_absolute_url(),
        "slug": world.processes["vote"].slug,
    }
    for address, (role, action) in ACTIONS.items():
        page = browsing(role)
        page.goto(address.format(**places))
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content", address
        page.keyboard.press("Enter")
        for _press in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("(one) => document.activeElement.matches(one)", action):
                break
        else:
            pytest.fail(f"{address}: {action} never got the focus")
        assert page.evaluate(
            "() => { const look = getComputedStyle(document.activeElement);"
            " return look.outlineStyle !== 'none' || look.boxShadow !== 'none' }"
        ), address


def test_every_kind_of_email_is_judged_as_its_reader_meets_it(page: Page, db: None) -> None:
    wrong: list[str] = []
    for key, sample in notice_gallery.samples().items():
        html, _type = sample.mail().alternatives[0]
        page.set_content(html)
        wrong += found_by_axe(key, "e-mail", examine(page))
    assert not wrong, "\n".join(wrong)
