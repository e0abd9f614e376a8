"""Drawings that people in the demo send along with their ideas: nobody's photos, and each shows what its idea is about."""

import io
import math
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image, ImageDraw

WIDE, HIGH = 1600, 1067
FINER = 2  # drawn larger and shrunk, so that slanted edges are smooth

Colour = str
DAY, DUSK = ("#dcebf0", "#f6f3ea"), ("#1d2f4a", "#5a6b86")
GRASS, MEADOW, WOOD, BARK = "#8fae72", "#a9c08a", "#a57c52", "#6f5237"
WATER, PATH, CONCRETE, LEAF, PINE = "#7fb0bf", "#d9cdb4", "#b9bcb8", "#5f8a52", "#3f6a4f"


class Drawing(NamedTuple):
    draw: Callable[["Pen"], None]
    alt: str
    name: str


class Pen:
    """Draws in a square of 160 by 107, whatever the size of the picture."""

    def __init__(self, sky: tuple[Colour, Colour] = DAY) -> None:
        self.unit = WIDE * FINER / 160
        self.image = Image.new("RGB", (WIDE * FINER, HIGH * FINER))
        self.pen = ImageDraw.Draw(self.image)
        self.sky(sky)

    def sky(self, colours: tuple[Colour, Colour]) -> None:
        upper, lower = (Image.new("RGB", self.image.size, colour) for colour in colours)
        fade = Image.linear_gradient("L").resize(self.image.size)
        self.image.paste(Image.composite(lower, upper, fade))

    def _at(self, *numbers: float) -> list[float]:
        return [number * self.unit for number in numbers]

    def box(self, x: float, y: float, wide: float, high: float, colour: Colour, round: float = 0) -> None:
        self.pen.rounded_rectangle(self._at(x, y, x + wide, y + high), round * self.unit, fill=colour)

    def oval(self, x: float, y: float, wide: float, high: float, colour: Colour) -> None:
        self.pen.ellipse(self._at(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2), fill=colour)

    def shape(self, colour: Colour, *points: float) -> None:
        self.pen.polygon(self._at(*points), fill=colour)

    def line(self, colour: Colour, thick: float, *points: float) -> None:
        self.pen.line(self._at(*points), fill=colour, width=int(thick * self.unit), joint="curve")

    def hills(self, colour: Colour, top: float, rise: float = 6) -> None:
        self.oval(30, top + 60, 170, 120 + rise, colour)
        self.oval(125, top + 62, 190, 122, colour)
        self.box(0, top + 20, 160, 107, colour)

    def tree(self, x: float, foot: float, high: float, leaf: Colour = LEAF) -> None:
        self.box(x - high * 0.03, foot - high * 0.45, high * 0.06, high * 0.45, BARK)
        for aside, up, wide in ((-0.16, 0.52, 0.36), (0.16, 0.55, 0.36), (0, 0.72, 0.46)):
            self.oval(x + aside * high, foot - up * high, wide * high, wide * high, leaf)

    def fir(self, x: float, foot: float, high: float) -> None:
        self.box(x - high * 0.03, foot - high * 0.15, high * 0.06, high * 0.15, BARK)
        for up, wide in ((0.1, 0.44), (0.35, 0.34), (0.6, 0.24)):
            self.shape(
                PINE,
                x - wide * high / 2,
                foot - up * high,
                x + wide * high / 2,
                foot - up * high,
                x,
                foot - (up + 0.42) * high,
            )

    def bench(self, x: float, foot: float, wide: float = 24) -> None:
        for leg in (x + 2, x + wide - 3):
            self.box(leg, foot - 8, 1, 8, "#454c4e")
        self.box(x, foot - 8, wide, 1.6, WOOD, 0.5)
        for up in (12, 15):
            self.box(x, foot - up, wide, 1.6, WOOD, 0.5)
        for arm in (x, x + wide - 1):
            self.box(arm, foot - 15, 1, 8, "#454c4e")

    def jpeg(self) -> bytes:
        buffer = io.BytesIO()
        self.image.resize((WIDE, HIGH), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=88)
        return buffer.getvalue()


