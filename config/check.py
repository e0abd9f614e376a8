"""`make check`: everything that is judged without running tests. Every step runs, then the failures are shown.

python -m config.check            # all steps
python -m config.check lock       # compile requirements/ again from pyproject.toml
python -m config.check format     # templates put in their form
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config import assets, services, translations
from config.environment import development_environment

ROOT = services.ROOT
BIN = Path(sys.executable).parent
REQUIREMENTS = ROOT / "requirements"
TYPED = (  # mypy strict; the rest is typed where it helps
    "*/actions.py",
    "*/actions/**/*.py",
    "*/permissions.py",
    "*/permissions/*.py",
    "participation/principles/*.py",
    "participation/lifecycle.py",
    "budgets/counting.py",
    "budgets/carrying_out.py",
    "budgets/money.py",
    "budgets/years.py",
    "mailouts/[!t]*.py",  # not tasks.py: celery has no types
    "accounts/eligibility.py",
    "config/services.py",
    "config/environment.py",
    "config/run.py",
    "config/assets.py",
    "config/people.py",
    "config/translations.py",
    "config/digital_post_*.py",
)
PRODUCTION = {  # what an operator sets, with invented values; `check --deploy` must have nothing to say
    "DEBUG": "0",
    "DEMO": "0",
    "SITE_URL": "https://deltag.example.dk",
    "ALLOWED_HOSTS": "deltag.example.dk",
    "CSRF_TRUSTED_ORIGINS": "https://deltag.example.dk",
    "DATABASE_APP_ROLE": services.APP_ROLE,
    "EMAIL_HOST": "smtp.example.dk",
    "EMAIL_USE_TLS": "1",
    "MITID_ISSUER": "https://broker.example.dk",
    "MUNICIPALITY_CODE": "0101",
    "CLOCK_FILE": "",
    "PLAIN_STATIC": "0",
}


@dataclass(frozen=True)
class Result:
    ok: bool
    said: str = ""
    note: str = ""


def run(*command: str, env: dict[str, str] | None = None) -> Result:
    program = str(BIN / command[0]) if (BIN / command[0]).exists() else command[0]
    done = subprocess.run(
        [program, *command[1:]],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(done.returncode == 0, done.stdout)


def manage(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return run("python", "manage.py", *arguments, env=env)


def types() -> Result:
    files = sorted(
        {str(path.relative_to(ROOT)) for pattern in TYPED for path in ROOT.glob(pattern) if ours(path)}
    )
    return run("mypy", "--no-error-summary", *files)


def ours(path: Path) -> bool:
    return not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)


def templates() -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates", *ROOT.glob("*/templates"))
        if path.is_dir()
    )


def catalogue() -> Result:
    found = list(translations.faults())
    return Result(not found, "\n".join(found))


def production() -> Result:
    return manage("check", "--deploy", "--fail-level", "WARNING", env=PRODUCTION)


def static_files() -> Result:
    with tempfile.TemporaryDirectory() as folder:
        return manage(
            "collectstatic", "--noinput", "--verbosity=0", env={**PRODUCTION, "STATIC_ROOT": folder}
        )


def diagram() -> Result:
    if not list(ROOT.glob("*/management/commands/state_diagram.py")):
        return Result(False, "There is no command state_diagram.")
    return manage("state_diagram", "--check")


def audit() -> Result:
    found = run(
        "pip-audit", "--disable-pip", "--require-hashes", "--progress-spinner=off", "--timeout=15",
        "--requirement", str(REQUIREMENTS / "run.txt"), env={"PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    unknown = found.said.count("could not be audited")
    if not found.ok and "vulnerabilit" not in found.said.lower():
        return Result(True, note="its service can't be reached from here, so nothing was asked")
    if unknown:
        return Result(
            found.ok,
            found.said,
            f"its service knows nothing of {unknown} packages, so they were not asked about",
        )
    return found


# Requirement locks


def header() -> str:
    """Names what the lock was compiled from, so that being out of step is seen without a network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [project["requires-python"], *project["dependencies"], *project["optional-dependencies"]["test"]]
    return f"# Compiled by `make lock` from pyproject.toml, dependencies {hashlib.sha256(repr(asked).encode()).hexdigest()[:16]}\n"


def locks() -> Result:
    for name in ("run", "test"):
        text = (REQUIREMENTS / f"{name}.txt").read_text()
        if not text.startswith(header()):
            return Result(False, f"requirements/{name}.txt is older than pyproject.toml: run make lock.")
        if "://" in text or "--index" in text or "--find-links" in text:
            return Result(False, f"requirements/{name}.txt names an address: run make lock.")
    if '"resolved"' in (ROOT / "package-lock.json").read_text():
        return Result(False, "package-lock.json names a registry: set npm's omit-lockfile-registry-resolved.")
    return Result(True)


def compile_locks() -> int:
    common = [
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        "--universal",
        "--python-version=3.11",
        "--generate-hashes",
    ]
    common += ["--no-annotate", "--no-header", "--quiet"]
    for name, more in (("run", []), ("test", ["--extra=test", "--constraint=requirements/run.txt"])):
        target = REQUIREMENTS / f"{name}.txt"
        done = run(*common, *more, f"--output-file={target}")
        if not done.ok:
            print(done.said, file=sys.stderr)
            return 1
        target.write_text(header() + target.read_text().removeprefix(header()))
    npm = run(
        "npm",
        "install",
        "--package-lock-only",
        "--ignore-scripts",
        "--omit-lockfile-registry-resolved",
        "--no-audit",
    )
    print(npm.said if not npm.ok else "requirements/ and package-lock.json are compiled.")
    return 0 if npm.ok else 1


STEPS: dict[str, Callable[[], Result]] = {
    "requirement locks in step": locks,
    "ruff": lambda: run("ruff", "check", "."),
    "ruff format": lambda: run("ruff", "format", "--check", "."),
    "templates formatted": lambda: run("djangofmt", "--check", *templates()),
    "layers": lambda: run("lint-imports", "--no-cache"),
    "types": types,
    "migrations in step": lambda: manage("makemigrations", "--check", "--dry-run"),
    "catalogue complete": catalogue,
    "system checks": lambda: manage("check", "--fail-level", "WARNING"),
    "production settings": production,
    "static files found": static_files,
    "state diagram in step": diagram,
    "known vulnerabilities": audit,
}


def all_steps() -> int:
    failed = {}
    os.environ["PYTHONWARNINGS"] = "ignore::DeprecationWarning"
    for name, step in STEPS.items():
        began = time.monotonic()
        result = step()
        seconds = f"{time.monotonic() - began:.1f} s"
        print(f"{'ok    ' if result.ok else 'FAILED'} {name:<28} {seconds:>7} {result.note}", flush=True)
        if not result.ok:
            failed[name] = result.said
    for name, said in failed.items():
        print(f"\n{name}\n{'-' * len(name)}\n{said.strip()[-6000:]}")
    return 1 if failed else 0


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["lock"]:
        return compile_locks()
    if list(arguments) == ["format"]:
        return 0 if run("djangofmt", "--quiet", *templates()).ok else 1
    if arguments:
        print("python -m config.check [lock | format]", file=sys.stderr)
        return 2
    try:
        assets.build()
        os.environ.update(development_environment())
        with services.hold("test") as started:
            os.environ.update(started)
            return all_steps()
    except (services.ServicesError, assets.AssetsError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
