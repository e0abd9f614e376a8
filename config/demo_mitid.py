"""The people who can sign in at the stand-in MitID of `make run` and of the tests. All of them are invented.

Their CPR numbers are synthetic: the day of birth has 60 added, as in the CPR system's own replacement numbers, so none
of them can be anybody's number. The demo writes them to the stand-in's file (`config/people.py`) and takes the register's
lines of those who `lives_here` from here, so that the two agree.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from config.people import Citizen

SUBSTANTIAL = "https://data.gov.dk/concept/core/nsis/Substantial"
LOW = "https://data.gov.dk/concept/core/nsis/Low"


@dataclass(frozen=True)
class DemoPerson:
    sub: str
    about: str
    first_name: str
    last_name: str
    birth_date: date
    sex: str
    serial: int
    mitid_uuid: str
    lives_here: bool = True
    has_cpr: bool = True
    protected: bool = False
    digital_post: bool = True
    assurance: str = SUBSTANTIAL
    cvr: str = ""
    organisation: str = ""

    @property
    def cpr(self) -> str:
        day = self.birth_date.day + 60
        return f"{day:02}{self.birth_date:%m%y}{self.serial:04}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def claims(self) -> dict[str, Any]:
        """As a broker for MitID tells them: dotted names, flat."""
        told: dict[str, Any] = {
            "loa": self.assurance,
            "mitid.uuid": self.mitid_uuid,
            "mitid.identity_name": self.name,
            "mitid.date_of_birth": self.birth_date.isoformat(),
            "mitid.has_cpr": self.has_cpr,
        }
        if self.has_cpr and not self.cvr:
            told["dk.cpr"] = self.cpr
        if self.cvr:
            told |= {"nemlogin.cvr": self.cvr, "nemlogin.org_name": self.organisation}
        return told

    def citizen(self, about: str = "") -> Citizen:
        """As the stand-in lists them."""
        return Citizen(self.sub, self.name, about or self.about, self.claims())


def _person(number: int, about: str, name: str, born: date, sex: str, **more: Any) -> DemoPerson:
    first_name, _, last_name = name.rpartition(" ")
    uuid = f"de300000-0000-4000-8000-{number:012}"
    sub = f"{first_name.lower()}-{number}"
    return DemoPerson(sub, about, first_name, last_name, born, sex, 9900 + number, uuid, **more)


PEOPLE = (
    _person(1, "41 år", "Karen Jensen", date(1985, 5, 17), "F"),
    _person(2, "29 år", "Mads Holm", date(1997, 3, 4), "M"),
    _person(3, "34 år", "Aisha Rahimi", date(1992, 7, 22), "F"),
    _person(4, "72 år", "Ole Nørgaard", date(1954, 1, 30), "M", digital_post=False),
    _person(5, "15 år", "Freja Lund", date(2011, 2, 11), "F"),
    _person(6, "13 år", "Villads Kjær", date(2013, 8, 1), "M"),
    _person(7, "født 29. februar", "Signe Skov", date(1996, 2, 29), "F"),
    _person(8, "beskyttet adresse", "Birgit Friis", date(1978, 9, 9), "F", protected=True),
    _person(9, "bor i en anden kommune", "Jonas Dam", date(1990, 6, 6), "M", lives_here=False),
    _person(10, "uden CPR-nummer", "Elena Popescu", date(1988, 10, 3), "F", lives_here=False, has_cpr=False),
    _person(
        11,
        "for Lunde Cykler ApS (MitID Erhverv)",
        "Henrik Bech",
        date(1970, 11, 11),
        "M",
        lives_here=False,
        cvr="99001062",
        organisation="Lunde Cykler ApS",
    ),
    _person(12, "kun lav sikring", "Tove Winther", date(1966, 4, 25), "F", assurance=LOW),
)
