"""The personal voting code in a mailout's letters: `{kode}`.

On paper it is the recipient's own code, made when the letter is about to leave. Whoever gets Digital Post has MitID and is told
to vote with it, so that a code is in clear on paper only (docs/decisions/0016).
"""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from accounts.verdict import Refused
from budgets import actions, codes, permissions, voting
from mailouts.choices import Channel
from mailouts.content import CODE_FIELD, register_text_check
from mailouts.letters import Letter, MergeField, register_field
from mailouts.models import Campaign
from mailouts.paper import Code
from mailouts.recipients import Filled, NotFilled, Recipient, register_filler
from participation import clock
from participation.models import Phase, Process, ProcessCampaign

FIELD = MergeField(
    CODE_FIELD,
    gettext_lazy("Personal voting code"),
    "K7QM-4X2P-9RTBA",
    off_paper=gettext_lazy("Vote with MitID"),
)
MAY_NOT_VOTE = "may_not_vote"


def register_code_field() -> None:
    register_field(FIELD)
    register_filler(
        CODE_FIELD,
        fill,
        allowed=allowed,
        reason=MAY_NOT_VOTE,
        words=gettext_lazy("may not vote by the rules of this vote"),
    )
    register_text_check(problems)


def process_of(campaign_id: int | None) -> Process | None:
    """The citizen budget that a mailout is about."""
    tie = (
        ProcessCampaign.objects.filter(campaign=campaign_id, process__citizenbudget__isnull=False)
        .select_related("process__citizenbudget__vote_rule")
        .first()
    )
    return tie.process if tie else None


def vote_of(campaign_id: int | None) -> tuple[Process, Phase]:
    """The vote that a mailout's codes are for: the one that runs, else the one that comes."""
    now = clock.now()
    process = process_of(campaign_id)
    phase = voting.vote_phase(process, now) if process is not None else None
    if process is None or phase is None:
        raise Refused(
            "no_vote",
            _(
                "The letter says {kode}, but the mailout is about no vote. Begin it on the page of a citizen budget that is "
                "voted on."
            ),
        )
    permissions.check_takes_codes(process, phase, at=now)
    return process, phase


def problems(campaign: Campaign, danish: Letter, english: Letter | None) -> Iterator[str]:
    has = {CODE_FIELD in letter.fields for letter in (danish, english) if letter is not None}
    if True not in has:
        return
    if False in has:
        yield _("{kode} must stand in the letter in both languages, or in neither.")
    try:
        vote_of(campaign.pk)
    except Refused as refused:
        yield refused.reason


def allowed(campaign_id: int, persons: Collection[UUID]) -> set[UUID]:
    process, phase = vote_of(campaign_id)
    return _may_vote(process, phase, persons)


@sensitive_variables()
def fill(campaign_id: int, recipients: list[Recipient]) -> dict[int, Filled]:
    """Codes for those whose letter is on paper; the others' letters are only asked about."""
    try:
        process, phase = vote_of(campaign_id)
    except Refused as refused:
        raise NotFilled(refused.code, refused.reason) from refused
    may = _may_vote(process, phase, {who.person_id for who in recipients if who.person_id is not None})
    able = {who.delivery_id: who for who in recipients if who.person_id in may}
    on_paper = {pk: who.person_id for pk, who in able.items() if who.channel == Channel.PAPER}
    made = actions.make_mailed_codes(
        campaign=Campaign.objects.select_related("approved_by").get(pk=campaign_id),
        process=process,
        phase=phase,
        persons={person for person in on_paper.values() if person is not None},
    )
    door = settings.SITE_URL + reverse("budgets:code", args=[process.slug])
    return {
        pk: _filled(made[person], door) if (person := on_paper.get(pk)) is not None else Filled()
        for pk in able
    }


@sensitive_variables()
def _filled(code: str, door: str) -> Filled:
    """What follows # stays in the browser: the code is in no server's log."""
    shown = codes.shown(code)
    return Filled(shown, Code(code=shown, address=f"{door}#{shown}", words=door.partition("://")[2]))


def _may_vote(process: Process, phase: Phase, persons: Collection[UUID]) -> set[UUID]:
    found = codes.residents(process.citizenbudget, phase, codes.Chosen(), again=True)
    return set(found.filter(person__in=persons).values_list("person", flat=True))
