"""Three citizen budgets of an invented municipality, brought to where they are by the real actions, each at the moment
it would have happened: one collects ideas, one has its vote open, one has been decided and carried out."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts import persons
from accounts.eligibility import age_band, age_on
from accounts.imports.districts import import_districts
from accounts.imports.organisations import import_organisations
from accounts.imports.population import population_from_register
from accounts.imports.register import import_register
from accounts.models import District, RegisterExtract, Resident, User
from budgets import ballots
from budgets.actions.codes import fetch_print, make_class_codes, make_personal_codes
from budgets.actions.counting import count_round, decide_projects, record_lot, waiting_for_lots
from budgets.actions.paper import choose_order
from budgets.actions.polling import mark_roll, record_incident, save_place, undo_mark
from budgets.actions.projects import assess_project
from budgets.actions.rounds import anonymise_roll, open_round, seal_round
from budgets.codes import Chosen
from budgets.models import Assessment, Ballot, PollingPlace, Project, Roll, Round, TurnoutHour
from budgets.turnout import full_hour, step
from demo import geography, organisations, pictures, register, staff, texts
from demo.carrying import carry_out
from demo.texts import ProjectText
from participation import clock, lifecycle
from participation.actions import arguments, contributions, files, following, merging, outcomes, team
from participation.actions import process as processes
from participation.choices import IntakeChannel, Outcome
from participation.models import Committee, CommitteeMeeting, Contribution, OpeningMinimum, Process

VOTERS_2025 = 6_412
Tell = Callable[[str], None]


@dataclass
class Town:
    """Who and where, for the storyteller."""

    now: datetime
    staff: dict[str, User]
    districts: dict[str, District]
    lines: list[register.Line]
    chance: random.Random
    citizens: dict[str, User]
    registered: Sequence[register.Line] = ()

    def citizen(self, line: register.Line) -> User:
        """The account of someone in the register, made the first time they take part."""
        if line.cpr not in self.citizens:
            person = persons.recognise(cpr=line.cpr, mitid="", birth_date=line.birth_date)
            user = User.objects.filter(person=person).first() or User.objects.create_user(
                first_name=line.first_name, last_name=line.last_name, person=person
            )
            self.citizens[line.cpr] = user
        return self.citizens[line.cpr]

    def someone(self, district: str, *, over: int = 16, under: int = 85) -> User:
        today = timezone.localdate(self.now)
        while True:
            line = self.chance.choice(self.registered)
            if line.area.code == district and over <= age_on(line.birth_date, today) <= under:
                return self.citizen(line)

    def day(self, days: float, hour: int = 9) -> datetime:
        """A whole hour some days from now, in local time."""
        local = timezone.localtime(self.now) + timedelta(days=days)
        return local.replace(hour=hour, minute=0, second=0, microsecond=0)


def tell(say: Tell = lambda line: None) -> Town:
    """Fill an empty portal with the story."""
    from demo import rounds
    from demo.letters import letters

    now = clock.now()
    say("staff, districts and the register")
    colleagues = staff.hire()
    import_districts(by=colleagues["Lis"], kind=District.Kind.SCHOOL, file=geography.geojson())
    import_districts(by=colleagues["Lis"], kind=District.Kind.POLLING, file=geography.geojson())
    import_organisations(by=colleagues["Lis"], file=organisations.as_csv())
    districts = {one.code: one for one in District.objects.filter(kind=District.Kind.SCHOOL)}
    lines = register.people(timezone.localdate(now))
    town = Town(now, colleagues, districts, lines, random.Random(2025), {})  # noqa: S311 - a story, not a lot
    _calendar(town)
    _register(
        town,
        days_ago=530,
        lines=lines[:: max(len(lines) // 9_000, 1)] + [one for one in lines if one.house <= 12],
    )
    carried_out(town, say)
    _register(town, days_ago=20, lines=lines)
    population_from_register(by=colleagues["Lis"])
    voting = voting_open(town, say)
    collecting_ideas(town, say)
    rounds.bag_of_money(town, say)
    rounds.two_rounds(town, say)
    letters(town, say, voting=voting)
    return town


def _calendar(town: Town) -> None:
    """Monthly meetings of the committee and the council, two weeks from agenda to meeting."""
    for name, weekday in (("Kultur- og Fritidsudvalget", 2), ("Byrådet", 0)):
        committee = Committee.objects.create(name=name)
        first = town.day(-760, 17)
        first += timedelta(days=(weekday - first.weekday()) % 7)
        CommitteeMeeting.objects.bulk_create(
            CommitteeMeeting(
                committee=committee, held_at=held_at, agenda_deadline=held_at - timedelta(days=14)
            )
            for held_at in (first + timedelta(days=28 * month) for month in range(44))
        )


def _register(town: Town, *, days_ago: int, lines: Sequence[register.Line]) -> RegisterExtract:
    drawn_at = town.day(-days_ago)
    with clock.frozen(drawn_at):
        today = timezone.localdate(drawn_at)
        town.registered = [
            line for line in {line.cpr: line for line in lines}.values() if line.birth_date <= today
        ]
        return import_register(
            by=town.staff["Lis"],
            file=register.as_csv(list(town.registered)),
            drawn_on=today,
            valid_until=today + timedelta(days=400),
        )


def _frame(**fields: Any) -> dict[str, Any]:
    """What the three budgets have in common."""
    return {
        "will_listen": True,
        "timing_is_right": True,
        "there_is_time": True,
        "frame_is_clear": True,
        "willing_to_try_new": True,
        "purposes": ["democracy", "innovation"],
        "why_this_format": "De, der bor her, ved bedst, hvad pengene gør mest gavn til.",
        "ladder_step": "codecision",
        "who_decides": "Byrådet",
        "decision_basis": ["money"],
        "promise": (
            "De projekter, der får flest stemmer inden for pengene, får dem. Vil byrådet noget andet, skal "
            "det sige offentligt hvorfor, projekt for projekt."
        ),
        "politicians_role": "De har sat beløbet og reglerne, kommer til idéværkstedet og siger ja til sidst.",
        "who_answers": "Kirsten Vang, Kultur og Fritid",
        "answer_how": "each",
        "willing_to_try": "I må selv bygge og drive det, I får penge til. Vi hjælper med tilladelserne.",
        "carried_into_decision": "Resultatet ligger uændret ved sagen, når byrådet beslutter.",
        "decision_stage": "idea",
        "processing_days": 14,
        "planned_dialogues": 2,
        "staff_hours": 180,
        "preparation": "Kom til idéværksted på Lunde Bibliotek. Der er kaffe, og en fra Teknik og Miljø kan regne på prisen.",
        "recruitment": ["open", "outreach"],
        "offline_route": "Ring til os, eller kom på biblioteket: så er vi med hele vejen, og det tæller på samme måde.",
    } | fields


def _rows(town: Town, phases: Sequence[tuple[str, datetime, datetime, str]], **rows: Any) -> dict[str, Any]:
    return {
        "frame_points": [
            {"kind": "open", "text": "Hvilke projekter der får penge"},
            {"kind": "open", "text": "Hvor de skal ligge, og hvem der er med til at lave dem"},
            {"kind": "fixed", "text": "Beløbet", "reason": "byrådet har sat det af i budgettet"},
            {
                "kind": "fixed",
                "text": "Projektet må ikke koste kommunen noget at drive bagefter",
                "reason": "der ikke er sat penge af til drift",
            },
        ],
        "audiences": [
            {"kind": "touched", "name": "Alle, der bor i området"},
            {"kind": "beyond", "name": "Foreninger, klubber og handlende, der bruger stederne"},
            {"kind": "families", "name": "Familier i skoler og daginstitutioner"},
            {"kind": "young", "name": "Unge fra 13 år i klubber og 7.-9. klasse"},
        ],
        "channels": [
            {"name": "Portalen her", "digital": True},
            {"name": "Idéværksted på biblioteket", "digital": False},
            {"name": "Plakater med QR-kode i opgange og butikker", "digital": False},
        ],
        "councils_heard": [
            {
                "council": "Handicaprådet",
                "must_be_heard": False,
                "asked_on": timezone.localdate(phases[0][1]) - timedelta(days=25),
            }
        ],
        "phases": [
            {"kind": kind, "starts": starts, "ends": ends, "description": what}
            for kind, starts, ends, what in phases
        ],
    } | rows


def set_up(
    town: Town,
    *,
    title: str,
    total: int,
    max_cost: int,
    phases: Sequence[tuple[str, datetime, datetime, str]],
    fields: dict[str, Any],
    detail: dict[str, Any],
    rows: dict[str, Any] | None = None,
) -> Process:
    """Set up by Kirsten, approved by Bo three weeks before it opens."""
    opens, closes = phases[0][1], phases[-1][2]
    kirsten, bo = town.staff["Kirsten"], town.staff["Bo"]
    decision = (
        CommitteeMeeting.objects.filter(
            committee__name="Byrådet", agenda_deadline__gte=closes + timedelta(days=15)
        )
        .order_by("held_at")
        .first()
    )
    assert decision is not None
    fields = _frame(
        frame_adopted_on=timezone.localdate(opens) - timedelta(days=45),
        meeting=decision,
        decision_on=timezone.localdate(decision.held_at),
        answers_due_on=timezone.localdate(decision.held_at) + timedelta(days=21),
        legal_basis=OpeningMinimum.objects.get(name="Borgerbudget"),
        names_until=timezone.localdate(closes) + timedelta(days=365),
        deputy=town.staff["Amir"],
        **fields,
    )
    with clock.frozen(opens - timedelta(days=21)):
        process = processes.create_process(
            by=kirsten,
            format="citizen_budget",
            unit=kirsten.units.get(),
            title=title,
            size="ordinary",
            detail={
                "total": Decimal(total),
                "max_cost": Decimal(max_cost),
                "ballot_type": "approval",
                "max_choices": 3,
                "counting_rule": "greedy",
            }
            | detail,
        )
        process = processes.update_process(
            process=process,
            by=kirsten,
            version=process.version,
            fields=fields,
            rows=_rows(town, phases) | (rows or {}),
        )
        process = lifecycle.perform(process=process, name="submit", by=kirsten)
    with clock.frozen(opens - timedelta(days=19)):
        process = lifecycle.perform(process=process, name="approve", by=bo, comment="Godt og tydeligt.")
    with clock.frozen(opens):
        return lifecycle.perform(process=process, name="open", by=None)


def _drawn(title: str, by: User) -> list[files.Hung]:
    """The drawing that came with the idea, if one did."""
    drawing = pictures.DRAWINGS.get(title)
    if drawing is None:
        return []
    data = pictures.jpeg(drawing)
    return [files.Hung(files.store_photo(data=data, name=drawing.name, alt=drawing.alt, by=by), drawing.alt)]


def propose(
    town: Town,
    process: Process,
    projects: Iterable[ProjectText],
    starts: datetime,
    ends: datetime,
    **detail: Any,
) -> None:
    """Each idea on its own day, by someone who lives where it is about."""
    projects = list(projects)
    for number, project in enumerate(projects):
        at = starts + (ends - starts) * (number + 1) / (len(projects) + 2)
        with clock.frozen(at):
            author = town.someone(project.district)
            contributions.give_contribution(
                process=process,
                by=author,
                title=project.title,
                body=project.what,
                place=project.place,
                point=geography.point_in(random.Random(project.title), project.district)  # noqa: S311
                if number % 4
                else None,
                district=town.districts[project.district],
                detail={
                    "why": project.why,
                    "cost_lines": [{"text": text, "amount": amount} for text, amount in project.costs],
                    "carried_out_by_citizens": project.ourselves,
                    **detail,
                },
                attached=_drawn(project.title, author),
            )


def _together(town: Town, process: Process) -> None:
    """Two who stand behind one idea, and a second idea that says the same and is gathered into it."""
    idea = process.contributions.get(title=texts.IDEAS_2027[0].title)
    with clock.frozen(town.day(-7, 19)):
        _invitation, token = team.invite(contribution=idea, by=idea.author)
    with clock.frozen(town.day(-6, 20)):
        team.accept(token=token, by=town.someone("nord"))
    propose(town, process, [texts.SAME_IDEA], town.day(-6), town.day(-4))
    same = process.contributions.get(title=texts.SAME_IDEA.title)
    crowd = {user.pk: user for user in (town.someone("nord") for _each in range(7))}
    for number, user in enumerate(user for user in crowd.values() if user != same.author):
        arguments.give_support(contribution=same, by=user, at=town.day(-3, 10 + number))
    with clock.frozen(town.day(-2, 11)):
        merging.merge_contributions(
            keep=idea,
            gone=[same],
            by=town.staff["Kirsten"],
            reason=texts.SAME_BECAUSE,
        )


def _debate(town: Town, process: Process, since: datetime, until: datetime, *, only: str = "") -> None:
    """Support, arguments with their ratings, and replies, day by day; from one district only where the rules say so."""
    everywhere = list(town.districts)

    def someone() -> User:
        return town.someone(only or town.chance.choice(everywhere))

    ideas = process.contributions.filter(title__in=texts.DEBATE).order_by("pk")
    for contribution in ideas.select_related("author"):
        supporters, said = texts.DEBATE[contribution.title]
        start = max(since, contribution.created_at)
        crowd = list({user.pk: user for user in (someone() for _each in range(supporters))}.values())
        crowd = [user for user in crowd if user != contribution.author]
        for place, user in enumerate(crowd):
            arguments.give_support(
                contribution=contribution,
                by=user,
                at=start + (until - start) * (place + 1) / (len(crowd) + 1),
            )
        for place, one in enumerate(said):
            with clock.frozen(start + (until - start) * (place + 1) / (len(said) + 3)):
                by = someone()
                written = arguments.write_argument(
                    contribution=contribution, by=by, side=one.side, text=one.text
                )
                raters = [user for user in crowd if user != by]
                for step, user in enumerate(raters[: one.useful + one.not_useful]):
                    arguments.rate(argument=written, by=user, useful=step < one.useful)
            for step, text in enumerate(one.replies):
                with clock.frozen(start + (until - start) * (place + step + 2) / (len(said) + 5)):
                    by = contribution.author if step == 0 and one.side == "against" else someone()
                    arguments.reply(parent=written, by=by, text=text)


def assess(
    process: Process,
    at: datetime,
    refused: Mapping[str, str] | None = None,
    remarks: Mapping[str, str] | None = None,
) -> None:
    """What nobody has assessed yet, on one day: feasible at its own price unless it is among `refused`."""
    amir = User.objects.get(email="amir@lunde.example")
    with clock.frozen(at):
        for project in Project.objects.filter(
            contribution__process=process, assessment=Assessment.UNDECIDED
        ).select_related("contribution"):
            title = project.contribution.title
            if title in (refused or {}):
                assess_project(
                    project=project,
                    by=amir,
                    assessment=Assessment.NOT_FEASIBLE,
                    municipal_matter=True,
                    explanation=(refused or {})[title],
                )
            else:
                assess_project(
                    project=project,
                    by=amir,
                    assessment=Assessment.FEASIBLE,
                    price=project.cost,
                    municipal_matter=True,
                    explanation=(remarks or {}).get(title, texts.FEASIBLE),
                )


def live_through(process: Process, until: datetime) -> None:
    """What people would have done before `until`, where a presentation jumps over it: assess, and vote."""
    phases = {phase.kind: phase.interval for phase in process.phases.all()}
    if "shortlist" in phases or "vote" not in phases:
        return
    if until >= phases["vote"].lower:
        assess(process, phases["assessment"].upper - timedelta(days=10))
    if until >= phases["vote"].upper and not process.rounds.exists():
        with clock.frozen(phases["vote"].lower):
            round = open_round(process=process)
        vote(random.Random(process.pk), round, 2_300, phases["vote"].lower, phases["vote"].upper)  # noqa: S311


def collecting_ideas(town: Town, say: Tell) -> Process:
    say("a budget that collects ideas")
    year = timezone.localdate(town.now).year + 1
    opens, ideas_end = town.day(-11), town.day(33, 0)
    process = set_up(
        town,
        title=f"Borgermillionen {year}",
        total=1_000_000,
        max_cost=300_000,
        phases=(
            ("ideas", opens, ideas_end, "Foreslå et projekt"),
            (
                "assessment",
                ideas_end,
                town.day(68, 0),
                "Vi regner på prisen og spørger, hvis noget er uklart",
            ),
            ("vote", town.day(68, 0), town.day(90, 0), "Vælg op til tre projekter"),
        ),
        fields={
            "question": "Hvad skal vi bruge en million kroner på i Lunde?",
            "introduction": (
                "Byrådet har sat en million kroner af til projekter, som I selv finder på. Foreslå noget, "
                "der gør det bedre at bo her. Til foråret stemmer alle, der er fyldt 15 år, om, hvad pengene skal gå til.\n\n"
                + texts.DEMO_NOTE.format(inspired_by="Borgermillionen i Ballerup Kommune")
            ),
            "touches": "municipality",
        },
        detail={"propose": {"min_age": 13}, "vote": {"min_age": 15}, "min_votes": 50},
    )
    propose(town, process, texts.IDEAS_2027, opens, town.now)
    with clock.frozen(town.day(-3, 14)):
        contributions.record_for_someone(
            process=process,
            by=town.staff["Kirsten"],
            channel=IntakeChannel.LIBRARY,
            received_on=timezone.localdate(town.day(-3)),
            author_name="Gudrun Mikkelsen",
            author_contact="Kirkevej 14, 9990 Lunde",
            title="Et drivhus til plejehjemmet",
            body="Et drivhus med brede døre, så vi kan komme ind med rollator. Vi vil dyrke tomater og druer.",
            place="Plejehjemmet Åkanden",
            district=town.districts["syd"],
            detail={
                "why": "Man har altid noget at snakke om i et drivhus.",
                "cost_lines": [{"text": "Drivhus på 24 kvadratmeter", "amount": 86_000}],
            },
        )
    _debate(town, process, opens, town.now)
    _together(town, process)
    with clock.frozen(town.day(-4, 10)):
        outcomes.publish_news(
            process=process,
            by=town.staff["Kirsten"],
            title="Idéværksted på biblioteket onsdag kl. 17-20",
            text="Har du en idé, men ikke en pris? Tag den med. En ingeniør fra Teknik og Miljø regner på den sammen med dig.",
        )
    with clock.frozen(town.day(-2, 19)):
        contributions.ask_question(
            process=process, by=town.someone("oest"), text="Må en skoleklasse stå som forslagsstiller?"
        )
    _karen(town, process)
    return process


def _karen(town: Town, process: Process) -> None:
    """The demo's first citizen follows along, and has an address where mail can be read."""
    karen = town.citizen(town.lines[0])
    karen.email = "karen@borger.example"
    karen.save(update_fields=["email"])
    EmailAddress.objects.create(user=karen, email=karen.email, verified=True, primary=True)
    following.follow(process=process, by=karen)


