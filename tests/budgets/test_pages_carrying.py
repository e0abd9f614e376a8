"""The pages of carrying out: what everyone reads, what the group fills in, and the caseworker's forms one by one."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from budgets.actions import implementation as carrying
from budgets.admin.implementation import STEPS
from budgets.models import AccountEntry, Implementation, Payment, ProgressNote, Promise
from participation import clock
from participation.models import StoredFile
from tests.accounts.factories import make_citizen, make_unit
from tests.accounts.factories import make_staff as make_colleague
from tests.budgets.carrying import colleague, decided, photo, planned, published, receipt
from tests.participation.pictures import jpeg
from tests.site.world import session_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


def text_of(response):
    return " ".join(response.content.decode().split())


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def at_work(unit):
    """A colleague of the unit with a second factor, at their browser."""
    user = make_colleague("caseworker", units=[unit])
    client = Client()
    client.cookies["sessionid"] = session_of(user)
    return client, user


@pytest.fixture
def group():
    return make_citizen(first_name="Karen", last_name="Kanarie")


@pytest.fixture
def theirs(group):
    return published(decided(author=group)[0], by_citizens=True)


@pytest.fixture
def process(theirs):
    return theirs.project.contribution.process


@pytest.fixture
def worker(process):
    return at_work(process.unit)


def page_of(one, client=None):
    return (client or Client()).get(one.project.contribution.get_absolute_url())


def own(one, name):
    contribution = one.project.contribution
    return reverse(f"budgets:project-{name}", args=[contribution.process.slug, contribution.public_id])


def step(one, name, *more):
    contribution = one.project.contribution
    return reverse(
        f"admin:budget-implementation-{name}", args=[contribution.process_id, contribution.public_id, *more]
    )


# What everyone reads


def test_before_the_plan_the_page_says_that_it_is_being_made():
    page = text_of(page_of(decided()[0]))
    assert "The plan is being made" in page
    assert "100,000" in page


def test_the_page_tells_promises_money_delay_and_diary(theirs, process):
    owner = process.owner
    carrying.add_promise(implementation=theirs, by=owner, text="En rampe", because="Handicaprådet bad om det")
    carrying.drop_promise(
        promise=Promise.objects.get(text="En rampe"), by=owner, because="der er trapper på begge sider"
    )
    carrying.deliver_promise(
        promise=Promise.objects.get(text="Materialer", implementation=theirs), by=owner, on=clock.today()
    )
    carrying.record_payment(
        implementation=theirs, by=owner, amount=2_500, paid_on=clock.today(), text="Første rate"
    )
    carrying.change_status(
        implementation=theirs,
        by=owner,
        status="delayed",
        why="Frosten gik dybt.",
        expected_on=clock.today() + timedelta(days=50),
    )
    page = text_of(page_of(theirs))
    for words in (
        "because der er trapper på begge sider",
        "1 of 2 promises are delivered",
        "Delayed, because",
        "Frosten gik dybt.",
        "Første rate",
        "Gruppen bag bænken",
    ):
        assert words in page, words


def test_names_of_the_group_never_stand_on_the_page(theirs, process, group):
    note = carrying.report_news(implementation=theirs, by=group, title="Vi graver", text="Nu.")
    carrying.settle_note(note=note, by=process.owner, show=True)
    page = text_of(page_of(theirs))
    section = page[page.index('id="gennemfoerelse"') : page.index('id="cost"')]
    assert "Vi graver" in section
    for secret in ("Kanarie", "Karen Holm", "12 34 56 78"):
        assert secret not in section


def test_receipts_and_waiting_photos_are_for_the_unit_only_until_marked(theirs, process, group, worker):
    client, user = worker
    entry = carrying.enter_spending(
        implementation=theirs, by=group, amount=1, spent_on=clock.today(), text="x", receipt=receipt(group)
    )
    note = carrying.report_news(implementation=theirs, by=group, title="x", text="x", photo=photo(group))
    for file in (entry.receipt, note.photo):
        assert Client().get(file.address).status_code == 404
        assert signed_in(make_citizen()).get(file.address).status_code == 404
        assert signed_in(group).get(file.address).status_code == 200
        assert client.get(file.address).status_code == 200
    carrying.settle_spending(entry=entry, by=user, confirm=True, receipt_public=False)
    assert Client().get(entry.receipt.address).status_code == 404
    carrying.settle_note(note=note, by=user, show=True)
    assert Client().get(note.photo.address).status_code == 200
    shown = carrying.enter_spending(
        implementation=theirs, by=group, amount=1, spent_on=clock.today(), text="y", receipt=receipt(group)
    )
    carrying.settle_spending(entry=shown, by=user, confirm=True, receipt_public=True)
    assert Client().get(shown.receipt.address).status_code == 200


def test_a_receipt_and_news_that_should_not_have_been_shown_are_hidden_again(theirs, process, group, worker):
    client, user = worker
    entry = carrying.enter_spending(
        implementation=theirs, by=group, amount=1, spent_on=clock.today(), text="x", receipt=receipt(group)
    )
    carrying.settle_spending(entry=entry, by=user, confirm=True, receipt_public=True)
    note = carrying.tell_news(
        implementation=theirs, by=user, title="Hele holdet", text="Alle fik kage.", photo=photo(user)
    )
    carrying.change_status(implementation=theirs, by=user, status="given_up", why="Ingen kræfter.")
    for file in (entry.receipt, note.photo):
        assert Client().get(file.address).status_code == 200
    staff = text_of(
        client.get(
            reverse("admin:budget-implementation", args=[process.pk, theirs.project.contribution.public_id])
        )
    )
    assert step(theirs, "entry-receipt", entry.pk) in staff
    assert step(theirs, "news-down", note.pk) in staff
    post(client, theirs, "entry-receipt", entry.pk)
    response = client.post(step(theirs, "news-down", note.pk), {"because": " "})
    assert response.status_code == 200
    post(client, theirs, "news-down", note.pk, because="En på billedet har bedt om det.")
    for file in (entry.receipt, note.photo):
        assert Client().get(file.address).status_code == 404
    page = text_of(page_of(theirs))
    assert "Hele holdet" not in page
    assert "har bedt om det" not in page
    assert "Ingen kræfter." in page


@pytest.mark.parametrize("name", ["plan", "news", "spend"])
def test_a_form_with_a_file_opens_with_what_is_known_and_nothing_wrong(theirs, worker, name):
    form = worker[0].get(step(theirs, name)).context["form"]
    assert not form.errors
    if name == "plan":
        assert form["carrier"].value() == "Gruppen bag bænken"


def test_what_was_decided_is_not_taken_down(theirs, worker):
    client, _user = worker
    plan = theirs.notes.get(kind="plan")
    response = client.post(step(theirs, "news-down", plan.pk), {"because": "x"})
    assert "Only news can be taken down" in text_of(response)
    assert theirs.notes.shown().filter(pk=plan.pk).exists()


def test_money_comes_back_after_a_group_has_given_up(theirs, process, worker):
    client, user = worker
    today = clock.today().isoformat()
    post(client, theirs, "pay", kind="payment", amount="5.000", paid_on=today, text="Gruppen")
    carrying.change_status(implementation=theirs, by=user, status="given_up", why="Ingen kræfter.")
    page = text_of(
        client.get(
            reverse("admin:budget-implementation", args=[process.pk, theirs.project.contribution.public_id])
        )
    )
    assert "Record money paid back" in page
    refused = client.post(
        step(theirs, "pay"), {"kind": "payment", "amount": "1", "paid_on": today, "text": "x"}
    )
    assert "kind" in refused.context["form"].errors
    post(client, theirs, "pay", kind="repayment", amount="5.000", paid_on=today, text="Gruppen")
    one = Implementation.objects.get(pk=theirs.pk)
    assert (one.paid, one.returned, one.left) == (0, 100_000, 0)


def test_the_day_everyone_was_told_is_not_moved_on_the_quiet(theirs, process, worker):
    one = Implementation.objects.with_project().exclude(pk=theirs.pk).get()
    soon = clock.today() + timedelta(days=30)
    published(one, expected_on=soon)
    client, _user = worker
    form = client.get(step(one, "plan")).context["form"]
    assert "expected_on" not in form.fields
    assert "expected_on" in client.get(step(theirs, "plan")).context["form"].fields  # nobody was told a day
    later = (soon + timedelta(days=90)).isoformat()
    post(client, one, "plan", carried_out_by="municipality", carrier="Park og Vej", expected_on=later)
    assert Implementation.objects.get(pk=one.pk).expected_on == soon


def test_the_result_shows_every_winner_in_one_query_more(client):
    one = decided(prices=(50_000,) * 2)[0]
    address = reverse("budgets:result", args=[one.project.contribution.process.slug])
    page = text_of(client.get(address))
    assert "How it goes with the projects" in page
    assert page.count("The plan is being made") == 2


@pytest.mark.parametrize("lines", [2, 40])
def test_the_page_asks_as_much_however_much_has_happened(theirs, process, lines):
    for number in range(lines):
        carrying.record_payment(
            implementation=theirs, by=process.owner, amount=1, paid_on=clock.today(), text=f"Rate {number}"
        )
        carrying.tell_news(implementation=theirs, by=process.owner, title=f"Nyt {number}", text="x")
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert page_of(theirs).status_code == 200
    ours = [one for one in found if "budgets_implementation" in one["sql"] or "budgets_p" in one["sql"]]
    assert len([one for one in ours if 'FROM "budgets_payment"' in one["sql"]]) == 1
    assert len([one for one in found if 'FROM "budgets_progressnote"' in one["sql"]]) == 1


# The group


def test_the_group_tells_with_a_photo_and_reads_that_it_is_looked_at(theirs, group):
    client = signed_in(group)
    assert "Tell how it goes" in text_of(page_of(theirs, client))
    response = client.post(
        own(theirs, "tell"),
        {
            "title": "Bænken står",
            "text": "Kom og sid.",
            "milestone": theirs.milestones.get().pk,
            "photo": SimpleUploadedFile("b.jpg", jpeg(), "image/jpeg"),
            "alt": "En bænk",
        },
        follow=True,
    )
    assert "We look at it" in text_of(response)
    note = ProgressNote.objects.get(title="Bænken står")
    assert (note.state, note.photo.alt, note.milestone) == ("waiting", "En bænk", theirs.milestones.get())


def test_a_photo_is_kept_when_something_else_is_missing(theirs, group):
    client = signed_in(group)
    sent = {"title": "", "text": "Kom og sid.", "photo": SimpleUploadedFile("b.jpg", jpeg(), "image/jpeg")}
    response = client.post(own(theirs, "tell"), sent)
    assert response.status_code == 422
    page = text_of(response)
    assert "We have kept" in page
    assert "Kom og sid." in page
    kept = response.context["form"].data["kept"]
    sent = {"title": "Nu", "text": "Kom.", "kept": kept, "alt": "En bænk"}
    assert client.post(own(theirs, "tell"), sent).status_code == 302
    assert ProgressNote.objects.get(title="Nu").photo.alt == "En bænk"


def test_nobody_gets_somebody_elses_photo_by_its_handle(theirs, group):
    from participation import files

    other = photo(make_citizen())
    signed_in(group).post(
        own(theirs, "tell"), {"title": "Nu", "text": "x", "kept": files.handle(other), "alt": "x"}
    )
    assert ProgressNote.objects.get(title="Nu").photo is None


def test_neither_a_document_nor_what_stands_elsewhere_becomes_the_photo(theirs, group):
    from participation import files

    shown = photo(group)
    carrying.report_news(implementation=theirs, by=group, title="Først", text="x", photo=shown)
    for number, other in enumerate([receipt(group), shown]):
        sent = {"title": f"Nu {number}", "text": "x", "kept": files.handle(other), "alt": "Noget grimt"}
        assert signed_in(group).post(own(theirs, "tell"), sent).status_code == 302
        assert ProgressNote.objects.get(title=f"Nu {number}").photo is None
    shown.refresh_from_db()
    assert shown.alt != "Noget grimt"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.jpg", b"<script>alert(1)</script>"),
        ("b.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("b.jpg", b""),
    ],
)
def test_what_is_no_photo_is_said_and_the_words_stay(theirs, group, name, content):
    response = signed_in(group).post(
        own(theirs, "tell"), {"title": "Nu", "text": "Kom.", "photo": SimpleUploadedFile(name, content)}
    )
    assert response.status_code == 422
    assert "Kom." in text_of(response)
    assert not StoredFile.objects.exists()


def test_the_group_enters_a_receipt_as_people_write_money(theirs, group):
    today = clock.today()
    typed = {
        "text": "Brædder",
        "amount": "1.249,50 kr.",
        "spent_on_day": today.day,
        "spent_on_month": today.month,
        "spent_on_year": today.year,
    }
    client = signed_in(group)
    response = client.post(own(theirs, "spend"), typed)
    assert response.status_code == 422
    assert "Add the receipt" in text_of(response)
    typed["receipt"] = SimpleUploadedFile("bilag.jpg", jpeg(), "image/jpeg")
    assert client.post(own(theirs, "spend"), typed).status_code == 302
    entry = AccountEntry.objects.get()
    assert (str(entry.amount), entry.state) == ("1249.50", "waiting")
    assert "Brædder" in text_of(client.get(own(theirs, "spend")))


@pytest.mark.parametrize(
    "amount", ["", "0", "-5", "1,249", "1e9", "NaN", "12.34.56", "9" * 20, "<b>5</b>", "\x00"]
)
def test_an_amount_that_is_none_is_said(theirs, group, amount):
    response = signed_in(group).post(own(theirs, "spend"), {"text": "x", "amount": amount})
    assert response.status_code == 422
    assert "amount" in response.context["form"].errors


@pytest.mark.parametrize("name", ["tell", "spend"])
def test_others_get_a_404_and_strangers_sign_in_first(theirs, worker, name):
    assert signed_in(make_citizen()).get(own(theirs, name)).status_code == 404
    assert worker[0].get(own(theirs, name)).status_code == 404
    assert Client().get(own(theirs, name)).status_code == 302


def test_a_group_that_sends_after_the_end_reads_why_not(theirs, process, group):
    carrying.change_status(implementation=theirs, by=process.owner, status="given_up", why="x")
    response = signed_in(group).post(own(theirs, "tell"), {"title": "x", "text": "x"})
    assert response.status_code == 409
    assert "Call us" in text_of(response)


# The caseworker, one form after the other


def post(client, one, name, *more, **data):
    response = client.post(step(one, name, *more), data)
    assert response.status_code == 302, response.context["form"].errors
    return response


def test_a_project_from_plan_to_done_by_forms_alone(worker, group):
    one = decided(author=group)[0]
    process = one.project.contribution.process
    client, _user = at_work(process.unit)
    today = clock.today().isoformat()
    soon = (clock.today() + timedelta(days=30)).isoformat()
    post(client, one, "promises", promises="En bænk\nEt bord\n\n")
    post(client, one, "plan", carried_out_by="municipality", carrier="Park og Vej", expected_on=soon)
    post(client, one, "milestone-add", title="Jorden er købt", planned_on=soon)
    post(client, one, "publish")
    bench, table = one.promises.all()
    post(client, one, "promise-add", text="En rampe", because="Mange bad om den")
    post(client, one, "promise", bench.pk, became="delivered", on=today)
    post(client, one, "promise", table.pk, became="dropped", on=today, because="Der var ikke plads")
    post(client, one, "promise", one.promises.last().pk, became="taken_out", on=today, because="Den er der")
    milestone = one.milestones.get()
    post(client, one, "milestone-move", milestone.pk, planned_on=soon, because="Frost")
    post(client, one, "milestone-reach", milestone.pk, on=today, text="Så er den der.")
    post(client, one, "pay", kind="payment", amount="1.000,50", paid_on=today, text="Bænk")
    post(client, one, "payment-correct", Payment.objects.get().pk, text="Forkert beløb")
    post(client, one, "extra", way="more", amount="500", decided_on=today, reason="Prisen steg")
    post(client, one, "extra", way="more", amount="90", decided_on=today, reason="Tastefejl")
    post(client, one, "extra", way="less", amount="90", decided_on=today, reason="De 90 var en tastefejl")
    post(client, one, "news", title="Kom og se", text="På lørdag.")
    post(client, one, "status", status="done")
    one = Implementation.objects.get(pk=one.pk)
    assert (one.status, one.extra, one.paid, one.returned) == ("done", 500, 0, 100_500)
    listed = text_of(client.get(reverse("admin:budget-implementations", args=[process.pk])))
    assert "Something waits for you" not in listed


def test_accounts_by_forms_alone(theirs, process, group, worker):
    client, _user = worker
    other, _colleague = at_work(process.unit)
    post(
        client, theirs, "pay", kind="payment", amount="400", paid_on=clock.today().isoformat(), text="Gruppen"
    )
    entry = carrying.enter_spending(
        implementation=theirs, by=group, amount=400, spent_on=clock.today(), text="x", receipt=receipt(group)
    )
    note = carrying.report_news(
        implementation=theirs, by=group, title="Vi graver", text="x", photo=photo(group)
    )
    page = text_of(
        client.get(
            reverse("admin:budget-implementation", args=[process.pk, theirs.project.contribution.public_id])
        )
    )
    assert "The group has told something" in page
    post(client, theirs, "note", note.pk, confirm="yes")
    post(client, theirs, "entry", entry.pk, confirm="yes", receipt_public="on")
    client.post(step(theirs, "accounts"), {"send": "1"})
    client.post(step(theirs, "accounts"), {"approve": "1"})
    assert Implementation.objects.get(pk=theirs.pk).accounts_approved_at is None  # the same person
    other.post(step(theirs, "accounts"), {"approve": "1"})
    assert Implementation.objects.get(pk=theirs.pk).accounts_approved_at is not None


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("promises", {"promises": "\n \n"}, "promises"),
        ("pay", {"kind": "payment", "amount": "100.001", "paid_on": "2026-01-01", "text": "x"}, "amount"),
        ("pay", {"kind": "payment", "amount": "x", "paid_on": "i går", "text": ""}, "amount"),
        ("pay", {"kind": "alt", "amount": "5", "paid_on": "2026-01-01", "text": "x"}, "kind"),
        ("status", {"status": "delayed", "why": "", "expected_on": ""}, "why"),
        ("status", {"status": "done"}, "status"),
        ("extra", {"way": "more", "amount": "5", "decided_on": "2026-01-01", "reason": " "}, "reason"),
        ("news", {"title": "", "text": ""}, "title"),
        ("promise-add", {"text": "x", "because": ""}, "because"),
        ("plan", {"carried_out_by": "alt", "carrier": ""}, "carrier"),
        ("milestone-add", {"title": "x" * 121, "planned_on": "32"}, "title"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(theirs, worker, name, data, field):
    one = (
        planned(Implementation.objects.with_project().exclude(pk=theirs.pk).get())
        if name == "promises"
        else theirs
    )
    response = worker[0].post(step(one, name), data)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    for value in data.values():
        if value.strip() and len(value) < 30 and value not in {"payment", "delayed", "done", "alt", "more"}:
            assert value in response.content.decode()


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_is_refused_to_another_unit_and_changes_nothing(theirs, name):
    client, _user = at_work(make_unit())
    before = Implementation.objects.values_list().get(pk=theirs.pk)
    more = [1] if "<int:number>" in STEPS[name][0] else []
    assert client.get(step(theirs, name, *more)).status_code == 403
    assert client.post(step(theirs, name, *more), {}).status_code == 403
    assert Implementation.objects.values_list().get(pk=theirs.pk) == before


def test_a_step_of_another_projects_row_is_not_found(theirs, worker):
    other = published(Implementation.objects.with_project().exclude(pk=theirs.pk).get())
    foreign = other.promises.get()
    assert worker[0].get(step(theirs, "promise", foreign.pk)).status_code == 404
    assert worker[0].post(step(theirs, "promise", foreign.pk), {"became": "delivered"}).status_code == 404


def test_a_colleague_cant_approve_what_they_sent(theirs, worker):
    client, _user = worker
    client.post(step(theirs, "accounts"), {"send": "1"})
    page = text_of(
        client.get(
            reverse(
                "admin:budget-implementation",
                args=[theirs.project.contribution.process_id, theirs.project.contribution.public_id],
            )
        )
    )
    assert "You sent them: a colleague must approve." in page
    assert colleague(theirs).pk
