"""Two small budgets in other forms: one with two rounds and a pot for each of two districts, one that a meeting shares out.
Invented; the forms are those of Brændkjær bestemmer (Kolding), of Orø (Holbæk) and of Odense's bag of money."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from budgets.actions.counting import count_round, decide_projects
from budgets.actions.meetings import record_meeting
from budgets.actions.projects import assess_project
from budgets.actions.rounds import open_round, seal_round
from budgets.actions.voting import cast_ballot
from budgets.models import Assessment, Project, Round
from demo import texts
from demo.story import Tell, Town, propose, set_up
from demo.texts import ProjectText
from participation import clock, lifecycle
from participation.actions import contributions, outcomes
from participation.choices import Outcome, Status
from participation.models import Contribution, Process

VOTERS = (34, 21)
GREENER: dict[str, Sequence[ProjectText]] = {
    "hele-lunde": (
        ProjectText(
            "Frugttræer langs cykelstien",
            "Fyrre æble- og pæretræer, som alle må plukke af. Vi planter dem sammen en søndag i marts.",
            "Børnene ser, hvor æbler kommer fra, og der bliver skygge på vejen til skole.",
            "Cykelstien mellem Midtbyen og Åholm",
            "midt",
            (("Fyrre træer", 36_000), ("Pæle, net og jord", 24_000)),
            True,
        ),
        ProjectText(
            "Torvet bliver en have",
            "Bede, bænke og et lille vandløb i stedet for fliserne på den ene halvdel af torvet.",
            "Der er for varmt på torvet om sommeren, og vandet løber i kælderen, når det regner.",
            "Torvet",
            "midt",
            (("Bede og planter", 70_000), ("Bænke", 25_000), ("Vandløb", 45_000)),
        ),
        ProjectText(
            "Torvet bliver en legeplads",
            "Klatrestativ og vippebænke på den ene halvdel af torvet.",
            "Så kan vi sidde på caféen, mens børnene leger.",
            "Torvet",
            "midt",
            (("Legeredskaber", 110_000),),
        ),
        ProjectText(
            "Regnvandsbede ved biblioteket",
            "Fire bede, der tager imod vandet fra taget, med blomster til bierne.",
            "Det er kønnere end en rist, og man kan se, hvor vandet løber hen.",
            "Biblioteket",
            "midt",
            (("Fire bede", 58_000),),
        ),
    ),
    "noerrelund": (
        ProjectText(
            "Køkkenhave ved Nørrelundskolen",
            "Tolv højbede, som klasserne og naboerne passer på skift, også i sommerferien.",
            "Vi mangler et sted, hvor gamle og unge mødes om noget.",
            "Nørrelundskolen",
            "nord",
            (("Højbede og jord", 32_000), ("Vandhane", 9_000)),
            True,
        ),
        ProjectText(
            "Blomstereng på Badevej",
            "Græsset på den brede rabat bliver til en eng, der slås én gang om året.",
            "Flere sommerfugle og mindre larm fra plæneklipperen.",
            "Badevej",
            "nord",
            (("Frø og jord", 18_000), ("Skilt og klippet sti", 6_000)),
        ),
        ProjectText(
            "Bænk og bålsted ved søen",
            "To lange bænke og et bålsted, der kan lukkes med låg.",
            "Vi er der alligevel, og nu sidder vi på en sten.",
            "Badebroen",
            "nord",
            (("Bænke", 14_000), ("Bålsted", 16_000)),
        ),
    ),
    "soendervang": (
        ProjectText(
            "Grøn væg på hallen",
            "Vedbend og klematis på wirer op ad hallens sydside.",
            "Hallen er grå, og der er ingen fugle.",
            "Søndervanghallen",
            "syd",
            (("Wirer og planter", 44_000),),
        ),
        ProjectText(
            "Byttehave i Grønningen",
            "Et lille drivhus, hvor man stiller planter, man har for mange af, og tager andre med hjem.",
            "Alle har for mange tomatplanter i maj.",
            "Grønningen",
            "syd",
            (("Drivhus", 29_000), ("Hylder", 4_000)),
            True,
        ),
        ProjectText(
            "Ti kirsebærtræer på Hallevej",
            "Ti træer i række, der blomstrer, når skolen har forårsfest.",
            "Vejen er lang og bar.",
            "Hallevej",
            "syd",
            (("Ti træer, plantet", 38_000),),
        ),
    ),
}
AAHOLM = (
    ProjectText(
        "Nyt tag på bålhytten",
        "Spåner på taget og to nye bjælker. Spejderne lægger det selv.",
        "Det regner ned i suppen.",
        "Bålhytten ved Åbrinken",
        "aaholm",
        (("Spåner og bjælker", 38_000),),
        True,
    ),
    ProjectText(
        "Fælles trailer og borde",
        "En trailer med tolv borde og firs klapstole, som alle i Åholm kan låne.",
        "Vi lejer dem hver gang i dag, og det koster mere end maden.",
        "Forsamlingshuset",
        "aaholm",
        (("Trailer", 21_000), ("Borde og stole", 24_000)),
    ),
    ProjectText(
        "Koncert på kajen",
        "En koncert med to lokale orkestre den sidste fredag i august.",
        "Så kommer dem, der er flyttet, også hjem.",
        "Kajen",
        "aaholm",
        (("Scene og lyd", 30_000),),
    ),
)
PROCEDURE = (
    "Alle, der bor i Åholm og er fyldt 13 år, kan komme. Mødet varer to timer. Hvert projekt får tre minutter til at "
    "fortælle. Så får alle tre mærker og sætter dem på de projekter, de helst vil have. Mærkerne tælles højt, og projektet "
    "med flest får sine penge først. Der er to fra salen, der tæller, og en, der skriver referat."
)


def two_rounds(town: Town, say: Tell) -> Process:
    """The first round is over and counted, and those that went on have been made better: the final round is open."""
    say("a budget with two rounds and a pot for each of two districts")
    starts, ideas_end = town.day(-75), town.day(-52, 0)
    first_end, improved, final, closes = town.day(-38, 0), town.day(-24, 0), town.day(-8), town.day(9, 0)
    places = (None, town.districts["nord"], town.districts["syd"])
    process = set_up(
        town,
        title="Lunde bliver grønnere",
        total=400_000,
        max_cost=200_000,
        phases=(
            ("ideas", starts, ideas_end, "Foreslå et projekt"),
            ("shortlist", ideas_end, first_end, "Vælg dem, der skal gå videre"),
            ("improve", first_end, improved, "Gør projekterne bedre sammen med os"),
            ("assessment", improved, final, "Vi regner på prisen"),
            ("vote", final, closes, "Stem om dem, der gik videre"),
        ),
        fields={
            "question": "Hvordan bliver Lunde grønnere for 400.000 kroner?",
            "introduction": (
                "Der er en pulje for hele Lunde og en for hvert af to distrikter. Der er to runder: I den første "
                "vælger I, hvad der skal gå videre, og i den sidste, hvad der skal laves.\n\n"
                + texts.DEMO_NOTE.format(inspired_by="de to runder i Brændkjær bestemmer i Kolding Kommune")
            ),
            "touches": "municipality",
        },
        detail={
            "propose": {"min_age": 13},
            "vote": {"min_age": 13},
            "max_choices": 2,
            "shortlist_size": 2,
            "shortlist_choices": 3,
            "leftover": "to_city",
            "part_funding": True,
            "pots": [
                {"name": name, "district": district, "total": total}
                for name, district, total in zip(
                    ("Hele Lunde", "Nørrelund", "Søndervang"), places, (250_000, 75_000, 75_000), strict=True
                )
            ],
        },
    )
    pots = {pot.key: pot for pot in process.citizenbudget.pots.all()}
    for key, projects in GREENER.items():
        propose(town, process, projects, starts, ideas_end, pot=pots[key].pk)
    _vote_and_count(town, process, VOTERS[0], ideas_end, first_end)
    _improve(process, first_end + timedelta(days=5))
    _assess(process, improved + timedelta(days=6))
    with clock.frozen(final):
        open_round(process=process)
    _cast(town, process, VOTERS[1], final, town.now)
    return process


def _vote_and_count(town: Town, process: Process, voters: int, starts: datetime, ends: datetime) -> None:
    kirsten = town.staff["Kirsten"]
    with clock.frozen(starts):
        open_round(process=process)
    _cast(town, process, voters, starts, ends)
    with clock.frozen(ends + timedelta(hours=9)):
        round = Round.objects.get(process=process, kind=Round.Kind.SHORTLIST)
        if round.state == Round.State.VOTING:
            round = seal_round(round=round, by=kirsten)
        count_round(round=round, by=kirsten)


def _cast(town: Town, process: Process, voters: int, starts: datetime, ends: datetime) -> None:
    """Each vote by the action itself: the voter's own two pots, and now and then only one of them."""
    for number in range(voters):
        at = starts + (ends - starts) * (number + 1) / (voters + 2)
        with clock.frozen(at):
            round = Round.objects.for_voting().get(process=process, state=Round.State.VOTING)
            area = ("nord", "syd", "midt")[number % 3]
            voter = town.someone(area, over=16)
            if round.roll.filter(person=voter.person_id).exists():
                continue
            on_paper = list(round.ballot_projects.in_order())
            own = {"nord": "noerrelund", "syd": "soendervang"}.get(area)
            chosen = []
            for pot in filter(None, ("hele-lunde" if number % 7 else None, own)):
                here = [one.number for one in on_paper if one.pot == pot]
                chosen += town.chance.sample(here, min(len(here), town.chance.choice((1, 2))))
            if chosen:
                cast_ballot(round=round, by=voter, choices=[(one, 1) for one in chosen], tracker=None, at=at)