def _shelter(pen: Pen) -> None:
    pen.hills(MEADOW, 42)
    for x in (8, 20, 33, 128, 141, 153):
        pen.fir(x, 62, 30 + x % 7)
    pen.oval(80, 66, 150, 16, WATER)
    pen.hills(GRASS, 66, 2)
    for x in (38, 86):
        pen.shape(BARK, x, 86, x + 36, 86, x + 36, 64, x, 72)
        pen.shape("#3a2c20", x + 4, 86, x + 32, 86, x + 32, 70, x + 4, 75)
        pen.shape(WOOD, x - 3, 72, x + 39, 62, x + 39, 66, x - 3, 76)
    for stone in range(9):
        pen.oval(71 + stone * 2.2, 96 + (stone % 2), 3, 2.4, CONCRETE)
    pen.shape("#d9772c", 76, 95, 80, 84, 84, 95)


def _benches(pen: Pen) -> None:
    pen.hills(MEADOW, 50)
    pen.box(96, 36, 34, 22, "#c9a18a")
    pen.shape("#9b4f3f", 93, 37, 133, 37, 126, 27, 100, 27)
    for x in (101, 111, 121):
        pen.box(x, 43, 5, 7, "#eef3f4")
    pen.tree(22, 66, 40)
    pen.tree(147, 64, 30)
    pen.hills(GRASS, 60, 3)
    pen.shape(PATH, 52, 107, 132, 107, 112, 62, 106, 62)
    pen.bench(14, 92, 32)
    pen.bench(74, 72, 14)


def _lamps(pen: Pen) -> None:
    pen.hills("#34465a", 48)
    pen.box(8, 34, 44, 22, "#54637a")
    pen.shape("#3f4d62", 4, 35, 56, 35, 48, 26, 12, 26)
    pen.hills("#2b3d3a", 56, 3)
    pen.shape("#6d6c66", 40, 107, 122, 107, 88, 58, 84, 58)
    for x, foot, high in (
        (30, 100, 22),
        (50, 82, 15),
        (64, 70, 10),
        (134, 100, 22),
        (114, 82, 15),
        (102, 70, 10),
    ):
        pen.oval(x, foot - 1, high * 1.7, high * 0.42, "#e9cf86")
        pen.box(x - 0.5, foot - high, 1, high, "#1b2225")
        pen.oval(x, foot - high, high * 0.3, high * 0.3, "#fff3c4")
    pen.oval(132, 16, 10, 10, "#f3ecd2")


def _fruit(pen: Pen) -> None:
    pen.hills(MEADOW, 52)
    pen.hills(GRASS, 60, 3)
    pen.shape(CONCRETE, 0, 100, 160, 82, 160, 92, 0, 107)
    pen.line("#ffffff", 0.5, 0, 104, 160, 87)
    for number, x in enumerate((16, 44, 72, 100, 128, 152)):
        foot = 88 - number * 3.2
        pen.tree(x, foot, 34 - number * 2, "#6f9a58")
        for one in range(6):
            colour = ("#b8322f", "#c99a2e", "#6c4a86")[number % 3]
            pen.oval(x - 6 + one * 2.4, foot - 17 - (one * 5) % 9 + number, 2, 2, colour)


def _wave(x: float, top: float) -> float:
    return top - 4 * math.cos((x - 48 if top < 80 else x - 112) / 7)


def _pumptrack(pen: Pen) -> None:
    pen.hills(MEADOW, 44)
    pen.box(92, 30, 58, 24, "#c98f74")
    pen.box(92, 27, 58, 4, "#7d4a3a")
    for x in range(97, 146, 9):
        pen.box(x, 36, 5, 8, "#e8f0f2")
    pen.hills(GRASS, 56, 2)
    for top, colour in ((70, "#6f7478"), (84, "#5b6064")):
        wave = [value for x in range(0, 161, 2) for value in (x, _wave(x, top))]
        pen.shape(colour, *wave, 160, top + 12, 0, top + 12)
    for x, top in ((48, 70), (112, 84)):
        y = _wave(x, top) - 3.4
        for wheel in (-5, 5):
            pen.oval(x + wheel, y, 7, 7, "#1b2225")
            pen.oval(x + wheel, y, 5, 5, "#c8d6d2")
        pen.line("#b8322f", 0.9, x - 5, y, x, y - 6, x + 5, y)
        pen.line("#1b2225", 1.8, x - 1, y - 7, x + 1, y - 14)
        pen.oval(x + 1, y - 17, 5, 5, "#e0b48f")


