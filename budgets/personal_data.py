"""What is personal in a citizen budget. A ballot belongs to nobody: nothing leads from a person to it or back."""

from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, User
from accounts.personal_data import OnErase, Table, link, own, plain, secret, staff, text
from accounts.verdict import Refused
from participation.choices import Status

PERSONAL: dict[str, Table] = {
    "budgets.CitizenBudget": Table(
        plain("process", "total", "min_cost", "max_cost", "currency", "propose_rule", "vote_rule")
        | plain("ballot_type", "max_choices", "min_choices", "points", "counting_rule", "min_votes")
        | plain("adjust_days", "publish_ballots_from", "winners_carry_out", "decided_by", "procedure")
        | plain("shortlist_size", "shortlist_choices", "district_vote", "leftover", "part_funding")
        | plain("class_age_from", "class_age_to")
    ),
    "budgets.Pot": Table(plain("id", "budget", "key", "name", "district", "total", "position")),
    "budgets.Alternative": Table(plain("id", "process", "title")),
    "budgets.Project": Table(
        plain("contribution", "number", "cost", "carried_out_by_citizens", "assessment", "explanation")
        | plain("price", "assessed_at", "adjust_until", "adjusted_at", "least_price", "municipal_matter")
        | plain("pot", "alternative")
        | text("why")
        | staff("assessed_by"),
        owner=("contribution__author", "contribution__person__user", "contribution__team__user"),
    ),
    "budgets.CostLine": Table(plain("id", "project", "text", "amount", "position")),
    "budgets.Round": Table(
        plain("id", "process", "number", "kind", "phase", "state", "opened_at", "ballot_bytes", "sealed_at")
        | plain("completed_at")
        | plain(
            "ballots_per_channel",
            "ballot_count",
            "files",
            "count_asked_at",
            "roll_anonymised_at",
            "imported_meta",
        )
        | staff("sealed_by", "count_asked_by")
    ),
    "budgets.BallotProject": Table(
        plain("id", "round", "project", "number", "title", "price", "least_price", "pot", "alternative")
    ),
    "budgets.Roll": Table(
        plain("id", "round", "pot")
        | own("place", "day", "channel", "age_band", "sex", "district")
        | link("person")
        | secret("code"),
        owner=("person__user",),
        stays=_(
            "That you have voted, until the count is final: else one could vote again. Never what you voted."
        ),
    ),
    "budgets.Ballot": Table(plain("id", "round", "channel", "pot") | secret("choices", "tracker")),
    "budgets.CountedBallot": Table(plain("id", "round", "channel", "pot") | secret("choices", "tracker")),
    "budgets.CodeBatch": Table(
        plain("id", "process", "phase", "kind", "name", "amount", "chosen", "state", "attempts", "claimed_at")
        | plain("mailout", "made_at", "printed_at", "blocked_at", "blocked_reason", "used_in_the_end")
        | staff("made_by", "printed_by", "blocked_by")
    ),
    "budgets.VotingCode": Table(
        plain("id", "batch", "phase", "blocked") | link("person") | secret("hmac"),
        owner=("person__user",),
        stays=_("That a voting code was made for you, until the count is final: else you could be sent two."),
    ),
    "budgets.CodePrint": Table(plain("batch", "made_at") | secret("content")),
    "budgets.CodeLock": Table(
        plain("id", "process", "guesses", "refused", "times", "locked_at", "until", "lifted_at")
        | secret("address")
        | staff("lifted_by")
    ),
    "budgets.Began": Table(
        plain("id", "round") | own("day") | link("user"), owner=("user",), on_erase=OnErase.DELETE
    ),
    "budgets.HowItWas": Table(plain("id", "round", "answer", "times")),
    "budgets.Meeting": Table(
        plain("round", "held_at", "place", "participants", "how", "minutes_file", "recorded_at")
        | staff("minutes", "recorded_by")
    ),
    "budgets.Grant": Table(plain("id", "meeting", "project", "amount")),
    "budgets.Lot": Table(
        plain("id", "round", "pot", "order", "drawn_at", "how", "recorded_at")
        | staff("witnesses", "recorded_by")
    ),
    "budgets.Count": Table(
        plain("id", "round", "rule", "winners", "spent", "outcome", "comparison", "counted_at")
        | staff("counted_by")
    ),
    "budgets.PollingPlace": Table(
        plain("id", "process", "round_kind", "name", "address", "opening_hours", "access", "district")
        | staff("officers")
    ),
    "budgets.UndoneMark": Table(plain("id", "place", "reason") | staff("by")),
    "budgets.Incident": Table(
        plain("id", "process", "place", "happened_at", "text", "corrects", "recorded_at")
        | staff("recorded_by")
    ),
    "budgets.TurnoutHour": Table(plain("id", "round", "hour", "shown", "voters")),
    "budgets.PaperOrder": Table(
        plain("id", "process", "round_kind", "kind", "seed", "chosen_at") | staff("chosen_by")
    ),
    "budgets.Bundle": Table(plain("id", "place", "number", "pot")),
    "budgets.Reading": Table(plain("id", "bundle", "role", "finished") | staff("by")),
    "budgets.PaperEntry": Table(plain("id", "reading", "position", "spoiled") | secret("typed", "choices")),
    "budgets.PlaceAccount": Table(
        plain("id", "place", "received", "left_over", "replaced", "not_in_box", "unmarked")
        | plain("unmarked_reason", "first_signed_at", "second_signed_at")
        | staff("first_signed_by", "second_signed_by")
    ),
    "budgets.ProjectDecision": Table(plain("project", "funded", "amount", "voted_in", "reason")),
    "budgets.Implementation": Table(
        plain("project", "created_at", "granted_on", "planned", "granted", "extra", "paid", "returned")
        | plain("carried_out_by", "carrier", "agreement", "agreement_signed_on", "promised_at", "status")
        | plain("why", "expected_on", "ended_on", "told_at", "accounts_sent_at", "accounts_approved_at")
        | secret("agreement_file", "agreement_signed_by", "contact_name", "contact_how")
        | staff("owner", "deputy", "accounts_sent_by", "accounts_approved_by"),
        stays=_("The signed agreement of a project that a group carries out, as the law on records asks."),
    ),
    "budgets.Promise": Table(
        plain("id", "implementation", "text", "position", "state", "settled_on", "reason", "added_on")
        | plain("added_late", "added_because")
    ),
    "budgets.Milestone": Table(
        plain("id", "implementation", "title", "planned_on", "first_planned_on", "reached_on")
    ),
    "budgets.ExtraGrant": Table(
        plain("id", "implementation", "amount", "reason", "decided_on", "recorded_at") | staff("recorded_by")
    ),
    "budgets.Payment": Table(
        plain("id", "implementation", "kind", "amount", "paid_on", "text", "corrects", "recorded_at")
        | staff("recorded_by")
    ),
    "budgets.AccountEntry": Table(
        plain("id", "implementation", "state", "refused_because", "corrects", "recorded_at", "settled_at")
        | plain("receipt_public")
        | text("amount", "spent_on", "text")
        | secret("receipt")
        | link("author")
        | staff("settled_by"),
        owner=("author",),
        on_erase=OnErase.ANONYMISE,
        stays=_(
            "Accounts of a project you carried out, and their receipts: they are the municipality's books."
        ),
    ),
    "budgets.ProgressNote": Table(
        plain("id", "public_id", "implementation", "kind", "status", "expected_on", "milestone", "state")
        | plain("refused_because", "at", "photo")
        | text("title", "text")
        | link("author")
        | staff("by"),
        owner=("author",),
        on_erase=OnErase.ANONYMISE,
        stays=_("What you told of a project you carried out, without your name."),
    ),
}