def voting_open(town: Town, say: Tell) -> Process:
    say("a budget with its vote open")
    starts, ideas_end, vote_starts, vote_ends = town.day(-63), town.day(-33, 0), town.day(-5), town.day(12, 0)
    only_vestervang = {"residence": "districts", "districts": [town.districts["vest"]]}
    process = set_up(
        town,
        title="Vestervang bestemmer",
        total=300_000,
        max_cost=150_000,
        phases=(
            ("ideas", starts, ideas_end, "Foreslå et projekt"),
            ("assessment", ideas_end, vote_starts, "Vi regner på prisen sammen med jer"),
            ("vote", vote_starts, vote_ends, "Vælg op til tre projekter"),
        ),
        fields={
            "question": "Hvad skal 300.000 kroner gøre ved Vestervang?",
            "introduction": (
                "Pengene er til dem, der bor i Vestervang skoledistrikt. I foreslår, I stemmer, og I gennemfører selv "
                "projektet med hjælp fra os.\n\n"
                + texts.DEMO_NOTE.format(inspired_by="Brændkjær bestemmer i Kolding Kommune")
            ),
            "touches": "districts",
            "ladder_step": "coresponsibility",
        },
        detail={
            "propose": {"min_age": 13} | only_vestervang,
            "vote": {"min_age": 10, "age_on": timezone.localdate(vote_starts)} | only_vestervang,
            "class_age_from": 10,
            "class_age_to": 12,
            "winners_carry_out": True,
        },
        rows={"touched_districts": [town.districts["vest"]]},
    )
    propose(town, process, texts.VESTERVANG, starts, ideas_end)
    _debate(town, process, starts, ideas_end, only="vest")
    assess(
        process,
        town.day(-20, 11),
        {
            "Musikrum for unge i den gamle kiosk": (
                "Kiosken skal rives ned til sommer, så rummet ville kun holde et halvt år. Vi har fundet et lokale i "
                "klubben i stedet, og det koster ikke noget. Ring til Amir, så viser han jer det."
            )
        },
        {"En rampe ved købmanden": "Kan lade sig gøre. Købmanden har sagt ja og passer rampen bagefter."},
    )
    place = _polling_place(town, process, vote_starts - timedelta(days=6))
    with clock.frozen(vote_starts):
        round = open_round(process=process)
    vote(town.chance, round, 487, vote_starts, town.now)
    _codes(town, process, round)
    _voting_day(town, place, vote_starts)
    with clock.frozen(town.day(-5, 10)):
        outcomes.publish_news(
            process=process,
            by=town.staff["Kirsten"],
            title="Nu kan du stemme",
            text="Vælg op til tre projekter. Du kan få hjælp på biblioteket hver dag mellem 10 og 18.",
        )
    return process


