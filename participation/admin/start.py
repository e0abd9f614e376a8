"""The start page: what needs me today, my processes with their five marks, and what lies in the unit."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.permissions import Permission
from mailouts import permissions as mailouts
from participation import clock, duties
from participation.admin import readiness as ready
from participation.admin import registry
from participation.choices import OVER, Status
from participation.models import Process
from participation.principles import judging
from participation.principles.base import Principle

SHOWN = 8
MINE = 20
INBOX = 20
CLOSING_SOON = timedelta(days=7)
FIVE = tuple(one for one in Principle if one is not Principle.FORMAT)
# Where a duty is done: the page under its process, and what to add to the address.
DONE_ON = {
    "approve": ("admin:process-overview", ""),
    "moderate": ("admin:process-contributions", "?state=pending"),
    "moderate_arguments": ("admin:process-arguments", "?state=pending"),
    "answer": ("admin:process-contributions", "?state=unanswered"),
    "decide": ("admin:process-result", ""),
    "report_back": ("admin:process-result", ""),
    "question": ("admin:process-questions", ""),
    "confirm_correction": ("admin:process-overview", ""),
}


@dataclass
class Group:
    """Duties of one kind, the first due first."""

    key: str
    title: Any
    overdue: bool = False
    duties: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0

    def add(self, text: Any, url: str, due: date | datetime | None = None, count: int = 1) -> None:
        self.total += count
        if len(self.duties) < SHOWN:
            self.duties.append({"text": text, "url": url, "due": due, "overdue": self.overdue})


def groups(user: User) -> list[Group]:
    """What is late first, then what waits, kind by kind, then what closes within a week."""
    known = duties.for_user(user)
    late = Group("late", _("Late"), overdue=True)
    if user.may(Permission.APPROVE_PROCESS):
        known_late = [
            duty for unit in sorted(user.unit_ids()) for duty in duties.of_unit(unit) if duty.overdue
        ]
    else:
        known_late = [duty for duty in known if duty.overdue]
    for duty in known_late:
        late.add(_text(duty), _url(duty), duty.due_on)
    kinds: dict[str, Group] = {}
    for duty in known:
        if not duty.overdue:
            kinds.setdefault(duty.kind, Group(duty.kind, duty.label)).add(
                duty.process.title, _url(duty), duty.due_on, duty.count
            )
    letters = Group("mailouts", _("Mailouts that wait for a second pair of eyes"))
    for campaign in mailouts.to_approve(user):
        letters.add(campaign.title, campaign.get_absolute_url())
    closing = Group("closing", _("Closes soon"))
    for process in closing_soon(user):
        closing.add(process.title, reverse("admin:process-overview", args=[process.pk]), process.closes_at)
    return [group for group in (late, *kinds.values(), letters, closing) if group.duties]


def _text(duty: duties.Duty) -> str:
    return f"{duty.label}: {duty.process.title}"


def _url(duty: duties.Duty) -> str:
    pages = DONE_ON | registry.get(duty.process.format).duty_pages
    name, query = pages.get(duty.kind, ("admin:process-overview", ""))
    return reverse(name, args=[duty.process.pk]) + query


def closing_soon(user: User) -> list[Process]:
    now = clock.now()
    return list(
        Process.objects.filter(Q(owner=user) | Q(deputy=user), status=Status.OPEN)
        .filter(closes_at__gte=now, closes_at__lte=now + CLOSING_SOON)
        .order_by("closes_at")[:SHOWN]
    )


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    user = request.user
    context = {
        "groups": groups(user),
        "own": [{"process": one, "marks": marks(one)} for one in mine(user)],
        "inbox": inbox(user),
        "may_set_up": user.may(Permission.SET_UP_PROCESS),
    }
    return render(request, "admin/start.html", context)


def mine(user: User) -> list[Process]:
    """What I own or stand in for and is not over, the one that closes first on top."""
    return list(
        Process.objects.for_checks()
        .filter(Q(owner=user) | Q(deputy=user))
        .exclude(status__in=OVER - {Status.DECIDED})
        .order_by("closes_at", "pk")[:MINE]
    )


def inbox(user: User) -> list[Process]:
    """The unit's other processes that are under way."""
    return list(
        Process.objects.filter(unit_id__in=user.unit_ids())
        .exclude(Q(owner=user) | Q(deputy=user))
        .exclude(status__in=OVER)
        .select_related("owner")
        .order_by("-updated_at")[:INBOX]
    )


