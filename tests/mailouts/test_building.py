"""Who is on the list: everybody who should be, once each, the way that reaches them, and nobody else."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.models import Organisation, Resident
from audit import clock
from mailouts import actions, sources
from mailouts.channels import Reach, choose, next_way
from mailouts.choices import Policy, Stage, State
from mailouts.models import Campaign, DisabledAddress, Source
from tests.accounts.factories import (
    make_citizen,
    make_district,
    make_extract,
    make_organisation_user,
    make_resident,
)
from tests.mailouts.factories import Gateway, make_campaign

DAY = date(2026, 6, 15)


def built(campaign: Campaign | None = None, **fields: Any) -> Campaign:
    return actions.build_list(campaign=campaign or make_campaign(**fields))


def people(campaign: Campaign) -> set[Any]:
    return set(campaign.deliveries.values_list("person", flat=True))


def listed(campaign: Campaign, text: str) -> Campaign:
    actions.add_list(campaign=campaign, by=campaign.created_by, name="En liste", text=text)
    return campaign


def account(
    email: str = "bo@example.dk", *, verified: bool = True, primary: bool = True, **fields: Any
) -> Any:
    user = make_citizen(**fields)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=primary)
    return user


# The way

# digital, address, email, number → automatic, digital, paper, email, nemsms
CHOSEN = """
.  .  .  .   -        -        -      -      -
D  .  .  .   digital  digital  -      -      -
.  A  .  .   paper    -        paper  -      -
.  .  E  .   email    -        -      email  -
.  .  .  N   -        -        -      -      nemsms
D  A  .  .   digital  digital  paper  -      -
D  .  E  .   digital  digital  -      email  -
D  .  .  N   digital  digital  -      -      nemsms
.  A  E  .   paper    -        paper  email  -
.  A  .  N   paper    -        paper  -      nemsms
.  .  E  N   email    -        -      email  nemsms
D  A  E  .   digital  digital  paper  email  -
D  A  .  N   digital  digital  paper  -      nemsms
D  .  E  N   digital  digital  -      email  nemsms
.  A  E  N   paper    -        paper  email  nemsms
D  A  E  N   digital  digital  paper  email  nemsms
"""
POLICIES = (Policy.AUTOMATIC, Policy.DIGITAL, Policy.PAPER, Policy.EMAIL, Policy.NEMSMS)


@pytest.mark.parametrize("line", CHOSEN.strip().splitlines())
def test_the_way_is_the_table_s(line: str) -> None:
    cells = line.split()
    reach = Reach(*(cell != "." for cell in cells[:4]))
    assert [choose(policy, reach) or "-" for policy in POLICIES] == cells[4:]
    assert set(POLICIES) == set(Policy)


ALL = Reach(digital=True, address=True, email=True, number=True)


@pytest.mark.parametrize(
    ("tried", "reach", "then"),
    [
        ({"digital"}, ALL, "paper"),
        ({"digital", "paper"}, ALL, "email"),
        ({"digital", "paper", "email"}, ALL, None),
        ({"paper"}, ALL, "digital"),
        ({"digital"}, Reach(email=True), "email"),
        ({"digital"}, Reach(), None),
    ],
)
def test_the_next_way(tried: set[str], reach: Reach, then: str | None) -> None:
    assert next_way(Policy.AUTOMATIC, tried, reach) == then
    for policy in set(Policy) - {Policy.AUTOMATIC}:
        assert next_way(policy, tried, reach) is None


# The register


@pytest.mark.django_db
class TestRegister:
    @pytest.mark.parametrize(
        ("born", "today", "age_from", "age_to", "gets_it"),
        [
            (date(2011, 6, 15), DAY, 15, None, True),  # fifteen today
            (date(2011, 6, 16), DAY, 15, None, False),
            (date(2008, 6, 15), DAY, 18, 24, True),
            (date(2001, 6, 16), DAY, 18, 24, True),  # 25 tomorrow
            (date(2001, 6, 15), DAY, 18, 24, False),  # 25 today
            (date(2008, 2, 29), date(2026, 2, 28), 18, None, False),  # born on a leap day
            (date(2008, 2, 29), date(2026, 3, 1), 18, None, True),
            (date(2001, 2, 28), date(2026, 2, 28), 18, 24, False),
            (date(2001, 3, 1), date(2026, 2, 28), 18, 24, True),
            (date(2010, 2, 28), date(2028, 2, 29), 18, None, True),
            (date(2010, 3, 1), date(2028, 2, 29), 18, None, False),
            (date(1906, 6, 15), DAY, 15, 120, True),
            (date(2013, 1, 1), DAY, None, None, False),  # never below fifteen
        ],
    )
    def test_age_on_the_day(
        self, born: date, today: date, age_from: int | None, age_to: int | None, gets_it: bool
    ) -> None:
        with clock.frozen(datetime(today.year, today.month, today.day, 12, tzinfo=UTC)):
            make_resident(birth_date=born)
            params = {"age_from": age_from, "age_to": age_to}
            campaign = built(make_campaign(source=params))
        assert campaign.deliveries.count() == gets_it

    def test_age_agrees_with_eligibility(self) -> None:
        from accounts.eligibility import age_on

        for today in (date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 29)):
            for offset in range(-3, 4):
                born = date(2008, 2, 28) + timedelta(days=offset)
                assert (born <= sources.born_by(today, 18)) == (age_on(born, today) >= 18), (today, born)

    def test_districts_and_sex(self) -> None:
        north, south = make_district(), make_district()
        poll = make_district(kind="polling")
        in_school = make_resident(school_district=north)
        in_poll = make_resident(school_district=south, polling_district=poll)
        man = make_resident(school_district=south, sex="M")
        both = built(make_campaign(source={"districts": [north.pk, poll.pk]}))
        assert people(both) == {in_school.person_id, in_poll.person_id}
        men = built(make_campaign(source={"sex": "M"}))
        assert people(men) == {man.person_id}

    @pytest.mark.parametrize(
        "fields", [{"status": "80"}, {"status": "90"}, {"status": "70"}, {"municipality_code": "0101"}]
    )
    def test_the_dead_and_those_who_moved_get_nothing(self, fields: dict[str, Any]) -> None:
        make_resident(**fields)
        here = make_resident()
        assert people(built()) == {here.person_id}
        assert sources.residents({}).get() == here, "and they take nobody's place in a draw"

    @pytest.mark.parametrize("status", ["80", "90"])
    def test_nor_when_something_else_names_them(self, status: str) -> None:
        gone = make_resident(status=status)
        user = account(person=gone.person)
        text = f"cpr;email\n{gone.cpr};\n;{user.emailaddress_set.get().email}"
        campaign = built(listed(make_campaign(kind="list"), text))
        assert campaign.list_numbers["letters"] == 0
        assert campaign.list_numbers["left_out"].get("gone", 0) >= 1

    def test_only_the_newest_extract_counts(self) -> None:
        old = make_extract(drawn_on=clock.today() - timedelta(days=40))
        moved = make_resident(extract=old)
        make_extract()
        stays = make_resident()
        campaign = built()
        assert people(campaign) == {stays.person_id}
        assert moved.person_id not in people(campaign)

    def test_no_register_is_said(self) -> None:
        campaign = built()
        assert campaign.list_built_at is None
        assert campaign.list_error
        assert campaign.list_asked_at is None

    def test_numbers(self) -> None:
        make_resident(protected=True)
        make_resident(digital_post=False)
        make_citizen(person=make_resident().person, language="en")
        assert built().list_numbers == {
            "letters": 3,
            "channels": {"digital": 2, "paper": 1},
            "left_out": {},
            "protected": 1,
            "earlier": 0,
            "english": 1,
        }

    def test_built_anew_it_is_the_same_list(self) -> None:
        for _number in range(4):
            make_resident()
        campaign = built()
        first = people(campaign)
        assert people(built(campaign)) == first
        assert campaign.deliveries.count() == 4


# Households


@pytest.mark.django_db
class TestHouseholds:
    def family(self) -> tuple[Resident, Resident]:
        old = make_resident(household="hus", birth_date=date(1950, 1, 1))
        young = make_resident(household="hus", birth_date=date(2005, 1, 1))
        return old, young

    def test_the_oldest_gets_the_one_letter(self) -> None:
        old, _young = self.family()
        alone = make_resident(household="")
        alone_too = make_resident(household="")
        campaign = built(per_household=True)
        assert people(campaign) == {old.person_id, alone.person_id, alone_too.person_id}
        assert campaign.list_numbers["left_out"] == {"household": 1}

    def test_whichever_source_comes_first(self) -> None:
        old, young = self.family()
        first = {"age_to": 30}
        campaign = make_campaign(source=first, per_household=True)
        assert people(built(campaign)) == {young.person_id}, "of those chosen"
        actions.add_source(campaign=campaign, by=campaign.created_by, kind="register", params={})
        campaign = built(campaign)
        assert people(campaign) == {old.person_id}
        assert campaign.list_numbers["letters"] == 1
        assert campaign.list_numbers["channels"] == {"digital": 1}

    def test_and_however_large_the_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from mailouts import building

        old, _young = self.family()
        monkeypatch.setattr(building, "BATCH", 1)
        lines = {"lines": ["Ny Vestergade"]}
        campaign = built(make_campaign(kind="addresses", source=lines, per_household=True))
        assert people(campaign) == {old.person_id}

    def test_each_person_where_it_is_not_chosen(self) -> None:
        self.family()
        assert built().deliveries.count() == 2


# Once


@pytest.mark.django_db
class TestOnce:
    def test_two_sources(self) -> None:
        make_resident()
        campaign = make_campaign(source={})
        actions.add_source(
            campaign=campaign, by=campaign.created_by, kind="register", params={"age_from": 20}
        )
        campaign = built(campaign)
        assert campaign.list_numbers["letters"] == 1
        assert campaign.list_numbers["left_out"] == {"overlap": 1}

    def test_a_person_and_a_line_of_a_list(self) -> None:
        resident = make_resident()
        campaign = built(listed(make_campaign(), f"cpr\n{resident.cpr}\n{resident.cpr}"))
        assert campaign.deliveries.count() == 1

    @pytest.mark.parametrize("first", ["list", "register"])
    def test_a_listed_email_that_is_the_account_s_own_is_that_person(self, first: str) -> None:
        resident = make_resident()
        account("Bo@Example.dk", person=resident.person)
        campaign = make_campaign(
            source={} if first == "register" else None, kind="register" if first == "register" else "list"
        )
        listed(campaign, "email;navn\nbo@example.DK;Bo")
        if first == "list":
            actions.add_source(campaign=campaign, by=campaign.created_by, kind="register", params={})
        campaign = built(campaign)
        delivery = campaign.deliveries.get()
        assert (delivery.person_id, delivery.channel) == (resident.person_id, "digital")

    def test_a_second_confirmed_address_of_an_account_is_the_same_account(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = account("first@example.dk")
        EmailAddress.objects.create(user=user, email="second@example.dk", verified=True, primary=False)
        monkeypatch.setattr(sources, "_kinds", dict(sources._kinds))
        sources.register(
            sources.SourceKind(
                "test", "Test", lambda params: "test", lambda source: [sources.Candidate(user_id=user.pk)]
            )
        )
        campaign = make_campaign(kind="test", source={}, policy="email")
        campaign = built(listed(campaign, "email\nsecond@example.dk\nfirst@example.dk\nfremmed@example.dk"))
        assert campaign.deliveries.count() == 2
        assert campaign.list_numbers["left_out"] == {"overlap": 2}

    def test_an_address_that_nobody_has_confirmed_is_nobody_s(self) -> None:
        resident = make_resident()
        account("bo@example.dk", person=resident.person, verified=False)
        campaign = built(listed(make_campaign(), "email\nbo@example.dk"))
        assert campaign.deliveries.count() == 2

    def test_who_has_left_the_register_is_still_written_to_where_the_list_says(self) -> None:
        from accounts import persons

        make_resident()
        account("bo@example.dk", person=persons.recognise(mitid="bo"))
        campaign = built(listed(make_campaign(kind="list"), "email\nbo@example.dk"))
        assert campaign.deliveries.get().listed is not None

    def test_the_same_business_as_organisation_account_and_line(self) -> None:
        user = make_organisation_user()
        organisation = user.organisation
        organisation.cvr = "10150817"
        organisation.save()
        campaign = make_campaign(kind="organisations", source={})
        campaign = built(listed(campaign, "cvr\n10150817"))
        assert campaign.deliveries.get().recipient_key == "c:10150817"

    def test_the_same_postal_address_written_in_two_ways(self) -> None:
        text = "navn;adresse;postnr;by\nBo Holm;Torvet 2;9999;Lunde\nBO  HOLM;Torvet 2.;9999;lunde\nBo Holm;Torvet 3;9999;Lunde"
        assert built(listed(make_campaign(kind="list"), text)).deliveries.count() == 2

    def test_an_address_that_bounces_is_no_way(self) -> None:
        DisabledAddress.objects.create(email="bo@example.dk", since=clock.now(), reason="x")
        account("Bo@example.dk", person=make_resident().person)
        campaign = built(listed(make_campaign(policy="email"), "email\nBO@example.dk\nib@example.dk"))
        assert [row.listed.email for row in campaign.deliveries.all() if row.listed] == ["ib@example.dk"]
        assert campaign.list_numbers["left_out"]["no_way"] >= 1

    def test_email_only_to_a_confirmed_address_the_primary_first(self) -> None:
        user = account("first@example.dk", person=make_resident().person)
        EmailAddress.objects.create(user=user, email="second@example.dk", verified=True, primary=False)
        account("loose@example.dk", verified=False, person=make_resident().person)
        campaign = built(policy="email")
        assert campaign.deliveries.get().user == user
        from mailouts import recipients

        assert recipients.read([campaign.deliveries.get().pk])[0].email == "first@example.dk"


# The same letter before


@pytest.mark.django_db
class TestEarlier:
    WORDS = {"subject": "Samme emne", "text": "Kære {navn}\n\nDet samme."}

    def test_who_has_had_exactly_this_letter_is_left_out_or_not(self, gateway: type[Gateway]) -> None:
        first = make_resident()
        make_campaign(stage=Stage.SENDING, **self.WORDS)
        new = make_resident()
        campaign = built(**self.WORDS)
        assert people(campaign) == {new.person_id}
        assert campaign.list_numbers["left_out"] == {"earlier": 1}
        again = built(earlier="include", **self.WORDS)
        assert people(again) == {first.person_id, new.person_id}
        assert again.list_numbers["earlier"] == 1
        other = built(**self.WORDS | {"text": "Noget andet."})
        assert other.deliveries.count() == 2

    @pytest.mark.parametrize("state", [State.CANCELLED, State.LEFT_OUT, State.FAILED])
    def test_who_never_got_it_gets_it_now(self, state: str) -> None:
        make_resident()
        campaign = make_campaign(stage=Stage.SENDING, **self.WORDS)
        campaign.deliveries.update(state=state)
        assert built(**self.WORDS).deliveries.count() == 1

    @pytest.mark.parametrize(("stage", "letters"), [(Stage.DRAFT, 1), (Stage.FROZEN, 0), (Stage.APPROVED, 0)])
    def test_what_waits_to_begin_counts_as_a_letter_and_a_draft_does_not(
        self, stage: str, letters: int
    ) -> None:
        make_resident()
        make_campaign(stage=stage, **self.WORDS)
        assert built(**self.WORDS).deliveries.count() == letters

    def test_a_household_that_had_it(self) -> None:
        make_resident(household="hus", birth_date=date(1950, 1, 1))
        make_resident(household="hus", birth_date=date(2005, 1, 1))
        make_campaign(stage=Stage.SENDING, **self.WORDS)
        assert built(per_household=True, **self.WORDS).deliveries.count() == 0

    def test_a_nemsms_is_known_by_its_text(self) -> None:
        make_resident()
        make_campaign(stage=Stage.SENDING, policy="nemsms", sms_text="Stem nu", text="", subject="")
        same = {"policy": "nemsms", "text": "", "subject": "Andet"}
        assert built(sms_text="Stem nu", **same).deliveries.count() == 0
        assert built(sms_text="Stem i morgen", **same).deliveries.count() == 1
        assert built(policy="digital", subject="", text="").deliveries.count() == 1


# By lot


@pytest.mark.django_db
class TestLot:
    def drawn(self, seed: str = "a", amount: int = 3, **more: Any) -> list[Any]:
        source = Source(kind="lot", params={"amount": amount, "seed": seed} | more)
        return [one.person_id for one in sources.get("lot").candidates(source)]

    def crowd(self, size: int) -> list[Any]:
        from accounts.models import Person

        extract = make_extract()
        persons = Person.objects.bulk_create([Person() for _ in range(size)])
        template = make_resident(extract=extract)
        rows = []
        for person in persons:
            row = Resident.objects.get(pk=template.pk) if not rows else rows[0]
            fields = {
                field.attname: getattr(row, field.attname)
                for field in Resident._meta.concrete_fields
                if field.attname not in {"id", "person_id"}
            }
            rows.append(Resident(person=person, **fields))
        template.delete()
        Resident.objects.bulk_create(rows)
        return [person.pk for person in persons]

    def test_the_seed_decides_and_anyone_can_draw_again(self) -> None:
        everyone = self.crowd(30)
        first = self.drawn("frø", 10)
        assert first == self.drawn("frø", 10)
        assert first == sorted(everyone, key=lambda pk: sources.rank("frø", pk))[:10]
        assert set(first) != set(self.drawn("et andet", 10))
        assert self.drawn("frø", 5) == first[:5]

    def test_never_more_than_asked_for_nor_than_there_are(self) -> None:
        self.crowd(8)
        assert len(self.drawn(amount=5)) == 5
        assert len(self.drawn(amount=500)) == 8
        campaign = built(make_campaign(kind="lot", source={"amount": 5, "seed": "x"}))
        assert campaign.deliveries.count() == 5

    def test_those_invited_before_stay_out(self) -> None:
        everyone = set(self.crowd(12))
        first = built(make_campaign(kind="lot", source={"amount": 5, "seed": "x"}))
        then = self.drawn("x", 100, without=[first.pk])
        assert set(then) == everyone - people(first)

    def test_everybody_is_as_likely(self) -> None:
        """400 draws of 5 among 25: each is drawn 80 times, give or take. χ² with 24 degrees of freedom is above 60 once in
        16,000 times; the seeds are the same every time."""
        pks = self.crowd(25)
        times: Counter[Any] = Counter()
        for seed in range(400):
            times.update(sorted(pks, key=lambda pk: sources.rank(f"frø {seed}", pk))[:5])
        # Persons' keys are new each time; a draw of its own for each test run stays far from the bound.
        square = sum((times[pk] - 80) ** 2 / 80 for pk in pks)
        assert square < 60
        assert set(self.drawn("frø 0", 5)) == set(sorted(pks, key=lambda pk: sources.rank("frø 0", pk))[:5])


# Businesses


@pytest.mark.django_db
def test_organisations_by_kind_industry_and_number() -> None:
    def make(cvr: str | None, **fields: Any) -> Organisation:
        return Organisation.objects.create(cvr=cvr, name=f"Nr. {cvr}", **fields)

    kinds = [kind for kind, _label in Organisation.Kind.choices]
    shop = make("10150817", kind=kinds[0], industry_code="471100")
    bakery = make("12345674", kind=kinds[0], industry_code="107120")
    club = make("29189846", kind=kinds[-1], industry_code="931200")
    make(None, kind=kinds[0], industry_code="471100")

    def found(**params: Any) -> set[int]:
        return set(built(make_campaign(kind="organisations", source=params)).deliveries.values_list("organisation", flat=True))  # fmt: skip

    assert found() == {shop.pk, bakery.pk, club.pk}
    assert found(kinds=[kinds[-1]]) == {club.pk}
    assert found(industries=["47", "9312"]) == {shop.pk, club.pk}
    assert found(kinds=[kinds[0]], industries=["93"]) == set()
    assert found(cvrs=["12345674", "99999999"]) == {bakery.pk}
    paper = built(make_campaign(kind="organisations", source={}, policy="paper"))
    assert paper.list_numbers["left_out"] == {"no_way": 3}


@pytest.mark.django_db
def test_a_list_that_can_not_be_made_says_why_and_can_be_asked_for_again() -> None:
    from mailouts.tasks import build_lists

    campaign = make_campaign(source={})
    actions.ask_for_list(campaign=campaign, by=campaign.created_by)
    first = Campaign.objects.get().list_asked_at
    actions.ask_for_list(campaign=campaign, by=campaign.created_by)
    assert Campaign.objects.get().list_asked_at == first, "asked twice it is made once"
    assert build_lists() == 1
    assert Campaign.objects.get().list_error
    make_resident()
    actions.ask_for_list(campaign=campaign, by=campaign.created_by)
    assert build_lists() == 1
    campaign.refresh_from_db()
    assert (campaign.list_error, campaign.list_numbers["letters"]) == ("", 1)
    assert build_lists() == 0


@pytest.mark.django_db
def test_what_decides_the_list_throws_the_old_one_away() -> None:
    make_resident()
    for change in ({"policy": "paper"}, {"per_household": True}, {"earlier": "include"}, {"text": "Nyt"}, {"subject": "Nyt"}):  # fmt: skip
        campaign = built()
        campaign = actions.edit_campaign(campaign=campaign, by=campaign.created_by, **change)
        assert campaign.list_built_at is None
        assert not campaign.deliveries.exists()
    campaign = built()
    actions.edit_campaign(campaign=campaign, by=campaign.created_by, expected=7, title="Nyt navn")
    assert campaign.deliveries.exists()


@pytest.mark.django_db
def test_nobody_twice_in_the_registry_of_kinds() -> None:
    with pytest.raises(ValueError, match="twice"):
        sources.register(sources.get("lot"))