def _beds(pen: Pen) -> None:
    pen.hills(MEADOW, 46)
    for x in (4, 104):
        pen.box(x, 14, 50, 42, "#d8c7ae")
        for row in range(3):
            for column in range(4):
                pen.box(x + 5 + column * 11, 19 + row * 12, 6, 7, "#8fa7b3")
    pen.hills(GRASS, 56, 2)
    pen.box(66, 44, 26, 20, WOOD)
    pen.shape(BARK, 63, 45, 95, 45, 79, 36)
    for row, y in enumerate((70, 88)):
        for x in (8, 46, 84, 122):
            pen.box(x, y, 30, 12, BARK, 0.6)
            pen.box(x + 1, y, 28, 3, "#4b3827")
            for plant in range(5):
                pen.oval(x + 4 + plant * 5.4, y - 1, 5, 6, ("#5f8a52", "#7aa35f")[(plant + row) % 2])
                pen.oval(
                    x + 4 + plant * 5.4, y - 3, 1.8, 1.8, ("#b8322f", "#d9a52c", "#8d5aa0")[(plant + row) % 3]
                )


def _ramp(pen: Pen) -> None:
    pen.box(0, 12, 160, 74, "#d9b99a")
    pen.box(0, 12, 160, 5, "#8c4637")
    pen.box(16, 30, 44, 34, "#a8c3cc", 1)
    pen.box(108, 26, 26, 50, "#2f5d52", 1)
    pen.box(112, 30, 18, 20, "#a8c3cc", 1)
    pen.box(0, 86, 160, 21, CONCRETE)
    pen.shape("#8d918d", 18, 90, 104, 76, 140, 76, 140, 90)
    pen.line("#454c4e", 1.1, 20, 76, 104, 62, 140, 62)
    for x in (20, 41, 62, 83, 104, 140):
        top = 76 - (x - 20) / 6 if x <= 104 else 62
        pen.line("#454c4e", 1.1, x, top, x, top + 14)


def _bathing(pen: Pen) -> None:
    pen.hills(MEADOW, 34)
    for x in (10, 26, 132, 150):
        pen.tree(x, 52, 24)
    pen.box(0, 52, 160, 55, WATER)
    for y in (60, 72, 94):
        pen.line("#a7cbd5", 0.6, 4, y, 34, y - 1, 60, y)
        pen.line("#a7cbd5", 0.6, 108, y + 4, 130, y + 3, 154, y + 4)
    pen.shape(WOOD, 60, 107, 104, 107, 90, 56, 76, 56)
    for y in range(60, 106, 5):
        pen.line(BARK, 0.4, 60 + (106 - y) * 0.31, y, 104 - (106 - y) * 0.27, y)
    pen.shape("#bf9a6d", 90, 62, 126, 78, 126, 84, 91, 70)
    for x, y in ((91, 52), (108, 60), (126, 68)):
        pen.line("#454c4e", 1, x, y, x, y + 10)
    pen.line("#454c4e", 1, 91, 52, 126, 68)


# By the title of the idea they came with.
DRAWINGS: dict[str, Drawing] = {
    "Shelters og bålplads ved Lunde Sø": Drawing(
        _shelter, "Tegning: to shelters på græsset ved søen med en bålplads foran", "Shelters ved søen.jpg"
    ),
    "Bænke på vejen til lægehuset": Drawing(
        _benches, "Tegning: bænke med ryg og armlæn langs stien op til lægehuset", "Bænke.jpg"
    ),
    "Lys på stien bag hallen": Drawing(
        _lamps, "Tegning: lave lamper langs den mørke sti bag hallen", "Stien om aftenen.jpg"
    ),
    "Frugttræer, som alle må plukke af": Drawing(
        _fruit, "Tegning: en række frugttræer langs cykelstien", "Cykelstien.jpg"
    ),
    "Pumptrack bag Vestervang Skole": Drawing(
        _pumptrack, "Tegning: to børn på cykel på en bølget bane bag skolen", "Pumptrack.jpg"
    ),
    "Fælleshaver ved Bøgeparken": Drawing(
        _beds, "Tegning: højbede med blomster og et redskabsskur mellem boligblokkene", "Fælleshaver.jpg"
    ),
    "En rampe ved købmanden": Drawing(
        _ramp, "Tegning: en rampe med gelænder op til købmandens dør", "Rampen.jpg"
    ),
    "Badebro, som alle kan bruge": Drawing(
        _bathing, "Tegning: en bred badebro med en rampe ned i vandet", "Badebroen.jpg"
    ),
}


def jpeg(drawing: Drawing) -> bytes:
    pen = Pen(DUSK if drawing.draw is _lamps else DAY)
    drawing.draw(pen)
    return pen.jpeg()
