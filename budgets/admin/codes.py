"""Voting codes for staff: make them, fetch the PDF once, block them with a reason, open for an address that guessed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.models import District, Resident
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from budgets import actions, codes, permissions, voting
from budgets.models import CodeBatch, CodeLock
from budgets.views import no_store
from dkfds import wording
from participation import clock, printing
from participation.admin.fields import DateInput
from participation.admin.pages import ActPage, own_process, show
from participation.models import Phase, Process

LIST = "admin:budget-codes"
FEWEST_SHOWN = 5  # of a smaller batch it is not shown how many have voted: that would be about one person
LONGEST_NAME = 100


@require_GET
def code_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The batches in numbers, and who was locked out. Which codes have been used is shown nowhere."""
    process = own_process(request, pk, Permission.COUNT_VOTES)
    now = clock.now()
    batches = (
        CodeBatch.objects.with_numbers()
        .filter(process=process)
        .select_related("made_by", "blocked_by", "printed_by", "phase", "mailout", "waiting_print")
        .defer("waiting_print__content")
    )
    phase = voting.vote_phase(process, now)
    context = {
        "lines": [_line(batch) for batch in batches],
        "working": any(batch.state in {"waiting", "making"} for batch in batches),
        "locks": CodeLock.objects.filter(process=process).select_related("lifted_by")[:20],
        "now": now,
        "make": _may_make(request.user, process, phase),
        "make_class": _may_make_for_class(request.user, process, phase),
        "fewest_shown": FEWEST_SHOWN,
    }
    return no_store(show(request, "admin/budgets/codes.html", tab="codes", process=process, **context))


def _line(batch: CodeBatch) -> dict[str, Any]:
    return {
        "batch": batch,
        "tally": codes.numbers(batch) if batch.amount >= FEWEST_SHOWN else None,
        "can_fetch": hasattr(batch, "waiting_print") and batch.blocked_at is None,
        "lost": batch.state == CodeBatch.State.READY
        and batch.printed_at is None
        and batch.mailout_id is None
        and not hasattr(batch, "waiting_print")
        and batch.blocked_at is None,
    }


def _may_make(user: Any, process: Process, phase: Phase | None) -> Verdict:
    if phase is None:
        return Verdict(False, _("There is no vote here."), "no_vote")
    return permissions.can_make_codes(user, process, phase)


def _may_make_for_class(user: Any, process: Process, phase: Phase | None) -> Verdict:
    return _may_make(user, process, phase) and codes.can_class_vote(process.citizenbudget)


class CodesPage(ActPage):
    permission = Permission.COUNT_VOTES
    tab = "codes"
    back_to = LIST
    template_name = "admin/budgets/codes_make.html"

    @cached_property
    def phase(self) -> Phase | None:
        return voting.vote_phase(self.process, clock.now())

    def verdict(self) -> Verdict:
        return _may_make(self.request.user, self.process, self.phase)


class ClassForm(forms.Form):
    use_required_attribute = False
    name = forms.CharField(
        label=gettext_lazy("Which class?"),
        max_length=LONGEST_NAME,
        help_text=gettext_lazy(
            "The school and the class, for instance “Lunde Skole, 6.B”. It stands on the first page."
        ),
    )
    amount = forms.IntegerField(
        label=gettext_lazy("How many cards?"),
        min_value=1,
        max_value=actions.MOST_IN_CLASS,
        help_text=gettext_lazy("One for each pupil. A few more can be made later."),
    )


class MakeForClass(CodesPage):
    title = gettext_lazy("Cards for a class")
    lead = gettext_lazy(
        "You get a PDF with cards to cut out. The codes stand only there: they can't be shown again, and the PDF can be "
        "fetched once. If it is lost, block the cards and make new ones."
    )
    button = gettext_lazy("Make the cards")
    done = gettext_lazy("The codes are being made. Fetch the PDF below when it is ready.")
    form_class = ClassForm

    def verdict(self) -> Verdict:
        return _may_make_for_class(self.request.user, self.process, self.phase)

    def act(self, form: Any) -> None:
        assert self.phase is not None
        actions.make_class_codes(
            process=self.process, phase=self.phase, by=self.request.user, **form.cleaned_data
        )


