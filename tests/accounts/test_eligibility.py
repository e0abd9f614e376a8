from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from accounts import eligibility
from accounts.models import District, EligibilityRule
from accounts.verdict import Refused
from audit import clock
from tests.accounts.factories import (
    make_citizen,
    make_district,
    make_extract,
    make_organisation_user,
    make_resident,
    make_resident_citizen,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Residence = EligibilityRule.Residence


@pytest.fixture(autouse=True)
def _standing_still():
    with clock.frozen(NOON), translation.override("en"):
        yield


days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@given(days, days)
@example(date(2008, 2, 29), date(2023, 2, 28))
@example(date(2008, 2, 29), date(2023, 3, 1))
@example(date(2008, 2, 29), date(2024, 2, 29))
@example(date(2000, 12, 31), date(2001, 1, 1))
def test_age_steps_on_the_birthday_and_never_otherwise(born, day):
    if day < born:
        return
    age = eligibility.age_on(born, day)
    assert eligibility.birthday(born, age) <= day < eligibility.birthday(born, age + 1)
    assert age_by_counting(born, day) == age


def age_by_counting(born, day):
    """The slow way: how many birthdays there have been since birth, one year at a time."""
    count = 0
    for year in range(born.year + 1, day.year + 1):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        month, number = (3, 1) if (born.month, born.day) == (2, 29) and not leap else (born.month, born.day)
        count += (year, month, number) <= (day.year, day.month, day.day)
    return count


def test_born_on_a_leap_day_turns_fifteen_on_the_first_of_march():
    assert eligibility.age_on(date(2008, 2, 29), date(2023, 2, 28)) == 14
    assert eligibility.age_on(date(2008, 2, 29), date(2023, 3, 1)) == 15
    assert eligibility.age_on(date(2008, 2, 29), date(2024, 2, 28)) == 15
    assert eligibility.age_on(date(2008, 2, 29), date(2024, 2, 29)) == 16


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-14"),
        (14, "0-14"),
        (15, "15-24"),
        (24, "15-24"),
        (25, "25-34"),
        (34, "25-34"),
        (64, "55-64"),
        (74, "65-74"),
        (75, "75+"),
        (104, "75+"),
    ],
)
def test_age_bands(age, band):
    assert eligibility.age_band(age) == band


