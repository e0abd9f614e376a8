"""The Pabulib ``.pb`` format: reading an election that anyone may have sent, and writing ours.

A ``.pb`` file is semicolon-separated text in three sections, META, PROJECTS and VOTES (Faliszewski et al.,
"Participatory Budgeting: Data, Tools, and Analysis", IJCAI 2023; pabulib.org/format). Reading is strict about all
that a count rests on: ``ParseError`` names the line, has a stable English ``code`` for programs and a Danish text
for people. What the count does not rest on (a ``votes`` or ``score`` column that our own tally contradicts) becomes
a warning. Cells are kept as they stand, so ``parse(write(file)) == file``; ``write`` gives the same bytes for the
same election, whatever the machine, so that its SHA-256 can be published.

Beside the format's own words we write these, which other readers pass over. In META: ``pot``, the key of the pot that the
file is of (its name stands in ``subunit``), and ``pots``, the keys of all pots of the vote, parted by commas;
``leftover_to``, the pot that gets what the others do not use (none: it moves nowhere); ``part_funding``, 1 where the first
project that does not fit may get what is left; ``shortlist_size``, how many go on by the rule ``shortlist``. In PROJECTS:
``alternative``, the same in projects that exclude each other; ``least_cost``, the smallest part of its cost that a project
takes.

A cell cannot hold a line break: other readers of the format go by lines, so it would be read as something else.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from budgets.counting import (
    Amount,
    Ballot,
    Election,
    Project,
    Rule,
    approval,
    cumulative,
    exact,
    ordinal,
    scores,
    votes,
)

REQUIRED = (
    "description",
    "country",
    "unit",
    "instance",
    "num_projects",
    "num_votes",
    "budget",
    "vote_type",
    "rule",
    "date_begin",
    "date_end",
)

RULES = {
    "greedy": Rule.GREEDY,
    "greedy-no-skip": Rule.GREEDY_NO_SKIP,
    "greedy-threshold": Rule.GREEDY_THRESHOLD,
    "equalshares/add1": Rule.EQUAL_SHARES,
    "equalshares/add1-comparison": Rule.EQUAL_SHARES,
    "shortlist": Rule.SHORTLIST,
}
"""What a file calls its rule. ``add1-comparison`` ends with a published comparison with the greedy outcome."""

RULE_NAMES = {rule: name for name, rule in reversed(RULES.items())}
"""What we call a rule in a file."""

POT, POTS, LEFTOVER_TO = "pot", "pots", "leftover_to"
PART_FUNDING, SHORTLIST_SIZE = "part_funding", "shortlist_size"
ALTERNATIVE, LEAST_COST = "alternative", "least_cost"

_SECTIONS = ("META", "PROJECTS", "VOTES")
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:[.,][0-9]{1,9})?")
_WHOLE = re.compile(r"[0-9]{1,18}")


class VoteType(StrEnum):
    APPROVAL = "approval"
    CHOOSE_ONE = "choose-1"
    CUMULATIVE = "cumulative"
    ORDINAL = "ordinal"


class ParseError(ValueError):
    """The file cannot be counted. ``line`` starts at 1; ``code`` is stable, ``text`` is Danish."""

    def __init__(self, line: int, code: str, text: str) -> None:
        super().__init__(f"{line}: {text}")
        self.line = line
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Remark:
    line: int
    text: str


@dataclass(frozen=True)
class Pabulib:
    """A file as it stands (cells untouched) and the election it tells of."""

    meta: Mapping[str, str]
    project_fields: tuple[str, ...]
    projects: tuple[tuple[str, ...], ...]
    vote_fields: tuple[str, ...]
    votes: tuple[tuple[str, ...], ...]
    election: Election = field(compare=False, repr=False)
    remarks: tuple[Remark, ...] = field(default=(), compare=False)

    @property
    def rule(self) -> Rule | None:
        """The official rule, or None when the file names none that we know."""
        return RULES.get(self.meta["rule"].strip())

    @property
    def vote_type(self) -> VoteType:
        return VoteType(self.meta["vote_type"].strip())

    @property
    def pot(self) -> str:
        """The key of the pot that the file is of; empty where there are none."""
        return self.meta.get(POT, "").strip()

    @property
    def pots(self) -> tuple[str, ...]:
        """The keys of all pots of the vote."""
        return _listed(self.meta.get(POTS, ""))

    @property
    def leftover_to(self) -> str | None:
        """The pot that gets what the others do not use."""
        return self.meta.get(LEFTOVER_TO, "").strip() or None

    def official_winners(self) -> tuple[str, ...] | None:
        """The ids marked as selected, None when the file does not say. A mark of 2 or 3 is an award or the like."""
        if "selected" not in self.project_fields:
            return None
        place = self.project_fields.index("selected")
        return tuple(row[0].strip() for row in self.projects if row[place].strip() == "1")


def parse(data: bytes | str) -> Pabulib:
    """Read a file. Raises ParseError, and nothing else, for anything that is not an election we can count."""
    return _Reader(data).read()


def write(
    meta: Mapping[str, str],
    project_fields: Sequence[str],
    projects: Iterable[Sequence[str]],
    vote_fields: Sequence[str],
    votes: Iterable[Sequence[str]],
) -> str:
    """The text of a ``.pb`` file, in the order given. Raises ValueError for a cell with a line break or a null."""
    rows: list[Sequence[str]] = [("META",), ("key", "value"), *meta.items()]
    rows += [("PROJECTS",), project_fields, *projects, ("VOTES",), vote_fields, *votes]
    return "".join(f"{_line(row)}\n" for row in rows)


def rewrite(file: Pabulib) -> str:
    """The text of a file that was read; equal files give equal text."""
    return write(file.meta, file.project_fields, file.projects, file.vote_fields, file.votes)


def cell(text: str) -> str:
    """Free text made fit for a cell: all white space, line breaks too, becomes single spaces."""
    return " ".join(text.replace("\0", " ").split())


def number(value: Amount) -> str:
    """An amount as a file writes it: whole, or with a decimal point. Raises ValueError for one that never ends."""
    if value.denominator == 1:
        return str(int(value))
    places = next((places for places in range(1, 10) if not (value * 10**places).denominator - 1), None)
    if places is None:
        raise ValueError(f"{value} has no short decimal form")
    digits = f"{abs(int(value * 10**places)):0{places + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _line(row: Sequence[str]) -> str:
    cells = []
    for text in row:
        if "\n" in text or "\r" in text or "\0" in text:
            raise ValueError(f"a cell cannot hold a line break or a null: {text!r}")
        cells.append('"' + text.replace('"', '""') + '"' if ";" in text or '"' in text else text)
    return ";".join(cells)


class _Reader:
    def __init__(self, data: bytes | str) -> None:
        self.lines = _lines(data)
        self.meta: dict[str, str] = {}
        self.meta_line: dict[str, int] = {}
        self.header: dict[str, tuple[str, ...]] = {}
        self.rows: dict[str, list[tuple[str, ...]]] = {"PROJECTS": [], "VOTES": []}
        self.row_line: dict[str, list[int]] = {"PROJECTS": [], "VOTES": []}
        self.section_line: dict[str, int] = {}
        self.remarks: list[Remark] = []

    def read(self) -> Pabulib:
        self._split()
        self._check_meta()
        projects = self._projects()
        election = Election(
            projects,
            self._ballots(projects),
            self._meta_amount("budget") or 0,
            self._meta_amount("min_project_score_threshold"),
            self._meta_flag(PART_FUNDING),
            self._meta_whole(SHORTLIST_SIZE),
        )
        self._compare_tally(election)
        return Pabulib(
            self.meta,
            self.header["PROJECTS"],
            tuple(self.rows["PROJECTS"]),
            self.header["VOTES"],
            tuple(self.rows["VOTES"]),
            election,
            tuple(self.remarks),
        )

    def _split(self) -> None:
        """The rows of each section, each as wide as the section's header."""
        section = ""
        for line, text in enumerate(self.lines, start=1):
            if not text.strip():
                continue
            row = _cells(line, text)
            name = row[0].strip()
            if name.upper() in _SECTIONS and not any(rest.strip() for rest in row[1:]) and len(row) != 2:
                section = name.upper()
                if section in self.section_line:
                    raise ParseError(line, "section-twice", f"Afsnittet {section} står to gange.")
                if section != _SECTIONS[len(self.section_line)]:
                    raise ParseError(
                        line, "section-order", "Afsnittene skal komme som META, PROJECTS, VOTES."
                    )
                self.section_line[section] = line
            elif not section:
                raise ParseError(
                    line, "no-section", "Filen skal begynde med en linje, hvor der kun står META."
                )
            elif section not in self.header:
                self.header[section] = self._headed(line, section, row)
            elif len(row) != len(self.header[section]):
                raise ParseError(
                    line,
                    "cells",
                    f"Linjen har {len(row)} felter, men afsnittet {section} har {len(self.header[section])} kolonner.",
                )
            elif section == "META":
                if name in self.meta:
                    raise ParseError(line, "meta-twice", f"Oplysningen {name} står to gange.")
                self.meta[name] = row[1]
                self.meta_line[name] = line
            else:
                self.rows[section].append(row)
                self.row_line[section].append(line)
        for section in _SECTIONS:
            if section not in self.header:
                raise ParseError(len(self.lines), "section-missing", f"Afsnittet {section} mangler.")

    def _headed(self, line: int, section: str, row: tuple[str, ...]) -> tuple[str, ...]:
        fields = tuple(name.strip() for name in row)
        first = {"META": "key", "PROJECTS": "project_id", "VOTES": "voter_id"}[section]
        needed = {"META": "value", "PROJECTS": "cost", "VOTES": "vote"}[section]
        if fields[0] != first or needed not in fields or (section == "META" and len(fields) != 2):
            raise ParseError(
                line, "header", f"Afsnittet {section} skal have kolonnerne {first} (først) og {needed}."
            )
        if len(set(fields)) != len(fields):
            raise ParseError(line, "column-twice", f"En kolonne står to gange i afsnittet {section}.")
        return fields

    def _check_meta(self) -> None:
        for key in REQUIRED:
            if not self.meta.get(key, "").strip():
                raise ParseError(
                    self.meta_line.get(key, self.section_line["META"]), "meta-missing", f"META mangler {key}."
                )
        kind = self.meta["vote_type"].strip()
        if kind not in list(VoteType):
            raise ParseError(
                self.meta_line["vote_type"], "vote-type", f"Stemmetypen {_shown(kind)} kendes ikke."
            )
        for section, key in (("PROJECTS", "num_projects"), ("VOTES", "num_votes")):
            said, found = self._meta_whole(key), len(self.rows[section])
            if said != found:
                raise ParseError(
                    self.meta_line[key],
                    key.replace("_", "-"),
                    f"{key} er {said}, men der er {found} linjer i {section}.",
                )
        if kind == VoteType.CUMULATIVE and "points" not in self.header["VOTES"]:
            raise ParseError(
                self.section_line["VOTES"] + 1, "header", "Afsnittet VOTES mangler kolonnen points."
            )
        self._check_pots()
        if self.meta["rule"].strip() == RULE_NAMES[Rule.SHORTLIST] and not self._meta_whole(SHORTLIST_SIZE):
            raise ParseError(
                self.meta_line.get(SHORTLIST_SIZE, self.meta_line["rule"]),
                "shortlist-size",
                f"Reglen shortlist kræver, at {SHORTLIST_SIZE} siger, hvor mange der går videre (mindst 1).",
            )

    def _check_pots(self) -> None:
        """The file's own pot and the one that money moves to are among the vote's pots."""
        pots = _listed(self.meta.get(POTS, ""))
        if len(set(pots)) != len(pots):
            raise ParseError(self.meta_line[POTS], "pot-twice", f"En pulje står to gange i {POTS}.")
        for key in (POT, LEFTOVER_TO):
            named = self.meta.get(key, "").strip()
            if named and named not in pots:
                raise ParseError(
                    self.meta_line[key], "unknown-pot", f"{key} er {_shown(named)}, som ikke står i {POTS}."
                )
        if pots and not self.meta.get(POT, "").strip():
            raise ParseError(self.meta_line[POTS], "pot-missing", f"META har {POTS}, men mangler {POT}.")

    def _projects(self) -> tuple[Project, ...]:
        fields = self.header["PROJECTS"]
        cost_at = fields.index("cost")
        name_at, alternative_at, least_at = (
            fields.index(name) if name in fields else None for name in ("name", ALTERNATIVE, LEAST_COST)
        )
        seen: set[str] = set()
        projects = []
        for line, row in zip(self.row_line["PROJECTS"], self.rows["PROJECTS"], strict=True):
            project = row[0].strip()
            if not project or "," in project:
                raise ParseError(line, "project-id", "Et projekts nummer må ikke være tomt eller have komma.")
            if project in seen:
                raise ParseError(line, "project-twice", f"Projekt {_shown(project)} står to gange.")
            seen.add(project)
            cost = _amount(line, "cost", row[cost_at])
            name = row[name_at].strip() if name_at is not None else ""
            alternative = row[alternative_at].strip() if alternative_at is not None else ""
            least = None
            if least_at is not None and row[least_at].strip():
                least = _amount(line, LEAST_COST, row[least_at])
                if not 0 < least <= cost:
                    raise ParseError(
                        line, "least-cost", f"{LEAST_COST} skal være over nul og højst det, projektet koster."
                    )
            projects.append(Project(project, cost, name, alternative, least))
        return tuple(projects)

    def _ballots(self, projects: tuple[Project, ...]) -> dict[Ballot, int]:
        fields = self.header["VOTES"]
        kind = VoteType(self.meta["vote_type"].strip())
        vote_at = fields.index("vote")
        points_at = fields.index("points") if kind is VoteType.CUMULATIVE else None
        costs = {project.id: project.cost for project in projects}
        rules = _BallotRules(self, kind, len(projects))
        known: dict[tuple[str, str], Ballot] = {}
        ballots: dict[Ballot, int] = {}
        voters: set[str] = set()
        for line, row in zip(self.row_line["VOTES"], self.rows["VOTES"], strict=True):
            voter = row[0].strip()
            if not voter:
                raise ParseError(line, "voter-id", "Stemmen mangler voter_id.")
            if voter in voters:
                raise ParseError(line, "voter-twice", f"voter_id {_shown(voter)} står to gange.")
            voters.add(voter)
            vote, points = row[vote_at], row[points_at] if points_at is not None else ""
            ballot = known.get((vote, points))
            if ballot is None:
                ballot = known[vote, points] = rules.ballot(line, vote, points, costs)
            ballots[ballot] = ballots.get(ballot, 0) + 1
        return ballots

    def _compare_tally(self, election: Election) -> None:
        """The file's own ``votes`` and ``score`` columns against ours; the count never uses theirs."""
        for column, tally in (("votes", votes(election)), ("score", scores(election))):
            if column not in self.header["PROJECTS"]:
                continue
            place = self.header["PROJECTS"].index(column)
            for line, row in zip(self.row_line["PROJECTS"], self.rows["PROJECTS"], strict=True):
                ours = number(tally[row[0].strip()])
                if row[place].strip() not in ("", ours, f"{ours}.0"):
                    self.remarks.append(
                        Remark(line, f"{column} er {_shown(row[place])}, men stemmerne giver {ours}.")
                    )

    def _meta_amount(self, key: str) -> Amount | None:
        text = self.meta.get(key, "").strip()
        return _amount(self.meta_line[key], key, text) if text else None

    def _meta_flag(self, key: str) -> bool:
        text = self.meta.get(key, "").strip()
        if text not in ("", "0", "1"):
            raise ParseError(self.meta_line[key], "not-a-flag", f"{key} skal være 0 eller 1.")
        return text == "1"

    def _meta_whole(self, key: str) -> int | None:
        text = self.meta.get(key, "").strip()
        if not text:
            return None
        if not _WHOLE.fullmatch(text):
            raise ParseError(
                self.meta_line[key], "not-a-number", f"{key} skal være et helt tal, ikke {_shown(text)}."
            )
        return int(text)