def _codes(town: Town, process: Process, round: Round) -> None:
    """Letters to the oldest without Digital Post went out before the vote; the cards for a class are waiting to be fetched."""
    by, common = town.staff["Kirsten"], {"process": process, "phase": round.phase}
    with clock.frozen(town.day(-6, 10)):
        chosen = Chosen(age_from=80, without_digital_post=True)
        for batch in make_personal_codes(name="Over 80 uden Digital Post", chosen=chosen, by=by, **common):
            fetch_print(batch=batch, by=by)
        cards = make_class_codes(name="Vestervang Skole, 5.A", amount=26, by=by, **common)
        fetch_print(batch=cards, by=by)
    with clock.frozen(town.now - timedelta(minutes=20)):
        make_class_codes(name="Vestervang Skole, 6.B", amount=24, by=by, **common)


def _polling_place(town: Town, process: Process, at: datetime) -> PollingPlace:
    """The library, with two officers; the order of the printed ballot is drawn before voting opens."""
    with clock.frozen(at):
        choose_order(process=process, by=town.staff["Kirsten"], kind="lot", seed="4-2-6-1")
        return save_place(
            process=process,
            by=town.staff["Kirsten"],
            officers=[town.staff["Søren"], town.staff["Hanne"]],
            name="Lunde Bibliotek",
            address="Torvet 3, 9990 Lunde",
            opening_hours="Alle dage kl. 10-18, så længe afstemningen er åben",
            access=(
                "Niveaufri indgang fra Torvet. Bus 4 holder ved døren. Der er en lup ved bordet, og du kan få læst "
                "stemmesedlen højt."
            ),
        )