def _improve(process: Process, at: datetime) -> None:
    """One author writes what the neighbours said into the project."""
    shortlist = Round.objects.get(process=process, kind=Round.Kind.SHORTLIST)
    with clock.frozen(at):
        contribution = (
            Contribution.objects.filter(
                process=process, author__isnull=False, project__number__in=shortlist.count.winners
            )
            .order_by("pk")
            .first()
        )
        if contribution is None:
            return
        contributions.edit_contribution(
            contribution=contribution,
            by=contribution.author,
            version=contribution.version,
            body=f"{contribution.body} Naboerne har været med til at tegne det, og en fra kommunen har set på stedet.",
            at=at,
        )


def _assess(process: Process, at: datetime) -> None:
    """What went on, each with its price; the town square can be only one thing, and one can be done for less."""
    amir_sees = Round.objects.get(process=process, kind=Round.Kind.SHORTLIST).count.winners or []
    with clock.frozen(at):
        for project in Project.objects.filter(
            contribution__process=process, number__in=amir_sees
        ).select_related("contribution__process__deputy"):
            assess_project(
                project=project,
                by=project.contribution.process.deputy,
                assessment=Assessment.FEASIBLE,
                explanation=texts.FEASIBLE,
                municipal_matter=True,
                price=project.cost,
                least_price=project.cost // 2 if project.carried_out_by_citizens else None,
                alternative="Torvet" if project.contribution.place == "Torvet" else None,
            )


