from datetime import UTC, date, datetime

import pytest

from dkfds import wording

NB = "\N{NO-BREAK SPACE}"
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)  # a Tuesday, 10.00 in Denmark
TODAY = date(2026, 3, 3)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.000"),
        (158000, "158.000"),
        (12.5, "12,5"),
        (-1200, "-1.200"),
        (12.0, "12"),
    ],
)
def test_numbers_in_danish(danish: None, value: float, said: str) -> None:
    assert wording.number(value) == said


def test_shares_and_money_in_danish(danish: None) -> None:
    assert wording.percent(0.125) == f"12,5{NB}%"
    assert wording.percent(1) == f"100{NB}%"
    assert wording.percent(2 / 3) == f"66,7{NB}%"
    assert wording.kroner(640000) == f"640.000{NB}kr."
    assert wording.kroner(99.5) == f"99,50{NB}kr."


def test_the_same_in_english(english: None) -> None:
    assert wording.number(158000) == "158,000"
    assert wording.percent(0.125) == "12.5%"
    assert wording.kroner(640000) == "DKK 640,000"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 3, 3, 22, 59, tzinfo=UTC), "i dag kl. 23.59"),
        (datetime(2026, 3, 3, 23, 0, tzinfo=UTC), "i dag kl. 23.59"),  # midnight ends the day it closes
        (datetime(2026, 3, 4, 11, 0, tzinfo=UTC), "i morgen kl. 12.00 (onsdag den 4. marts)"),
        (datetime(2026, 3, 6, 22, 59, tzinfo=UTC), "om 3 dage (fredag den 6. marts)"),
        (datetime(2026, 3, 17, 11, 0, tzinfo=UTC), "om 14 dage (tirsdag den 17. marts)"),
        (datetime(2026, 3, 18, 11, 0, tzinfo=UTC), "onsdag den 18. marts"),
        (datetime(2027, 1, 4, 11, 0, tzinfo=UTC), "mandag den 4. januar 2027"),
        (datetime(2026, 3, 2, 11, 0, tzinfo=UTC), "i går kl. 12.00 (mandag den 2. marts)"),
        (datetime(2026, 2, 27, 11, 0, tzinfo=UTC), "for 4 dage siden (fredag den 27. februar)"),
        (datetime(2025, 6, 5, 11, 0, tzinfo=UTC), "torsdag den 5. juni 2025"),
    ],
)
def test_when_something_ends(danish: None, moment: datetime, said: str) -> None:
    assert wording.deadline(moment, NOW) == said


def test_a_deadline_over_the_change_to_summer_time(danish: None) -> None:
    """Midnight in Denmark is 22.00 UTC after 29 March and 23.00 before."""
    assert wording.deadline(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), NOW) == "søndag den 29. marts"


def test_a_day_without_an_hour(danish: None) -> None:
    assert wording.deadline(date(2026, 3, 6), NOW) == "om 3 dage (fredag den 6. marts)"
    assert wording.deadline(date(2026, 3, 3), NOW) == "i dag (tirsdag den 3. marts)"


def test_when_something_begins_says_midnight_as_a_day(danish: None) -> None:
    assert wording.opening(datetime(2026, 3, 3, 23, 0, tzinfo=UTC), NOW) == "i morgen (onsdag den 4. marts)"
    assert (
        wording.opening(datetime(2026, 3, 4, 7, 0, tzinfo=UTC), NOW)
        == "i morgen kl. 8.00 (onsdag den 4. marts)"
    )


def test_in_english(english: None) -> None:
    assert wording.deadline(datetime(2026, 3, 3, 22, 59, tzinfo=UTC), NOW) == "today at 23:59"
    assert wording.deadline(datetime(2026, 3, 6, 22, 59, tzinfo=UTC), NOW) == "in 3 days (Friday 6 March)"


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2026, 3, 2), date(2026, 3, 30), "2.–30. marts"),
        (date(2026, 3, 2), date(2026, 4, 1), "2. marts – 1. april"),
        (date(2026, 12, 20), date(2027, 1, 4), "20. december 2026 – 4. januar 2027"),
        (date(2026, 3, 2), date(2026, 3, 2), "2. marts"),
        (date(2025, 3, 2), date(2025, 3, 9), "2.–9. marts 2025"),
    ],
)
def test_periods(danish: None, start: date, end: date, said: str) -> None:
    assert wording.period(start, end, TODAY) == said


def test_a_period_ends_on_its_last_whole_day(danish: None) -> None:
    start, end = datetime(2026, 3, 1, 23, 0, tzinfo=UTC), datetime(2026, 3, 8, 23, 0, tzinfo=UTC)
    assert wording.period(start, end, TODAY) == "2.–8. marts"


def test_people_are_shown_by_first_name_and_district(danish: None) -> None:
    assert wording.person("Karen Marie Holm", "Nordby") == "Karen, Nordby"
    assert wording.person("Karen") == "Karen"
    assert wording.person("  ", "Nordby") == "En borger, Nordby"
