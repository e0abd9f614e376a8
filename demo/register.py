"""A synthetic population register of 48,000 people, the same at each run.

Names are drawn from lists of common names; CPR numbers have 60 added to the day of birth, as in the CPR system's own
replacement numbers, so that none can be anybody's. Not for statistics.
"""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from config.demo_mitid import PEOPLE
from demo.geography import AREAS, Area

SIZE = 48_000
MUNICIPALITY_CODE = "9999"
HEADER = [
    "cpr",
    "name",
    "birth_date",
    "sex",
    "status",
    "municipality_code",
    "road",
    "house",
    "floor",
    "door",
    "postcode",
    "city",
    "school_district",
    "polling_district",
    "protected",
    "digital_post",
    "household",
]
WOMEN = [
    "Anne",
    "Kirsten",
    "Mette",
    "Hanne",
    "Anna",
    "Helle",
    "Susanne",
    "Lene",
    "Maria",
    "Marianne",
    "Inge",
    "Karen",
    "Lone",
    "Camilla",
    "Pia",
    "Louise",
    "Charlotte",
    "Jette",
    "Tina",
    "Ida",
    "Freja",
    "Clara",
    "Sofie",
    "Emma",
    "Laura",
    "Fatima",
    "Amina",
    "Olga",
    "Birgit",
    "Ruth",
    "Ellen",
    "Agnes",
    "Alma",
    "Nora",
    "Maja",
    "Signe",
]
MEN = [
    "Peter",
    "Michael",
    "Jens",
    "Lars",
    "Thomas",
    "Henrik",
    "Søren",
    "Christian",
    "Jan",
    "Martin",
    "Niels",
    "Anders",
    "Morten",
    "Jesper",
    "Hans",
    "Mads",
    "Rasmus",
    "Per",
    "Ole",
    "Noah",
    "William",
    "Oscar",
    "Lucas",
    "Carl",
    "Victor",
    "Emil",
    "Ali",
    "Mohammed",
    "Piotr",
    "Svend",
    "Aage",
    "Knud",
    "Bent",
    "Viggo",
    "Malthe",
    "Elias",
]
SURNAMES = [
    "Nielsen",
    "Jensen",
    "Hansen",
    "Andersen",
    "Pedersen",
    "Christensen",
    "Larsen",
    "Sørensen",
    "Rasmussen",
    "Jørgensen",
    "Petersen",
    "Madsen",
    "Kristensen",
    "Olsen",
    "Thomsen",
    "Christiansen",
    "Poulsen",
    "Johansen",
    "Møller",
    "Mortensen",
    "Knudsen",
    "Lund",
    "Holm",
    "Dahl",
    "Kjær",
    "Bech",
    "Friis",
    "Skov",
    "Nguyen",
    "Ahmed",
    "Yilmaz",
    "Kowalski",
]


@dataclass(frozen=True, slots=True)
class Line:
    cpr: str
    first_name: str
    last_name: str
    birth_date: date
    sex: str
    area: Area
    road: str
    house: int
    protected: bool
    digital_post: bool

    def row(self) -> tuple[str, ...]:
        where = f"{self.road} {self.house}"
        return (
            self.cpr,
            f"{self.first_name} {self.last_name}",
            self.birth_date.isoformat(),
            "K" if self.sex == "F" else "M",
            "01",
            MUNICIPALITY_CODE,
            self.road,
            str(self.house),
            "",
            "",
            "9990",
            self.area.name,
            self.area.code,
            self.area.code,
            "1" if self.protected else "0",
            "1" if self.digital_post else "0",
            where,
        )


def people(today: date) -> list[Line]:
    """Everyone, district by district; those of the stand-in MitID who live here come first."""
    chance = random.Random(48_000)  # noqa: S311 - the same people each time, nothing secret
    found = [
        Line(
            known.cpr,
            known.first_name,
            known.last_name,
            known.birth_date,
            known.sex,
            AREAS[number % len(AREAS)],
            AREAS[number % len(AREAS)].roads[0],
            number + 1,
            known.protected,
            known.digital_post,
        )
        for number, known in enumerate(PEOPLE)
        if known.lives_here
    ]
    cprs = {line.cpr for line in found}
    for area in AREAS:
        already = sum(line.area is area for line in found)
        found += list(_residents(area, area.people - already, today, chance, cprs))
    return found


def _residents(area: Area, number: int, today: date, chance: random.Random, cprs: set[str]) -> Iterator[Line]:
    for _each in range(number):
        born = today - timedelta(days=int(chance.triangular(0, 96, 42) * 365.25))
        sex = chance.choice("FM")
        cpr = _cpr(born, chance, cprs)
        yield Line(
            cpr,
            chance.choice(WOMEN if sex == "F" else MEN),
            chance.choice(SURNAMES),
            born,
            sex,
            area,
            chance.choice(area.roads),
            chance.randint(1, 320),
            chance.random() < 0.02,
            chance.random() > 0.06,
        )


def _cpr(born: date, chance: random.Random, cprs: set[str]) -> str:
    while True:
        cpr = f"{born.day + 60:02}{born:%m%y}{chance.randint(0, 9899):04}"
        if cpr not in cprs:
            cprs.add(cpr)
            return cpr


def as_csv(lines: list[Line]) -> bytes:
    """What the register office would send."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(line.row() for line in lines)
    return text.getvalue().encode()
