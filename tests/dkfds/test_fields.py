from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from django import forms
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from dkfds.fields import DateField, DateTimeField, KronerField


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("640000", 640000),
        ("640.000", 640000),
        ("640 000", 640000),
        ("1.234.567 kr.", 1234567),
        ("25.000,-", 25000),
        ("25.000,00", 25000),
        ("300 kr", 300),
        ("0", 0),
    ],
)
def test_money_as_people_write_it(typed: str, amount: int) -> None:
    assert KronerField().clean(typed) == amount


@pytest.mark.parametrize("typed", ["64.00", "6,5", "mange", "1e5", "٣", "12.34.567", "\x00", "1.000,5"])
def test_money_that_is_unclear_is_asked_again(typed: str) -> None:
    with pytest.raises(ValidationError, match=r"whole kroner|640"):
        KronerField().clean(typed)


@given(st.integers(min_value=0, max_value=10**12))
def test_money_shown_again_is_the_same_money(amount: int) -> None:
    field = KronerField()
    assert field.clean(field.widget.format_value(amount)) == amount


def test_money_has_its_limits() -> None:
    with pytest.raises(ValidationError):
        KronerField(max_value=100).clean("101")


def test_a_date_is_three_numbers() -> None:
    assert DateField().clean(["6", "3", "2026"]) == date(2026, 3, 6)
    assert DateField().clean([" 06", "03", "2026"]) == date(2026, 3, 6)
    assert DateField(required=False).clean(["", "", ""]) is None


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["30", "2", "2026"], "invalid"),
        (["6", "", "2026"], "incomplete"),
        (["6", "3", "26"], "invalid"),
        (["seks", "3", "2026"], "invalid"),
        (["٦", "3", "2026"], "invalid"),
        (["-6", "3", "2026"], "invalid"),
        (["", "", ""], "required"),
    ],
)
def test_a_date_says_what_is_wrong(typed: list[str], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DateField().clean(typed)
    assert caught.value.error_list[0].code == code


def test_a_moment_is_in_danish_time() -> None:
    assert DateTimeField().clean(["6", "3", "2026", "14.30"]) == datetime(2026, 3, 6, 13, 30, tzinfo=UTC)
    assert DateTimeField().clean(["6", "7", "2026", "14:30"]) == datetime(2026, 7, 6, 12, 30, tzinfo=UTC)
    assert DateTimeField().clean(["6", "7", "2026", "8"]) == datetime(2026, 7, 6, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize("time", ["", "24.00", "14.60", "nu", "14.3", "२"])
def test_a_moment_needs_a_time(time: str) -> None:
    with pytest.raises(ValidationError):
        DateTimeField().clean(["6", "3", "2026", time])


def test_the_hour_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError):
        DateTimeField().clean(["29", "3", "2026", "02.30"])


def test_unchanged_is_seen_as_unchanged() -> None:
    class Form(forms.Form):
        day = DateField(initial=date(2026, 3, 6))
        moment = DateTimeField(initial=datetime(2026, 3, 6, 13, 30, tzinfo=UTC))

    data = {"day_day": "6", "day_month": "3", "day_year": "2026", "moment_time": "14.30"}
    data |= {"moment_day": "6", "moment_month": "3", "moment_year": "2026"}
    assert Form(data).changed_data == []
    assert Form(data | {"day_day": "7"}).changed_data == ["day"]


@given(st.lists(st.text(), max_size=6))
def test_anything_typed_is_a_date_or_a_sentence(parts: list[str]) -> None:
    """Whatever else it raised would be a page that breaks."""
    for field in (DateField(required=False), DateTimeField(required=False)):
        with suppress(ValidationError):
            field.clean(parts)
    with suppress(ValidationError):
        KronerField(required=False).clean("".join(parts))