class LettersForm(forms.Form):
    use_required_attribute = False
    name = forms.CharField(
        label=gettext_lazy("What do you call these letters?"),
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("Only for you and your colleagues, for instance “Without Digital Post”."),
    )
    without_digital_post = forms.BooleanField(
        label=gettext_lazy("Only those without Digital Post"), required=False
    )
    age_from = forms.IntegerField(
        label=gettext_lazy("From the age of"), required=False, min_value=0, max_value=120
    )
    age_to = forms.IntegerField(
        label=gettext_lazy("To and including the age of"), required=False, min_value=0, max_value=120
    )
    districts = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Only in these districts"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    sure = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["districts"].choices = [
            (district.pk, district.name_and_kind) for district in District.objects.defer("geometry")
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("age_from") and data.get("age_to") and data["age_from"] > data["age_to"]:
            self.add_error("age_to", _("This age is below the first one."))
        return data

    @property
    def chosen(self) -> codes.Chosen:
        data = self.cleaned_data
        return codes.Chosen(
            age_from=data["age_from"],
            age_to=data["age_to"],
            districts=tuple(data["districts"]),
            without_digital_post=data["without_digital_post"],
        )


class MakeLetters(CodesPage):
    title = gettext_lazy("Letters with a personal code")
    lead = gettext_lazy(
        "Everyone chosen who may vote and has no code yet gets a letter with name and address. The codes stand only in the "
        "PDF, which can be fetched once. If it is lost, block the letters and make new ones."
    )
    button = gettext_lazy("See how many it is")
    done = gettext_lazy("The letters are being made. Fetch the PDF below when it is ready.")
    form_class = LettersForm

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """First how many it is; the letters are made when the same number is sent back."""
        form = self.form(request.POST)
        if form.is_valid() and self.verdict():
            assert self.phase is not None
            try:
                amount = codes.residents(self.process.citizenbudget, self.phase, form.chosen).count()  # type: ignore[attr-defined]
            except Refused as refused:
                form.add_error(None, refused.reason)
                return self.page(form)
            if amount and form.cleaned_data["sure"] != amount:
                return self._ask(request, amount)
        return super().post(request, **kwargs)

    def _ask(self, request: HttpRequest, amount: int) -> HttpResponse:
        data = request.POST.copy()
        data["sure"] = str(amount)
        self.button = ngettext("Make %(amount)s letter", "Make %(amount)s letters", amount) % {
            "amount": wording.number(amount)
        }
        self.found = amount
        return self.page(self.form(data))

    found: int | None = None

    def context(self) -> dict[str, Any]:
        return {"found": self.found}

    def act(self, form: Any) -> None:
        assert self.phase is not None
        actions.make_personal_codes(
            process=self.process,
            phase=self.phase,
            name=form.cleaned_data["name"],
            chosen=form.chosen,
            by=self.request.user,
        )


