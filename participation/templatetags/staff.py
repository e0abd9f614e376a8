"""{% load staff %}: where staff can go, and the errors of the whole set-up form at once."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from dkfds import rendering

register = template.Library()

# What was done, in words; what is not named here is shown as it is stored.
ACTIONS = {
    "process.created": _("Begun"),
    "process.updated": _("Set-up changed"),
    "process.practical": _("Practical things changed"),
    "process.copied": _("Copied from an earlier one"),
    "process.submitted": _("Sent to review"),
    "process.sent_back": _("Sent back"),
    "process.approved": _("Approved"),
    "process.opened": _("Opened"),
    "process.closed": _("Closed"),
    "process.decided": _("Marked as decided"),
    "process.concluded": _("Concluded"),
    "process.cancelled": _("Cancelled"),
    "process.informed": _("Became a note instead"),
    "process.handed_over": _("Handed over"),
    "process.check_overridden": _("A check was let through"),
    "process.amend": _("Frame changed"),
    "process.extend": _("More time given"),
    "process.correction_proposed": _("A correction proposed"),
    "process.correction_confirmed": _("A correction confirmed"),
    "process.publish_news": _("News published"),
    "process.record_decision": _("Decision recorded"),
    "process.record_impact": _("A change recorded"),
    "process.state_nothing_changed": _("Said that nothing changed"),
    "process.state_told_outside": _("Noted where the result was told"),
    "process.remove_names": _("Names removed"),
    "contribution.give": _("A contribution given"),
    "contribution.record_for_someone": _("A contribution recorded for someone"),
    "contribution.edit": _("A contribution corrected by its author"),
    "contribution.withdraw": _("A contribution withdrawn"),
    "contribution.report": _("A contribution reported"),
    "contribution.moderate": _("A contribution looked through"),
    "contribution.dismiss_reports": _("A report closed"),
    "contribution.comment": _("A word between colleagues"),
    "contribution.put_in_theme": _("A contribution put in a theme"),
    "contribution.answer": _("A contribution answered"),
    "contribution.mark_told": _("Noted that an author was told"),
    "contribution.merge": _("A contribution gathered into another"),
    "contribution.split": _("A gathered contribution split off again"),
    "team.invite": _("Someone invited to be a co-author"),
    "team.take_back": _("An invitation taken back"),
    "team.accept": _("A co-author joined"),
    "team.decline": _("An invitation declined"),
    "team.leave": _("An author left the others"),
    "theme.create": _("A theme made"),
    "theme.answer": _("A theme answered"),
    "question.ask": _("A question asked"),
    "question.answer": _("A question answered"),
    "question.moderate": _("A question looked through"),
    "following.follow": _("Someone follows"),
    "following.unfollow": _("Someone stopped following"),
    "duty.overdue": _("The manager was told that something is late"),
    "budgets.assess_project": _("A project assessed"),
    "budgets.adjust_project": _("A project adjusted by its author"),
    "budgets.comment_on_project": _("A word between colleagues"),
    "budgets.open_round": _("Voting opened"),
    "budgets.seal_round": _("The ballots sealed"),
    "budgets.count_round": _("The votes counted"),
    "budgets.record_lot": _("A lot recorded"),
    "budgets.decide_projects": _("The council's decision recorded"),
    "budgets.anonymise_roll": _("The names in the roll removed"),
}


@register.filter
def action_words(action: str) -> Any:
    return ACTIONS.get(action, action)


@register.filter
def field_words(names: list[str]) -> str:
    """Names of changed fields as the set-up form calls them; what has no word of its own is left out."""
    from participation.admin.rows import ROWS
    from participation.admin.setup import ProcessForm

    known = {name: str(field.label) for name, field in ProcessForm.base_fields.items()}
    known |= {rowset.key: str(rowset.title) for rowset in ROWS}
    known["frame_points"] = f"{known.pop('open_points')} {known.pop('fixed_points')}"
    return " · ".join(known[name] for name in names if name in known)


PLACES = (
    (_("Today"), "admin:index", None),
    (_("Processes"), "admin:process-list", None),
    (_("To look through"), "admin:moderation", Permission.MODERATE),
    (_("Questions"), "admin:questions", Permission.ANSWER),
    (_("Committee meetings"), "admin:participation_committee_changelist", None),
    (_("Settings and texts"), "admin:settings", None),
)


@register.simple_tag(takes_context=True)
def staff_places(context: template.Context) -> list[dict[str, Any]]:
    """The navigation of staff, with `current` on the place this page lies under."""
    request = context["request"]
    start = reverse("admin:index")
    found = []
    for label, name, permission in PLACES:
        if permission is None or request.user.may(permission):
            url = reverse(name)
            here = request.path == url or (url != start and request.path.startswith(url))
            found.append({"label": label, "url": url, "current": here})
    return found


@register.simple_tag
def setup_errors(setup: Any) -> str:
    """The error summary of a form with many forms in it."""
    problems = rendering.problems(*setup.all_forms)
    return render_to_string("dkfds/error_summary.html", {"problems": problems}) if problems else ""
