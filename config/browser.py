"""A browser for the tests that needs neither root nor anything installed on the machine.

- `CHROMIUM` names a browser: that one.
- Linux on x86-64: npm's @sparticuz/chromium, unpacked into .local/chromium (with the libraries it needs where the
  machine lacks them, and fonts where it has none).
- Elsewhere: Playwright's own, which it downloads.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from config.assets import PACKAGES
from config.services import LOCAL

ARGUMENTS = ["--no-sandbox", "--font-render-hinting=none", "--disable-gpu", "--force-color-profile=srgb"]
UNPACK = (
    "const [from, to] = process.argv.slice(1), fs = require('node:fs');"
    "require('node:stream/promises').pipeline("
    "fs.createReadStream(from), require('node:zlib').createBrotliDecompress(), fs.createWriteStream(to))"
)


class BrowserError(Exception):
    """A sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Browser:
    executable: str | None  # None: Playwright's own
    arguments: list[str] = field(default_factory=lambda: list(ARGUMENTS))
    env: dict[str, str] = field(default_factory=dict)


def find() -> Browser:
    """The browser, unpacked or downloaded if it has to be."""
    if named := os.environ.get("CHROMIUM"):
        if not shutil.which(named):
            raise BrowserError(f"CHROMIUM is {named}, which is no program here: name one that is.")
        return Browser(named)
    if platform.system() == "Linux" and platform.machine() in {"x86_64", "amd64"}:
        return _packaged()
    return _playwrights_own()


def _packaged() -> Browser:
    packed = PACKAGES / "@sparticuz" / "chromium"
    if not packed.exists():
        raise BrowserError("The browser isn't installed: run make install-tests.")
    folder = LOCAL / "chromium" / hashlib.sha256((packed / "package.json").read_bytes()).hexdigest()[:12]
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        unfinished.mkdir(parents=True, exist_ok=True)
        for name in ("chromium", "swiftshader.tar", "al2023.tar", "fonts.tar"):
            _unpack(packed / "bin" / f"{name}.br", unfinished / name)
            if name.endswith(".tar"):
                into = (
                    unfinished if name.startswith("swiftshader") else unfinished / name.removesuffix(".tar")
                )
                with tarfile.open(unfinished / name) as archive:
                    # npm has compared the package with its lock; Python before 3.11.4 has no filter
                    archive.extractall(
                        into, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {})
                    )
                (unfinished / name).unlink()
        (unfinished / "chromium").chmod(0o755)
        try:
            unfinished.rename(folder)
        except OSError:  # another test process was faster
            shutil.rmtree(unfinished)
    executable = str(folder / "chromium")
    env = {} if _has_fonts() else {"FONTCONFIG_PATH": str(folder / "fonts" / "fonts")}
    libraries = {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib")}
    for attempt in (env, env | libraries):
        if _runs(executable, attempt):
            return Browser(executable, env=attempt)
    raise BrowserError("The packaged browser does not run here: set CHROMIUM to one that does.")


def _unpack(source: Path, target: Path) -> None:
    node = Path(sys.executable).with_name("node")
    subprocess.run([str(node), "-e", UNPACK, str(source), str(target)], check=True, timeout=300)


def _has_fonts() -> bool:
    try:
        done = subprocess.run(["fc-list"], capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return Path("/etc/fonts/fonts.conf").exists() and any(Path("/usr/share/fonts").rglob("*.ttf"))
    return bool(done.stdout.strip())


def _runs(executable: str, env: dict[str, str]) -> bool:
    try:
        done = subprocess.run(
            [executable, "--version", "--no-sandbox"],
            capture_output=True,
            check=False,
            timeout=60,
            env={**os.environ, **env},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _playwrights_own() -> Browser:
    command = [sys.executable, "-m", "playwright", "install", "chromium-headless-shell"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode != 0:
        raise BrowserError(
            "Playwright could not download its browser: set CHROMIUM to one, or connect and try again."
        )
    return Browser(None)


def main() -> int:
    try:
        browser = find()
    except BrowserError as error:
        print(error, file=sys.stderr)
        return 1
    print(browser.executable or "Playwright's own browser")
    return 0


if __name__ == "__main__":
    sys.exit(main())