def _voting_day(town: Town, place: PollingPlace, starts: datetime) -> None:
    """People come to the library and are found in the register; the turnout is kept hour by hour; the power goes."""
    round = place.round
    assert round is not None
    officer, here = town.staff["Søren"], town.districts["vest"].pk
    voted = set(Roll.objects.filter(round=round).values_list("person", flat=True))
    grown_up = timezone.localdate(town.now).replace(year=timezone.localdate(town.now).year - 60)
    coming = (
        Resident.objects.filter(
            extract=RegisterExtract.objects.latest(), school_district=here, birth_date__lt=grown_up
        )
        .exclude(person__in=voted)
        .select_related("person")
        .order_by("pk")[:31]
    )
    ids = random.Random(31)  # noqa: S311 - a story
    for number, resident in enumerate(coming):
        with clock.frozen(town.day(number % 5 - 5, 13)):
            attempt = UUID(int=ids.getrandbits(128), version=4)
            mark_roll(place=place, round=round, person=resident.person, attempt=attempt, by=officer)
            if number == 6:
                undo_mark(place=place, attempt=attempt, reason="wrong_person", by=officer)
    with clock.frozen(town.day(-2, 15)):
        power = record_incident(
            process=place.process,
            by=officer,
            place=place,
            happened_at=town.day(-2, 14),
            text=(
                "Strømmen var væk på Torvet i et kvarter. Ingen fik stemmeseddel, mens vi ikke kunne sætte kryds. "
                "To ventede og stemte bagefter."
            ),
        )
    with clock.frozen(town.day(-1, 9)):
        record_incident(
            process=place.process,
            by=town.staff["Kirsten"],
            place=place,
            happened_at=town.day(-2, 14),
            text="Strømmen var væk i tyve minutter, ikke i et kvarter.",
            corrects=power,
        )
    _turnout(round, starts, town.now)


