"""The caseworker writes down how a meeting shared the money out."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from accounts.verdict import Verdict
from budgets import permissions
from budgets.actions import meetings
from budgets.meetings import meeting_of
from budgets.models import Meeting, Project, Round
from dkfds.fields import KronerField
from dkfds.wording import kroner
from participation.admin.fields import DateInput, TimeInput, first_moment
from participation.admin.pages import ActPage
from participation.models import Process


class MeetingForm(forms.Form):
    """When, where, how many, how, the minutes, and an amount for each project that could be given money."""

    use_required_attribute = False
    held_on = forms.DateField(label=_("When was the meeting?"), widget=DateInput())
    held_hour = forms.TimeField(label=_("At what time?"), widget=TimeInput())
    place = forms.CharField(label=_("Where was it?"), max_length=200)
    participants = forms.IntegerField(
        label=_("How many took part?"),
        min_value=1,
        max_value=100_000,
        help_text=_("Count those who decided."),
    )
    how = forms.CharField(
        label=_("How was it decided?"),
        max_length=3000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Everyone can read it beside the procedure that was public beforehand."),
    )
    minutes = forms.CharField(
        label=_("The minutes"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Public. Leave out what is private about those who came."),
    )
    minutes_file = forms.FileField(
        label=_("The minutes as a file"),
        required=False,
        help_text=_("Instead of the text, or beside it. Public too."),
    )

    def __init__(self, *args: Any, projects: list[Project], stored: Meeting | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.projects = projects
        given = {grant.project_id: grant.amount for grant in stored.grants.all()} if stored else {}
        if stored is not None:
            held = timezone.localtime(stored.held_at)
            self.initial |= {
                "held_on": held.date(),
                "held_hour": held.time(),
                **{name: getattr(stored, name) for name in ("place", "participants", "how", "minutes")},
            }
        for project in projects:
            price = kroner(project.price) if project.price is not None else ""
            about = {"price": price, "pot": project.pot.name if project.pot else ""}
            self.fields[f"grant_{project.pk}"] = KronerField(
                label=_("Given to “%(title)s”") % {"title": project.contribution.title},
                required=False,
                min_value=0,
                max_value=10**11,
                initial=int(given[project.pk]) if project.pk in given else None,
                help_text=_("In the pot %(pot)s. It costs %(price)s. Empty: nothing.") % about
                if project.pot
                else _("It costs %(price)s. Empty: nothing.") % about,
            )
        self.order_fields(
            [
                "held_on",
                "held_hour",
                "place",
                "participants",
                "how",
                *(f"grant_{project.pk}" for project in projects),
                "minutes",
                "minutes_file",
            ]
        )

    def arguments(self) -> dict[str, Any]:
        """As `actions.record_meeting` takes them."""
        data = self.cleaned_data
        sent = data["minutes_file"]
        return {
            "held_at": first_moment(data["held_on"], data["held_hour"]),
            **{name: data[name] for name in ("place", "participants", "how", "minutes")},
            "minutes_file": (sent.read(), sent.name) if sent else None,
            "grants": {
                project.pk: data[f"grant_{project.pk}"]
                for project in self.projects
                if data.get(f"grant_{project.pk}")
            },
        }


class RecordMeeting(ActPage):
    template_name = "admin/budgets/meeting.html"
    permission = Permission.COUNT_VOTES
    tab = "vote"
    title = _("Write down the meeting")
    lead = _("What the meeting gave, and how it came about. It is public at once, beside the procedure.")
    button = _("Publish the result of the meeting")
    done = _("It is on the result page.")
    back_to = "admin:budget-vote"

    @cached_property
    def budget_process(self) -> Process:
        return Process.objects.select_related("citizenbudget").get(pk=self.process.pk)

    @cached_property
    def stored(self) -> Meeting | None:
        return meeting_of(self.process)

    def verdict(self) -> Verdict:
        return permissions.can_record_meeting(self.request.user, self.budget_process)

    def context(self) -> dict[str, Any]:
        budget = self.budget_process.citizenbudget
        return {"budget": budget, "pots": budget.pots.all(), "stored": self.stored}

    def form(self, data: Any = None) -> MeetingForm:
        files = self.request.FILES if data is not None else None
        return MeetingForm(data, files, projects=self.projects, stored=self.stored)

    @property
    def projects(self) -> list[Project]:
        round = Round.objects.filter(process=self.process, kind=Round.Kind.MEETING).first()
        found = (
            Project.objects.in_round(round)
            if round is not None
            else Project.objects.ready()
            .filter(contribution__process=self.process)
            .order_by("contribution__published_at", "pk")
        )
        return list(found.select_related("contribution", "pot"))

    def act(self, form: Any) -> None:
        meetings.record_meeting(process=self.process, by=self.request.user, **form.arguments())