class _BallotRules:
    """What one ballot may hold, by the file's own META."""

    def __init__(self, reader: _Reader, kind: VoteType, projects: int) -> None:
        self.kind = kind
        self.shortest = reader._meta_whole("min_length")
        self.longest = reader._meta_whole("max_length")
        if kind is VoteType.CHOOSE_ONE:
            self.longest = 1
        self.first_points = self.longest if self.longest is not None else projects
        limits = ("sum_cost", "points", "sum_points")
        self.least = {limit: reader._meta_amount(f"min_{limit}") for limit in limits}
        self.most = {limit: reader._meta_amount(f"max_{limit}") for limit in limits}

    def ballot(self, line: int, vote: str, points: str, costs: Mapping[str, Amount]) -> Ballot:
        named = [project.strip() for project in vote.split(",")] if vote.strip() else []
        for project in named:
            if project not in costs:
                raise ParseError(
                    line, "unknown-project", f"Stemmen nævner projekt {_shown(project)}, som ikke findes."
                )
        if len(set(named)) != len(named):
            twice = next(project for place, project in enumerate(named) if project in named[:place])
            raise ParseError(line, "same-project-twice", f"Stemmen nævner projekt {_shown(twice)} to gange.")
        if self.longest is not None and len(named) > self.longest:
            raise ParseError(
                line, "max-length", f"Stemmen nævner {len(named)} projekter; højst {self.longest} er tilladt."
            )
        if self.shortest is not None and named and len(named) < self.shortest:
            raise ParseError(
                line,
                "min-length",
                f"Stemmen nævner {len(named)} projekter; mindst {self.shortest} er krævet.",
            )
        if named:
            self._within(
                line,
                "sum_cost",
                "Projekterne på stemmen koster i alt",
                sum(costs[project] for project in named),
            )
        if self.kind is VoteType.ORDINAL:
            return ordinal(named, self.first_points)
        if self.kind is not VoteType.CUMULATIVE:
            return approval(named)
        given = [_amount(line, "points", part) for part in points.split(",")] if points.strip() else []
        if len(given) != len(named):
            raise ParseError(
                line, "points", f"Stemmen nævner {len(named)} projekter, men giver {len(given)} tal i points."
            )
        for part in given:
            self._within(line, "points", "Et projekt får point:", part)
        if named:
            self._within(line, "sum_points", "Stemmens point er i alt", sum(given))
        return cumulative(dict(zip(named, given, strict=True)))

    def _within(self, line: int, limit: str, what: str, value: Amount) -> None:
        least, most = self.least[limit], self.most[limit]
        if most is not None and value > most:
            raise ParseError(
                line, f"max-{limit.replace('_', '-')}", f"{what} {value}; højst {most} er tilladt."
            )
        if least is not None and value < least:
            raise ParseError(
                line, f"min-{limit.replace('_', '-')}", f"{what} {value}; mindst {least} er krævet."
            )