class OneForm(forms.Form):
    use_required_attribute = False
    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    birth_date = forms.DateField(label=gettext_lazy("Birth date"), widget=DateInput())

    def __init__(self, *args: Any, found: list[Resident] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = {str(resident.pk): resident for resident in found or ()}
        if self.found:
            self.fields["resident"] = forms.ChoiceField(
                label=gettext_lazy("Is this the one?"),
                choices=[(key, _who(resident)) for key, resident in self.found.items()],
                widget=forms.RadioSelect,
            )


def _who(resident: Resident) -> str:
    """A protected address is never on a screen; the letter itself carries it."""
    where = _("the address is protected") if resident.protected else resident.address
    return f"{resident.name} – {where}"


class MakeOne(CodesPage):
    title = gettext_lazy("A letter for one person")
    lead = gettext_lazy(
        "For someone who has lost the letter, or can't vote in another way. Ask for name and birth date, and make sure who it "
        "is. A code they had before is blocked."
    )
    button = gettext_lazy("Look up")
    done = gettext_lazy(
        "The letter is made, and older codes of that person are blocked. Fetch the PDF below."
    )
    form_class = OneForm

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = OneForm(request.POST)
        if not (form.is_valid() and self.verdict()):
            return self.page(form)
        assert self.phase is not None
        try:
            found = codes.named(self.process.citizenbudget, self.phase, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.reason)
            return self.page(form)
        if not found:
            form.add_error(
                None,
                _("Nobody with this name and birth date may vote with a code by the rules of this vote."),
            )
            return self.page(form)
        self.button = _("Make the letter")
        if "resident" not in request.POST:
            form = OneForm(None, found=found, initial=form.cleaned_data)
            return self.page(form)
        form = OneForm(request.POST, found=found)
        return self._make(form)

    def _make(self, form: OneForm) -> HttpResponse:
        if not form.is_valid():
            return self.page(form)
        assert self.phase is not None
        try:
            actions.replace_code(
                process=self.process,
                phase=self.phase,
                resident=form.found[form.cleaned_data["resident"]],
                by=self.request.user,
            )
        except Refused as refused:
            form.add_error(None, refused.reason)
            return self.page(form)
        messages.success(self.request, self.done)
        return HttpResponseRedirect(self.url())


class BlockForm(forms.Form):
    use_required_attribute = False
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Whoever types one of the codes is shown this. For instance “The cards were lost in the post”."
        ),
    )

    public = forms.BooleanField(
        label=gettext_lazy("Tell it in the public list of incidents too"), required=False, initial=True
    )

    def __init__(self, *args: Any, may_tell: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_tell:  # not while nobody can vote yet
            del self.fields["public"]


class Block(CodesPage):
    title = gettext_lazy("Block the codes")
    lead = gettext_lazy(
        "Codes that have not been used give no vote any more, and it can't be undone. Votes that have been cast with the "
        "others count."
    )
    button = gettext_lazy("Block the codes")
    tone = "danger"
    done = gettext_lazy("The codes are blocked.")
    form_class = BlockForm
    template_name = "admin/process/act.html"

    @cached_property
    def batch(self) -> CodeBatch:
        return get_object_or_404(CodeBatch, pk=self.kwargs["batch"], process=self.process)

    def verdict(self) -> Verdict:
        if self.batch.blocked_at is not None:
            return Verdict(False, _("These codes are already blocked."), "blocked_already")
        return Verdict(True)

    def form_kwargs(self) -> dict[str, Any]:
        may_tell = verdict(permissions.check_may_record_incident, self.request.user, self.process)
        return {"may_tell": bool(may_tell)}

    def context(self) -> dict[str, Any]:
        return {"quoted": self.batch.name}

    def act(self, form: Any) -> None:
        """The incident tells how many, never for whom: the batch's name may be about a class."""
        by, reason = self.request.user, form.cleaned_data["reason"]
        with transaction.atomic():
            batch = actions.block_batch(batch=self.batch, reason=reason, by=by)
            if form.cleaned_data.get("public"):
                text = ngettext(
                    "%(amount)s voting code was blocked: %(reason)s",
                    "%(amount)s voting codes were blocked: %(reason)s",
                    batch.amount,
                ) % {"amount": wording.number(batch.amount), "reason": reason}
                actions.record_incident(process=self.process, by=by, text=text, happened_at=clock.now())


@require_POST
def fetch(request: HttpRequest, pk: int, batch: int) -> HttpResponse:
    """The PDF, the only time."""
    process = own_process(request, pk, Permission.COUNT_VOTES)
    found = get_object_or_404(CodeBatch, pk=batch, process=process)
    try:
        content = actions.fetch_print(batch=found, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
        return redirect(LIST, process.pk)
    return no_store(printing.pdf_response(content, f"stemmekoder-{process.slug}-{found.pk}.pdf"))


@require_POST
def unlock(request: HttpRequest, pk: int, lock: int) -> HttpResponse:
    process = own_process(request, pk, Permission.COUNT_VOTES)
    found = get_object_or_404(CodeLock, pk=lock, process=process)
    try:
        actions.lift_lock(lock=found, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, _("Codes can be typed from there again."))
    return redirect(LIST, process.pk)