def check_may_merge(keep: Person, gone: Person) -> None:
    """Two persons who have both voted in one open round can't become one: then one of them would have voted twice."""
    from budgets.models import Roll, Round

    voted = Roll.objects.filter(round__state=Round.State.VOTING)
    if voted.filter(person=keep, round__in=voted.filter(person=gone).values("round")).exists():
        raise Refused(
            "both_voted",
            _("Both have voted in a round that is still open. Wait until it is sealed."),
        )


def forget_contact(user: User) -> None:
    """Somebody behind a project leaves: the contact of its group is asked for anew rather than kept."""
    from budgets.models import Implementation
    from participation.models import Contribution

    theirs = Q(project__in=Contribution.objects.of_author(user).values("pk"))
    if name := user.get_full_name():
        theirs |= Q(contact_name__iexact=name)
    Implementation.objects.filter(theirs).update(contact_name="", contact_how="")


def still_needed(persons: Sequence[object]) -> Iterable[object]:
    """Those on a roll that still holds names, so that nobody votes twice, and those with a voting code in the post."""
    from budgets.models import Roll, VotingCode

    on_roll = Roll.objects.filter(person__in=persons, round__roll_anonymised_at=None)
    yield from on_roll.values_list("person", flat=True)
    in_the_post = VotingCode.objects.filter(person__in=persons).exclude(
        batch__process__status=Status.CANCELLED
    )
    yield from in_the_post.values_list("person", flat=True)