def _turnout(round: Round, starts: datetime, until: datetime) -> None:
    """The numbers the clock would have kept, from the days on the roll: more come by day than by night."""
    roll = Roll.objects.filter(round=round).values_list("channel", "day")
    hour, shown = full_hour(starts) + timedelta(hours=1), {}
    while hour <= until:
        local = timezone.localtime(hour)
        part = min(max(local.hour - 7, 0) / 14, 1)
        counted: dict[str, float] = {}
        for channel, day in roll:
            counted[channel] = counted.get(channel, 0) + (
                1 if day < local.date() else part if day == local.date() else 0
            )
        shown = step({channel: int(number) for channel, number in counted.items()}, shown)
        TurnoutHour.objects.create(round=round, hour=hour, shown=shown, voters=sum(shown.values()))
        hour += timedelta(hours=1)


def carried_out(town: Town, say: Tell) -> Process:
    say("a budget that was carried out, with a vote of real size behind it")
    year = timezone.localdate(town.day(-360)).year
    starts, ideas_end, vote_starts, vote_ends = (
        town.day(-450),
        town.day(-416, 0),
        town.day(-381),
        town.day(-360, 0),
    )
    process = set_up(
        town,
        title=f"Borgermillionen {year}",
        total=1_000_000,
        max_cost=550_000,
        phases=(
            ("ideas", starts, ideas_end, "Foreslå et projekt"),
            ("assessment", ideas_end, vote_starts, "Vi regner på prisen"),
            ("vote", vote_starts, vote_ends, "Vælg op til fire projekter"),
        ),
        fields={
            "question": f"Hvad skulle vi bruge en million kroner på i {year}?",
            "introduction": (
                "Den første borgermillion: 16 projekter var til afstemning, og over 6.000 stemte.\n\n"
                + texts.DEMO_NOTE.format(inspired_by="Borgermillionen i Ballerup Kommune")
            ),
            "touches": "municipality",
        },
        detail={"max_choices": 4, "propose": {"min_age": 13}, "vote": {"min_age": 15}, "min_votes": 100},
    )
    propose(town, process, texts.CARRIED_OUT_2025, starts, ideas_end)
    assess(process, town.day(-395, 11))
    with clock.frozen(vote_starts):
        round = open_round(process=process)
    vote(town.chance, round, VOTERS_2025, vote_starts, vote_ends)
    with clock.frozen(vote_ends + timedelta(minutes=1)):
        process = lifecycle.perform(process=process, name="close", by=None)
    with clock.frozen(vote_ends + timedelta(days=1)):
        round.refresh_from_db()
        if round.state == Round.State.VOTING:
            round = seal_round(round=round, by=town.staff["Kirsten"])
        count = count_round(round=round, by=town.staff["Kirsten"])
        while count.winners is None:
            pot, tied = next(iter(waiting_for_lots(count).items()))
            count = record_lot(
                round=round,
                by=town.staff["Kirsten"],
                pot=pot,
                order=sorted(tied),
                drawn_at=clock.now(),
                how="Sedler i en hat, trukket på biblioteket",
                witnesses="To borgere og en tilforordnet (demo)",
            )
    _decide_and_conclude(town, process, round, list(count.winners))
    return process


