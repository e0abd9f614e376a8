"""Letters on paper: the address where the window is and nothing else there, tagged pages, a batch that can be taken apart again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from PIL import ImageFont
from pypdf import PageObject, PdfReader

from dkfds.printing import FONTS
from mailouts import paper
from mailouts.letters import Letter
from mailouts.paper import Code, Row, Sheet, batch_csv, batch_pdf, batches, letter_pdf

TEXT = """Kære {fornavn}

## Sådan stemmer du

1. Gå til {link}
2. Vælg **tre**:
   - læs *forslagene*
   - [spørg os](mailto:deltag@example.dk)

### Hjælp

[Ring](tel:12345678), eller se https://example.dk/hjaelp.

---

Hilsen
Kommunen"""
VALUES = {"fornavn": "Anna", "link": "https://deltag.example.dk/stem"}
SHORT = Letter.parse("Kort", "Kære {fornavn}", language="en")
SHEET = Sheet("Anna Andersen", ["Rådhusvej 14, 2. tv.", "4300 Lunde"], date(2027, 3, 1), VALUES)
LONG = Letter.parse("Langt", "\n\n".join(["Kære {fornavn}. " + "Her er mange ord. " * 40] * 8), language="en")

# Millimetres, as in mailouts/paper.py: the recipient's room, and the room that nothing else may be in.
RECIPIENT = (21, 41, 80, 62)
CLEAR = (17, 25, 132, 114)
COMMON_WINDOW_TOP = 45


def the_letter() -> Letter:
    """Read when the fields are known: which of them are addresses is settled then."""
    return Letter.parse("Stem om pengene", TEXT, language="en")


@dataclass(frozen=True)
class Seen:
    """A run of text and the edges of its ink in millimetres from the page's upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def within(self, room: tuple[float, float, float, float]) -> bool:
        return (
            self.left >= room[0] - 0.05
            and self.top >= room[1] - 0.05
            and self.right <= room[2] + 0.05
            and self.bottom <= room[3] + 0.05
        )

    def touches(self, room: tuple[float, float, float, float]) -> bool:
        return self.left < room[2] and self.right > room[0] and self.top < room[3] and self.bottom > room[1]


def seen_on(page: PageObject) -> list[Seen]:
    found = []
    height = float(page.mediabox.height)

    def visit(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        if text.strip():
            name = "SemiBold" if "SemiBold" in str(font and font["/BaseFont"]) else "Regular"
            measured = ImageFont.truetype(FONTS / f"IBMPlexSans-{name}.ttf", 1000)
            left, top, right, bottom = (
                edge * size / 1000 for edge in measured.getbbox(text.strip(), anchor="ls")
            )
            x, y = tm[4] * cm[0] + cm[4], height - (tm[5] * cm[3] + cm[5])
            found.append(
                Seen(text.strip(), *(at / 72 * 25.4 for at in (x + left, y + top, x + right, y + bottom)))
            )

    page.extract_text(visitor_text=visit)
    return found


def pages(pdf: bytes) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(pdf)).pages)


def words(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().replace("\u200b", "").split()) for page in pages(pdf)]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Bo Å", ["Ås 1", "9999 Å"]),
        ("Anna Andersen", ["Rådhusvej 14, 2. tv.", "Nørre Lunde", "4300 Lunde"]),
        ("Ågot Gjørtz", ["c/o Bø Kjær", "Åvej 4", "Ågård", "4300 Lunde", "Grønland"]),
        ("Anne-Marie Christina Frederikke Østergaard-Kristoffersen", ["Kong Christian den Tiendes Allé 114, 12. tv.", "4300 Lunde"]),
        ("W" * 120, ["W" * 120] * 5),
        ("Ord " * 60, ["Ord " * 60] * 9),
    ],
)  # fmt: skip
def test_the_address_is_in_the_window_and_nothing_else_is(name: str, lines: list[str], settings: Any) -> None:
    settings.MUNICIPALITY = settings.MUNICIPALITY | {"address": "Rådhustorvet 1, 4300 Lunde"}
    code = Code("7KQM-4X2P-9RTB", "https://example.dk/kode#7KQM")
    sheet = replace(SHEET, name=name, lines=lines, case_number="2027-123456789", code=code)
    seen = seen_on(pages(letter_pdf(the_letter(), sheet))[0])
    inside = [each for each in seen if each.touches(CLEAR)]
    returned, *address = inside
    assert returned.text == "Lunde Kommune, Rådhustorvet 1, 4300 Lunde"
    assert returned.bottom < RECIPIENT[1]
    assert "".join(each.text for each in address).replace("\u200b", "").startswith(name[:20].strip())
    assert all(each.within(RECIPIENT) for each in address)
    if len(lines) <= 3 and len(name) < 60:
        assert all(each.top >= COMMON_WINDOW_TOP for each in address)
    assert {"March 1, 2027", "Stem om pengene"} <= {each.text for each in seen} - {
        each.text for each in inside
    }


def test_nothing_runs_over_the_edge() -> None:
    text = f"# {'a' * 300}\n\n{'b' * 300} {{fornavn}}\n\n- {'c' * 300}\n  - https://example.dk/{'d' * 300}\n\n**{'W' * 300}**"
    letter = Letter.parse("E" * 256, text, language="en")
    values = {"fornavn": "f" * 500}
    made = pages(letter_pdf(letter, replace(SHEET, values=values)))
    for page in made:
        for each in seen_on(page):
            assert each.within((17, 14, 210 - 17, 297 - 10)), each
    for each in seen_on(made[1]) if len(made) > 1 else []:
        assert each.top >= 25 - 0.5


