"""One citizen budget from the first question to the last promise kept, as the people in it live it: in a browser, through
the real web server and worker, with the mail that reaches them. Nothing here calls an action."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.story.conftest import House
from tests.story.people import Visitor, sign_in_citizen, sign_in_staff, through_mitid

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KAREN, MADS = "karen@lunde.example", "mads@lunde.example"
SET_UP_DAY = "2027-01-11T10:00:00+01:00"
IDEAS = ("2027-02-01", "2027-02-28")
ASSESSMENT = ("2027-03-01", "2027-03-14")
VOTE = ("2027-03-15", "2027-03-28")  # the clocks go forward on the last night
QUESTION = "Hvad skal pengene i Søby gå til?"
ANSWERS = {
    "question": QUESTION,
    "introduction": "Søby har 100.000 kr. til jeres egne idéer.",
    "who_decides": "Byrådet",
    "promise": "De projekter, der får flest stemmer, får pengene.",
    "politicians_role": "De har sat rammen og siger ja til sidst.",
    "who_answers": "Kirsten Vang",
    "willing_to_try": "Vi lader jer selv bygge det.",
    "carried_into_decision": "Resultatet ligger ved sagen i byrådet.",
    "planned_dialogues": "1",
    "staff_hours": "60",
    "frame_adopted_on": "2026-12-15",
    "preparation": "Kom til møde i forsamlingshuset.",
    "detail-max_cost": "60.000",
}
# What is left out at first, one thing for each principle: what it says, and how it is mended where its link leads.
STOPS = (
    (
        "Tydelige rammer",
        "Skriv mindst én ting, folk kan få indflydelse på.",
        "rows-open_points",
        {"open_points-0-text": "Hvad pengene skal bruges til"},
    ),
    (
        "Vi lytter",
        "Skriv, hvornår folk senest får svar.",
        "id_answers_due_on",
        {"answers_due_on": "2027-04-20"},
    ),
    (
        "Tidligt og relevant",
        "Skriv, hvornår der bliver besluttet",
        "id_decision_on",
        {"decision_on": "2027-04-27"},
    ),
    (
        "Passende tid",
        "Skriv, hvornår det åbner og lukker.",
        "rows-phases",
        {
            f"phases-{place}-{end}_day": day
            for place, days in enumerate((IDEAS, ASSESSMENT, VOTE))
            for end, day in zip(("first", "last"), days, strict=True)
        },
    ),
    ("Bredt og relevant", "Vælg de distrikter, det berører.", "id_touched_districts_0", {}),
)
# The manager may let this pass, with a public reason. Bo would rather have it mended.
SETTLED = {"fixed_points-0-text": "Beløbet", "fixed_points-0-reason": "Byrådet har afsat det i budgettet."}
NOT_SETTLED = "Skriv, hvad der ligger fast og hvorfor: lov, penge eller en tidligere beslutning."


def begin_draft(kirsten: Visitor) -> str:
    """From the start page to the set-up form; returns the address of the process' staff pages."""
    kirsten.goto("/admin/").look("start")
    kirsten.goto("/admin/forloeb/nyt/").look("vælg format")
    kirsten.goto("/admin/forloeb/nyt/citizen_budget/").look("begynd")
    kirsten.fill(title="Søbyens penge", **{"detail-total": "100.000"})
    kirsten.tick("touches", "district").tick("conflict", "no").tick("reversible", "yes")
    kirsten.page.locator("main form button[type=submit]").first.click()
    kirsten.look("er vi klar")
    for question in (
        "will_listen",
        "timing_is_right",
        "there_is_time",
        "frame_is_clear",
        "willing_to_try_new",
    ):
        kirsten.tick(question, "yes")
    kirsten.tick("size", "ordinary")
    kirsten.page.locator("main form button[type=submit]").last.click()
    kirsten.page.wait_for_url("**/opsaetning/")
    return kirsten.path.removesuffix("opsaetning/")


def save(kirsten: Visitor) -> None:
    kirsten.page.locator(".setup-save button").first.click()
    kirsten.page.wait_for_load_state()
    expect(kirsten.page.locator(".error-summary")).to_have_count(0)


