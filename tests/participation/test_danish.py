import pytest
from django.db import connection
from django.db.models import Value

from accounts.models import District
from participation.danish import DaFold, DaSort

pytestmark = pytest.mark.django_db


def folded(text: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT da_fold(%s)", [text])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Aarhus", "Århus"),
        ("AARHUS", "århus"),
        ("Ærø", "AEROE"),
        ("Allé", "alle"),
        ("Æble", "æble"),
        ("A\u030arhus", "Århus"),  # å in two characters, as some keyboards send it
    ],
)
def test_two_spellings_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_different_words_stay_different() -> None:
    assert folded("Århus") != folded("Arhus")
    assert folded("bøn") != folded("bon")


def test_fold_compares_a_column_with_a_query() -> None:
    District.objects.create(kind="local", code="1", name="Århus Ø")
    assert District.objects.annotate(f=DaFold("name")).filter(f__contains=DaFold(Value("AARHUS"))).exists()


def test_danish_order() -> None:
    names = [
        "Zoo",
        "Ærø",
        "Øster",
        "Aa",
        "Århus",
        "Aalborg",
        "adel",
        "Bakke",
        "Épernay",
        "Eskebjerg",
        "aftale",
    ]
    for code, name in enumerate(names):
        District.objects.create(kind="local", code=str(code), name=name)
    ordered = list(District.objects.order_by(DaSort("name")).values_list("name", flat=True))
    assert ordered == [
        "adel", "aftale", "Bakke", "Épernay", "Eskebjerg", "Zoo", "Ærø", "Øster", "Aa", "Aalborg", "Århus",
    ]  # fmt: skip


def test_both_functions_are_immutable() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT provolatile FROM pg_proc WHERE proname IN ('da_fold', 'da_sort')")
        assert cursor.fetchall() == [("i",)]
