"""One small municipality with something behind every address, and somebody of every kind to ask for it.

Everything was made by the real actions, each at its moment; what a sweep changes is rolled back after each test.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.conf import settings
from django.db import transaction
from django.test import Client
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from accounts import actions as accounts
from accounts.models import District, Organisation, PopulationFigure, RegisterExtract, Unit, User
from accounts.permissions import Role
from budgets import actions as budgets
from budgets.actions import implementation as carrying
from budgets.codes import Chosen
from budgets.models import (
    AccountEntry,
    CodeBatch,
    CodeLock,
    Implementation,
    Incident,
    Payment,
    PollingPlace,
    Pot,
    ProgressNote,
    Project,
    Round,
)
from mailouts import actions as mailouts
from mailouts.choices import Stage, State
from mailouts.models import Campaign
from participation import clock, lifecycle
from participation.actions import arguments as arguing
from participation.actions import contributions as giving
from participation.actions import files as storing
from participation.actions import following, merging, outcomes, programmes, team
from participation.actions import process as setting_up
from participation.choices import Status
from participation.models import (
    Argument,
    Change,
    CommitteeMeeting,
    Contribution,
    Notice,
    Process,
    ProcessQuestion,
    Programme,
    StoredFile,
    Theme,
)
from tests.accounts.factories import (
    make_citizen,
    make_district,
    make_extract,
    make_resident,
    make_resident_citizen,
    make_staff,
    make_unit,
)
from tests.budgets.carrying import photo, receipt
from tests.budgets.factories import make_budget, make_project, seal
from tests.budgets.factories import make_process as make_draft
from tests.budgets.factories import vote as vote_in
from tests.factories import make_meeting, make_process
from tests.mailouts.factories import make_campaign
from tests.participation.mailed import mailed
from tests.participation.pictures import jpeg, pdf

# The columns of the table: who asks.
ROLES = (
    "anonymous",
    "citizen",  # lives here, and gave what there is
    "stranger",  # a citizen of another municipality
    "worker",  # caseworker of the unit
    "other_worker",  # caseworker of another unit
    "manager",
    "councillor",
    "polling",
    "administrator",
    "half_in",  # a caseworker of the unit who has no second factor yet
)


@dataclass(eq=False)
class World:
    unit: Unit
    other_unit: Unit
    district: District
    extract: RegisterExtract
    people: dict[str, User]
    processes: dict[str, Process] = field(default_factory=dict)  # by status; "open" takes ideas, "vote" votes
    project: Contribution = None  # type: ignore[assignment]
    hidden: Contribution = None  # type: ignore[assignment]  # the citizen's, turned away by a moderator
    photo: StoredFile = None  # type: ignore[assignment]  # on the project, so public
    file: StoredFile = None  # type: ignore[assignment]  # on the hidden one
    argument: Argument = None  # type: ignore[assignment]  # the citizen's, about the project
    gathered: Contribution = None  # type: ignore[assignment]  # the citizen's, gathered into another of theirs
    theme: Theme = None  # type: ignore[assignment]
    question: ProcessQuestion = None  # type: ignore[assignment]
    change: Change = None  # type: ignore[assignment]
    programme: Programme = None  # type: ignore[assignment]
    round: Round = None  # type: ignore[assignment]  # counted
    pots: Round = None  # type: ignore[assignment]  # of several pots, sealed
    carried: Contribution = None  # type: ignore[assignment]  # the citizen's, being carried out
    payment: Payment = None  # type: ignore[assignment]
    note: ProgressNote = None  # type: ignore[assignment]  # waits for a caseworker
    entry: AccountEntry = None  # type: ignore[assignment]  # waits too
    voting: Round = None  # type: ignore[assignment]  # open for votes
    batch: CodeBatch = None  # type: ignore[assignment]  # letters to those who may vote in it
    code_lock: CodeLock = None  # type: ignore[assignment]  # somebody guessed
    place: PollingPlace = None  # type: ignore[assignment]  # open for votes, the polling officer's
    counted_place: PollingPlace = None  # type: ignore[assignment]  # its ballots are entered and its account signed
    mark: UUID = None  # type: ignore[assignment]  # on the roll, made at the place
    incident: Incident = None  # type: ignore[assignment]
    draft_token: str = ""
    invitation_token: str = ""  # to stand behind the project too
    passkey: Authenticator = None  # type: ignore[assignment]
    address: EmailAddress = None  # type: ignore[assignment]
    organisation: Organisation = None  # type: ignore[assignment]
    figure: PopulationFigure = None  # type: ignore[assignment]
    meeting: CommitteeMeeting = None  # type: ignore[assignment]
    notice: Notice = None  # type: ignore[assignment]
    mailouts: dict[str, Campaign] = field(default_factory=dict)  # the worker's, by stage
    sessions: dict[str, str] = field(default_factory=dict)  # what each one's cookie says

    def client(self, role: str) -> Client:
        """A browser that has just come in, without a trace of what it did before."""
        client = Client()
        if role in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client


def session_of(user: User) -> str:
    """Signed in; whoever works here has just proven who they are."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return str(session.session_key)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Nothing done inside stays. Marked as a test's own, so that actions that must be outermost may run."""
    with transaction.atomic():
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True
        yield
        transaction.set_rollback(True)


