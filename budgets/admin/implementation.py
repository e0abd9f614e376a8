"""Staff pages of carrying out: all the projects that got the money, one of them with everything, and a form for each step."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict
from budgets import carrying_out as may
from budgets import implementation as reads
from budgets import implementation_forms as asked
from budgets.actions import implementation as actions
from budgets.models import AccountEntry, Implementation, Milestone, Payment, ProgressNote, Promise
from participation.admin.pages import ActPage, own_process, show


def _found(process: Any, public_id: Any) -> Implementation:
    return get_object_or_404(
        Implementation.objects.with_project().select_related("owner", "deputy", "agreement_file"),
        project__contribution__public_id=public_id,
        project__contribution__process=process,
    )


@require_GET
def implementation_list(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk, Permission.CARRY_OUT)
    overview = reads.overview(process)
    waits = reads.waiting(process)
    rows = [row | {"waits": sum(waits.get(row["one"].pk, {}).values())} for row in overview.rows]
    context = {"overview": overview, "rows": rows}
    return show(request, "admin/budgets/implementations.html", tab="carrying", process=process, **context)


@require_GET
def implementation_page(request: HttpRequest, pk: int, public_id: Any) -> HttpResponse:
    process = own_process(request, pk, Permission.CARRY_OUT)
    one = _found(process, public_id)
    user: Any = request.user
    goes = reads.how_it_goes(one.project)
    context = {
        "one": one,
        "contribution": one.project.contribution,
        "goes": goes,
        "news": [note for note in goes.notes if note.kind in may.NEWS] if goes else [],
        "waiting_notes": list(one.notes.filter(state=ProgressNote.State.WAITING).select_related("photo")),
        "entries": list(one.entries.select_related("receipt", "corrects", "corrected_by")),
        "milestones": list(one.milestones.all()),
        "payments": reads.with_balance(one.payments.select_related("corrects", "corrected_by")),
        "publish": may.can_publish_plan(user, one),
        "follow_up": may.can_follow_up(user, one),
        "pay": may.can_pay(user, one),
        "pay_back": may.can_pay_back(user, one),
        "accounts": may.can_keep_accounts(user, one),
        "send": may.can_send_accounts(user, one),
        "approve": may.can_approve_accounts(user, one),
    }
    return show(request, "admin/budgets/implementation.html", tab="carrying", process=process, **context)


class StepPage(ActPage):
    """One form on one project; back to the project when it is done."""

    template_name = "admin/budgets/implementation_step.html"
    permission = Permission.CARRY_OUT
    tab: ClassVar[str] = "carrying"

    @cached_property
    def one(self) -> Implementation:
        return _found(self.process, self.kwargs["public_id"])

    def url(self) -> str:
        return reverse("admin:budget-implementation", args=[self.process.pk, self.kwargs["public_id"]])

    def context(self) -> dict[str, Any]:
        return {"one": self.one, "contribution": self.one.project.contribution}

    def form(self, data: Any = None) -> forms.BaseForm:
        more = self.form_kwargs()
        if issubclass(self.form_class, asked.FileForm):
            # even no files bind a form, and a page that is only opened has nothing wrong
            more |= {"files": None if data is None else self.request.FILES, "by": self.request.user}
        return self.form_class(data, **more)


class Plan(StepPage):
    title = _("Who carries it out")
    form_class = asked.PlanForm
    button = _("Save")

    def verdict(self) -> Verdict:
        return may.can_plan(self.request.user, self.one)

    def form_kwargs(self) -> dict[str, Any]:
        return {"implementation": self.one}

    def act(self, form: Any) -> None:
        actions.plan_implementation(implementation=self.one, by=self.request.user, **form.plan())


class Promises(StepPage):
    title = _("What is promised")
    lead = _(
        "Write the list with those who proposed it. You may change it until the plan is published; from then on everyone can follow each line."
    )
    form_class = asked.PromisesForm
    button = _("Save the list")

    def verdict(self) -> Verdict:
        return may.can_write_promises(self.request.user, self.one)

    def form_kwargs(self) -> dict[str, Any]:
        known = self.one.promises.values_list("text", flat=True)
        return {"initial": {"promises": "\n".join(known)}}

    def act(self, form: Any) -> None:
        lines = form.cleaned_data["promises"].splitlines()
        actions.write_promises(implementation=self.one, by=self.request.user, promises=lines)


class AddPromise(StepPage):
    title = _("Add to what is promised")
    form_class = asked.AddPromiseForm
    button = _("Add it")
    done = _("Added. It stands in the project's diary with its reason.")

    def verdict(self) -> Verdict:
        return may.can_follow_up(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.add_promise(implementation=self.one, by=self.request.user, **form.cleaned_data)


class SettlePromise(StepPage):
    title = _("What became of it?")
    form_class = asked.SettlePromiseForm
    button = _("Save")
    done = _("Saved. Everyone can read it on the project's page.")

    @cached_property
    def promise(self) -> Promise:
        return get_object_or_404(Promise, pk=self.kwargs["number"], implementation=self.one)

    def verdict(self) -> Verdict:
        return may.can_follow_up(self.request.user, self.one)

    def context(self) -> dict[str, Any]:
        return super().context() | {"quoted": self.promise.text}

    def act(self, form: Any) -> None:
        said, by = form.cleaned_data, self.request.user
        if said["became"] == "delivered":
            actions.deliver_promise(promise=self.promise, by=by, on=said["on"])
        elif said["became"] == "dropped":
            actions.drop_promise(promise=self.promise, by=by, because=said["because"], on=said["on"])
        else:
            actions.take_out_promise(promise=self.promise, by=by, because=said["because"])


class AddMilestone(StepPage):
    title = _("Add a milestone")
    lead = _("A few that people can see: “The work begins”, “The playground opens”.")
    form_class = asked.MilestoneForm
    button = _("Add it")

    def verdict(self) -> Verdict:
        return may.can_plan(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.add_milestone(implementation=self.one, by=self.request.user, **form.cleaned_data)


class MilestonePage(StepPage):
    @cached_property
    def milestone(self) -> Milestone:
        return get_object_or_404(Milestone, pk=self.kwargs["number"], implementation=self.one)

    def context(self) -> dict[str, Any]:
        return super().context() | {"quoted": self.milestone.title}


class MoveMilestone(MilestonePage):
    title = _("Move the milestone")
    form_class = asked.MoveMilestoneForm
    button = _("Move it")

    def verdict(self) -> Verdict:
        return may.can_plan(self.request.user, self.one)

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"planned_on": self.milestone.planned_on}}

    def act(self, form: Any) -> None:
        actions.move_milestone(milestone=self.milestone, by=self.request.user, **form.cleaned_data)


class ReachMilestone(MilestonePage):
    title = _("The milestone is reached")
    form_class = asked.ReachForm
    button = _("Save, and tell everyone")
    done = _("Saved. Everyone who follows the project is told.")

    def verdict(self) -> Verdict:
        return may.can_follow_up(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.reach_milestone(milestone=self.milestone, by=self.request.user, **form.cleaned_data)


class RemoveMilestone(MilestonePage):
    title = _("Remove the milestone")
    lead = _("It has not been published yet, so nobody has been promised it.")
    button = _("Remove it")
    done = _("Removed.")

    def verdict(self) -> Verdict:
        return may.can_write_promises(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.remove_milestone(milestone=self.milestone, by=self.request.user)


class Publish(StepPage):
    title = _("Publish the plan")
    lead = _(
        "Everyone can then read what is promised, by whom and when, and those who follow the project are told. From then on each promise is delivered, or dropped with a reason."
    )
    button = _("Publish the plan")
    done = _("Published. Everyone who follows the project is told.")

    def verdict(self) -> Verdict:
        return may.can_publish_plan(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.publish_plan(implementation=self.one, by=self.request.user)


class Status(StepPage):
    title = _("How it goes")
    lead = _("Those who follow the project are told. What is left of the money goes back when it ends.")
    form_class = asked.StatusForm
    button = _("Save, and tell everyone")
    done = _("Saved. Everyone who follows the project is told.")

    def verdict(self) -> Verdict:
        return may.can_change_status(self.request.user, self.one)

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"status": self.one.status}}

    def act(self, form: Any) -> None:
        actions.change_status(implementation=self.one, by=self.request.user, **form.cleaned_data)


class Pay(StepPage):
    title = _("Record a payment")
    form_class = asked.PaymentForm
    button = _("Record it")
    done = _("Recorded. It stands on the project's page.")

    @property
    def lead(self) -> Any:
        return reads.left_in_words(self.one)

    def verdict(self) -> Verdict:
        ask = may.can_pay_back if self.one.ended else may.can_pay
        return ask(self.request.user, self.one)

    def form_kwargs(self) -> dict[str, Any]:
        return {"only_back": self.one.ended}

    def act(self, form: Any) -> None:
        said = dict(form.cleaned_data)
        record = actions.record_payment if said.pop("kind") == "payment" else actions.record_repayment
        record(implementation=self.one, by=self.request.user, **said)


class CorrectPayment(StepPage):
    title = _("Correct the payment")
    lead = _(
        "It is met by a line of the opposite amount, and both stay. Record the right payment as a new one afterwards."
    )
    form_class = asked.WhyForm
    button = _("Correct it")

    @cached_property
    def payment(self) -> Payment:
        return get_object_or_404(Payment, pk=self.kwargs["number"], implementation=self.one)

    def verdict(self) -> Verdict:
        return may.can_pay_back(self.request.user, self.one)

    def context(self) -> dict[str, Any]:
        return super().context() | {"quoted": self.payment.text, "money": self.payment.amount}

    def act(self, form: Any) -> None:
        actions.correct_payment(payment=self.payment, by=self.request.user, **form.cleaned_data)


class Extra(StepPage):
    title = _("Change the grant")
    lead = _("More or less money than the council first gave. The reason is public.")
    form_class = asked.ExtraGrantForm
    button = _("Record it")

    def verdict(self) -> Verdict:
        return may.can_follow_up(self.request.user, self.one)

    def act(self, form: Any) -> None:
        said = dict(form.cleaned_data)
        change = actions.grant_extra if said.pop("way") == "more" else actions.lower_grant
        change(implementation=self.one, by=self.request.user, **said)


class News(StepPage):
    title = _("Tell news")
    form_class = asked.NewsForm
    button = _("Publish it, and tell everyone")
    done = _("Published. Everyone who follows the project is told.")

    def verdict(self) -> Verdict:
        return may.can_tell(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.tell_news(implementation=self.one, by=self.request.user, **form.told())


class SettleNote(StepPage):
    title = _("Look at what the group told")
    form_class = asked.ConfirmForm
    button = _("Save")

    @cached_property
    def note(self) -> ProgressNote:
        notes = ProgressNote.objects.select_related("photo", "milestone", "implementation")
        return get_object_or_404(notes, pk=self.kwargs["number"], implementation=self.one)

    def verdict(self) -> Verdict:
        self.note.implementation = self.one
        return may.can_settle_note(self.request.user, self.note)

    def context(self) -> dict[str, Any]:
        return super().context() | {"note": self.note}

    def act(self, form: Any) -> None:
        said = form.cleaned_data
        actions.settle_note(
            note=self.note, by=self.request.user, show=said["confirm"] == "yes", because=said["because"]
        )


class TakeDown(StepPage):
    title = _("Take the news down")
    lead = _(
        "It is no longer shown, nor its photo: somebody in it has asked, or it says too much of somebody. Those who were told of it keep what they were told."
    )
    form_class = asked.TakeDownForm
    button = _("Take the news down")
    done = _("Taken down.")

    @cached_property
    def note(self) -> ProgressNote:
        found = get_object_or_404(ProgressNote, pk=self.kwargs["number"], implementation=self.one)
        found.implementation = self.one
        return found

    def verdict(self) -> Verdict:
        return may.can_take_down(self.request.user, self.note)

    def context(self) -> dict[str, Any]:
        return super().context() | {"quoted": self.note.title}

    def act(self, form: Any) -> None:
        actions.take_down_note(note=self.note, by=self.request.user, **form.cleaned_data)


class Spend(StepPage):
    title = _("Enter a receipt for the group")
    form_class = asked.SpendForm
    button = _("Enter it")

    def verdict(self) -> Verdict:
        return may.can_keep_accounts(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.enter_spending(implementation=self.one, by=self.request.user, **form.entered())


class EntryPage(StepPage):
    @cached_property
    def entry(self) -> AccountEntry:
        entries = AccountEntry.objects.select_related("receipt", "implementation")
        found = get_object_or_404(entries, pk=self.kwargs["number"], implementation=self.one)
        found.implementation = self.one
        return found

    def context(self) -> dict[str, Any]:
        return super().context() | {
            "quoted": self.entry.text,
            "money": self.entry.amount,
            "entry": self.entry,
        }


class SettleEntry(EntryPage):
    title = _("Look at the receipt")
    form_class = asked.ConfirmSpendingForm
    button = _("Save")

    def verdict(self) -> Verdict:
        return may.can_settle_entry(self.request.user, self.entry)

    def act(self, form: Any) -> None:
        said = dict(form.cleaned_data)
        actions.settle_spending(
            entry=self.entry, by=self.request.user, **said | {"confirm": said["confirm"] == "yes"}
        )


class ShowReceipt(EntryPage):
    title = _("Who may see the receipt?")
    form_class = asked.ReceiptForm
    button = _("Save")

    def verdict(self) -> Verdict:
        return may.can_show_receipt(self.request.user, self.entry)

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"public": self.entry.receipt_public}}

    def act(self, form: Any) -> None:
        actions.show_receipt(entry=self.entry, by=self.request.user, **form.cleaned_data)


class CorrectEntry(EntryPage):
    title = _("Correct the line")
    lead = _("It is met by a line of the opposite amount, and both stay.")
    form_class = asked.WhyForm
    button = _("Correct it")

    def verdict(self) -> Verdict:
        return may.can_keep_accounts(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.correct_spending(entry=self.entry, by=self.request.user, **form.cleaned_data)


class SendBack(StepPage):
    title = _("Send the accounts back")
    form_class = asked.SendBackForm
    button = _("Send them back")

    def verdict(self) -> Verdict:
        return may.can_work(self.request.user, self.one)

    def act(self, form: Any) -> None:
        actions.send_back_accounts(implementation=self.one, by=self.request.user, **form.cleaned_data)


@require_POST
def accounts(request: HttpRequest, pk: int, public_id: Any) -> HttpResponse:
    """Send the accounts to approval, or approve them."""
    process = own_process(request, pk, Permission.CARRY_OUT)
    one = _found(process, public_id)
    act = actions.approve_accounts if "approve" in request.POST else actions.send_accounts
    try:
        act(implementation=one, by=request.user)  # type: ignore[arg-type]
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, _("Saved."))
    return HttpResponseRedirect(
        reverse("admin:budget-implementation", args=[pk, public_id]) + "#accounts-title"
    )


STEPS: dict[str, tuple[str, type[StepPage]]] = {
    "plan": ("plan/", Plan),
    "promises": ("loefter/", Promises),
    "promise-add": ("loefter/nyt/", AddPromise),
    "promise": ("loefter/<int:number>/", SettlePromise),
    "milestone-add": ("milepaele/ny/", AddMilestone),
    "milestone-move": ("milepaele/<int:number>/flyt/", MoveMilestone),
    "milestone-reach": ("milepaele/<int:number>/naaet/", ReachMilestone),
    "milestone-remove": ("milepaele/<int:number>/fjern/", RemoveMilestone),
    "publish": ("offentliggoer/", Publish),
    "status": ("status/", Status),
    "pay": ("udbetaling/", Pay),
    "payment-correct": ("udbetaling/<int:number>/ret/", CorrectPayment),
    "extra": ("tillaeg/", Extra),
    "news": ("nyt/", News),
    "note": ("fortalt/<int:number>/", SettleNote),
    "news-down": ("nyt/<int:number>/fjern/", TakeDown),
    "spend": ("bilag/", Spend),
    "entry": ("bilag/<int:number>/", SettleEntry),
    "entry-receipt": ("bilag/<int:number>/hvem/", ShowReceipt),
    "entry-correct": ("bilag/<int:number>/ret/", CorrectEntry),
    "accounts-back": ("regnskab/tilbage/", SendBack),
}