def write(visitor: Visitor, answers: dict[str, str]) -> None:
    for name, value in answers.items():
        if visitor.page.locator(f"select#id_{name}").count():
            visitor.page.locator(f"#id_{name}").select_option(value)
        else:
            visitor.fill(**{name: value})


def fill_in_all_but_one_of_each(kirsten: Visitor) -> None:
    write(kirsten, ANSWERS)
    kirsten.tick("ladder_step", "codecision").tick("decision_stage", "idea")
    write(kirsten, {"councils_heard-0-council": "Handicaprådet", "councils_heard-0-asked_on": "2027-01-05"})
    kirsten.tick("detail-vote-residence", "municipality").tick("detail-ballot_type", "approval")
    save(kirsten)


def is_stopped_by_each_principle_in_turn(kirsten: Visitor, base: str) -> None:
    for principle, reason, place, mending in STOPS:
        kirsten.goto(f"{base}skridt/submit/")
        if principle == STOPS[0][0]:
            kirsten.look("stoppet")
        expect(kirsten.page.locator("main form button[type=submit]")).to_have_count(0)
        expect(kirsten.page.locator(".alert")).to_contain_text(reason)
        group = kirsten.page.locator("details", has=kirsten.page.get_by_text(principle, exact=True))
        if group.get_attribute("open") is None:
            group.locator("summary").click()
        group.get_by_role("link", name=re.compile(re.escape(reason))).click()
        kirsten.page.wait_for_url(f"**/opsaetning/#{place}")
        expect(kirsten.page.locator(f"#{place}")).to_be_in_viewport()
        write(kirsten, mending)
        if principle == "Bredt og relevant":
            kirsten.page.get_by_role("group", name="Hvilke distrikter?").first.get_by_label("Søby").check(
                force=True
            )
        save(kirsten)
        kirsten.goto(f"{base}skridt/submit/").not_sees(reason)


def approved_after_being_sent_back(kirsten: Visitor, bo: Visitor, base: str) -> None:
    """What a judgement may let pass, a manager may; Bo doesn't, and can't approve it as it is."""
    kirsten.sees(NOT_SETTLED).fill(comment="Så er den klar.").press("Send til godkendelse")
    kirsten.page.wait_for_url(f"**{base}")
    kirsten.look("sendt til godkendelse")
    bo.goto("/admin/").look("start").sees("Søbyens penge")
    bo.goto(f"{base}skridt/approve/").look("kan ikke godkendes")
    expect(bo.page.locator("main form button[type=submit]")).to_have_count(0)
    expect(bo.page.locator(".alert")).to_contain_text(NOT_SETTLED)
    bo.goto(base).look("til godkendelse").press("Send tilbage til kladde")
    bo.look("send tilbage")
    bo.page.locator("main form button[type=submit]").first.click()
    bo.look("send tilbage uden kommentar")
    expect(bo.page.locator(".error-summary")).to_be_visible()
    bo.fill(comment="Skriv, hvad der ligger fast. Så bliver ingen skuffet.")
    bo.page.locator("main form button[type=submit]").first.click()
    bo.page.wait_for_url(f"**{base}")
    kirsten.goto(base).sees("Skriv, hvad der ligger fast. Så bliver ingen skuffet.").look("sendt tilbage")
    kirsten.page.get_by_role("link", name=re.compile(re.escape(NOT_SETTLED))).first.click()
    kirsten.page.wait_for_url("**/opsaetning/#rows-fixed_points")
    write(kirsten, SETTLED)
    save(kirsten)
    kirsten.look("opsætning fyldt")
    kirsten.goto(f"{base}vis/").look("forhåndsvisning").sees(QUESTION)
    kirsten.goto(f"{base}skridt/submit/").look("klar til godkendelse")
    kirsten.page.locator("main form button[type=submit]").first.click()
    kirsten.page.wait_for_url(f"**{base}")
    bo.goto(f"{base}skridt/approve/").look("godkend")
    bo.page.locator("main form button[type=submit]").first.click()
    bo.page.wait_for_url(f"**{base}")
    bo.look("godkendt")


