"""Tagged PDF/UA by typst. What people wrote goes to it as data, never as source."""

import json
from typing import Any

import typst
from django.conf import settings
from django.utils import translation

_COMMON = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, author: data.municipality)
#set par(leading: 0.75em, spacing: 1.2em)
#show heading: set block(above: 1.6em, below: 0.8em)
#show heading: set text(0.85em)
#show title: set text(1.35em)
"""


def compile_pdf(source: str, data: dict[str, Any]) -> bytes:
    """`source` finds `data` as a dictionary of that name, with `municipality` and `lang` in it."""
    data |= {
        "municipality": settings.MUNICIPALITY["name"],
        "lang": (translation.get_language() or settings.LANGUAGE_CODE).split("-")[0],
    }
    return typst.compile(
        (_COMMON + source).encode(),
        sys_inputs={"data": json.dumps(data)},
        format="pdf",
        pdf_standards=["ua-1"],
    )
