import pytest

from participation.lix import reading
from tests.patience import seconds_here


@pytest.mark.parametrize(
    ("text", "lix", "words"),
    [
        ("", 0, 0),
        ("Det er en kort tekst.", 5, 5),
        ("Vi bor her. Du kan se det.", 4, 7),  # 7 words in 2 sentences: 3.5
        ("Kommunen beslutter.", 102, 2),  # 2 words, both long
        (
            "Kom med, bl.a. til mødet kl. 19.30.",
            21,
            7,
        ),  # bl.a. is two words, klokken is long, the number is none
        ("Du kan: se, høre og gå. Kom!", 2, 7),  # stops: colon, full stop, exclamation mark
    ],
)
def test_lix(text: str, lix: int, words: int) -> None:
    found = reading(text)
    assert (found.lix, found.words) == (lix, words)


def test_names_of_places_and_laws_are_left_out() -> None:
    plain = reading("Vi bor ved søen og ser på den.")
    assert reading("Vi bor ved Frederiksværk søen og ser på den.") == plain
    assert reading("Frederiksværk vi bor ved søen og ser på den.", ["Frederiksværk"]).lix == plain.lix
    assert reading("Vi bor ved søen efter planloven.").words == 5
    assert reading("Vi læser i forvaltningsloven § 19.").words == 3


def test_headings_and_lists_are_left_out() -> None:
    assert reading("<h2>Kommunalbestyrelsens beslutningsgrundlag</h2><p>Vi bor her.</p>").words == 3
    assert reading("<ul><li>Kommunalbestyrelsen</li></ul><p>Vi bor her.</p>").words == 3
    assert reading("Overskrift uden punktum\n\nVi bor her.\n- Kommunalbestyrelsen\n1. Beslutning").words == 3


def test_a_hostile_text_is_read_in_no_time() -> None:
    import time

    start = time.process_time()
    reading("<" * 50_000)
    reading("a." * 50_000)
    reading("<h1>" * 20_000)
    assert time.process_time() - start < seconds_here(3)
