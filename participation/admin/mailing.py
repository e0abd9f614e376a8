"""Who takes part in a process, who is missing, and the letters about it."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from dkfds.fields import Boxes
from mailouts.admin.forms import SourceForm
from participation import breadth, mailing
from participation.actions import mailing as actions
from participation.admin.pages import ActPage, back, own_process, show
from participation.models import Phase, Process, ProcessCampaign


class ProcessSourceForm(SourceForm):
    """Asks which process, and who of it. Only processes of one's own units."""

    wants_user = True
    process = forms.ModelChoiceField(label=_("Which process?"), queryset=Process.objects.none())
    who = Boxes(
        label=_("Who?"),
        choices=mailing.WHO,
        help_text=_("Those who have only voted are never written to for it."),
    )
    phase = forms.ModelChoiceField(
        label=_("Only those who took part in this phase"),
        queryset=Phase.objects.none(),
        required=False,
        empty_label=_("The whole process"),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Process.objects.filter(unit__in=user.unit_ids())
        self.fields["process"].queryset = mine.order_by("title")  # type: ignore[attr-defined]
        self.fields["process"].label_from_instance = lambda one: one.title  # type: ignore[attr-defined]
        phases = Phase.objects.filter(process__in=mine).select_related("process")
        self.fields["phase"].queryset = phases.order_by("process__title", "interval")  # type: ignore[attr-defined]
        self.fields["phase"].label_from_instance = (  # type: ignore[attr-defined]
            lambda one: f"{one.process.title}: {mailing.phase_words(one)}"
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("who"):
            self.add_error("who", _("Choose at least one."))
        phase, process = data.get("phase"), data.get("process")
        if phase is not None and process is not None and phase.process_id != process.pk:
            self.add_error("phase", _("This phase belongs to another process."))
        return data

    def params(self) -> dict[str, Any]:
        data = self.cleaned_data
        found: dict[str, Any] = {"process": data["process"].pk, "who": sorted(data["who"])}
        return found | ({"phase": data["phase"].pk} if data["phase"] else {})


@require_GET
def breadth_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The participants against the population, what is missing with its one button, and what invitations led to."""
    process = own_process(request, pk)
    found = breadth.measured(process)
    ties = (
        ProcessCampaign.objects.filter(process=process)
        .select_related("campaign", "campaign__unit")
        .order_by("-campaign__created_at")[:20]
    )
    context = {
        "measured": found,
        "tables": [
            (_("By age"), _("Age"), _rows(found.ages)),
            (_("By sex"), _("Sex"), _rows(found.sexes)),
            (_("By home district"), _("District"), _rows(found.districts)),
        ],
        "missing": [
            {"group": group, "verdict": verdict(actions.check_invite, request.user, process, group)}
            for group in found.missing()
        ],
        "fewest": breadth.FEWEST,
        "effects": mailing.effects(process),
        "ties": ties,
        "may_send": request.user.may(Permission.SEND_MAILOUT),
    }
    return show(request, "admin/process/breadth.html", tab="breadth", process=process, **context)


def _rows(groups: tuple[breadth.Group, ...]) -> list[dict[str, Any]]:
    return [
        {
            "label": group.label,
            "value": group.share,
            "reference": group.reference,
            "marked": group.missing,
            "note": _("under half of its share") if group.missing else "",
        }
        for group in groups
    ]


@require_POST
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk)
    try:
        campaign = actions.begin_mailout(process=process, by=request.user)
    except Refused as refused:
        return back(request, "admin:process-breadth", pk, said=refused.reason)
    return redirect("admin:mailout-letter", campaign.pk)


class InviteForm(forms.Form):
    use_required_attribute = False
    amount = forms.IntegerField(label=_("How many are drawn?"), min_value=1, max_value=actions.MOST_DRAWN)


class Invite(ActPage):
    """One group that is missing: draw some of them and begin the letter."""

    tab = "breadth"
    back_to = "admin:process-breadth"
    form_class = InviteForm
    button = _("Draw them and begin the letter")
    done = _(
        "They are drawn when the recipients are found. Read the letter, and ask a colleague to approve it."
    )

    @property
    def group(self) -> breadth.Group:
        found = breadth.measured(self.process).group(self.kwargs["group"])
        if found is None:
            raise Http404
        return found

    def verdict(self) -> Verdict:
        return verdict(actions.check_invite, self.request.user, self.process, self.group)

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"amount": actions.proposed_amount(self.group)}}

    def context(self) -> dict[str, Any]:
        return {
            "title": _("Invite those who are missing: %(group)s") % {"group": self.group.label},
            "lead": _(
                "They are drawn by lot from the register among those we hear too little from. The number proposed is what it takes "
                "if one in ten takes part."
            ),
        }

    def act(self, form: Any) -> None:
        self.campaign = actions.invite_missing(
            process=self.process,
            by=self.request.user,  # type: ignore[arg-type]
            key=self.kwargs["group"],
            amount=form.cleaned_data["amount"],
        )

    def url(self) -> str:
        campaign = getattr(self, "campaign", None)
        return campaign.get_absolute_url() if campaign is not None else super().url()
