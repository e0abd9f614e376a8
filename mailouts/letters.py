"""A letter's text: written once in a few marks, read into blocks, and set as HTML, plain text and paper.

The marks are a part of Markdown (docs/decisions/0019): paragraphs, `##` and `###`, **bold**, *italics*, lists that nest once,
links, a rule, and a new line where one is typed. Anything else is the text it is. Tags are written here and nowhere else, and a
merge field is filled in after the marks have been read, so that neither a text nor a name can bring markup along.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.tree import SyntaxTreeNode

SUBJECT_LIMIT: Final = 256  # MeMo 1.2: a label
_DEEPEST: Final = 2  # a list and one inside it

# What no keyboard types and no paper shows: controls, unpaired surrogates, and the marks that turn the direction of what follows.
_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_FIELD = re.compile(r"\{([a-zæøå]+)\}")
FIELD = _FIELD
_NEARLY_FIELD = re.compile(r"\{\s*([^\W\d_]+)\s*\}")
_BARE_ADDRESS = re.compile(r"https://[^\s<>\"{}]*[^\s<>\"{}.,;:!?)\]'](?![{\w])")
_MAILBOX = re.compile(r"mailto:[^\s@<>\"?&:/]+@[^\s@<>\"?&:/]+\.[^\s@<>\"?&:/.]+")
_TELEPHONE = re.compile(r"tel:\+?[0-9][0-9 -]{2,20}")


# Merge fields


@dataclass(frozen=True, slots=True)
class MergeField:
    """A word in braces that stands for something about the recipient.

    `is_address`: its value is a web address, so it may be where a link leads, and becomes a link where it stands alone.
    `off_paper`: its value exists on paper only; everywhere else these words stand in its place.
    """

    name: str
    label: str | Promise
    example: str | Promise
    is_address: bool = False
    off_paper: str | Promise = ""


_fields: dict[str, MergeField] = {}


def register_field(new: MergeField) -> None:
    """Called in ready() by the room that knows the value."""
    if not re.fullmatch(r"[a-zæøå]+", new.name):
        raise ValueError(f"A field's name is one word in lower case: {new.name!r}")
    if _fields.get(new.name, new) != new:
        raise ValueError(f"There is already a field {new.name!r}.")
    _fields[new.name] = new


def fields() -> list[MergeField]:
    """In the order they were registered."""
    return list(_fields.values())


def example_of(name: str) -> str:
    return str(_fields[name].example)


def off_paper(names: Iterable[str]) -> dict[str, str]:
    """What stands in a letter that isn't on paper for those of its fields that exist there only, in the language that is on."""
    return {
        name: str(_fields[name].off_paper) for name in names if name in _fields and _fields[name].off_paper
    }


# What a text consists of


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    pass


@dataclass(frozen=True, slots=True)
class Link:
    """`address` is as typed, or "" where the address is the value of `field`."""

    address: str
    field: str
    inside: "tuple[Text | Field | Break, ...]"


Inline = Text | Field | Break | Link


@dataclass(frozen=True, slots=True)
class Paragraph:
    inline: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    inline: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """`start` is None where the points have no numbers."""

    start: int | None
    points: "tuple[tuple[Paragraph | Listing, ...], ...]"


@dataclass(frozen=True, slots=True)
class Rule:
    pass


Block = Paragraph | Heading | Listing | Rule


