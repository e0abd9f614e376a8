"""Tagged PDF/UA by typst. What people wrote goes to it as data, never as source."""

import io
import json
import re
import threading
import unicodedata
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils import translation

FONTS = settings.BASE_DIR / "static_built" / "dkfds" / "fonts"

_COMMON = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, author: data.municipality)
#set par(leading: 0.75em, spacing: 1.2em)
#show heading: set block(above: 1.6em, below: 0.8em)
#show heading: set text(0.85em)
#show title: set text(1.35em)
"""
_NO_SIGN = re.compile(r'the text `"(.+)"` could not be displayed', re.DOTALL)
_MEMORY_LASTS = 10  # compilations for which typst remembers what it laid out
_own = threading.local()


def compile_pdf(source: str, data: dict[str, Any]) -> bytes:
    """`source` finds `data` as a dictionary of that name, with `municipality` and `lang` in it."""
    return _compile(source, data)[0]


def compile_counted(source: str, data: dict[str, Any]) -> tuple[bytes, list[int]]:
    """With the page number of every `#metadata(…) <count>` in the source: how long each of many documents in one is."""
    pdf, inputs = _compile(source, data)
    found = typst.query(
        (_COMMON + source).encode(), "<count>", field="value", sys_inputs=inputs, font_paths=[FONTS]
    )
    return pdf, json.loads(found)


def qr(address: str) -> str:
    """An SVG as text: a bare path, so that thousands fit in one document."""
    buffer = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        buffer, kind="svg", scale=1, border=2, xmldecl=False, svgns=True, nl=False
    )
    return buffer.getvalue().decode()


def forget() -> None:
    """Gives back what typst remembers of large documents, which it drops when it has made some others."""
    for _number in range(_MEMORY_LASTS + 1):
        _compiler().compile(input=b"-", format="pdf")


def _compile(source: str, data: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A sign that no font has (a name in Chinese) is printed as "?": PDF/UA forbids an empty box, and the letter must go."""
    data |= {
        "municipality": settings.MUNICIPALITY["name"],
        "lang": (translation.get_language() or settings.LANGUAGE_CODE).split("-")[0],
    }
    written = json.dumps(data, ensure_ascii=False)
    while True:
        inputs = {"data": written}
        try:
            pdf: bytes = _compiler().compile(
                input=(_COMMON + source).encode(), sys_inputs=inputs, format="pdf", pdf_standards=["ua-1"]
            )
            return pdf, inputs
        except typst.TypstError as error:
            unknown = _NO_SIGN.search(str(error))
            signs = (
                {sign for sign in unknown[1] if not sign.isascii() and sign in written} if unknown else set()
            )
            if not signs:
                raise
            written = written.translate({ord(sign): "?" for sign in signs})


def _writing(sign: str) -> str:
    """CJK, THAI, HANGUL …: where one sign is missing the others are too."""
    return "" if sign.isascii() else unicodedata.name(sign, sign).split()[0]


def _compiler() -> Any:
    """One for each thread, so that the fonts are looked through once."""
    if not hasattr(_own, "compiler"):
        _own.compiler = typst.Compiler(font_paths=[FONTS])
    return _own.compiler
