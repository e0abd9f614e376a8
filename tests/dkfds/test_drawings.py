import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from dkfds import drawings, icons


def test_the_ladder_has_six_rising_steps_and_marks_one() -> None:
    steps = drawings.ladder("codecision")
    assert [step.key for step in steps] == list(drawings.LADDER)
    assert [step.number for step in steps if step.current] == [5]
    assert [step.height for step in steps] == sorted({step.height for step in steps})
    assert {step.y + step.height for step in steps} == {48}
    assert not any(step.current for step in drawings.ladder("unknown"))


def test_the_ladder_knows_the_steps_of_the_process() -> None:
    from participation.choices import LadderStep

    assert list(drawings.LADDER) == LadderStep.values


def test_bars_are_drawn_against_the_widest() -> None:
    drawn = drawings.bars(
        [
            {"label": "A", "value": 200, "marked": True},
            {"label": "B", "value": 50},
            {"label": "C", "value": 0},
        ]
    )
    assert [bar.length for bar in drawn] == ["100.00%", "25.00%", "0.00%"]
    assert [bar.marked for bar in drawn] == [True, False, False]
    assert drawings.bars([{"label": "A", "value": 1}], widest=4)[0].length == "25.00%"


def test_nothing_to_draw_is_no_error() -> None:
    assert drawings.bars([]) == []
    assert drawings.bars([{"label": "A", "value": 0}])[0].length == "0.00%"
    assert drawings.district_map([]) is None
    assert drawings.district_map([("Nordby", None)]) is None


def test_a_reference_of_nothing_still_has_its_place() -> None:
    drawn = drawings.bars([{"label": "A", "value": 0.5, "reference": 0}, {"label": "B", "value": 0.25}])
    assert drawn[0].reference_at == "0.00%"
    assert drawn[1].reference_at == ""


@given(st.floats(min_value=0, max_value=1e12), st.floats(min_value=1e-6, max_value=1e12))
def test_no_bar_leaves_the_drawing(value: float, top: float) -> None:
    assert 0 <= float(drawings.share(value, top).rstrip("%")) <= 100


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[9.0, 56.0], [9.1, 56.0], [9.1, 56.1], [9.0, 56.1], [9.0, 56.0]]],
}


def test_a_map_keeps_north_up_and_shrinks_degrees_of_longitude() -> None:
    drawn = drawings.district_map([("Nordby", SQUARE)], ["Nordby"], width=100)
    assert drawn is not None
    assert drawn.areas[0].selected
    points = [tuple(map(float, point.split())) for point in drawn.areas[0].path.strip("MZ").split("L")]
    assert points[0] == (0.0, 100.0)  # south-west is at the bottom left
    assert points[2][1] == 0.0
    assert points[2][0] == pytest.approx(100 * 0.5584, abs=0.2)  # cosine of 56.05 degrees


def test_a_map_of_islands() -> None:
    islands = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], SQUARE["coordinates"]]}
    drawn = drawings.district_map([("Øerne", islands)])
    assert drawn is not None
    assert drawn.areas[0].path.count("M") == 2


def test_a_border_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="Polygon"):
        drawings.district_map([("Nordby", {"type": "Point", "coordinates": [9, 56]})])


def test_every_state_that_is_shown_has_its_own_tone() -> None:
    from participation.choices import Moderation, Outcome, Status

    for state in (*Status.values, *Outcome.values, *Moderation.values):
        assert state in drawings.TONES, state


def test_every_icon_we_name_is_in_the_sprite() -> None:
    import re
    from pathlib import Path

    from django.conf import settings

    named = {tone.icon for tone in drawings.TONES.values()}
    for file in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([a-z0-9-]+)"', file.read_text()))
    assert len(named) > 20
    assert sorted(named - set(icons.sprite())) == []


def test_an_icon_is_silent_unless_it_has_a_word() -> None:
    assert 'aria-hidden="true"' in icons.icon("check")
    labelled = icons.icon("check", label='<"x">')
    assert 'role="img"' in labelled
    assert "<&quot;" not in labelled
    assert "&lt;&quot;x&quot;&gt;" in labelled


def test_a_chart_is_a_table_of_the_same_numbers(danish: None) -> None:
    rows = [{"label": "Skøjtebane", "value": 1874, "marked": True}, {"label": "Scene", "value": 208}]
    html = render_to_string("components/bars.html", {"rows": rows, "form": "number", "caption": "Stemmer"})
    assert html.count('role="rowheader"') == 2
    assert "1.874" in html
    assert 'width="11.10%"' in html