def _decide_and_conclude(town: Town, process: Process, round: Round, winners: list[str]) -> None:
    kirsten = town.staff["Kirsten"]
    assert process.meeting is not None
    projects = list(
        Project.objects.on_ballot().filter(contribution__process=process).select_related("contribution")
    )
    with clock.frozen(process.meeting.held_at + timedelta(days=1)):
        decide_projects(
            process=process,
            by=kirsten,
            decisions=[
                {
                    "project": project.number,
                    "funded": project.number in winners,
                    "amount": project.price if project.number in winners else None,
                    "reason": "",
                }
                for project in projects
            ],
        )
        outcomes.record_decision(
            process=process,
            by=kirsten,
            decided_on=timezone.localdate(process.meeting.held_at),
            body="Byrådet",
            text=(
                "Byrådet godkendte resultatet af afstemningen uden ændringer. De projekter, der fik flest "
                "stemmer inden for pengene, får dem."
            ),
            meeting=process.meeting,
        )
        process.refresh_from_db()
        if process.status == "closed":
            process = lifecycle.perform(process=process, name="decide", by=kirsten)
    with clock.frozen(process.meeting.held_at + timedelta(days=8)):
        for project in projects:
            won = project.number in winners
            contributions.answer_contributions(
                contributions=[project.contribution],
                by=kirsten,
                outcome=Outcome.ADOPTED if won else Outcome.NOT_ADOPTED,
                answer=(
                    "Tillykke. Jeres projekt fik stemmer nok til at få penge. Vi ringer i næste uge og aftaler, hvordan vi "
                    "kommer i gang."
                    if won
                    else "Projektet fik ikke stemmer nok til at få penge denne gang. I er velkomne til at foreslå det igen."
                ),
            )
        for contribution in Contribution.objects.filter(process=process, told_at=None):
            contributions.mark_told(contribution=contribution, by=kirsten, how="Ringet op (demo)")
        funded = [project for project in projects if project.number in winners]
        outcomes.record_impact(
            process=process,
            by=kirsten,
            text="Der er nu en fast aftale om, at borgere selv kan få nøglen til kommunens værktøjscontainer.",
            contributions=[project.contribution for project in funded if project.carried_out_by_citizens]
            or [funded[0].contribution],
        )
        outcomes.record_impact(
            process=process,
            by=kirsten,
            text=(
                f"{len(funded)} projekter er gennemført eller i gang. De fleste af dem blev bygget sammen med dem, der fik "
                "idéen."
            ),
            contributions=[project.contribution for project in funded],
        )
        outcomes.state_told_outside(
            process=process,
            by=kirsten,
            how="Opslag på biblioteket og en side i ugeavisen",
            on=timezone.localdate(process.meeting.held_at) + timedelta(days=6),
        )
        process.refresh_from_db()
        process = lifecycle.perform(process=process, name="conclude", by=kirsten)
    for number, project in enumerate(funded[:2]):
        with clock.frozen(process.meeting.held_at + timedelta(days=120 + 40 * number)):
            outcomes.publish_news(
                process=process,
                by=kirsten,
                title=texts.FINISHED_TITLE.format(project=project.contribution.title),
                text=texts.FINISHED_TEXTS[number],
            )
    with clock.frozen(process.meeting.held_at + timedelta(days=200)):
        anonymise_roll(round=round)
    carry_out(
        process,
        kirsten=kirsten,
        amir=town.staff["Amir"],
        decided=process.meeting.held_at + timedelta(days=1),
        now=town.now,
    )


