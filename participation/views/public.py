"""What anyone sees: front page, lists, the page of a process."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, F, Prefetch, Q, QuerySet, Window
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import District
from dkfds import wording
from dkfds.wording import number
from participation import clock, formats, phases, search
from participation.choices import (
    OVER,
    UNPUBLISHED,
    DecisionBasis,
    LadderStep,
    Moderation,
    Outcome,
    Purpose,
    Status,
)
from participation.formats import NextStep
from participation.forms.contributions import districts_to_choose
from participation.gathering import gather, unpack
from participation.models import Change, Contribution, Impact, PrincipleText, Process, Programme
from participation.models.process import TITLES_NAMED, ProcessQuerySet
from participation.page_cache import public_page
from participation.permissions import can_view
from participation.permissions.contributions import can_open_for_contributions
from participation.principles import check_label
from participation.principles.timing import decision_date
from participation.standing import (
    LABELS,
    MEANINGS,
    Standing,
    next_step,
    standing,
    timeline,
)

CLOSING_SOON = timedelta(days=7)
PER_PAGE = 24
MOST_FOUND = 500


@dataclass(frozen=True)
class Card:
    """A process in a list."""

    process: Process
    format: formats.Format
    standing: Standing
    standing_label: Any
    next_step: NextStep | None
    participants: int

    @property
    def place(self) -> str:
        """The districts it touches; empty for the whole municipality."""
        return ", ".join(self.process.places)  # type: ignore[attr-defined]

    @property
    def closes(self) -> datetime | None:
        if self.standing is not Standing.OPEN:
            return None
        return self.next_step.until if self.next_step and self.next_step.until else self.process.closes_at

    @property
    def opens(self) -> datetime | None:
        return self.process.opens_at if self.standing is Standing.COMING else None

    @property
    def action_label(self) -> Any:
        return self.next_step.label if self.next_step and self.next_step.url else ""

    @property
    def action_url(self) -> str:
        return self.next_step.url if self.next_step else ""

    @property
    def said(self) -> str:
        """What people asked for that was changed, and how many took part; only for what is over."""
        said = [_named(titles)] if (titles := getattr(self.process, "behind", [])) else []
        if self.participants:
            said.append(
                ngettext("%(count)s person took part.", "%(count)s people took part.", self.participants)
                % {"count": number(self.participants)}
            )
        return " ".join(said)

    @property
    def decided(self) -> str:
        if self.standing is Standing.CANCELLED:
            return self.process.public_note
        return getattr(self.process, "decided_text", "")

    @property
    def means(self) -> str:
        return getattr(self.process, "impact_text", "") or self.process.nothing_changed_because


def _named(titles: list[str]) -> str:
    """Titles in a sentence: all of them, or the first ones and that there are more."""
    *some, last = [_("“%(title)s”") % {"title": title} for title in titles]
    if not some:
        return f"{last}."
    if len(titles) > TITLES_NAMED:
        return _("%(some)s and more.") % {"some": ", ".join(some)}
    return _("%(some)s and %(last)s.") % {"some": ", ".join(some), "last": last}


def participants(processes: Iterable[Process]) -> dict[int, int]:
    """How many took part in each process read `for_cards`: contributors, and those who took part in a format's own way
    (voters), which is at most one query per format."""
    counted = {process.pk: process.contributors for process in processes}  # type: ignore[attr-defined]
    for fmt in formats.all_formats():
        if fmt.participants is not None and counted:
            for pk, number in fmt.participants(list(counted)).items():
                counted[pk] = max(counted.get(pk, 0), number)
    return counted


def cards(processes: Iterable[Process], at: datetime) -> list[Card]:
    listed = list(processes)
    counted = participants(listed)
    found = []
    for process in listed:
        where = standing(process, at)
        found.append(
            Card(
                process,
                formats.get(process.format),
                where,
                LABELS[where],
                next_step(process, at),
                counted.get(process.pk, 0),
            )
        )
    return found


class FilterForm(forms.Form):
    """The filters of the list of processes. Unknown values are ignored, never an error page."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=200)
    status = forms.ChoiceField(
        label=gettext_lazy("Where it stands"),
        required=False,
        choices=[
            ("", gettext_lazy("All")),
            ("open", gettext_lazy("Open now")),
            ("coming", gettext_lazy("Opens soon")),
            ("working", gettext_lazy("Being worked on")),
            ("over", gettext_lazy("Decided")),
        ],
    )
    format = forms.ChoiceField(label=gettext_lazy("Format"), required=False)
    district = forms.ModelChoiceField(
        label=gettext_lazy("District"),
        required=False,
        queryset=District.objects.none(),
        empty_label=gettext_lazy("The whole municipality"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].choices = [("", _("All"))] + [
            (fmt.key, fmt.label) for fmt in formats.all_formats()
        ]  # type: ignore[attr-defined]
        self.fields["q"].widget.attrs["class"] = "form-input"
        for name in ("status", "format", "district"):
            self.fields[name].widget.attrs["class"] = "form-select"
        self.fields["district"].queryset = districts_to_choose()  # type: ignore[attr-defined]

    def processes(self, at: datetime) -> QuerySet[Process]:
        """What the filters leave, soonest closing first."""
        self.is_valid()
        chosen = getattr(self, "cleaned_data", {})
        found = Process.objects.public()
        match chosen.get("status"):
            case "open":
                found = found.running(at)
            case "coming":
                found = found.coming(at)
            case "working":
                found = found.working(at)
            case "over":
                found = found.over()
        if chosen.get("format"):
            found = found.filter(format=chosen["format"])
        if chosen.get("district"):
            found = found.touching(chosen["district"])
        if chosen.get("q"):
            rows, _only_alike = search.find(chosen["q"], filters={"kind": search.PROCESS})
            found = found.filter(pk__in=[row["pk"] for row in rows[:MOST_FOUND]])
        return found.order_by("-closes_at", "-pk")


@public_page
def front(request: HttpRequest) -> HttpResponse:
    """What is open, what closes soon, what was just decided and what it changed."""
    at = clock.now()
    public = Process.objects.public()
    district = getattr(request.user, "district", None) if request.user.is_authenticated else None
    if district is not None:
        public = public.touching(district)
    open_now, coming, decided = _on_the_front(public, at)
    soon = [
        card for card in open_now if card.process.closes_at and card.process.closes_at - at <= CLOSING_SOON
    ]
    return render(
        request,
        "participation/front.html",
        {
            "open_now": [card for card in open_now if card not in soon],
            "closing_soon": soon,
            "coming": coming,
            "decided": decided,
            "district": district,
            "year_numbers": _year_in_numbers(at),
            "now": at,
        },
    )


def _on_the_front(public: ProcessQuerySet, at: datetime) -> tuple[list[Card], list[Card], list[Card]]:
    """What is open, what opens soon and what went lately, read together."""
    last = F("closes_at").desc(nulls_last=True)
    groups = (
        public.running(at).order_by("closes_at")[:12],
        public.coming(at).order_by("opens_at")[:6],
        public.over().exclude(status=Status.INFORMED).order_by(last)[:3],
    )
    chosen = Q()
    for group in groups:
        chosen |= Q(pk__in=group.values("pk"))
    found = cards(Process.objects.filter(chosen).with_result().order_by(last), at)
    return (
        [card for card in reversed(found) if card.standing is Standing.OPEN],
        sorted(
            (card for card in found if card.standing is Standing.COMING),
            key=lambda card: card.process.opens_at,
        ),
        [card for card in found if card.standing not in {Standing.OPEN, Standing.COMING}],
    )


def _year_in_numbers(at: datetime) -> list[dict[str, Any]]:
    """The year so far in four numbers."""
    counted = Process.objects.public().in_numbers(at.year)
    return [
        {"value": number(counted["processes"]), "label": _("processes opened")},
        {"value": number(counted["contributions"]), "label": _("contributions from citizens")},
        {"value": number(counted["decided"]), "label": _("processes decided")},
        {"value": number(counted["changed"]), "label": _("things that were changed")},
    ]


@public_page
def process_list(request: HttpRequest) -> HttpResponse:
    at = clock.now()
    form = FilterForm(request.GET or None)
    page = Paginator(form.processes(at).for_cards(), PER_PAGE).get_page(request.GET.get("side"))
    return render(
        request,
        "participation/process_list.html",
        {"form": form, "page": page, "cards": cards(page.object_list, at), "now": at},
    )


@public_page
def results(request: HttpRequest) -> HttpResponse:
    """Sådan gik det: what was decided and what it changed, newest first."""
    at = clock.now()
    found = Process.objects.public().over().with_result().order_by("-closes_at", "-pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("side"))
    return render(
        request, "participation/results.html", {"page": page, "cards": cards(page.object_list, at), "now": at}
    )


# The short lists of a process' page, read with the process itself.
GATHERED = (
    "frame_points",
    "summaries",
    "channels",
    "councils_heard",
    "overrides",
    "changes",
    "decisions",
    "news",
)


def _process_for_page(slug: str) -> Process:
    """The process with everything its page shows, in a fixed number of queries."""
    found = Process.objects.select_related("unit", "meeting__committee", "programme", "legal_basis")
    places = Prefetch("touched_districts", District.objects.defer("geometry"))
    found = gather(found.prefetch_related("phases", places), *GATHERED)
    process = get_object_or_404(found, slug=slug)
    unpack(process, *GATHERED)
    return process


def process_detail(request: HttpRequest, slug: str) -> HttpResponse:
    at = clock.now()
    process = _process_for_page(slug)
    if not can_view(request.user, process):
        raise Http404
    response = render(request, "participation/process_detail.html", process_context(process, at, request))
    response.public_page = process.status not in UNPUBLISHED  # type: ignore[attr-defined]
    return response


def process_context(process: Process, at: datetime, request: HttpRequest) -> dict[str, Any]:
    """All that the public page of a process says; the preview in the admin uses the same."""
    fmt = formats.get(process.format)
    where = standing(process, at)
    step = next_step(process, at)
    first = list(
        process.contributions.filter(moderation=Moderation.PUBLISHED)
        .for_list()
        .annotate(in_all=Window(Count("pk")))[:3]
    )
    sections = [(section, section.build(process, at)) for section in fmt.sections]
    points = list(process.frame_points.all())
    told = where in {Standing.DECIDED, Standing.CONCLUDED}
    return {
        "process": process,
        "format": fmt,
        "standing": where,
        "standing_label": LABELS[where],
        "over": process.status in OVER,
        "next_step": step,
        "do_until": _("Closes %(when)s.") % {"when": wording.deadline(step.until, at)}
        if step and step.until
        else "",
        "do_reason": _reason_to_wait(process, where, at),
        "timeline": timeline(process, at),
        "ladder_meaning": MEANINGS.get(LadderStep(process.ladder_step), "") if process.ladder_step else "",
        "decision_day": decision_date(process),
        "basis": ", ".join(str(DecisionBasis(value).label).lower() for value in process.decision_basis),
        "purposes": ", ".join(str(Purpose(value).label) for value in process.purposes),
        "open_points": [point for point in points if point.kind == "open"],
        "fixed_points": [point for point in points if point.kind == "fixed"],
        "contribution_label": fmt.contribution_label_plural or _("Contributions"),
        "contribution_cards": [_as_card(one) for one in first],
        "contribution_count": first[0].in_all if first else 0,
        "contribution_list_url": contributions_url(process),
        "news": process.news.all()[:3],
        "decisions": process.decisions.all() if told else [],
        "impacts": _impacts(process) if told else [],
        "left_out": _left_out(process) if told else [],
        "openness": openness(process),
        "questions": process.questions.filter(moderation=Moderation.PUBLISHED)[:3],
        "rule_sections": [(s.template, context) for s, context in sections if context and s.place == "rules"],
        "result_sections": [
            (s.template, context) for s, context in sections if context and s.place == "result"
        ],
        "follows": request.user.is_authenticated and process.follows.filter(user_id=request.user.pk).exists(),
        "follow_url": reverse("participation:follow", args=[process.slug]),
        "paper_url": reverse("participation:contribution-form-pdf", args=[process.slug])
        if can_open_for_contributions(process, at=at)
        else "",
        "question_list_url": reverse("participation:question-list", args=[process.slug]),
        "question_url": reverse("participation:question-ask", args=[process.slug]),
        "address": request.build_absolute_uri(process.get_absolute_url()),
        "now": at,
    }


def _as_card(contribution: Contribution) -> dict[str, Any]:
    """A contribution in short, without its author's name: pages that show names are not indexed, this one is."""
    return {
        "photo": contribution.first_photo,
        "title": contribution.title,
        "text": Truncator(contribution.body).words(40),
        "url": contribution.get_absolute_url(),
        "given": contribution.received_on,
        "outcome": contribution.final_outcome,
        "outcome_label": contribution.get_final_outcome_display(),
        "answer": contribution.final_answer,
        "support": contribution.support_count,
    }


def _left_out(process: Process) -> list[dict[str, Any]]:
    """Det kom ikke med – og hvorfor: what was not adopted, with its answer."""
    turned_down = Q(outcome=Outcome.NOT_ADOPTED) | Q(outcome="", theme__outcome=Outcome.NOT_ADOPTED)
    found = process.contributions.filter(turned_down, moderation=Moderation.PUBLISHED).for_list()[:20]
    return [_as_card(contribution) for contribution in found]


def contributions_url(process: Process) -> str:
    """Where all contributions of a process are: the format's own list, else the common one."""
    name = formats.get(process.format).url_names.get("contributions", "participation:contribution-list")
    return reverse(name, args=[process.slug])


def _reason_to_wait(process: Process, where: Standing, at: datetime) -> str:
    if where is Standing.COMING and process.opens_at is not None:
        return _("Opens %(when)s.") % {"when": wording.opening(process.opens_at, at)}
    if where is Standing.OPEN:
        phase, coming = phases.phase_at(process, at), phases.next_phase(process, at)
        now_words = _("Right now: %(phase)s.") % {"phase": phases.label(phase).lower()} if phase else ""
        if coming is not None:
            then = _("%(phase)s begins %(when)s.") % {
                "phase": phases.label(coming),
                "when": wording.opening(coming.interval.lower, at),
            }
            return f"{now_words} {then}".strip()
        return now_words
    if where is Standing.WORKING:
        decided_on = decision_date(process)
        if decided_on is not None:
            return _("It is closed for contributions and being worked on. Decision: %(day)s.") % {
                "day": wording.day(decided_on, timezone.localdate(at))
            }
        return _("It is closed for contributions and being worked on.")
    return ""


def _impacts(process: Process) -> list[Impact]:
    """Impacts with `because`: the public contributions that did it."""
    public = Contribution.objects.filter(moderation=Moderation.PUBLISHED).only(
        "title", "public_id", "process_id"
    )
    found = list(process.impacts.prefetch_related(Prefetch("contributions", public)))
    for impact in found:
        impact.because = [  # type: ignore[attr-defined]
            {
                "title": one.title,
                "url": reverse("participation:contribution-detail", args=[process.slug, one.public_id]),
            }
            for one in impact.contributions.all()
        ]
    return found


def openness(process: Process) -> list[dict[str, Any]]:
    """Åbent om forløbet: changes, extensions, corrections and overridden checks, newest first."""
    entries = []
    for change in process.changes.all():
        if change.kind == Change.Kind.CORRECT and change.confirmed_at is None:
            continue
        for one in change.changes or [{}]:
            before, after = one.get("before", ""), one.get("after", "")
            what = f"{change.get_kind_display()}: {one.get('label', '')}".strip(": ")
            if after:
                what = _("%(what)s – from “%(before)s” to “%(after)s”") % {
                    "what": what,
                    "before": before,
                    "after": after,
                }
            entries.append({"when": change.at, "what": what, "reason": change.reason})
    for override in process.overrides.all():
        what = _("A check was set aside: %(check)s") % {"check": check_label(override.check_key)}
        entries.append({"when": override.at, "what": what, "reason": override.reason})
    told = formats.get(process.format).openness
    if told is not None:
        entries += told(process)
    return sorted(entries, key=lambda entry: entry["when"], reverse=True)


@public_page
def programme_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Samlet forløb: one matter, its steps of any format in time order."""
    at = clock.now()
    programme = get_object_or_404(Programme.objects.select_related("unit"), slug=slug)
    steps = cards(Process.objects.public().filter(programme=programme).for_cards().order_by("opens_at"), at)
    return render(
        request, "participation/programme_detail.html", {"programme": programme, "steps": steps, "now": at}
    )


@public_page
def have_an_idea(request: HttpRequest) -> HttpResponse:
    """Har du en idé?: one door. What is open for ideas now, and whom to call when nothing fits."""
    at = clock.now()
    found = cards(Process.objects.public().running(at).for_cards().order_by("closes_at")[:24], at)
    fitting = [card for card in found if card.next_step and card.next_step.url]
    return render(request, "participation/have_an_idea.html", {"cards": fitting, "now": at})


@public_page
def about(request: HttpRequest) -> HttpResponse:
    """Om borgerinddragelse: the principles in the municipality's own words, and the ladder."""
    return render(
        request,
        "participation/about.html",
        {
            "principles": PrincipleText.objects.all(),
            "ladder_steps": [
                {"key": step.value, "label": step.label, "meaning": MEANINGS[step]} for step in LadderStep
            ],
        },
    )


def _statement(template: str) -> Any:
    @public_page
    def view(request: HttpRequest) -> HttpResponse:
        return render(request, f"participation/statements/{template}.html")

    return view


accessibility = _statement("accessibility")
debate_rules = _statement("debate_rules")
open_data = _statement("open_data")