@dataclass(frozen=True, slots=True)
class _Hole:
    """Where a value goes in a prepared text, and what is done with it first."""

    name: str
    turned: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A text with holes: `pieces[place]` waits for each hole's value."""

    pieces: tuple[str, ...]
    holes: tuple[tuple[int, _Hole], ...]

    @classmethod
    def of(cls, parts: Iterable[str | _Hole]) -> "_Prepared":
        pieces: list[str] = [""]
        holes = []
        for part in parts:
            if isinstance(part, _Hole):
                holes.append((len(pieces), part))
                pieces += ["", ""]
            else:
                pieces[-1] += part
        return cls(tuple(pieces), tuple(holes))

    def filled(self, values: Mapping[str, str]) -> str:
        pieces = list(self.pieces)
        for place, hole in self.holes:
            pieces[place] = hole.turned(values[hole.name])
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a text, read once; each recipient's letter is then a matter of microseconds.

    `values` is one string for each of `fields`; one that is missing is a KeyError with its name, one that should be a web
    address and isn't a ValueError. What `problems()` finds is shown as the plain text it is, so a draft can always be looked at.
    """

    subject: str
    text: str
    language: str
    fields: frozenset[str]
    body: tuple[Block, ...]
    bad_addresses: tuple[str, ...]
    _heading: _Prepared = field(repr=False, compare=False)
    _document: _Prepared = field(repr=False, compare=False)
    _fragment: _Prepared = field(repr=False, compare=False)
    _plain: _Prepared = field(repr=False, compare=False)

    @classmethod
    def parse(cls, subject: str, text: str, *, language: str = "da") -> "Letter":
        """`language` (two letters) is the letter's own, whoever looks at it."""
        if not re.fullmatch(r"[a-z]{2}", language):
            raise ValueError(f"A language is two letters: {language!r}")
        body, bad = _read(text)
        heading = tuple(_with_fields(_on_one_line(subject), False, False))
        fragment = list(_html_blocks(body))
        return cls(
            subject=subject,
            text=text,
            language=language,
            fields=frozenset(_FIELD.findall(subject)) | frozenset(_fields_in(body)),
            body=body,
            bad_addresses=bad,
            _heading=_Prepared.of(_plain_inline(heading, _on_one_line)),
            _document=_Prepared.of(_document(heading, fragment, language)),
            _fragment=_Prepared.of(fragment),
            _plain=_Prepared.of(_plain_blocks(body)),
        )

    def problems(self) -> list[str]:
        """What must be put right before the letter can go, as sentences; empty when nothing must."""
        found = []
        if not self.subject.strip():
            found.append(_("The letter has no subject."))
        if len(self.subject) > SUBJECT_LIMIT:
            found.append(
                _("The subject is %(length)s characters long. At most %(limit)s are possible.")
                % {"length": len(self.subject), "limit": SUBJECT_LIMIT}
            )
        if "\n" in self.subject.strip() or "\r" in self.subject.strip():
            found.append(_("The subject must be a single line."))
        if not self.body or not _plain_of(self.body):
            found.append(_("The letter has no text."))
        if _ODD.search(self.subject + _LINE_ENDS.sub("\n", self.text)):
            found.append(
                _(
                    "There are hidden characters that can't be printed. Write the text again where you pasted it."
                )
            )
        found += self._unknown_fields()
        found += [_bad_address(address) for address in dict.fromkeys(self.bad_addresses)]
        return found

    def _unknown_fields(self) -> list[str]:
        known = ", ".join(f"{{{name}}}" for name in _fields)
        nearly = (
            match[0]
            for match in _NEARLY_FIELD.finditer(f"{self.subject}\n{self.text}")
            if not _FIELD.fullmatch(match[0]) and match[1].lower() in _fields
        )
        unknown = dict.fromkeys(
            [f"{{{name}}}" for name in sorted(self.fields - _fields.keys())] + list(nearly)
        )
        return [
            _("%(field)s is not a field. You can use: %(known)s.") % {"field": each, "known": known}
            for each in unknown
        ]

    def examples(self) -> dict[str, str]:
        """Values to look at a draft with; an unknown field stands as it is written."""
        return {
            name: str(_fields[name].example) if name in _fields else f"{{{name}}}" for name in self.fields
        }

    def heading(self, values: Mapping[str, str]) -> str:
        """The subject with its fields filled in, never longer than a label may be."""
        return self._heading.filled(values)[:SUBJECT_LIMIT]

    def html(self, values: Mapping[str, str]) -> str:
        """A whole HTML5 document that needs nothing from anywhere else."""
        return self._document.filled(values)

    def fragment(self, values: Mapping[str, str]) -> str:
        """The text alone, without subject and sender, for pages and previews."""
        return self._fragment.filled(values)

    def plain(self, values: Mapping[str, str]) -> str:
        """The text alone as plain text, for e-mail."""
        return self._plain.filled(values)

    def blocks(self, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """The text as JSON, for typst.

        {"kind": "paragraph" | "heading", "level"?: 2 | 3, "runs": […]}, {"kind": "list", "start": int | None, "points":
        [[block, …], …]}, {"kind": "rule"}. A run is {"text", "bold", "italic"}, {"break": True} or {"address", "shown",
        "runs"}, where `shown` is the address as people write it.
        """
        return [_block_json(block, values) for block in self.body]


# Reading


def _reader() -> MarkdownIt:
    """Knows the marks we have and no others. Addresses are judged by us, so that a bad one can be named."""
    reader = MarkdownIt("zero").enable(["heading", "list", "hr", "newline", "escape", "emphasis", "link"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]
    reader.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return reader


_READER: Final = _reader()


def _read(text: str) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    tree = SyntaxTreeNode(_READER.parse(_without_odd(_LINE_ENDS.sub("\n", text)).expandtabs(4)))
    bad: list[str] = []
    body: list[Block] = []
    above = 1  # no heading goes down two levels at once: readers that jump from heading to heading would look for one
    for node in tree.children:
        if node.type == "heading":
            above = min(max(int(node.tag[1]), 2), 3, above + 1)
            inline = _inline(node, bad)
            if inline:
                body.append(Heading(above, inline))
        elif node.type == "hr":
            body.append(Rule())
        else:
            body += _read_inside(node, bad, depth=1)
    return tuple(body), tuple(bad)


def _read_inside(node: SyntaxTreeNode, bad: list[str], *, depth: int) -> Iterator[Paragraph | Listing]:
    """What may stand in a point as well: a heading there is a paragraph, and a list too deep joins the one around it."""
    if node.type in ("paragraph", "heading"):
        inline = _inline(node, bad)
        if inline:
            yield Paragraph(inline)
    elif node.type in ("bullet_list", "ordered_list"):
        points: list[tuple[Paragraph | Listing, ...]] = []
        for item in node.children:
            inside: list[Paragraph | Listing] = []
            for child in item.children:
                for block in _read_inside(child, bad, depth=depth + 1):
                    if isinstance(block, Listing) and depth >= _DEEPEST:
                        points.append(tuple(inside))
                        inside = []
                        points += block.points
                    else:
                        inside.append(block)
            points.append(tuple(inside))
        points = [point for point in points if point]
        if points:
            start = node.attrs.get("start", 1) if node.type == "ordered_list" else None
            yield Listing(None if start is None else int(start), tuple(points))


def _inline(node: SyntaxTreeNode, bad: list[str]) -> tuple[Inline, ...]:
    found: list[Inline] = []
    for child in node.children:
        _walk(child, found, bad, bold=False, italic=False, in_link=False)
    return tuple(found)


def _walk(
    node: SyntaxTreeNode, found: list[Inline], bad: list[str], *, bold: bool, italic: bool, in_link: bool
) -> None:
    if node.type == "text":
        found += (
            _with_fields(node.content, bold, italic)
            if in_link
            else _with_addresses(node.content, bold, italic)
        )
    elif node.type in ("softbreak", "hardbreak"):
        found.append(Break())
    elif node.type == "link":
        inside: list[Inline] = []
        for child in node.children:
            _walk(child, inside, bad, bold=bold, italic=italic, in_link=True)
        found += _link(str(node.attrs["href"]), inside, bad, bold, italic)
    else:
        for child in node.children:
            _walk(
                child,
                found,
                bad,
                bold=bold or node.type == "strong",
                italic=italic or node.type == "em",
                in_link=in_link,
            )


def _link(address: str, inside: list[Inline], bad: list[str], bold: bool, italic: bool) -> list[Inline]:
    simple = tuple(each for each in inside if not isinstance(each, Link))
    alone = _FIELD.fullmatch(address)
    if alone and _is_address(alone[1]):
        return [Link("", alone[1], simple or (Field(alone[1], bold, italic),))]
    if _is_good(address):
        return [Link(address, "", simple or (Text(_shown(address), bold, italic),))]
    bad.append(address)
    return [*simple, Text(f" ({address})", bold, italic)] if address else list(simple)


def _with_addresses(text: str, bold: bool, italic: bool) -> Iterator[Inline]:
    """An address that is typed out is a link too."""
    place = 0
    for match in _BARE_ADDRESS.finditer(text):
        if _is_good(match[0]):
            yield from _alone(text[place : match.start()], bold, italic)
            yield Link(match[0], "", (Text(match[0], bold, italic),))
            place = match.end()
    yield from _alone(text[place:], bold, italic)


def _alone(text: str, bold: bool, italic: bool) -> Iterator[Inline]:
    """Outside links, where a field that holds an address becomes one."""
    for each in _with_fields(text, bold, italic):
        yield Link("", each.name, (each,)) if isinstance(each, Field) and _is_address(each.name) else each


def _with_fields(text: str, bold: bool, italic: bool) -> Iterator[Text | Field]:
    for place, part in enumerate(_FIELD.split(text)):
        if place % 2:
            yield Field(part, bold, italic)
        elif part:
            yield Text(part, bold, italic)


def _is_address(name: str) -> bool:
    return name in _fields and _fields[name].is_address


def _is_good(address: str) -> bool:
    """https, mailto or tel, and nothing that makes one place look like another."""
    if _MAILBOX.fullmatch(address) or _TELEPHONE.fullmatch(address):
        return True
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    return (
        address.startswith("https://")
        and bool(host and re.fullmatch(r"[\w-]+(\.[\w-]+)+", host))
        and "@" not in parts.netloc
        and not re.search(r"[\s<>\"\\^`{}|]", address)
    )


def _bad_address(address: str) -> str:
    shown = {"address": address or "()"}
    if _FIELD.search(address):
        return (
            _("A link can't lead to %(address)s. Only a field with an address can stand there, and alone.")
            % shown
        )
    return (
        _("A link can't lead to %(address)s. Use an address that begins with https://, mailto: or tel:.")
        % shown
    )


# Values


def _without_odd(text: str) -> str:
    return _ODD.sub("", text) if _ODD.search(text) else text


def _clean(value: str) -> str:
    """A value as it may stand in a text: lines kept, what can't be seen left out."""
    return _without_odd(_LINE_ENDS.sub("\n", value) if _ODD.search(value) else value)


def _on_one_line(value: str) -> str:
    return " ".join(_clean(value).split())


def _safe(value: str) -> str:
    """Escaped for a tag's content or attribute."""
    return html.escape(_clean(value))


def _safe_lines(value: str) -> str:
    return _safe(value).replace("\n", "<br>")


def _safe_line(value: str) -> str:
    return html.escape(_on_one_line(value))


def _web_address(value: str) -> str:
    """Addresses are ours, and on somebody's own machine they are http."""
    if not value.startswith(("https://", "http://")) or _ODD.search(value) or re.search(r"[\s<>\"]", value):
        raise ValueError(f"This is no web address: {value!r}")
    return value


def _safe_address(value: str) -> str:
    return html.escape(_web_address(value))


# HTML

_STYLE: Final = (
    "body{margin:0;background:#fff;color:#1a1a1a;font:1.0625rem/1.6 'IBM Plex Sans',system-ui,-apple-system,'Segoe UI',"
    "Roboto,Helvetica,Arial,sans-serif;overflow-wrap:break-word}"
    "main,footer{max-width:38rem;margin:0 auto;padding:1.5rem 1.25rem}"
    "h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1.5rem}"
    "h2{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem}h3{font-size:1.0625rem;margin:1.5rem 0 .25rem}"
    "p,ul,ol{margin:0 0 1rem}ul,ol{padding-left:1.5rem}li{margin:.25rem 0}a{color:#004d99}"
    "hr{border:0;border-top:1px solid #767676;margin:2rem 0}"
    "footer{padding-top:0;color:#454545;font-size:.9375rem}footer p{border-top:1px solid #bfbfbf;padding-top:1rem}"
)


def _document(
    heading: Sequence[Inline], fragment: Sequence[str | _Hole], language: str
) -> Iterator[str | _Hole]:
    title = [
        html.escape(each.text) if isinstance(each, Text) else _Hole(each.name, _safe_line)
        for each in heading
        if isinstance(each, Text | Field)
    ]
    municipality = settings.MUNICIPALITY
    digits = re.sub(r"[^0-9+]", "", municipality["phone"])
    with translation.override(language):
        phone = _("Phone %(number)s")
    before, after = html.escape(phone).split("%(number)s")
    yield f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>'
    yield from title
    yield f"</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>"
    yield from title
    yield "</h1>\n"
    yield from fragment
    yield f"</main>\n<footer>\n<p>{html.escape(municipality['name'])}"
    if digits:
        yield f'<br>{before}<a href="tel:{digits}">{html.escape(municipality["phone"])}</a>{after}'
    yield "</p>\n</footer>\n</body>\n</html>\n"


def _html_blocks(blocks: Iterable[Block]) -> Iterator[str | _Hole]:
    for block in blocks:
        if isinstance(block, Rule):
            yield "<hr>\n"
        elif isinstance(block, Listing):
            yield from _html_list(block)
        else:
            tag = f"h{block.level}" if isinstance(block, Heading) else "p"
            yield f"<{tag}>"
            yield from _html_inline(block.inline)
            yield f"</{tag}>\n"


def _html_list(listing: Listing) -> Iterator[str | _Hole]:
    if listing.start is None:
        yield "<ul>\n"
    else:
        yield "<ol>\n" if listing.start == 1 else f'<ol start="{listing.start}">\n'
    for point in listing.points:
        yield "<li>"
        first, *rest = point
        if isinstance(first, Paragraph):
            yield from _html_inline(first.inline)
        else:
            rest = [first, *rest]
        if rest:
            yield "\n"
            yield from _html_blocks(rest)
        yield "</li>\n"
    yield "</ul>\n" if listing.start is None else "</ol>\n"


def _html_inline(inline: Iterable[Inline]) -> Iterator[str | _Hole]:
    for each in inline:
        if isinstance(each, Break):
            yield "<br>\n"
        elif isinstance(each, Link):
            yield '<a href="'
            yield _Hole(each.field, _safe_address) if each.field else html.escape(normalizeLink(each.address))
            yield '">'
            yield from _html_inline(each.inside)
            yield "</a>"
        else:
            yield "<strong>" * each.bold + "<em>" * each.italic
            yield html.escape(each.text) if isinstance(each, Text) else _Hole(each.name, _safe_lines)
            yield "</em>" * each.italic + "</strong>" * each.bold


# Plain text


def _plain_blocks(blocks: Sequence[Block]) -> Iterator[str | _Hole]:
    for place, block in enumerate(blocks):
        if place:
            yield "\n\n"
        if isinstance(block, Rule):
            yield "-" * 20
        elif isinstance(block, Listing):
            yield from _plain_list(block, "")
        else:
            yield from _plain_inline(block.inline, _clean)
    if blocks:
        yield "\n"


def _plain_list(listing: Listing, margin: str) -> Iterator[str | _Hole]:
    for place, point in enumerate(listing.points):
        sign = "- " if listing.start is None else f"{listing.start + place}. "
        inner = margin + " " * len(sign)

        def hung(value: str, inner: str = inner) -> str:
            return _clean(value).replace("\n", "\n" + inner)

        yield ("\n" if place else "") + margin + sign
        for order, block in enumerate(point):
            if isinstance(block, Listing):
                yield "\n" if order else ""
                yield from _plain_list(block, inner)
            else:
                yield "\n" + inner if order else ""
                yield from _plain_inline(block.inline, hung, "\n" + inner)


def _plain_inline(
    inline: Iterable[Inline], turned: Callable[[str], str], end: str = "\n"
) -> Iterator[str | _Hole]:
    for each in inline:
        if isinstance(each, Break):
            yield end
        elif isinstance(each, Text):
            yield each.text
        elif isinstance(each, Field):
            yield _Hole(each.name, turned)
        elif each.field:
            if not (
                len(each.inside) == 1
                and isinstance(each.inside[0], Field)
                and each.inside[0].name == each.field
            ):
                yield from _plain_inline(each.inside, turned, end)
                yield ": "
            yield _Hole(each.field, _web_address)
        else:
            words = "".join(part.text for part in each.inside if isinstance(part, Text))
            shown = _shown(each.address)
            if words != shown or len(each.inside) > 1:
                yield from _plain_inline(each.inside, turned, end)
                yield ": "
            yield shown


def _shown(address: str) -> str:
    return address.removeprefix("mailto:").removeprefix("tel:")


# JSON


def _block_json(block: Block, values: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(block, Rule):
        return {"kind": "rule"}
    if isinstance(block, Listing):
        points = [[_block_json(inner, values) for inner in point] for point in block.points]
        return {"kind": "list", "start": block.start, "points": points}
    runs = [run for each in block.inline for run in _runs(each, values)]
    if isinstance(block, Heading):
        return {"kind": "heading", "level": block.level, "runs": runs}
    return {"kind": "paragraph", "runs": runs}


def _runs(each: Inline, values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    if isinstance(each, Break):
        yield {"break": True}
    elif isinstance(each, Link):
        typed = _web_address(values[each.field]) if each.field else each.address
        yield {
            "address": normalizeLink(typed),
            "shown": _shown(typed),
            "runs": [run for part in each.inside for run in _runs(part, values)],
        }
    elif isinstance(each, Text):
        yield {"text": each.text, "bold": each.bold, "italic": each.italic}
    else:
        for place, line in enumerate(_clean(values[each.name]).split("\n")):
            if place:
                yield {"break": True}
            yield {"text": line, "bold": each.bold, "italic": each.italic}


# Looking through


def _fields_in(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Listing):
            for point in block.points:
                yield from _fields_in(point)
        elif not isinstance(block, Rule):
            for each in block.inline:
                if isinstance(each, Link):
                    yield from [each.field] if each.field else []
                    yield from (part.name for part in each.inside if isinstance(part, Field))
                elif isinstance(each, Field):
                    yield each.name


def _plain_of(blocks: Sequence[Block]) -> str:
    """Whether there is anything to read: what is left when rules and white space are taken away."""
    parts = _plain_blocks([block for block in blocks if not isinstance(block, Rule)])
    return "".join(part if isinstance(part, str) else part.name for part in parts).strip()