@pytest.mark.django_db
class TestRule:
    def refused(self, rule, who, **kwargs):
        answer = eligibility.can_be_eligible(rule, who, **kwargs)
        assert not answer
        return answer

    def test_old_enough_and_resident(self):
        user = make_resident_citizen(birth_date=date(2011, 11, 20))
        assert eligibility.can_be_eligible(EligibilityRule.objects.create(min_age=15), user)
        eligibility.check_eligible(EligibilityRule.objects.create(min_age=15), user)

    def test_one_day_too_young_says_when(self):
        user = make_resident_citizen(birth_date=date(2011, 11, 21))
        answer = self.refused(EligibilityRule.objects.create(min_age=15), user)
        assert answer.code == "too_young"
        assert answer.reason == "You must be 15. You turn 15 on Nov. 21, 2026."

    def test_age_on_a_fixed_date(self):
        rule = EligibilityRule.objects.create(min_age=15, age_on=date(2027, 3, 3))
        assert eligibility.can_be_eligible(rule, make_resident_citizen(birth_date=date(2012, 3, 3)))
        answer = self.refused(rule, make_resident_citizen(birth_date=date(2012, 3, 4)))
        assert answer.reason == "You must be 15 on March 3, 2027. You turn 15 on March 4, 2027.", (
            "the date of the rule and their own"
        )

    def test_age_counts_by_the_danish_day(self):
        """23.30 UTC on the 19th is 0.30 on the 20th in Copenhagen: the birthday has come."""
        user = make_resident_citizen(birth_date=date(2011, 11, 20))
        rule = EligibilityRule.objects.create(min_age=15)
        assert eligibility.can_be_eligible(rule, user, at=datetime(2026, 11, 19, 23, 30, tzinfo=UTC))
        late = datetime(2026, 11, 19, 23, 30, tzinfo=ZoneInfo("Europe/Copenhagen"))
        assert self.refused(rule, user, at=late).code == "too_young"

    def test_nobody_signed_in(self):
        assert self.refused(EligibilityRule.objects.create(), None).code == "sign_in"

    def test_age_unknown(self):
        assert self.refused(EligibilityRule.objects.create(), make_citizen()).code == "age_unknown"

    def test_not_in_the_register(self):
        extract = make_extract()
        rule = EligibilityRule.objects.create(min_age=0)
        assert self.refused(rule, make_citizen()).code in {"no_register", "not_resident"}
        older = make_extract(drawn_on=extract.drawn_on - timedelta(days=90))
        moved = make_resident_citizen(extract=older)
        answer = self.refused(rule, moved)
        assert answer.code == "not_resident"
        assert "You must live in" in answer.reason

    def test_other_municipality_dead_or_emigrated(self):
        rule = EligibilityRule.objects.create()
        for fields in ({"municipality_code": "0101"}, {"status": "90"}, {"status": "80"}):
            assert self.refused(rule, make_resident_citizen(**fields)).code == "not_resident"

    def test_anyone_needs_no_register(self):
        rule = EligibilityRule.objects.create(residence=Residence.ANYONE)
        person = make_resident().person
        person.residences.all().delete()
        person.birth_date = date(1990, 1, 1)
        person.save()
        assert eligibility.can_be_eligible(rule, make_citizen(person=person))
        assert eligibility.can_be_eligible(rule, person)

    def test_no_register_or_an_expired_or_purged_one(self):
        rule = EligibilityRule.objects.create()
        user = make_resident_citizen(extract=make_extract(valid_until=date(2026, 11, 19)))
        user.person.birth_date = date(1980, 5, 17)
        user.person.save()
        assert self.refused(rule, user).code == "no_register"
        assert eligibility.can_be_eligible(rule, user, at=NOON - timedelta(days=1))

    def test_districts(self):
        home, away = make_district(name="Vest"), make_district(name="Øst")
        polling = make_district(kind=District.Kind.POLLING)
        user = make_resident_citizen(school_district=home, polling_district=polling)
        rule = EligibilityRule.objects.create(residence=Residence.DISTRICTS)
        rule.districts.set([away])
        answer = self.refused(rule, user)
        assert (answer.code, answer.reason) == (
            "other_district",
            "Only those who live in Øst can take part in this.",
        )
        rule.districts.set([away, polling])
        assert eligibility.can_be_eligible(rule, user)
        assert eligibility.facts(user).district == home

    def test_a_rule_of_districts_without_any_lets_nobody_in(self):
        rule = EligibilityRule.objects.create(residence=Residence.DISTRICTS)
        user = make_resident_citizen(school_district=make_district())
        assert self.refused(rule, user).code == "other_district"

    def test_organisations(self):
        user = make_organisation_user()
        assert self.refused(EligibilityRule.objects.create(), user).code == "organisation"
        assert eligibility.can_be_eligible(EligibilityRule.objects.create(organisations=True), user)

    def test_facts_are_one_query(self, django_assert_num_queries):
        user = make_resident_citizen(school_district=make_district(), sex="M", birth_date=date(1951, 11, 21))
        with django_assert_num_queries(1):
            known = eligibility.facts(user)
        assert (known.age, known.age_band, known.sex, known.in_register) == (74, "65-74", "M", True)

    def test_register_must_last_past_the_end(self):
        make_extract(valid_until=date(2027, 1, 31))
        eligibility.check_register_lasts(date(2027, 1, 31))
        with pytest.raises(Refused) as refused:
            eligibility.check_register_lasts(date(2027, 2, 1))
        assert refused.value.code == "register_expires"

    def test_without_sign_in(self):
        home, away = make_district(), make_district()
        rule = EligibilityRule.objects.create(residence=Residence.DISTRICTS)
        rule.districts.set([home])
        grown = date(1990, 1, 1)
        assert eligibility.answer_for(rule, grown, home)
        assert eligibility.answer_for(rule, grown, away).code == "other_district"
        assert eligibility.answer_for(rule, grown, None).code == "not_resident"
        assert eligibility.answer_for(rule, date(2015, 1, 1), home).code == "too_young"
        everyone = EligibilityRule.objects.create()
        assert eligibility.answer_for(everyone, grown, None, lives_here=True)