def bag_of_money(town: Town, say: Tell) -> Process:
    """A meeting has shared the money out, and the council has said yes."""
    say("a bag of money that a meeting shared out")
    starts, ideas_end, meeting, ends = town.day(-110), town.day(-80, 0), town.day(-60, 19), town.day(-59, 0)
    aaholm = town.districts["aaholm"]
    here = {"residence": "districts", "districts": [aaholm]}
    process = set_up(
        town,
        title="En pose penge til Åholm",
        total=100_000,
        max_cost=60_000,
        phases=(
            ("ideas", starts, ideas_end, "Foreslå et projekt"),
            ("assessment", ideas_end, town.day(-62, 0), "Vi ser, om det kan lade sig gøre"),
            ("meeting", town.day(-60, 0), ends, "Mødet i forsamlingshuset fordeler pengene"),
        ),
        fields={
            "question": "Hvad skal Åholm bruge 100.000 kroner på?",
            "introduction": (
                "Åholm får en pose penge og fordeler den selv på et møde.\n\n"
                + texts.DEMO_NOTE.format(
                    inspired_by="Orø i Holbæk Kommune og borgerbudgettet “en pose penge” i Odense Kommune"
                )
            ),
            "touches": "districts",
        },
        detail={
            "propose": {"min_age": 13} | here,
            "vote": {"min_age": 13} | here,
            "decided_by": "meeting",
            "procedure": PROCEDURE,
        },
        rows={"touched_districts": [aaholm]},
    )
    propose(town, process, AAHOLM, starts, ideas_end)
    _assess_all(process, town.day(-70, 10))
    _hold(town, process, meeting)
    return process