def passkey_of(user: User) -> Authenticator:
    """As a browser would register it; no key in the world opens it."""
    identity, point = b"0123456789abcdef", bytes(31) + b"\x01"
    credential = AttestedCredentialData.create(
        Aaguid.NONE, identity, ES256({1: 2, 3: -7, -1: 1, -2: point, -3: point})
    )
    data = AuthenticatorData.create(bytes(32), AuthenticatorData.FLAG.AT, 0, credential)
    answer = RegistrationResponse(
        raw_id=identity,
        response=AuthenticatorAttestationResponse(
            client_data=CollectedClientData.create("webauthn.create", bytes(32), "http://testserver"),
            attestation_object=AttestationObject.create("none", data, {}),
        ),
    )
    return WebAuthn.add(user, "Min nøgle", dict(answer)).instance


def give(process: Process, by: User, title: str, **fields: Any) -> Contribution:
    return giving.give_contribution(
        process=process,
        by=by,
        **{
            "title": title,
            "body": "De ældre skal kunne hvile sig på vej til bussen.",
            "detail": {"why": "Der er langt.", "cost_lines": [{"text": "Bænk", "amount": 12_000}]},
        }
        | fields,
    )


def assess(contribution: Contribution, by: User, price: int) -> None:
    budgets.assess_project(
        project=Project.objects.get(contribution=contribution),
        by=by,
        assessment="feasible",
        municipal_matter=True,
        explanation="Det kan lade sig gøre.",
        price=price,
    )


def build() -> World:
    unit, other_unit, district = make_unit(), make_unit(), make_district()
    extract = make_extract(valid_until=clock.today() + timedelta(days=800))
    staff = {
        "worker": make_staff(Role.CASEWORKER, units=[unit], password="en lang og god adgangskode"),
        "other_worker": make_staff(Role.CASEWORKER, units=[other_unit]),
        "manager": make_staff(Role.MANAGER, units=[unit]),
        "councillor": make_staff(Role.COUNCILLOR),
        "polling": make_staff(Role.POLLING_OFFICER),
        "administrator": make_staff(Role.ADMINISTRATOR),
        "half_in": make_staff(Role.CASEWORKER, units=[unit], factor=False),
    }
    citizens = {
        "citizen": make_citizen(first_name="Karen", person=make_resident().person),
        "stranger": make_citizen(first_name="Søren", person=make_resident(municipality_code="0101").person),
    }
    world = World(unit, other_unit, district, extract, staff | citizens)
    for status in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.CANCELLED, Status.INFORMED):
        world.processes[status] = make_process(
            status=status, unit=unit, author=staff["worker"], manager=staff["manager"]
        )
    world.processes["open"] = make_process(
        status=Status.OPEN, phase="ideas", unit=unit, author=staff["worker"], manager=staff["manager"]
    )
    _fill_open(world)
    _run_through(world)
    _pots(world)
    _citizens_things(world)
    _records(world)
    _mailouts(world)
    world.sessions = {role: session_of(user) for role, user in world.people.items()}
    world.passkey = passkey_of(staff["worker"])
    RecoveryCodes.activate(staff["worker"])
    return world


