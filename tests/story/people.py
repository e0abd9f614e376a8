"""The people of a story at their browsers. Whatever page one of them comes to is looked at: axe, and 320 px."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from config import people
from demo import staff
from tests.accounts.broker import BY_NAME

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 800}
MOST_TABS = 120


@dataclass
class Visitor:
    """Someone with a browser of their own. `looks` is the number of pages judged, so that a story can't skip them."""

    page: Page
    name: str
    axe: Callable[..., Any]
    script: bool = True
    looks: list[str] = field(default_factory=list)

    def goto(self, path: str, *, status: int = 200) -> Visitor:
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}\n{self.text[:1000]}"
        return self

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def text(self) -> str:
        return self.page.locator("body").inner_text()

    @property
    def path(self) -> str:
        return re.sub(r"^https?://[^/]+", "", self.page.url)

    def sees(self, *texts: str) -> Visitor:
        for text in texts:
            expect(self.main).to_contain_text(text)
        return self

    def not_sees(self, *texts: str) -> Visitor:
        for text in texts:
            expect(self.main).not_to_contain_text(text)
        return self

    def look(self, what: str) -> Visitor:
        """Nothing for axe to find, and nothing that scrolls sideways on a phone."""
        place = f"{len(self.looks) + 1:02} {self.name} {what}"
        self.looks.append(what)
        self.page.wait_for_load_state()  # unstyled, nothing is as it will be
        self._picture(f"{place} 1280")
        if self.script:
            self.axe(self.page)
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        if self.script:
            assert self.page.evaluate(SIDEWAYS) == 0, f"{self.page.url} scrolls sideways at 320 px"
        self._picture(f"{place} 320")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        return self

    def _picture(self, name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=str(Path(folder) / f"{name.replace(' ', '-')}.png"), full_page=True)

    def fill(self, **values: str) -> Visitor:
        """By id, without its `id_`."""
        for name, value in values.items():
            self.page.locator(f"#id_{name}").fill(value)
        return self

    def tick(self, name: str, value: str) -> Visitor:
        return self.check(self.page.locator(f"input[name='{name}'][value='{value}']"))

    def check(self, box: Locator, *, on: bool = True) -> Visitor:
        """A radio button or a box, by the space bar: the design system draws its own over the real one."""
        if box.is_checked() != on:
            box.press("Space")
        expect(box).to_be_checked(checked=on)
        return self

    def press(self, button: str, *, within: str = "main") -> Visitor:
        place = self.page.locator(within)
        place.get_by_role("button", name=button, exact=True).or_(
            place.get_by_role("link", name=button, exact=True)
        ).first.click()
        return self

    def tab_to(self, wanted: str) -> Visitor:
        """Keyboard only: tab until what has the focus fits the selector, and can be seen to."""
        for _press in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
                return self
        raise AssertionError(f"{wanted} is not reached by {MOST_TABS} tabs on {self.page.url}")

    def with_keys(self, wanted: str, *keys: str) -> Visitor:
        self.tab_to(wanted)
        for key in keys:
            self.page.keyboard.press(key)
        return self


def sign_in_staff(visitor: Visitor) -> Visitor:
    """Password and the code that the authenticator app shows."""
    colleague = next(one for one in staff.COLLEAGUES if one.first_name == visitor.name)
    visitor.goto("/konto/log-ind/?medarbejder=1")
    visitor.fill(login=colleague.email, password=staff.PASSWORD)
    visitor.page.locator("main form[action$='/konto/log-ind/'] button").first.click()
    visitor.page.wait_for_url("**/konto/to-trin/log-ind/**")
    visitor.fill(code=people.code(colleague.secret))
    visitor.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    visitor.page.wait_for_url("**/admin/**")
    return visitor


def through_mitid(visitor: Visitor) -> Visitor:
    """From the sign-in page to the stand-in, where one says who one is, and back to where one came from."""
    page = visitor.page
    page.locator("main form[action$='/konto/mitid/'] button").click()
    page.wait_for_url(re.compile("/oauth2/authorize"))
    page.get_by_role("button", name=re.compile(BY_NAME[visitor.name].name)).first.click()
    page.wait_for_url(re.compile(r"^(?!.*(/oauth2/|/tilbage/))"))
    return visitor


def sign_in_citizen(visitor: Visitor, then: str = "/min-side/") -> Visitor:
    visitor.goto(then)
    through_mitid(visitor)
    visitor.page.wait_for_url(f"**{then}")
    return visitor
