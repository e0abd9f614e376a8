"""Who may do what with a mailout, now. The role says what at all, the unit says whose, the stage says when."""

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from audit import clock
from dkfds.wording import number
from mailouts.choices import Stage
from mailouts.models import Campaign

if TYPE_CHECKING:
    from accounts.models import User

# How far the list may be from what was expected: a tenth, and a handful for small lists.
TOLERANCE = 0.10
TOLERANCE_LEAST = 5


def check_work(user: "User | None", campaign: Campaign) -> None:
    """Whatever one does to a mailout: the role may, and it is the unit's. None is the system's own clock."""
    if user is None:
        return
    if not user.is_authenticated or not user.may(Permission.SEND_MAILOUT):
        raise Refused("role", _("Your role doesn't let you send mailouts."))
    if campaign.unit_id not in user.unit_ids():
        raise Refused("other_unit", _("This mailout belongs to another unit."))


def check_edit(user: "User", campaign: Campaign) -> None:
    check_work(user, campaign)
    if campaign.stage != Stage.DRAFT:
        raise Refused("frozen", _("The mailout is frozen. Thaw it first: then it must be approved anew."))


def can_edit(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_edit, user, campaign)


def check_build(user: "User | None", campaign: Campaign) -> None:
    check_work(user, campaign)
    if campaign.stage != Stage.DRAFT:
        raise Refused("frozen", _("The mailout is frozen, and so is its list."))
    if not campaign.sources.exists():
        raise Refused("no_sources", _("Say first who the letter is for."))


def can_build(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_build, user, campaign)


def check_text(campaign: Campaign) -> None:
    """The letter is whole: words, marks and fields. `mailouts.letters` says what is wrong with them."""
    from mailouts import content

    for problem in content.problems(campaign):
        raise Refused("text", problem)


def check_plausible(campaign: Campaign) -> None:
    """The number of letters is about what the author said before looking (a list that grew tenfold is a mistake)."""
    found, expected = campaign.list_numbers.get("letters", 0), campaign.expected
    if found == 0:
        raise Refused("nobody", _("Nobody is on the list."))
    if expected is None:
        raise Refused("no_expectation", _("Say how many letters you expect."), "expected")
    if abs(found - expected) > max(TOLERANCE_LEAST, expected * TOLERANCE):
        raise Refused(
            "unexpected_number",
            _("The list has %(found)s letters, but you expect %(expected)s. Find out why before you go on.")
            % {"found": number(found), "expected": number(expected)},
            "expected",
        )


def can_be_plausible(campaign: Campaign) -> Verdict:
    return verdict(check_plausible, campaign)


def check_tested(campaign: Campaign) -> None:
    if campaign.test_hash != campaign.hash_of_text():
        raise Refused(
            "not_tested", _("Send the letter to yourself first, as it is now, and read it where it arrives.")
        )


def can_be_tested(campaign: Campaign) -> Verdict:
    return verdict(check_tested, campaign)


def check_freeze(user: "User", campaign: Campaign) -> None:
    check_edit(user, campaign)
    check_text(campaign)
    if campaign.list_built_at is None:
        raise Refused("no_list", _("Find the recipients first."))
    if campaign.deliveries.count() != campaign.list_numbers.get("letters"):
        raise Refused("list_changed", _("The list is not the one that was found. Find the recipients again."))
    check_plausible(campaign)
    check_tested(campaign)


def can_freeze(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_freeze, user, campaign)


def check_thaw(user: "User", campaign: Campaign) -> None:
    check_work(user, campaign)
    if campaign.stage not in {Stage.FROZEN, Stage.APPROVED}:
        raise Refused("not_frozen", _("Only what is frozen and not begun can be thawed."))


def can_thaw(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_thaw, user, campaign)


def check_second_person(user: "User", campaign: Campaign) -> None:
    check_work(user, campaign)
    if not user.may(Permission.APPROVE_MAILOUT):
        raise Refused("role", _("Your role doesn't let you approve mailouts."))
    if user.pk in {campaign.created_by_id, campaign.frozen_by_id}:
        raise Refused(
            "own_mailout", _("You made or froze this mailout yourself. Another one than you must approve it.")
        )