def gets_mail(visitor: Visitor, house: House, address: str) -> None:
    """An address of one's own, confirmed by the link that was mailed to it."""
    visitor.goto("/konto/e-mail/").look("e-mail")
    visitor.fill(email=address)
    visitor.page.locator("main form button[type=submit], main form button[name=action_add]").first.click()
    mail = house.mail(address, "")
    link = re.search(r"https?://\S+/konto/e-mail/\S+/", mail.body("plain"))
    assert link, mail.body("plain")
    visitor.goto(link[0]).look("bekræft e-mail")
    visitor.page.locator("main form button").first.click()


def mads_writes_before_he_signs_in(mads: Visitor, process: str) -> None:
    mads.goto(process).look("forløb åbent")
    mads.goto(f"{process}kan-jeg-vaere-med/").look("kan jeg være med")
    mads.goto(f"{process}bidrag/nyt/").look("foreslå")
    mads.page.locator("button[name=go_on]").click()
    mads.look("foreslå tom")
    expect(mads.page.locator(".error-summary")).to_be_visible()
    propose(mads, "Bænke langs søen", "Der er langt mellem bænkene, og mange skal hvile undervejs.", "50.000")
    mads.look("gennemse før MitID").press("Log ind med MitID")
    through_mitid(mads)
    mads.sees("Bænke langs søen").look("gennemse efter MitID").press("Send")
    mads.page.wait_for_url("**/kvittering/")
    mads.look("kvittering")
    mads.page.locator("#follow").check(force=True)
    mads.press("Gem")


def propose(visitor: Visitor, title: str, body: str, price: str) -> None:
    visitor.fill(title=title, body=body, why="Så kan flere være med.")
    visitor.page.locator("[name=cost_lines_text]").first.fill("Materialer")
    visitor.page.locator("[name=cost_lines_amount]").first.fill(price)
    visitor.page.locator("button[name=go_on]").click()
    visitor.page.wait_for_url("**/gennemse/**")


def ole_proposes_without_script(ole: Visitor, process: str) -> None:
    sign_in_citizen(ole, f"{process}foelg/")
    ole.goto(f"{process}bidrag/nyt/")
    propose(ole, "En køkkenhave ved skolen", "Vi vil dyrke grøntsager sammen.", "55.000")
    ole.look("gennemse").press("Send")
    ole.page.wait_for_url("**/kvittering/")
    ole.sees("En køkkenhave ved skolen").look("kvittering")


def kirsten_records(kirsten: Visitor, base: str, title: str, channel: str, contact: str) -> None:
    kirsten.goto(f"{base}bidrag/for-andre/")
    kirsten.tick("channel", channel)
    kirsten.fill(received_on="2027-02-09", author_name="Inger Holm", author_contact=contact, title=title)
    kirsten.fill(body="Det er mørkt om vinteren, og børnene cykler her.", **{"detail-cost": "50.000"})
    kirsten.look(f"for andre {channel}")
    kirsten.page.locator("main form button[type=submit]").first.click()
    expect(kirsten.page.locator(".error-summary")).to_have_count(0)


def assess(kirsten: Visitor, base: str, title: str, assessment: str, price: str, explanation: str) -> None:
    kirsten.goto(f"{base}projekter/").page.get_by_role("link", name=title).click()
    kirsten.page.locator(f"input[name=assessment][value={assessment}]").check(force=True)
    kirsten.fill(price=price, explanation=explanation)
    kirsten.page.locator("main form button[type=submit]").first.click()


