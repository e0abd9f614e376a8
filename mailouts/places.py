"""Addresses as a caseworker writes them: "Nørregade 12", "Nørregade 1-15", "Nørregade 1-15 ulige", "Nørregade"."""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.verdict import Refused

MOST_LINES = 500
LONGEST_LINE = 150
_HOUSE = re.compile(
    r"^(?P<road>.*?[^\W\d].*?)[ ,]+(?P<low>\d{1,4})(?P<letter>[a-zæøå]?)(?:\s*[-–]\s*(?P<high>\d{1,4}))?"
    r"(?:\s+(?P<side>lige|ulige))?$",
    re.I,
)
_MORE = re.compile(r"\d{1,4}[a-zæøå]?(?:\s*[-–]\s*\d{1,4})?", re.I)
_ORDINAL = re.compile(r"^\d{1,3}\.?\s+(?=[^\W\d])")  # "10. Februar Vej", "2. Tværgade"
_AT = re.compile(r"^(?P<road>.*?[^\W\d].*?) (?P<number>\d{1,4})(?P<letter>[a-zæøå]?)$", re.I)


def folded(text: str) -> str:
    """Road names compared without case, dots and double spaces; aa and å are one, and so is å typed as a and a ring."""
    return " ".join(
        unicodedata.normalize("NFC", text).casefold().replace("aa", "å").replace(".", " ").split()
    )


@dataclass(frozen=True)
class Span:
    """House numbers of one road; `low` None is all of it. `letter` only where one house is meant."""

    road: str
    low: int | None = None
    high: int | None = None
    letter: str = ""
    parity: int | None = None

    @classmethod
    def read(cls, line: str) -> "Span":
        """Raises Refused for what can't be an address."""
        line = unicodedata.normalize("NFC", line).strip()
        unreadable = Refused(
            "address",
            _("“%(line)s” can't be read as an address. Write “Nørregade 1-15”.") % {"line": line[:80]},
        )
        if len(line) > LONGEST_LINE:
            raise unreadable
        text = line.split(",")[0] if _HOUSE.match(line.split(",")[0].strip()) else line
        text = text.strip()
        if any(_MORE.fullmatch(part.strip()) for part in line[len(text) :].split(",")[1:]):
            raise unreadable  # "1, 3, 5" is several houses
        match = _HOUSE.match(text)
        if match is None:
            road = folded(text)
            named = _ORDINAL.sub("", text)
            if not any(sign.isalpha() for sign in named) or any(sign.isdigit() for sign in named):
                raise unreadable
            return cls(road)
        if match["letter"] and match["high"]:
            raise unreadable  # "12A-14": nobody knows which letters of 14
        if any(sign.isdigit() for sign in _ORDINAL.sub("", match["road"])):
            raise unreadable  # "12 og 14"
        low = int(match["low"])
        high = int(match["high"]) if match["high"] else low
        if high < low:
            raise Refused(
                "address",
                _("“%(line)s”: the first number is larger than the last.") % {"line": line[:80]},
            )
        side = (match["side"] or "").casefold()
        parity = {"lige": 0, "ulige": 1}.get(side)
        return cls(folded(match["road"]), low, high, match["letter"].casefold(), parity)

    def holds(self, road: str, number: int, letter: str) -> bool:
        if road != self.road:
            return False
        if self.low is None or self.high is None:
            return True
        if not self.low <= number <= self.high or (self.letter and letter != self.letter):
            return False
        return self.parity is None or number % 2 == self.parity


def is_at(address: str, wanted: list[Span]) -> bool:
    """Whether an address of the register ("Nørregade 12B, 2. tv, 9999 Lunde") is among them."""
    match = _AT.match(unicodedata.normalize("NFC", address.split(",")[0].strip())[:LONGEST_LINE])
    if match is None:
        return False
    road, number, letter = folded(match["road"]), int(match["number"]), match["letter"].casefold()
    return any(span.holds(road, number, letter) for span in wanted)