def _assess_all(process: Process, at: datetime) -> None:
    with clock.frozen(at):
        for project in Project.objects.filter(contribution__process=process).select_related(
            "contribution__process__deputy"
        ):
            assess_project(
                project=project,
                by=project.contribution.process.deputy,
                assessment=Assessment.FEASIBLE,
                explanation=texts.FEASIBLE,
                municipal_matter=True,
                price=project.cost,
            )


def _hold(town: Town, process: Process, held_at: datetime) -> None:
    kirsten = town.staff["Kirsten"]
    projects = {
        project.contribution.title: project
        for project in Project.objects.filter(contribution__process=process).select_related("contribution")
    }
    given = {"Nyt tag på bålhytten": 38_000, "Fælles trailer og borde": 45_000, "Koncert på kajen": 17_000}
    with clock.frozen(held_at + timedelta(hours=3)):
        record_meeting(
            process=process,
            by=kirsten,
            held_at=held_at,
            place="Åholm Forsamlingshus",
            participants=84,
            how=(
                "Alle satte tre mærker. Bålhytten fik 97, traileren 88 og koncerten 61. De to første fik alle deres penge, og "
                "koncerten fik det, der var tilbage, fordi den kan laves uden telt."
            ),
            minutes=(
                "84 mødte op. Hvert projekt fortalte i tre minutter. Der var spørgsmål om, hvor traileren skal stå, og "
                "forsamlingshuset tilbød carporten. To fra salen talte mærkerne højt. Mødet sluttede kl. 21."
            ),
            grants={projects[title].pk: amount for title, amount in given.items()},
        )
    last = max(phase.interval.upper for phase in process.phases.all())
    with clock.frozen(last + timedelta(minutes=1)):
        process = lifecycle.perform(process=process, name="close", by=None)
    if process.meeting is None or process.meeting.held_at >= town.now:
        return
    with clock.frozen(process.meeting.held_at + timedelta(days=1)):
        decide_projects(
            process=process,
            by=kirsten,
            decisions=[
                {"project": project.number, "funded": True, "amount": given[title], "reason": ""}
                for title, project in _numbered(process).items()
            ],
        )
        outcomes.record_decision(
            process=process,
            by=kirsten,
            decided_on=timezone.localdate(process.meeting.held_at),
            body="Byrådet",
            text="Byrådet sagde ja til den fordeling, mødet valgte.",
            meeting=process.meeting,
        )
        process.refresh_from_db()
        if process.status == Status.CLOSED:
            lifecycle.perform(process=process, name="decide", by=kirsten)
        contributions.answer_contributions(
            contributions=[project.contribution for project in projects.values()],
            by=kirsten,
            outcome=Outcome.ADOPTED,
            answer="Byrådet sagde ja til mødets fordeling. Vi ringer i næste uge og aftaler, hvordan I kommer i gang.",
        )


def _numbered(process: Process) -> dict[str, Project]:
    rows = Project.objects.on_ballot().filter(contribution__process=process).select_related("contribution")
    return {project.contribution.title: project for project in rows}