def test_what_was_written_stands_there_and_nothing_is_read_as_typst() -> None:
    text = '#import "@preview/x:1.0.0": * \\ #read("/etc/passwd") $x^2$ @kilde <mærke> // væk /* væk */ ~ = Titel \\u{41} {fornavn}'
    value = '#panic("nej") *a* $ ] ) " <b>'
    letter = Letter.parse("#emne $a", text, language="en")
    (page,) = words(letter_pdf(letter, replace(SHEET, name="#Anna *A* $", values={"fornavn": value})))
    for part in (
        "#emne $a",
        '#read("/etc/passwd")',
        "<mærke> // væk /* væk */ ~ = Titel",
        value,
        "#Anna *A* $",
    ):
        assert part in page


def test_links_are_told_on_paper() -> None:
    (page,) = words(letter_pdf(the_letter(), SHEET))
    assert "Gå til deltag.example.dk/stem" in page
    assert "spørg os (deltag@example.dk)" in page
    assert "Ring (12345678), eller se example.dk/hjaelp." in page


@pytest.mark.parametrize("many", [False, True])
def test_it_is_tagged_and_knows_its_language(many: bool) -> None:
    sheet = replace(SHEET, code=Code("7KQM", "https://example.dk/kode#7KQM"))
    pdf = batch_pdf(the_letter(), [sheet, sheet])[0] if many else letter_pdf(the_letter(), sheet)
    root = PdfReader(io.BytesIO(pdf)).root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    kinds = list(kinds_in(root["/StructTreeRoot"].get_object()))
    for kind in ("/H1", "/H2", "/H3", "/P", "/L", "/LI", "/Link", "/Figure"):
        assert kind in kinds
    assert kinds.count("/H1") == 1 + many


def kinds_in(node: Any) -> Iterator[str]:
    if "/S" in node:
        yield str(node["/S"])
    children = node.get("/K", [])
    for child in children if isinstance(children, list) else [children]:
        child = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(child, dict):
            yield from kinds_in(child)


def test_pages_are_counted_for_each_letter_by_itself() -> None:
    sheets = [replace(SHEET, name=f"Nummer {number}") for number in range(3)]
    pdf, counts = batch_pdf(LONG, sheets)
    made = words(pdf)
    assert sum(counts) == len(made)
    assert counts == [3, 3, 3]
    for number, first in enumerate((0, 3, 6)):
        assert f"Nummer {number} " in made[first]
        assert "Page 1 of 3" in made[first]
        assert "Page 2 of 3" in made[first + 1]
        assert "Phone 00 00 00 00" in made[first + 1]


def test_on_both_sides_each_letter_begins_on_a_sheet_of_its_own() -> None:
    pdf, counts = batch_pdf(SHORT, [SHEET] * 3, duplex=True)
    made = words(pdf)
    assert counts == [2, 2, 1]
    assert len(made) == 5
    assert [not page for page in made] == [False, True, False, True, False]
    assert all("Page 1 of 1" in page for page in made if page)


def test_parts_hold_all_letters_in_order() -> None:
    made = list(batches(SHORT, (replace(SHEET, name=f"Nummer {number}") for number in range(5)), part=2))
    assert [counts for _pdf, counts in made] == [[1, 1], [1, 1], [1]]
    texts = [page for pdf, _counts in made for page in words(pdf)]
    assert [re.search(r"Nummer (\d)", text)[1] for text in texts] == list("01234")  # type: ignore[index]
    assert list(batches(SHORT, [])) == []


def test_a_name_that_no_font_can_write_holds_no_batch_up() -> None:
    pdf, _counts = batch_pdf(SHORT, [replace(SHEET, name="李小龍 Lee Ærø"), SHEET])
    first, second = words(pdf)
    assert "??? Lee Ærø" in first
    assert "Rådhusvej" in second


def test_the_letter_speaks_its_own_language() -> None:
    (page,) = words(letter_pdf(Letter.parse("Emne", "Tekst", language="da"), replace(SHEET, values={})))
    assert "1. marts 2027" in page
    assert "Side 1 af 1" in page


def test_a_missing_value_is_named() -> None:
    with pytest.raises(KeyError, match="fornavn"):
        letter_pdf(SHORT, replace(SHEET, values={}))


# The list


def read(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_list_tells_no_protected_address() -> None:
    rows = [Row(1, 1, 2, "4300", "Lunde"), Row(2, 3, 1, "9999", "Hemmelig By", protected=True)]
    written = batch_csv(rows)
    assert read(written) == [
        ["nummer", "første side", "sider", "postnummer", "by", "beskyttet adresse"],
        ["1", "1", "2", "4300", "Lunde", "nej"],
        ["2", "3", "1", "", "", "ja"],
    ]
    assert b"Hemmelig" not in written
    assert b"9999" not in written


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", '"=1', "'=1", " =1", "=cmd|' /C calc'!A0", "\x00=1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    (_head, row) = read(batch_csv([Row(1, 1, 1, text, text)]))
    for cell in row[3:5]:
        assert cell.startswith("'")
    assert len(row) == 6


def test_a_city_with_a_semicolon_is_one_cell() -> None:
    (_head, row) = read(batch_csv([Row(1, 1, 1, "4300", 'A;B "C"\nD')]))
    assert row[4] == 'A;B "C" D'


def test_the_parts_are_small_enough_to_hold() -> None:
    assert paper.PART <= 250