def _lines(data: bytes | str) -> list[str]:
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise ParseError(line, "encoding", "Filen skal være tekst i UTF-8.") from None
    lines = data.removeprefix("\ufeff").split("\n")
    return [line.removesuffix("\r") for line in lines]


def _cells(line: int, text: str) -> tuple[str, ...]:
    if "\0" in text:
        raise ParseError(line, "null", "Linjen har et nul-tegn.")
    if "\r" in text:
        raise ParseError(line, "line-break", "Et felt har et linjeskift.")
    if '"' not in text:
        return tuple(text.split(";"))
    try:
        return tuple(next(csv.reader([text], delimiter=";", strict=True)))
    except (csv.Error, StopIteration):
        raise ParseError(
            line, "quotes", "Anførselstegnene passer ikke sammen (et felt kan ikke have linjeskift)."
        ) from None


def _amount(line: int, what: str, text: str) -> Amount:
    """A number of at most 18 digits before and 9 after the decimal sign, not below nought."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise ParseError(line, "not-a-number", f"{what} skal være et almindeligt tal, ikke {_shown(text)}.")
    value = exact(Fraction(text.replace(",", ".")))
    if value < 0:
        raise ParseError(line, "negative", f"{what} er under nul: {_shown(text)}.")
    return value


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _shown(text: str) -> str:
    """A cell inside a message: short, and with odd characters made visible."""
    text = text.strip()
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