def _fill_open(world: World) -> None:
    process, worker, citizen = world.processes["open"], world.people["worker"], world.people["citizen"]
    world.programme = programmes.create_programme(
        by=worker, unit=world.unit, title="Den grønne midtby", introduction="Flere forløb om én sag."
    )
    programmes.put_in_programme(process=process, by=worker, programme=world.programme)
    world.project = give(process, citizen, "En bænk ved søen", district=world.district)
    _row, world.invitation_token = team.invite(contribution=world.project, by=citizen)
    world.hidden = give(process, citizen, "Noget, der ikke er plads til")
    world.photo = storing.store_photo(data=jpeg(700, 500), name="bænk.jpg", alt="En bænk", by=citizen)
    storing.hang(contribution=world.project, hung=[storing.Hung(world.photo, "En bænk")], by=citizen)
    world.file = storing.store_file(data=pdf(), name="tegning.pdf", by=citizen)
    storing.hang(contribution=world.hidden, hung=[storing.Hung(world.file)], by=citizen)
    giving.moderate(contribution=world.hidden, by=worker, publish=False, reason="Det handler ikke om sagen.")
    world.argument = arguing.write_argument(
        contribution=world.project, by=citizen, side="for", text="Der er langt mellem bænkene."
    )
    kept, world.gathered = (give(process, citizen, title) for title in ("Lys på stien", "Lamper på stien"))
    merging.merge_contributions(keep=kept, gone=[world.gathered], by=worker, reason="Det er den samme sti.")
    giving.report_contribution(
        contribution=world.project, by=world.people["stranger"], reason="Står der to gange."
    )
    giving.comment_internally(contribution=world.project, by=worker, text="Spørg Park og Vej.")
    world.theme = giving.create_theme(process=process, by=worker, title="Bænke")
    giving.put_in_theme(contributions=[world.project], by=worker, theme=world.theme)
    world.question = giving.ask_question(process=process, by=citizen, text="Hvem bestemmer til sidst?")
    answered = giving.ask_question(process=process, by=citizen, text="Hvornår får vi svar?")
    giving.answer_question(question=answered, by=worker, answer="I maj.")
    world.change = setting_up.propose_correction(
        process=process,
        by=world.people["manager"],
        fields={"introduction": "Pengene er jeres."},
        reason="En slåfejl.",
    )
    outcomes.publish_news(process=process, by=worker, title="Kom til møde", text="På torsdag på skolen.")
    following.follow(process=process, by=citizen)


