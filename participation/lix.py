"""LIX, Björnsson's readability index: words per sentence plus the percentage of words longer than six letters.

Up to 24 very easy, 25-34 easy, 35-44 medium, 45-54 hard, from 55 very hard. Headings and lists are left out, and so are
the names of places and laws: nobody can make "Sct. Hans Hospital" or "planloven" shorter.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape

LONG_WORD = 7  # letters: "over six"
LONGEST_TEXT = 20_000  # characters; more says nothing new about how a text reads

# Abbreviations whose points end no sentence, written out as they are read aloud.
_ABBREVIATIONS = {
    "bl.a.": "blandt andet",
    "ca.": "cirka",
    "dvs.": "det vil sige",
    "evt.": "eventuelt",
    "f.eks.": "for eksempel",
    "fx.": "for eksempel",
    "inkl.": "inklusive",
    "jf.": "jævnfør",
    "kl.": "klokken",
    "kr.": "kroner",
    "mio.": "millioner",
    "mht.": "med hensyn til",
    "m.fl.": "med flere",
    "m.m.": "med mere",
    "m.v.": "med videre",
    "mv.": "med videre",
    "nr.": "nummer",
    "osv.": "og så videre",
    "pga.": "på grund af",
    "sct.": "sankt",
    "stk.": "stykke",
    "vedr.": "vedrørende",
}
_ABBREVIATION = re.compile(
    r"(?<!\w)(" + "|".join(re.escape(a) for a in sorted(_ABBREVIATIONS, key=len, reverse=True)) + ")",
    re.IGNORECASE,
)
_TAG = re.compile(r"(<[^<>]{1,500}>)")
_TAG_NAME = re.compile(r"<(/?)\s*([a-zA-Z][a-zA-Z0-9]*)[^<>]*>$")
_LEFT_OUT = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"})
_BLOCKS = frozenset({"p", "div", "blockquote", "br"})
_LIST_LINE = re.compile(r"^\s*([-*•·–]|\d{1,2}[.)])\s")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*\.?")
_STOP = re.compile(r"[.?!:;]+(?=\s|$)")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_LAW = re.compile(r"(?:\w*lov(?:en|ens|givningen)?|\w*bekendtgørelsen?s?|§+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """How hard a text is to read, and how much of it was counted."""

    lix: int
    words: int


def reading(text: str, names: Iterable[str] = ()) -> Reading:
    """The LIX of a plain or HTML text; `names` (places) are left out."""
    running = _running_text(text)
    for name in sorted(names, key=len, reverse=True):
        if name:
            running = re.sub(rf"(?<!\w){re.escape(name)}s?(?!\w)", " ", running)
    sentences = [words for part in _STOP.split(running) if (words := _counted(part))]
    count = sum(len(words) for words in sentences)
    if not count:
        return Reading(0, 0)
    long = sum(len(word.replace("-", "")) >= LONG_WORD for words in sentences for word in words)
    return Reading(round(count / len(sentences) + 100 * long / count), count)


def _prose(html: str) -> str:
    """The running text of HTML: no headings, lists or tables; a paragraph ends with an empty line."""
    kept: list[str] = []
    within: list[str] = []
    for part in _TAG.split(html):
        tag = _TAG_NAME.match(part)
        if tag is None:
            if not within:
                kept.append(unescape(part))
            continue
        name, closing = tag[2].lower(), bool(tag[1])
        if name in _LEFT_OUT and not closing:
            within.append(name)
        elif within and closing and name == within[-1]:
            within.pop()
        if name in _LEFT_OUT | _BLOCKS:
            kept.append("\n\n")
    return "".join(kept)


def _running_text(text: str) -> str:
    text = text[:LONGEST_TEXT]
    if "<" in text:
        text = _prose(text)
    kept = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if not _LIST_LINE.match(line)]
        prose = " ".join(lines).strip()
        if prose and not (_is_heading(prose)):
            kept.append(prose if _STOP.search(prose[-1]) else f"{prose}.")
    running = _NUMBER.sub(" ", _ABBREVIATION.sub(lambda m: _ABBREVIATIONS[m[0].lower()], " ".join(kept)))
    return running


def _is_heading(paragraph: str) -> bool:
    """A short line of its own without a full stop."""
    return len(paragraph) <= 70 and not _STOP.search(paragraph)


def _counted(sentence: str) -> list[str]:
    """The words of a sentence without names: Danish writes only names with a capital inside a sentence."""
    words = _WORD.findall(sentence)
    return [
        word
        for place, word in enumerate(words)
        if not _LAW.match(word) and (place == 0 or not word[0].isupper())
    ]
