"""What every template and the one sheet must keep to."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from dkfds import navigation
from dkfds.navigation import Area, Place

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
SHEET = Path(settings.BASE_DIR, "static", "css", "ojenhojde.css").read_text()
# Letters have no style sheet of their own in a mail program.
PAGES = [file for file in TEMPLATES if "email" not in file.parts]


def colours() -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", SHEET.split("}")[0]))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(settings.BASE_DIR)))
def test_what_scrolls_sideways_is_reached_by_keyboard_and_has_a_name(file: Path) -> None:
    for tag in re.findall(r'<div class="scroll-x".*', file.read_text()):
        assert 'tabindex="0" role="region" aria-label=' in tag


@pytest.mark.parametrize("text", ["brand", "brand-dark", "ink", "ink-soft", "stop", "good", "wait"])
@pytest.mark.parametrize("ground", ["paper", "sand", "brand-tint"])
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(colours()[text], colours()[ground]) >= 4.5


@pytest.mark.parametrize(
    ("text", "ground"), [("good", "good-tint"), ("wait", "wait-tint"), ("stop", "stop-tint")]
)
def test_a_tag_can_be_read(text: str, ground: str) -> None:
    assert contrast(colours()[text], colours()[ground]) >= 4.5


def test_every_format_can_be_read() -> None:
    hues = {name: value for name, value in colours().items() if name.startswith("hue-")}
    assert len(hues) == 8
    for name, value in hues.items():
        assert contrast(value, colours()["paper"]) >= 4.5, name


@pytest.mark.parametrize(
    ("line", "ground"),
    [("line-strong", "paper"), ("line-strong", "sand"), ("focus", "brand-tint"), ("bar", "paper")],
)
def test_what_must_be_seen_to_be_used_can_be_seen(line: str, ground: str) -> None:
    assert contrast(colours()[line], colours()[ground]) >= 3


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(settings.BASE_DIR)))
def test_nothing_that_the_security_policy_forbids(file: Path) -> None:
    text = re.sub(r"{#.*?#}|{% comment.*?endcomment %}", "", file.read_text(), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<style\b", text)
    for opening in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in opening


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(settings.BASE_DIR)))
def test_templates_can_be_read_by_django(file: Path) -> None:
    get_template(str(file.relative_to(Path(settings.BASE_DIR, "templates"))))


@pytest.mark.parametrize(
    "file",
    sorted(Path(settings.BASE_DIR, "templates", "components").glob("*.html")),
    ids=lambda file: file.stem,
)
def test_a_component_tells_its_variables_first(file: Path) -> None:
    assert file.read_text().startswith("{#")


def test_reduced_motion_and_forced_colours_are_thought_of() -> None:
    assert "prefers-reduced-motion: reduce" in SHEET
    assert "forced-colors: active" in SHEET
    assert "box-shadow" not in SHEET


@pytest.fixture
def no_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_places", {})


def test_places_stand_in_order_and_only_once(no_places: None) -> None:
    navigation.register(Place("b", "B", "design:gallery", 20))
    navigation.register(Place("a", "A", "design:gallery", 10))
    navigation.register(Place("was", "WAS", "design:gallery", 10, Area.FOOTER))
    assert [place.key for place in navigation.places(Area.MAIN)] == ["a", "b"]
    assert [place.key for place in navigation.places("footer")] == ["was"]
    with pytest.raises(ValueError, match="'a'"):
        navigation.register(Place("a", "A", "design:gallery"))
