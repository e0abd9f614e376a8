"""A few marks become HTML, text and blocks; nothing else ever becomes markup, whatever is typed and whoever is written to."""

from __future__ import annotations

import json
import re
import timeit
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailouts import letters
from mailouts.letters import Letter, MergeField, register_field
from tests.patience import seconds_here

pytestmark = pytest.mark.usefixtures("fields", "english")
ALLOWED = {"p", "h2", "h3", "ul", "ol", "li", "a", "strong", "em", "br", "hr"}
DOCUMENT = ALLOWED | {"html", "head", "meta", "title", "style", "body", "main", "h1", "footer"}
VOID = {"br", "hr", "meta"}


class Tags(HTMLParser):
    """What a browser makes of it: tags in order, their attributes, the text, and whether all was closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


def values_of(letter: Letter, **given: str) -> dict[str, str]:
    return letter.examples() | given


def fragment(text: str, **given: str) -> str:
    letter = Letter.parse("Emne", text)
    return letter.fragment(values_of(letter, **given))


def plain(text: str, **given: str) -> str:
    letter = Letter.parse("Emne", text)
    return letter.plain(values_of(letter, **given))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("En\nto\n\nTre", "<p>En<br>\nto</p>\n<p>Tre</p>\n"),
        ("# A\n## B\n### C\n###### D", "<h2>A</h2>\n<h2>B</h2>\n<h3>C</h3>\n<h3>D</h3>\n"),
        ("### Alene", "<h2>Alene</h2>\n"),
        ("**fed** og *skrå*", "<p><strong>fed</strong> og <em>skrå</em></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("- a\n  1. b", "<ul>\n<li>a\n<ol>\n<li>b</li>\n</ol>\n</li>\n</ul>\n"),
        (
            "- a\n  - b\n    - c\n      - d\n  - e",
            "<ul>\n<li>a\n<ul>\n<li>b</li>\n<li>c</li>\n<li>d</li>\n<li>e</li>\n</ul>\n</li>\n</ul>\n",
        ),
        ("- ## a", "<ul>\n<li>a</li>\n</ul>\n"),
        ("a\n\n---\n\nb", "<p>a</p>\n<hr>\n<p>b</p>\n"),
        ("[her](https://a.dk/?b=1&c=2)", '<p><a href="https://a.dk/?b=1&amp;c=2">her</a></p>\n'),
        ("Se https://a.dk/b.", '<p>Se <a href="https://a.dk/b">https://a.dk/b</a>.</p>\n'),
        ("[ring](tel:+4512345678)", '<p><a href="tel:+4512345678">ring</a></p>\n'),
        ("[](mailto:a@b.dk)", '<p><a href="mailto:a@b.dk">a@b.dk</a></p>\n'),
        ("[Stem]({link})", '<p><a href="https://deltag.example.dk/stem?a=1&amp;b=2">Stem</a></p>\n'),
        ("Kære {navn}", "<p>Kære Anna Andersen</p>\n"),
        ("**{navn}**", "<p><strong>Anna Andersen</strong></p>\n"),
        ("{adresse}", "<p>Rådhusvej 14<br>4300 Lunde</p>\n"),
    ],
)
def test_the_marks(text: str, expected: str) -> None:
    assert fragment(text) == expected
    assert Letter.parse("Emne", text).problems() == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b>b</b> <!-- c --> <img src=x onerror=alert(1)>",
        "![billede](https://a.dk/x.png)".replace("!", "! "),
        "`kode` ~~streg~~ > citat",
        "    indrykket",
        "```\n<b>\n```",
        "| a | b |\n|---|---|\n| c | d |",
        "&lt;b&gt; &#60;",
        '#import "@preview/x:1.0.0"\n#read("/etc/passwd")\n$x$ @a <b>',
        "{{ settings.SECRET_KEY }} {% load x %} %(a)s %s {0}",
        "[a][b]\n\n[b]: https://a.dk",
    ],
)
def test_everything_else_is_the_text_it_is(text: str) -> None:
    written = Tags(fragment(text))
    assert set(written.tags) <= {"p", "br", "a", "h2"}
    words = re.sub(r"\s+", " ", written.text)
    for word in re.findall(r"[<&`~|$@{%#][\w;{%]+", text):
        assert word in words


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "http://a.dk",
        "//a.dk",
        "/stem",
        "https://",
        "https://localhost",
        "https://kommune.dk@ond.dk",
        "https:\\\\a.dk",
        "mailto:a",
        "mailto:a@b.dk?bcc=c@d.dk",
        "tel:javascript",
        "https://a.dk/{kode}",
        "{kode}",
        "{link}/mere",
        "",
    ],
)
def test_a_bad_address_is_a_problem_and_no_link(address: str) -> None:
    letter = Letter.parse("Emne", f"[klik]({address})")
    (problem,) = letter.problems()
    assert "A link can't lead to" in problem
    assert "<a" not in letter.fragment(values_of(letter))
    assert "klik" in letter.plain(values_of(letter))


def test_an_unknown_field_is_named_with_those_that_are_known() -> None:
    letter = Letter.parse("Kære {nvan}", "{Navn} {kode} {bog} {en dag}")
    assert letter.fields == {"nvan", "kode", "bog"}
    known = "You can use: {navn}, {fornavn}, {adresse}, {distrikt}, {kode}, {link}."
    assert letter.problems() == [f"{each} is not a field. {known}" for each in ("{bog}", "{nvan}", "{Navn}")]
    assert "{bog}" in letter.fragment(letter.examples())


@pytest.mark.parametrize(
    ("subject", "text", "said"),
    [
        ("", "a", "The letter has no subject."),
        ("  ", "a", "The letter has no subject."),
        ("e" * 257, "a", "The subject is 257 characters long. At most 256 are possible."),
        ("e\nf", "a", "The subject must be a single line."),
        ("e", "", "The letter has no text."),
        ("e", " \n\n---\n", "The letter has no text."),
        ("e", "a\x00b", "There are hidden characters"),
        ("e\u202e", "a", "There are hidden characters"),
        ("e", "a\ud800", "There are hidden characters"),
    ],
)
def test_problems(subject: str, text: str, said: str) -> None:
    (problem,) = Letter.parse(subject, text).problems()
    assert problem.startswith(said)


def test_hidden_characters_reach_nobody() -> None:
    letter = Letter.parse("Kære\u202e {navn}\x00", "a\x00\u202eb\ud800 {navn}")
    given = values_of(letter, navn="An\x00na\u2067\ud83d")
    for written in (
        letter.html(given),
        letter.plain(given),
        letter.heading(given),
        json.dumps(letter.blocks(given)),
    ):
        assert not re.search("[\x00\u202e\u2067\ud800-\udfff]|\\\\u0000|\\\\ud8", written)
        written.encode()
    assert letter.plain(given) == "ab Anna\n"


def test_plain_text() -> None:
    text = "## Stem\nKære **{navn}**\n\n- a\n  1. b\n     c\n  2. {adresse}\n- [her](https://a.dk)\n\n---\n{link} [Stem]({link}) [ring](tel:12345678)"
    assert plain(text) == (
        "Stem\n\nKære Anna Andersen\n\n- a\n  1. b\n     c\n  2. Rådhusvej 14\n     4300 Lunde\n- her: https://a.dk\n\n"
        "--------------------\n\nhttps://deltag.example.dk/stem?a=1&b=2 Stem: https://deltag.example.dk/stem?a=1&b=2 "
        "ring: 12345678\n"
    )


def test_the_document_stands_alone() -> None:
    letter = Letter.parse("Stem {navn} & co", "Kære {navn}\n\n## Om\n\n[Stem]({link})", language="en")
    written = letter.html(values_of(letter, navn='<i>"A"</i>'))
    parsed = Tags(written)
    assert written.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert set(parsed.tags) <= DOCUMENT
    assert parsed.tags.count("h1") == 1
    assert "<title>Stem &lt;i&gt;&quot;A&quot;&lt;/i&gt; &amp; co</title>" in written
    assert "Lunde Kommune" in parsed.text
    assert 'Phone <a href="tel:00000000">00 00 00 00</a>' in written
    assert not re.search(r"url\(|@import|src=|<script|<link| on\w+=", written)
    for language in ("", "dan", "d<", "DA"):
        with pytest.raises(ValueError, match="two letters"):
            Letter.parse("e", "t", language=language)


def test_blocks() -> None:
    letter = Letter.parse("e", "## A\n\n1. {adresse}\n\n*b* [c]({link})\n\n---")
    words = {"bold": False, "italic": False}
    address = letter.examples()["link"]
    assert json.loads(json.dumps(letter.blocks(letter.examples()))) == [
        {"kind": "heading", "level": 2, "runs": [{"text": "A", **words}]},
        {
            "kind": "list",
            "start": 1,
            "points": [
                [
                    {
                        "kind": "paragraph",
                        "runs": [
                            {"text": "Rådhusvej 14", **words},
                            {"break": True},
                            {"text": "4300 Lunde", **words},
                        ],
                    }
                ]
            ],
        },
        {
            "kind": "paragraph",
            "runs": [
                {"text": "b", "bold": False, "italic": True},
                {"text": " ", **words},
                {"address": address, "shown": address, "runs": [{"text": "c", **words}]},
            ],
        },
        {"kind": "rule"},
    ]


def test_a_missing_value_is_named() -> None:
    letter = Letter.parse("e", "{navn} {kode}")
    for made in (letter.html, letter.fragment, letter.plain, letter.blocks):
        with pytest.raises(KeyError, match="kode"):
            made({"navn": "a"})


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "", 'https://a.dk/"x', "https://a.dk/\u202e", "a.dk"]
)
def test_a_value_that_is_no_address_leads_nowhere(value: str) -> None:
    letter = Letter.parse("e", "[a]({link})")
    for made in (letter.html, letter.plain, letter.blocks):
        with pytest.raises(ValueError, match="no web address"):
            made({"link": value})


def test_a_field_is_one_word_and_registered_once() -> None:
    register_field(MergeField("hus", "House", "1"))
    register_field(MergeField("hus", "House", "1"))
    assert letters.fields()[-1].name == "hus"
    with pytest.raises(ValueError, match="already"):
        register_field(MergeField("hus", "Home", "1"))
    for name in ("Hus", "hus nr", "", "hus}"):
        with pytest.raises(ValueError, match="one word"):
            register_field(MergeField(name, "x", "x"))


def test_equal_letters_are_equal() -> None:
    assert Letter.parse("e", "{navn}") == Letter.parse("e", "{navn}")
    assert hash(Letter.parse("e", "t")) != hash(Letter.parse("e", "u"))


# Whatever is typed

marks = st.sampled_from(
    ["#", "##", "- ", "1. ", "**", "*", "_", "[", "](", ")", "{navn}", "{link}", "{x}", "\n", "\n\n", "  ", "---", "\\", "`", "<b>", "</p>", "<!--", "&", '"', "'", "https://a.dk", "javascript:", "mailto:", "!", "|", ">", "\x00", "\u202e", "%s", "$", "a"]
)  # fmt: skip
typed = st.one_of(st.text(max_size=80), st.lists(marks, max_size=40).map("".join))


@settings(max_examples=250, deadline=None)
@given(subject=typed, text=typed, value=typed)
def test_no_tag_but_ours_and_no_value_as_markup(subject: str, text: str, value: str) -> None:
    letter = Letter.parse(subject, text)
    address = "https://a.dk/"
    with_value = dict.fromkeys(letter.fields, value) | {"link": address}
    with_word = dict.fromkeys(letter.fields, "ord") | {"link": address}
    written, tame = Tags(letter.fragment(with_value)), Tags(letter.fragment(with_word))
    assert set(written.tags) <= ALLOWED
    assert {name for name, _value in written.attributes} <= {"href", "start"}
    for name, at in written.attributes:
        assert name != "href" or re.match("https://|mailto:|tel:", at or "")
    # the value changes nothing but words and line ends
    assert [tag for tag in written.tags if tag != "br"] == [tag for tag in tame.tags if tag != "br"]
    assert written.attributes == tame.attributes
    document = Tags(letter.html(with_value))
    assert set(document.tags) <= DOCUMENT
    assert document.tags.count("h1") == document.tags.count("title") == document.tags.count("style") == 1
    letter.plain(with_value).encode()
    json.dumps(letter.blocks(with_value), ensure_ascii=False).encode()
    letter.problems()


def test_deep_and_long_texts_are_read_in_time() -> None:
    for text in (
        "- " * 2000,
        "*" * 20000,
        "[" * 5000,
        "**a *b " * 2000,
        "".join("  " * n + "- a\n" for n in range(80)),
    ):
        assert timeit.timeit(lambda text=text: Letter.parse("e", text), number=1) < seconds_here(2)  # type: ignore[misc]


@pytest.mark.load
def test_forty_thousand_letters_are_a_second_of_work() -> None:
    letter = Letter.parse("Emne", "{navn} {fornavn} {adresse} {kode} {link}\n\n" + "Ord ord ord.\n\n" * 50)
    given = letter.examples()
    assert timeit.timeit(lambda: letter.html(given), number=4000) < seconds_here(0.2)
