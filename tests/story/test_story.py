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
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
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
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").last.click()
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
        expect(kirsten.page.locator("main form button[type=submit]:not(.sr-only)")).to_have_count(0)
        expect(kirsten.page.locator(".alert")).to_contain_text(reason)
        group = kirsten.page.locator("details", has=kirsten.page.get_by_text(principle, exact=True))
        if group.get_attribute("open") is None:
            group.locator("summary").click()
        group.get_by_role("link", name=re.compile(re.escape(reason))).click()
        kirsten.page.wait_for_url(f"**/opsaetning/#{place}")
        expect(kirsten.page.locator(f"#{place}")).to_be_in_viewport()
        write(kirsten, mending)
        if principle == "Bredt og relevant":
            kirsten.check(
                kirsten.page.get_by_role("group", name="Hvilke distrikter?").first.get_by_label("Søby")
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
    expect(bo.page.locator("main form button[type=submit]:not(.sr-only)")).to_have_count(0)
    expect(bo.page.locator(".alert")).to_contain_text(NOT_SETTLED)
    bo.goto(base).look("til godkendelse").press("Send tilbage til kladde")
    bo.look("send tilbage")
    bo.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    bo.look("send tilbage uden kommentar")
    expect(bo.page.locator(".error-summary")).to_be_visible()
    bo.fill(comment="Skriv, hvad der ligger fast. Så bliver ingen skuffet.")
    bo.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    bo.page.wait_for_url(f"**{base}")
    kirsten.goto(base).sees("Skriv, hvad der ligger fast. Så bliver ingen skuffet.").look("sendt tilbage")
    kirsten.page.get_by_role("link", name=re.compile(re.escape(NOT_SETTLED))).first.click()
    kirsten.page.wait_for_url("**/opsaetning/#rows-fixed_points")
    write(kirsten, SETTLED)
    save(kirsten)
    kirsten.look("opsætning fyldt")
    kirsten.goto(f"{base}vis/").look("forhåndsvisning").sees(QUESTION)
    kirsten.goto(f"{base}skridt/submit/").look("klar til godkendelse")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url(f"**{base}")
    bo.goto(f"{base}skridt/approve/").look("godkend")
    bo.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    bo.page.wait_for_url(f"**{base}")
    bo.look("godkendt")


def gets_mail(visitor: Visitor, house: House, address: str) -> None:
    """An address of one's own, confirmed by the link that was mailed to it."""
    visitor.goto("/konto/e-mail/").look("e-mail")
    visitor.fill(email=address)
    visitor.page.locator("main form button[name=action_add]").first.click()
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
    mads.check(mads.page.locator("#follow"))
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
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    expect(kirsten.page.locator(".error-summary")).to_have_count(0)


def assess(kirsten: Visitor, base: str, title: str, assessment: str, price: str, explanation: str) -> None:
    kirsten.goto(f"{base}projekter/").page.get_by_role("link", name=title).click()
    kirsten.check(kirsten.page.locator("input[name=municipal_matter][value=yes]"))
    kirsten.check(kirsten.page.locator(f"input[name=assessment][value={assessment}]"))
    kirsten.fill(price=price, explanation=explanation)
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()


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
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
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
    ole.page.locator(
        "main form button[type=submit]:not(.sr-only), main form button.button-primary"
    ).last.click()
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
    mads.check(mads.page.get_by_label("Bænke langs søen"))
    mads.check(mads.page.get_by_label("En køkkenhave ved søen"))
    mads.look("stem valgt")
    expect(mads.page.locator("[data-chosen]")).to_have_text("2")
    mads.page.locator(".vote-bar button").click()
    mads.sees("100.000").look("gennemse stemme")
    mads.page.locator("button[name=step][value=cast]").click()
    mads.look("stemmekvittering")
    code = mads.page.locator(".tracker-code").inner_text()
    assert re.fullmatch(r"[A-Z0-9]{4}(-[A-Z0-9]{4}){2}", code)
    mads.goto(f"{budget(process)}stem/").sees("Du har stemt").look("har stemt")
    votes_without_script(ole, process, "Bænke langs søen", "Lys på stien til stationen")
    votes_by_keyboard_alone(house.visitor("Aisha"), process, "Bænke langs søen")
    villads = sign_in_citizen(house.visitor("Villads"), f"{process}foelg/")
    villads.goto(f"{budget(process)}stem/").look("for ung")
    villads.sees("Du kan ikke stemme her", "15 år")
    expect(villads.page.locator("[name=choice]")).to_have_count(0)

    house.at("2027-03-29T00:10:00+02:00")
    guest.goto(f"{budget(process)}resultat/").look("resultat før optælling")
    mads.goto(f"{budget(process)}stem/").look("stem lukket")
    house.at("2027-03-29T10:00:00+02:00")
    kirsten.goto("/admin/").look("start lukket")
    kirsten.goto(f"{base}afstemning/").sees("Forseglet", "3").look("forseglet")
    kirsten.press("Tæl stemmerne").look("optæl")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.look("stemmelighed").press("Skriv lodtrækningen ind").look("lod")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.look("lod tom")
    expect(kirsten.page.locator(".error-summary")).to_be_visible()
    for place, title in ((1, "Lys på stien"), (2, "køkkenhave")):
        option = kirsten.page.locator(f"#id_place_{place} option", has_text=title).get_attribute("value")
        kirsten.page.locator(f"#id_place_{place}").select_option(option)
    kirsten.fill(drawn_on="2027-03-29", drawn_hour="09:55", how="Sedler i en pose", witnesses="Bo og Inger")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url("**/afstemning/")
    kirsten.look("optalt")
    house.clock_strikes()
    guest.goto(f"{budget(process)}resultat/").look("resultat")
    guest.sees("Bænke langs søen", "Lys på stien til stationen", "Sedler i en pose")
    guest.goto(f"{budget(process)}kontrolkode/").fill(code=code)
    guest.page.locator("main form button").first.click()
    guest.look("kontrolkode")
    guest.goto(process).look("forløb optalt")

    house.at("2027-04-19T10:00:00+02:00")
    kirsten.goto("/admin/").look("start svar")
    answer(
        kirsten, base, ("Bænke", "Lys på stien"), "adopted", "Det bliver til noget: arbejdet begynder i maj."
    )
    answer(kirsten, base, ("køkkenhave",), "partly", "Den vandt ikke lodtrækningen, men I kan låne jorden.")
    answer(kirsten, base, ("Fyrværkeri",), "not_adopted", "Det forstyrrer fuglene, og loven siger nej.")
    house.all_sent()
    told = house.mail(MADS, "Du har fået svar på dit bidrag")
    assert "arbejdet begynder i maj" in told.body("plain")
    assert "arbejdet begynder i maj" in told.body("html")
    assert re.fullmatch(rf"<{house.url}/beskeder/afmeld/\S+/>", told.header("List-Unsubscribe").strip())
    assert told.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    link = re.search(rf"{house.url}/forloeb/\S+", told.body("plain"))
    assert link, told.body("plain")
    mads.goto(link[0]).sees("Det bliver til noget").look("svaret")
    assert not house.mails(KAREN, "svar på dit bidrag")

    house.at("2027-04-28T10:00:00+02:00")
    kirsten.goto(f"{base}byraadet/").look("byrådet")
    numbers = {
        title: kirsten.page.locator("fieldset", has=kirsten.page.locator("legend", has_text=title))
        for title in ("Lys på stien", "køkkenhave")
    }
    kirsten.check(numbers["Lys på stien"].locator("input[type=checkbox]"), on=False)
    kirsten.check(numbers["køkkenhave"].locator("input[type=checkbox]"))
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.look("byrådet uden begrundelse")
    expect(kirsten.page.locator(".error-summary")).to_be_visible()
    numbers["Lys på stien"].locator("textarea").fill("Stien får lys, når vejen alligevel graves op i 2028.")
    numbers["køkkenhave"].locator("textarea").fill("Pengene til lyset går til køkkenhaven.")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url("**/afstemning/")
    kirsten.goto(f"{base}resultat/").look("beslutning og resultat")
    kirsten.goto(f"{base}resultat/beslutning/").look("beslutning")
    kirsten.fill(
        text="Byrådet giver penge til bænkene og køkkenhaven.",
        differs_because="Stien får lys, når vejen alligevel graves op i 2028.",
    )
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url("**/resultat/")
    kirsten.goto(f"{base}skridt/decide/").look("besluttet")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url(f"**{base}")
    kirsten.goto(f"{base}skridt/conclude/").look("kan ikke afsluttes")
    expect(kirsten.page.locator("main form button[type=submit]:not(.sr-only)")).to_have_count(0)
    kirsten.goto(f"{base}resultat/aftryk/").look("aftryk")
    kirsten.fill(text="Der kommer fem bænke langs søen.")
    kirsten.check(kirsten.page.get_by_label("Bænke langs søen"))
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url("**/resultat/")
    kirsten.goto(f"{base}resultat/fortalt/")
    kirsten.fill(how="Lunde Avis", on="2027-04-28").look("fortalt udenfor")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url("**/resultat/")
    # Ole has no e-mail and hasn't been on My page: he gets a letter.
    for title, how in (("Lys på stien", "Ringede til Inger"), ("Fyrværkeri", "Brev"), ("køkkenhave", "Brev")):
        kirsten.goto(f"{base}bidrag/").page.get_by_role("link", name=re.compile(title)).first.click()
        kirsten.fill(**{"told-how": how}).press("Notér det")
    kirsten.look("bidrag fortalt")
    house.all_sent()
    kirsten.goto(f"{base}skridt/conclude/").look("afslut")
    decided = house.mail(KAREN, "Der er truffet en beslutning")
    assert "Stien får lys, når vejen" in decided.body("plain")
    house.mail(KAREN, "Det ændrede jeres bidrag")
    stop = decided.header("List-Unsubscribe").strip(" <>")
    assert karen.page.request.post(stop, form={"List-Unsubscribe": "One-Click"}).ok
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url(f"**{base}")
    kirsten.look("afsluttet")
    house.all_sent()
    house.mail(MADS, "er afsluttet")
    assert not house.mails(KAREN, "er afsluttet")
    for address in (KAREN, MADS):
        subjects = house.subjects(address)
        assert len(subjects) == len(set(subjects)), subjects
    guest.goto(process).look("forløb afsluttet").sees(
        "Der kommer fem bænke langs søen.", "Stien får lys, når vejen alligevel graves op i 2028."
    )
    guest.goto(f"{budget(process)}resultat/").look("resultat besluttet")
    guest.goto("/resultater/").look("resultater")
    guest.goto("/").look("forside efter")
    mads.goto("/min-side/").look("min side").sees("Bænke langs søen")


def budget(process: str) -> str:
    return process.replace("/forloeb/", "/borgerbudget/")


def votes_without_script(visitor: Visitor, process: str, *titles: str) -> None:
    visitor.goto(f"{budget(process)}stem/")
    for title in titles:
        visitor.check(visitor.page.get_by_label(title))
    visitor.look("stem")
    visitor.page.locator(".vote-bar button").click()
    visitor.sees("100.000").look("gennemse stemme")
    visitor.check(visitor.page.locator("#code-no"))
    visitor.page.locator("button[name=step][value=cast]").click()
    expect(visitor.page.locator("h1")).to_have_text("Tak. Din stemme er afgivet.")
    visitor.look("stemmekvittering")


def votes_by_keyboard_alone(visitor: Visitor, process: str, title: str) -> None:
    """From the page of the process to the receipt without a mouse."""
    page = visitor.goto(process).page
    visitor.with_keys(f"main a[href*='{budget(process)}stem/']", "Enter")
    page.wait_for_url("**/stem/")
    visitor.with_keys("main a[href*='/konto/mitid/']", "Enter")
    page.wait_for_url("**/konto/log-ind/**")
    visitor.with_keys("main form[action$='/konto/mitid/'] button", "Enter")
    page.wait_for_url(re.compile("/oauth2/authorize"))
    visitor.with_keys(f"button[value^='{visitor.name.lower()}-']", "Enter")
    page.wait_for_url("**/stem/")
    choice = page.get_by_label(title).get_attribute("id")
    visitor.with_keys(f"#{choice}", "Space")
    expect(page.locator("[data-chosen]")).to_have_text("1")
    visitor.look("stem med tastatur")
    visitor.with_keys(".vote-bar button", "Enter")
    page.wait_for_selector("button[value=cast]")
    visitor.with_keys("button[value=cast]", "Enter")
    expect(page.locator("h1")).to_have_text("Tak. Din stemme er afgivet.")


def answer(kirsten: Visitor, base: str, titles: tuple[str, ...], outcome: str, text: str) -> None:
    kirsten.goto(f"{base}bidrag/?state=unanswered")
    for title in titles:
        kirsten.check(kirsten.page.get_by_label(re.compile(title)))
    if len(titles) > 1:
        kirsten.look("bidrag at svare på")
    kirsten.page.locator("button[formaction*='/svar/']").click()
    kirsten.page.wait_for_url("**/svar/**")
    kirsten.tick("outcome", outcome).fill(answer=text)
    if len(titles) > 1:
        kirsten.look("svar")
    kirsten.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    kirsten.page.wait_for_url(re.compile(r"/bidrag/(\?.*)?$"))