def check_approve(user: "User", campaign: Campaign, *, typed: int | None = None) -> None:
    check_second_person(user, campaign)
    if campaign.stage != Stage.FROZEN:
        raise Refused("not_frozen", _("Only a frozen mailout can be approved."))
    check_as_frozen(campaign)
    if typed is not None and typed != campaign.count:
        raise Refused(
            "wrong_number",
            _("That is not the number of letters. Look at the list once more, and type how many there are."),
            "number",
        )


def can_approve(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_approve, user, campaign)


def check_as_frozen(campaign: Campaign) -> None:
    """What was frozen is what is there: asked at approval, at the start and when going on."""
    from mailouts.freezing import hash_of_list, swapped

    if campaign.hash_of_text() != campaign.text_hash:
        raise Refused(
            "text_changed", _("The letter has been changed since it was frozen. Freeze it again first.")
        )
    count = campaign.deliveries.count()
    if count > campaign.count:
        more = count - campaign.count
        raise Refused(
            "list_grown",
            ngettext(
                "The list has grown by %(more)s since it was frozen. Freeze it again first.",
                "The list has grown by %(more)s since it was frozen. Freeze it again first.",
                more,
            )
            % {"more": number(more)},
        )
    if count != campaign.count or hash_of_list(campaign) != campaign.list_hash or swapped(campaign):
        raise Refused("list_changed", _("The list is not the one that was frozen. Freeze it again first."))


def can_hold(campaign: Campaign) -> Verdict:
    """Whether what was frozen is still what is there."""
    return verdict(check_as_frozen, campaign)


def check_start(campaign: Campaign) -> None:
    if campaign.stage != Stage.APPROVED:
        raise Refused("not_approved", _("It has not been approved."))
    check_as_frozen(campaign)


def is_due(campaign: Campaign) -> bool:
    return campaign.start_at is None or campaign.start_at <= clock.now()


def check_pause(user: "User", campaign: Campaign) -> None:
    check_work(user, campaign)
    if campaign.stage != Stage.SENDING:
        raise Refused("not_sending", _("It is not being sent."))


def can_pause(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_pause, user, campaign)


def check_resume(user: "User", campaign: Campaign) -> None:
    check_work(user, campaign)
    if campaign.stage != Stage.PAUSED:
        raise Refused("not_paused", _("It is not paused."))
    check_as_frozen(campaign)


def can_resume(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_resume, user, campaign)


def check_stop(user: "User", campaign: Campaign) -> None:
    check_work(user, campaign)
    if campaign.stage not in {Stage.APPROVED, Stage.SENDING, Stage.PAUSED}:
        raise Refused("not_under_way", _("There is nothing to stop."))


def can_stop(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_stop, user, campaign)


def check_again(user: "User", campaign: Campaign) -> None:
    """Sending failed or uncertain letters again: a person's decision, and only while the content is there."""
    check_work(user, campaign)
    if campaign.stage not in {Stage.SENDING, Stage.PAUSED, Stage.DONE}:
        raise Refused("not_sent", _("This can be done when the mailout has been sent."))
    if campaign.content_deleted_at is not None:
        raise Refused("content_gone", _("The letter has been deleted."))


def can_again(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_again, user, campaign)


def check_delete(user: "User", campaign: Campaign) -> None:
    check_edit(user, campaign)


def can_delete(user: "User", campaign: Campaign) -> Verdict:
    return verdict(check_delete, user, campaign)


def to_approve(user: "User") -> QuerySet[Campaign]:
    """What waits for this person's approval."""
    if not user.may(Permission.APPROVE_MAILOUT):
        return Campaign.objects.none()
    waiting = Campaign.objects.filter(stage=Stage.FROZEN, unit__in=user.unit_ids())
    return waiting.exclude(created_by=user).exclude(frozen_by=user).order_by("frozen_at")[:20]