def _run_through(world: World) -> None:
    """Two budgets with votes: one is voted on now, one is counted, decided and concluded."""
    worker, manager, citizen = (world.people[role] for role in ("worker", "manager", "citizen"))
    about = {"unit": world.unit, "author": worker, "manager": manager}
    voting = make_process(status=Status.APPROVED, opens_at=clock.now() - timedelta(days=50), **about)
    over = make_process(status=Status.APPROVED, opens_at=clock.now() - timedelta(days=150), **about)
    for process in (voting, over):
        with clock.frozen(process.opens_at + timedelta(minutes=1)):
            lifecycle.perform(process=process, name="open", by=None)
        process.refresh_from_db()
        with clock.frozen(process.opens_at + timedelta(days=3)):
            given = [give(process, citizen, f"Forslag {number}") for number in range(1, 5)]
        with clock.frozen(process.opens_at + timedelta(days=35)):
            for number, contribution in enumerate(given, start=1):
                assess(contribution, worker, 50_000 * number)
        with clock.frozen(process.opens_at + timedelta(days=45)):
            world.round = budgets.open_round(process=process, by=None)
            voters = [make_resident_citizen(birth_date=date(1970, 3, 4)) for _ in range(3)]
            for choice, voter in zip(("1", "2", "2"), voters, strict=True):
                budgets.cast_ballot(round=world.round, by=voter, choices=[(choice, 1)], tracker=None)
            place = _polling_place(world, world.round)
            if process is over:
                world.counted_place = place
                budgets.cast_ballot(round=world.round, by=citizen, choices=[("3", 1)], tracker=None)
    voting.refresh_from_db()
    world.place = PollingPlace.objects.get(process=voting)
    world.mark = uuid4()
    budgets.mark_roll(
        place=world.place,
        round=world.place.round,
        person=make_resident().person,
        attempt=world.mark,
        by=world.people["polling"],
    )
    world.incident = budgets.record_incident(
        process=voting, by=worker, text="Strømmen var væk i ti minutter.", happened_at=clock.now()
    )
    world.voting = Round.objects.for_voting().get(process=voting)
    world.processes["vote"] = voting
    (world.batch,) = budgets.make_personal_codes(
        process=voting, phase=world.voting.phase, name="Breve", chosen=Chosen(), by=worker
    )
    world.code_lock = budgets.lock_out(
        address="192.0.2.7", process=voting, guesses=20, until=clock.now() + timedelta(minutes=30)
    )
    with clock.frozen(over.closes_at + timedelta(minutes=1)):
        over = lifecycle.perform(process=over, name="close", by=None)
    with clock.frozen(over.closes_at + timedelta(hours=1)):
        world.round = budgets.seal_round(round=world.round, by=None)
        _count_papers(world)
        world.round.refresh_from_db()
    with clock.frozen(over.closes_at + timedelta(days=1)):
        budgets.count_round(round=world.round, by=worker)
        giving.answer_contributions(
            contributions=given[:3], by=worker, outcome="adopted", answer="Det bliver bygget til foråret."
        )
        giving.answer_contributions(
            contributions=given[3:], by=worker, outcome="not_adopted", answer="Det fik ikke stemmer nok."
        )
    with clock.frozen(over.closes_at + timedelta(days=22)):
        outcomes.record_decision(
            process=over, by=worker, decided_on=clock.today(), body="Byrådet", text="Byrådet sagde ja."
        )
        _decide_and_carry_out(world, over, given[0])
        outcomes.record_impact(
            process=over, by=worker, text="Der kom en bænk ved søen.", contributions=given[:1]
        )
        outcomes.state_told_outside(process=over, by=worker, how="Lokalavisen", on=clock.today())
        over = lifecycle.perform(process=over, name="decide", by=worker)
    world.processes[Status.DECIDED] = over
    world.processes[Status.CLOSED] = make_process(status=Status.CLOSED, **about)
    world.processes[Status.CONCLUDED] = make_process(status=Status.CONCLUDED, **about)


def _polling_place(world: World, round: Round) -> PollingPlace:
    return budgets.save_place(
        process=round.process,
        by=world.people["worker"],
        name="Biblioteket",
        address="Torvet 1",
        opening_hours="Lørdag 10-16",
        officers=[world.people["polling"]],
    )


def _count_papers(world: World) -> None:
    """Nobody came but one, who left the paper blank."""
    worker, officer = world.people["worker"], world.people["polling"]
    bundle = budgets.new_bundle(place=world.counted_place, by=officer)
    for user in (officer, worker):
        reading = budgets.begin_reading(bundle=bundle, by=user)
        budgets.enter_paper(reading=reading, by=user, position=1, typed="0")
        budgets.finish_reading(reading=reading, by=user)
    budgets.save_account(
        place=world.counted_place,
        by=officer,
        numbers={"received": 10, "left_over": 9, "unmarked": 1},
        unmarked_reason="Krydset blev glemt.",
    )
    for user in (officer, worker):
        budgets.sign_account(place=world.counted_place, by=user)


