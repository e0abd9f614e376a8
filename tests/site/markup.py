"""What is wrong with a page's HTML, read by a parser and not by eye."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
# Their end tag may be left out.
OPTIONAL = frozenset(
    ["li", "dt", "dd", "p", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot"]
)
REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "list", "for")
DATA_SCRIPTS = frozenset({"application/json", "application/ld+json", "importmap"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """Elements in order, and what can be said against them."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    doctype: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl.lower() == "doctype html"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> has an attribute twice: {names}")
        element = Element(
            tag, {name: value or "" for name, value in attrs}, tuple(one.tag for one in self._open)
        )
        self.elements.append(element)
        if tag == "img":  # what a picture says counts as words of the link or button it stands in
            for one in self._open:
                one.text += element.attributes.get("alt", "")
        if tag not in EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in EMPTY:
            self.faults.append(f"</{tag}> ends what has no end")
            return
        while self._open and self._open[-1].tag != tag and self._open[-1].tag in OPTIONAL:
            self._open.pop()
        if not self._open or self._open[-1].tag != tag:
            inner = self._open[-1].tag if self._open else "nothing"
            self.faults.append(f"</{tag}> at line {self.getpos()[0]} where <{inner}> is open")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def finish(self) -> None:
        self.close()
        left = [one.tag for one in self._open if one.tag not in OPTIONAL]
        if left:
            self.faults.append(f"never ended: {left}")


def faults(page: str) -> list[str]:
    """Not well-formed, ids twice, labels that lead nowhere, controls without a name, script and style in the page."""
    reader = Reader()
    reader.feed(page)
    reader.finish()
    whole = "<html" in page  # else a piece that script puts into a page
    found = list(reader.faults)
    if whole and not reader.doctype:
        found.append("no doctype")
    ids = [one.attributes["id"] for one in reader.elements if "id" in one.attributes]
    found += [f"id twice: {one}" for one in sorted({one for one in ids if ids.count(one) > 1})]
    for element in reader.elements:
        found += _wrong_with(element, set(ids), reader.elements)
    for tag, number in (("html", 1), ("title", 1), ("main", 1), ("h1", 1)) if whole else ():
        there = [one for one in reader.elements if one.tag == tag and "svg" not in one.inside]
        if len(there) != number:
            found.append(f"{len(there)} × <{tag}>")
        found += [f"empty <{tag}>" for one in there if not one.text.strip()]
    if whole and not next(
        (one for one in reader.elements if one.tag == "html"), Element("", {}, ())
    ).attributes.get("lang"):
        found.append("no language")
    return found


def _wrong_with(element: Element, ids: set[str], elements: list[Element]) -> list[str]:
    tag, attributes = element.tag, element.attributes
    found = [f"<{tag} {name}>" for name in attributes if name == "style" or name.startswith("on")]
    if tag == "style":
        found.append("<style>")
    if tag == "script" and "src" not in attributes and attributes.get("type") not in DATA_SCRIPTS:
        found.append(f"inline script: {element.text[:60]}")
    if attributes.get("href", "").lower().startswith("javascript:"):
        found.append("javascript: address")
    for name in REFERENCES:
        if name == "for" and tag == "output":
            continue
        found += [
            f"<{tag} {name}={attributes[name]!r}> leads nowhere"
            for one in attributes.get(name, "").split()
            if one not in ids
        ]
    if tag == "form" and "form" in element.inside:
        found.append("a form in a form")
    if tag == "a" and "a" in element.inside:
        found.append("a link in a link")
    if tag == "img" and "alt" not in attributes:
        found.append(f"no alt: {attributes.get('src')}")
    if tag in {"input", "select", "textarea"} and not _named(element, elements):
        found.append(f"no label: <{tag} name={attributes.get('name')!r}>")
    if tag in {"button", "a"} and "href" in attributes | {"href": ""} and not _speaks(element):
        found.append(f"no words: <{tag} {attributes}>")
    return found


def _named(element: Element, elements: list[Element]) -> bool:
    attributes = element.attributes
    if attributes.get("type") in {"hidden", "submit", "button", "image", "reset"}:
        return True
    if {"aria-label", "aria-labelledby", "title"} & set(attributes) or "label" in element.inside:
        return True
    return any(
        one.tag == "label" and one.attributes.get("for") == attributes.get("id", "?") for one in elements
    )


def _speaks(element: Element) -> bool:
    if element.tag == "a" and "href" not in element.attributes:
        return True
    return bool(element.text.strip() or {"aria-label", "aria-labelledby", "title"} & set(element.attributes))