def test_from_the_first_question_to_the_last_promise_kept(house: House) -> None:
    house.at(SET_UP_DAY)
    kirsten, bo = sign_in_staff(house.visitor("Kirsten")), sign_in_staff(house.visitor("Bo"))
    base = begin_draft(kirsten)
    fill_in_all_but_one_of_each(kirsten)
    is_stopped_by_each_principle_in_turn(kirsten, base)
    approved_after_being_sent_back(kirsten, bo, base)
    guest = house.visitor("Gæst")
    guest.goto("/").look("forside før")
    guest.goto("/forloeb/").page.get_by_role(
        "link", name=re.compile("Søbyens penge|" + QUESTION)
    ).first.click()
    guest.look("forløb før åbning")
    process = guest.path
    karen = sign_in_citizen(house.visitor("Karen"), f"{process}foelg/")
    gets_mail(karen, house, KAREN)
    karen.goto(f"{process}foelg/").look("følg").press("Følg")

    house.at("2027-02-08T12:00:00+01:00")
    guest.goto("/").look("forside åben").sees(QUESTION)
    mads = house.visitor("Mads")
    mads_writes_before_he_signs_in(mads, process)
    gets_mail(mads, house, MADS)
    ole = house.visitor("Ole", java_script_enabled=False)
    ole_proposes_without_script(ole, process)
    house.at("2027-02-10T12:00:00+01:00")
    kirsten_records(kirsten, base, "Lys på stien til stationen", "library", "12 34 56 78")
    kirsten_records(kirsten, base, "Fyrværkeri hver aften", "letter", "Søvej 3")
    guest.goto(f"{process}bidrag/").look("bidrag").sees("Bænke langs søen", "Lys på stien til stationen")
    guest.page.get_by_role("link", name="Bænke langs søen").first.click()
    guest.look("bidrag ét").sees("Mads").not_sees("Holm")

    house.at("2027-03-02T09:00:00+01:00")
    kirsten.goto("/admin/").look("start vurdering")
    kirsten.goto(f"{base}projekter/").look("vurdering")
    kirsten.page.get_by_role("link", name="Fyrværkeri").click()
    kirsten.look("vurder").tick("assessment", "not_feasible")
    kirsten.page.locator("main form button[type=submit]").first.click()
    kirsten.look("vurder uden forklaring")
    expect(kirsten.page.locator(".error-summary")).to_be_visible()
    assess(kirsten, base, "Fyrværkeri", "not_feasible", "", "Det forstyrrer fuglene, og loven siger nej.")
    assess(kirsten, base, "Bænke", "feasible", "50.000", "Vi sætter fem bænke op.")
    assess(kirsten, base, "Lys på stien", "feasible", "50.000", "Der kommer lave lamper.")
    assess(
        kirsten,
        base,
        "køkkenhave",
        "not_feasible",
        "",
        "Ved skolen er jorden forurenet. Ved søen kan det lade sig gøre.",
    )
    house.clock_strikes()

    ole.goto("/min-side/").sees("En køkkenhave ved skolen").look("min side").page.get_by_role(
        "link", name=re.compile("En køkkenhave ved skolen")
    ).first.click()
    ole.look("mit projekt").sees("Ved skolen er jorden forurenet.")
    ole.page.locator("a[href$='/ret-til/']").first.click()
    ole.look("ret til")
    ole.fill(title="En køkkenhave ved søen", body="Vi vil dyrke grøntsager sammen ved søen.")
    ole.page.locator("[name=cost_lines_amount]").first.fill("50.000")
    ole.page.locator("main form button[type=submit], main form button.button-primary").last.click()
    ole.sees("En køkkenhave ved søen").look("rettet til")
    kirsten.goto(f"{base}projekter/").look("vurderet")
    assess(kirsten, base, "køkkenhave", "feasible", "50.000", "Ved søen går det fint.")

    house.at("2027-03-16T09:00:00+01:00")
    guest.goto("/").look("forside afstemning")
    guest.goto(process).look("forløb afstemning")
    guest.goto(f"{budget(process)}projekter/").look("projekter")
    guest.goto(f"{budget(process)}kan-jeg-stemme/").look("kan jeg stemme")
    guest.goto(f"{budget(process)}stem/").look("stem uden login")
    mads.goto(f"{budget(process)}stem/").look("stem")
    mads.page.get_by_label("Bænke langs søen").check(force=True)
    mads.page.get_by_label("En køkkenhave ved søen").check(force=True)
    mads.look("stem valgt")


def budget(process: str) -> str:
    return process.replace("/forloeb/", "/borgerbudget/")
