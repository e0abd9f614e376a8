"""Fetches the front-end packages and lays what pages use of them into static_built/, which Django serves.

The design system's own sheet names its whole font family in four formats and a source map that isn't served: those
lines go, and the three weights we use come instead, in the split that holds Danish letters (50 kB in all, not 800).
Nothing is compiled, so the result has no step that can differ between machines.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from config.services import ROOT

PACKAGES = ROOT / "node_modules"
BUILT = ROOT / "static_built"
STAMP = ".installed"
WEIGHTS = {400: "Regular", 600: "SemiBold", 700: "Bold"}
PRINTED = (*WEIGHTS.values(), "Italic", "BoldItalic")  # documents on paper
LATIN = (
    "U+0000, U+000D, U+0020-007E, U+00A0-00FF, U+0131, U+0152-0153, U+02C6, U+02DA, U+02DC, U+2013-2014, "
    "U+2018-201A, U+201C-201E, U+2020-2022, U+2026, U+2030, U+2039-203A, U+2044, U+20AC, U+2122, U+2212, U+FB01-FB02"
)


class AssetsError(Exception):
    """A sentence that says what is wrong and what to do."""


def fingerprint() -> str:
    """Of everything that decides what static_built holds."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install(*, for_tests: bool) -> None:
    """npm's packages as the lock says; the browser and axe only for tests."""
    stamp = PACKAGES / STAMP
    wanted = fingerprint()
    has = stamp.read_text().split() if stamp.exists() else []
    if has[:1] == [wanted] and ("tests" in has or not for_tests):
        return
    if PACKAGES.is_symlink():
        raise AssetsError(f"{PACKAGES} is a link to packages of another version: remove it and try again.")
    command = [_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if not for_tests:
        command.append("--omit=dev")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if re.search(r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network", done.stderr):
            raise AssetsError(
                "No network: the front-end packages come from npm's registry; connect and try again."
            )
        raise AssetsError(f"npm could not install the front-end packages: {done.stderr.strip()[-600:]}")
    stamp.write_text(f"{wanted} {'tests' if for_tests else 'run'}\n")


def _npm() -> str:
    beside = Path(sys.executable).with_name("npm")
    if not beside.exists():
        raise AssetsError("npm is missing beside Python: run make install.")
    return str(beside)


def build() -> None:
    stamp = BUILT / STAMP
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    unfinished = BUILT.with_name(f"{BUILT.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    design_system(PACKAGES / "dkfds" / "dist", unfinished / "dkfds")
    leaflet(PACKAGES / "leaflet", unfinished / "leaflet")
    (unfinished / STAMP).write_text(wanted)
    if BUILT.is_symlink():
        BUILT.unlink()
    shutil.rmtree(BUILT, ignore_errors=True)
    unfinished.rename(BUILT)


def design_system(source: Path, target: Path) -> None:
    (target / "fonts").mkdir(parents=True)
    sheet = without_fonts_and_maps((source / "css" / "dkfds.min.css").read_text())
    fonts = source / "fonts" / "IBMPlexSans"
    faces = []
    for weight, name in WEIGHTS.items():
        file = f"IBMPlexSans-{name}-Latin1.woff2"
        shutil.copy(fonts / "split" / "woff2" / file, target / "fonts" / file)
        faces.append(font_face(weight, f"fonts/{file}"))
    for name in PRINTED:
        shutil.copy(fonts / "complete" / "ttf" / f"IBMPlexSans-{name}.ttf", target / "fonts")
    shutil.copy(fonts / "split" / "woff2" / "license.txt", target / "fonts" / "license.txt")
    sheet = "".join(faces) + sheet.replace("url(../img/svg-icons/", "url(img/").replace(
        "url(../img/", "url(img/"
    )
    (target / "dkfds.css").write_text(sheet)
    (target / "img").mkdir()
    for file in sorted(set(re.findall(r"url\(img/([^)]+)\)", sheet))):
        found = [
            path for path in (source / "img" / "svg-icons" / file, source / "img" / file) if path.exists()
        ]
        if not found:
            raise AssetsError(f"The design system's sheet names {file}, which its package doesn't hold.")
        shutil.copy(found[0], target / "img" / file)
    script = (source / "js" / "dkfds.min.js").read_text()
    (target / "dkfds.js").write_text(without_fonts_and_maps(script))
    shutil.copy(source / "img" / "all-svg-icons.svg", target / "all-svg-icons.svg")
    shutil.copy(source / "LICENSE.md", target / "LICENSE.md")


def leaflet(source: Path, target: Path) -> None:
    """The map, without its pictures: our points are drawn, and the sheet's rules that name a picture go."""
    target.mkdir(parents=True)
    script = (source / "dist" / "leaflet.js").read_text()
    (target / "leaflet.js").write_text(without_fonts_and_maps(script))
    sheet = (source / "dist" / "leaflet.css").read_text()
    (target / "leaflet.css").write_text(re.sub(r"[^{}]*{[^{}]*url\([^{}]*}", "", sheet))
    shutil.copy(source / "LICENSE", target / "LICENSE")


def without_fonts_and_maps(text: str) -> str:
    text = re.sub(r"@font-face\s*{[^}]*}", "", text)
    text = re.sub(r"/\*# sourceMappingURL=[^*]*\*/", "", text)
    return re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)


def font_face(weight: int, file: str) -> str:
    return (
        '@font-face{font-family:"IBM Plex Sans";font-style:normal;font-display:swap;'
        f"font-weight:{weight};src:url({file}) format('woff2');unicode-range:{LATIN}}}\n"
    )


def main(arguments: Sequence[str]) -> int:
    try:
        install(for_tests="--tests" in arguments)
        build()
    except AssetsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