def _pots(world: World) -> None:
    """A sealed vote in two pots."""
    nord = make_district(name="Nordby")
    process = make_budget(
        process=make_draft(status=Status.DRAFT, unit=world.unit),
        total=400_000,
        max_cost=200_000,
        pots=[
            {"name": "Hele byen", "district": None, "total": 200_000},
            {"name": "Nord", "district": nord.pk, "total": 200_000},
        ],
        district_vote="chosen",
        leftover="to_city",
    )
    for pot in Pot.objects.filter(budget=process.pk):
        make_project(process, price=150_000, pot=pot)
    vote_in(budgets.open_round(process=process, by=None), "1", "2", pot="nord")
    world.pots = seal(Round.objects.get(process=process))


def _decide_and_carry_out(world: World, process: Process, contribution: Contribution) -> None:
    """Everything gets the money; the citizen carries one project out and has told and spent something."""
    worker, citizen = world.people["worker"], world.people["citizen"]
    won = set(world.round.process.rounds.get().count.winners)
    budgets.decide_projects(
        process=process,
        by=worker,
        decisions=[
            {
                "project": project.number,
                "funded": True,
                "amount": None,
                "reason": "" if project.number in won else "Der var penge nok.",
            }
            for project in Project.objects.on_ballot().filter(contribution__process=process)
        ],
    )
    one = Implementation.objects.get(project__contribution=contribution)
    carrying.plan_implementation(
        implementation=one,
        by=worker,
        carried_out_by="citizens",
        carrier="Gruppen bag bænken",
        agreement_signed_on=clock.today(),
        agreement_signed_by="Karen",
    )
    carrying.add_milestone(implementation=one, by=worker, title="Bænken står", planned_on=clock.today())
    carrying.publish_plan(implementation=one, by=worker)
    carrying.add_promise(implementation=one, by=worker, text="Et bord", because="Mange bad om det.")
    world.payment = carrying.record_payment(
        implementation=one, by=worker, amount=5_000, paid_on=clock.today(), text="Gruppen"
    )
    world.note = carrying.report_news(
        implementation=one, by=citizen, title="Vi graver", text="På lørdag.", photo=photo(citizen)
    )
    world.entry = carrying.enter_spending(
        implementation=one,
        by=citizen,
        amount=400,
        spent_on=clock.today(),
        text="Brædder",
        receipt=receipt(citizen),
    )
    world.carried = contribution


def _citizens_things(world: World) -> None:
    citizen = world.people["citizen"]
    world.draft_token = giving.save_draft(
        process=world.processes["open"],
        by=citizen,
        data={
            "title": ["Et springvand"],
            "body": ["Midt på torvet."],
            "why": ["Børn elsker vand."],
            "cost_lines_text": ["Springvand"],
            "cost_lines_amount": ["90.000"],
            "name_shown": ["first"],
        },
    )
    world.address = EmailAddress.objects.create(user=citizen, email="karen@example.dk", primary=True)
    accounts.export_data(user=citizen, by=citizen)


def _records(world: World) -> None:
    """What is kept in Django's admin."""
    world.organisation = Organisation.objects.create(cvr="12345678", name="Cykelklubben")
    world.figure = PopulationFigure.objects.create(
        district=world.district, sex="F", age=40, people=12, source="FOLK1A"
    )
    world.meeting = make_meeting(clock.now() + timedelta(days=60))
    world.notice = Notice.objects.filter(process=world.processes["open"]).earliest("pk")
    mailed([world.notice], State.UNCERTAIN)


def _mailouts(world: World) -> None:
    """One to be written, with its list; one that waits for the manager; one on paper that is being sent and where a letter
    failed."""
    about = {"by": world.people["worker"], "second": world.people["manager"], "unit": world.unit}
    draft = make_campaign(**about, action_kind="link", action_label="Se", action_url="https://example.dk/")
    world.mailouts[Stage.DRAFT] = mailouts.build_list(campaign=draft)
    world.mailouts[Stage.FROZEN] = make_campaign(stage=Stage.FROZEN, **about)
    sending = make_campaign(stage=Stage.SENDING, policy="paper", paper_route="batch", **about)
    first = sending.deliveries.earliest("pk")
    sending.deliveries.filter(pk=first.pk).update(state=State.FAILED, failure_code="refused")
    mailouts.make_print_batch(campaign=sending)
    world.mailouts[Stage.SENDING] = sending