def marks(process: Process) -> list[dict[str, Any]]:
    """The five principles of a loaded process in five marks; no query of its own."""
    passed_over = {override.check_key: override for override in process.overrides.all()}
    found: dict[Principle, list[judging.Judged]] = {principle: [] for principle in FIVE}
    for check in judging.CHECKS:
        for finding in check(process):
            override = passed_over.get(finding.key) if finding.may_be_overridden else None
            found[finding.principle].append(judging.Judged(finding, override))
    return [
        {"label": principle.label} | ready.mark(judging.Group(principle, tuple(found[principle])))
        for principle in FIVE
    ]


# The settings that need no developer


def _place(label: Any, name: str, text: Any) -> dict[str, Any] | None:
    try:
        return {"label": label, "url": reverse(name), "text": text}
    except NoReverseMatch:
        return None


@require_GET
def settings_page(request: HttpRequest) -> HttpResponse:
    """What the municipality sets itself: calendar, texts, law as data, people."""
    user = request.user
    groups = [
        (
            _("Processes"),
            [
                _place(_("Larger matters"), "admin:participation_programme_changelist", _("Several processes about one matter, on one page.")),
                _place(_("Committee meetings"), "admin:participation_committee_changelist", _("When the committees meet, and when their agenda closes.")),
                _place(_("How long it must be open"), "admin:participation_openingminimum_changelist", _("What the law and our own rules say, with source and date.")),
                _place(_("Standard answers"), "admin:participation_standardanswer_changelist", _("What is filled in beforehand for a small or ordinary process.")),
                _place(_("The five principles"), "admin:participation_principletext_changelist", _("Our own words for them, with good and bad examples.")),
            ],
        ),
        (
            _("What was sent and done"),
            [
                _place(_("E-mails that did not get through"), "admin:participation_notice_changelist", _("Uncertain or failed. They are never sent again by themselves.")),
                _place(_("How our e-mails look"), "admin:notice-gallery", _("Every kind, with made-up words.")),
                _place(_("History of everything"), "admin:audit_entry_changelist", _("Who did what, and when.")) if user.may(Permission.READ_AUDIT) else None,
            ],
        ),
        (
            _("People and places"),
            [
                _place(_("Colleagues"), "admin:accounts_user_changelist", _("Who works here, with which role and in which unit.")) if user.may(Permission.MANAGE_PEOPLE) else None,
                _place(_("Units"), "admin:accounts_unit_changelist", _("Parts of the municipality, and their inbox.")) if user.may(Permission.MANAGE_PEOPLE) else None,
                _place(_("Districts"), "admin:accounts_district_changelist", _("School districts, polling districts and local areas.")) if user.may(Permission.MANAGE_TEXTS) else None,
                _place(_("Businesses and associations"), "admin:accounts_organisation_changelist", _("Who can be written to by CVR number, by kind and by industry.")) if user.may(Permission.IMPORT_REGISTER) else None,
                _place(_("Population register"), "admin:accounts_registerextract_changelist", _("The extract that says who lives where.")) if user.may(Permission.IMPORT_REGISTER) else None,
            ],
        ),
    ]  # fmt: skip
    shown = [{"title": title, "places": [one for one in places if one]} for title, places in groups]
    return render(request, "admin/settings.html", {"groups": [group for group in shown if group["places"]]})
