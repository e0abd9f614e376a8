"""What a browser would send: the controls of a form as they stand on a page, before a test types in them."""

from html.parser import HTMLParser
from typing import Any


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._select: str | None = None
        self._chosen: list[str] = []
        self._first: str | None = None
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.forms.append({"action": values.get("action") or "", "data": {}})
        if not self.forms:
            return
        name = values.get("name") or ""
        if tag == "input" and name:
            kind = values.get("type", "text")
            if kind in {"submit", "button", "image", "file"}:
                return
            if kind in {"checkbox", "radio"} and "checked" not in values:
                return
            default = "on" if kind == "checkbox" else ""
            self._add(name, values.get("value") if values.get("value") is not None else default)
        elif tag == "select" and name:
            self._select, self._chosen, self._first = name, [], None
        elif tag == "option" and self._select:
            value = values.get("value") or ""
            self._first = value if self._first is None else self._first
            if "selected" in values:
                self._chosen.append(value)
        elif tag == "textarea" and name:
            self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            for value in self._chosen or ([self._first] if self._first is not None else []):
                self._add(self._select, value)
            self._select = None
        elif tag == "textarea" and self._area:
            self._add(self._area, self._text.removeprefix("\n"))
            self._area = None

    def _add(self, name: str, value: Any) -> None:
        self.forms[-1]["data"].setdefault(name, []).append(value)


def forms_of(html: str) -> list[dict[str, Any]]:
    """Each form of the page: {"action", "data": {name: [values]}}."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


def form_with(html: str, name: str) -> dict[str, list[str]]:
    """The data of the first form that has a control of this name."""
    return next(dict(form["data"]) for form in forms_of(html) if name in form["data"])