def vote(chance: random.Random, round: Round, voters: int, starts: datetime, ends: datetime) -> None:
    """Ballots of residents who may vote: written like the real ones, encrypted, but in bulk.

    People like what is near them, what is cheap less than what is dear, and some projects for no reason at all.
    """
    process, budget = round.process, round.process.citizenbudget
    projects = list(
        Project.objects.on_ballot()
        .filter(contribution__process=process)
        .select_related("contribution__district")
    )
    rule = budget.vote_rule
    residents = Resident.objects.filter(extract=RegisterExtract.objects.latest()).order_by("pk")
    if rule.residence == "districts":
        residents = residents.filter(school_district__in=rule.districts.all())
    opening = timezone.localdate(starts)
    able = [
        resident
        for resident in residents.only("person_id", "birth_date", "sex", "school_district_id")
        if age_on(resident.birth_date, opening) > max(rule.min_age - 1, budget.class_age_to or 0)
    ]
    chosen = chance.sample(able, min(voters, len(able)))
    appeal = {project.number: chance.lognormvariate(0, 0.7) for project in projects}
    days = max((ends - starts).days, 1)
    roll, urn = [], []
    for resident in chosen:
        liking = [
            appeal[project.number]
            * (3.5 if project.contribution.district_id == resident.school_district_id else 1.0)
            for project in projects
        ]
        wanted = chance.choices((1, 2, 3, 4), (1, 2, 4, 3))[0]
        picked = _pick(chance, projects, liking, min(wanted, budget.max_choices or len(projects)))
        age = age_on(resident.birth_date, opening)
        roll.append(
            Roll(
                round=round,
                person_id=resident.person_id,
                channel=IntakeChannel.WEB,
                day=opening + timedelta(days=int(days * chance.betavariate(1.2, 1.2))),
                age_band=age_band(age),
                sex=resident.sex,
                district_id=resident.school_district_id,
            )
        )
        urn.append(
            Ballot(
                round=round,
                channel=IntakeChannel.WEB,
                choices=ballots.encrypt(
                    [(project.number, 1) for project in picked], round=round, channel=IntakeChannel.WEB.value
                ),
            )
        )
    chance.shuffle(urn)
    Roll.objects.bulk_create(roll, batch_size=2000)
    Ballot.objects.bulk_create(urn, batch_size=2000)


def _pick(chance: random.Random, projects: list[Project], liking: list[float], number: int) -> list[Project]:
    left, weights, picked = list(projects), list(liking), []
    for _each in range(min(number, len(left))):
        index = chance.choices(range(len(left)), weights)[0]
        picked.append(left.pop(index))
        weights.pop(index)
    return picked
