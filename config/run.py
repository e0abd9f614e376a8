"""`make run`: the whole system on this machine, on its own services, until Ctrl-C.

    python -m config.run                    # everything in Procfile, after migrating and filling the demo once
    python -m config.run exec COMMAND …     # one command in the same environment: a shell, manage.py, pytest

Nothing here is used in production, which has its own process manager and sets the variables itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

from config import assets, environment, people, services, translations
from config.environment import development_environment

PORTS = {  # variable: what it is for, where we begin to look
    "PORT": ("the portal", 8000),
    "MITID_PORT": ("the stand-in MitID", 9400),
    "MAIL_PORT": ("the mail page", 8025),
    "SMTP_PORT": ("the mail server", 1025),
    "POST_PORT": ("the stand-in Digital Post", 9500),
}
KIND = "run"
DEMO_CVR = "11110002"  # invented
ANSWERS_WITHIN = 120


class RunError(Exception):
    """A sentence that says what is wrong and what to do."""


def free_port(host: str, wanted: int, purpose: str, taken: Iterable[int]) -> int:
    for port in range(wanted, min(wanted + 100, 65536)):
        if port not in taken and _is_free(host, port):
            if port != wanted:
                print(f"Port {wanted} is taken; {purpose} uses {port} instead.", flush=True)
            return port
    raise RunError(f"No free port from {wanted} on for {purpose}: set another one in the environment.")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def addresses() -> dict[str, str]:
    """The environment that says where everything listens."""
    host = os.environ.get("HOST", "127.0.0.1")
    found: dict[str, str] = {"HOST": host}
    for name, (purpose, usual) in PORTS.items():
        wanted = os.environ.get(name, str(usual))
        if not wanted.isdigit():
            raise RunError(f"{name} is {wanted!r}, which is no port number.")
        taken = [int(found[each]) for each in PORTS if each in found]
        found[name] = str(free_port(host, int(wanted), purpose, taken))
    return found


def settings_of(found: dict[str, str], where: services.Place) -> dict[str, str]:
    site = os.environ.get("SITE_URL", f"http://localhost:{found['PORT']}")
    chosen = {
        **found,
        "SITE_URL": site,
        "MITID_ISSUER": f"http://localhost:{found['MITID_PORT']}",
        "DIGITAL_POST_URL": f"http://localhost:{found['POST_PORT']}",
        "DIGITAL_POST_CVR": DEMO_CVR,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": found["SMTP_PORT"],
        "DEBUG": "0",
        "DEMO": "1",
        "DATABASE_APP_ROLE": services.APP_ROLE,
        "CLOCK_FILE": str(services.LOCAL / "clock"),
        "MEDIA_ROOT": str(where.folder / "media"),  # goes with the database when everything is forgotten
        "BEAT_SCHEDULE": str(services.LOCAL / "beat-schedule"),
        "WEB_WORKERS": "2",
        "WORKER_PROCESSES": "2",
        "LETTER_PROCESSES": "2",
        "WEB_OPTIONS": "--reload" if os.environ.get("DEBUG") == "1" else "",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::DeprecationWarning,ignore:You're running the worker",  # of packages, not of ours
    }
    fixed = set(found) | {"SITE_URL"}
    return {name: value for name, value in chosen.items() if name in fixed or name not in os.environ}


@contextlib.contextmanager
def only_one(where: services.Place) -> Iterator[Path]:
    """The file that says where we listen; whoever starts a second one is told that address."""
    services.make_state_folder(where)
    told = where.folder / "addresses.json"
    with (where.folder / "run.lock").open("a+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise RunError(
                f"It is already running: {read_addresses(told).get('SITE_URL', 'starting')}"
            ) from None
        told.unlink(missing_ok=True)
        try:
            yield told
        finally:
            told.unlink(missing_ok=True)


def read_addresses(file: Path) -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content


def manage(*arguments: str) -> None:
    command = [sys.executable, str(services.ROOT / "manage.py"), *arguments]
    done = subprocess.run(command, cwd=services.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def once(stamp: Path, fingerprint: str, what: str, *steps: tuple[str, ...]) -> None:
    """Runs the steps unless they were done for the same fingerprint."""
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    began = time.monotonic()
    print(f"{what} …", end="", flush=True)
    for step in steps:
        manage(*step)
    stamp.write_text(fingerprint)
    print(f" {time.monotonic() - began:.0f} s", flush=True)


def fingerprint(*patterns: str) -> str:
    digest = hashlib.sha256(os.environ["DATABASE_URL"].encode())
    for pattern in patterns:
        for path in sorted(services.ROOT.glob(pattern)):
            if path.is_file():
                digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def prepare(where: services.Place, *, embedded: bool) -> None:
    (services.LOCAL).mkdir(exist_ok=True)
    translations.compile_all()
    stamps = where.folder
    changed = fingerprint("*/migrations/*.py", "audit/*.py", "requirements/run.txt")
    once(stamps / "migrated", changed, "Preparing the database", ("migrate", "--verbosity=0"))
    if os.environ["DEBUG"] != "1":
        changed = fingerprint("static/**/*", "static_built/.installed", "requirements/run.txt")
        once(
            stamps / "collected",
            changed,
            "Collecting static files",
            ("collectstatic", "--noinput", "--verbosity=0"),
        )
    if (
        embedded
        and os.environ["DEMO"] == "1"
        and (services.ROOT / "demo/management/commands/demo_fill.py").exists()
    ):
        once(stamps / "filled", "once", "Filling the demo (once)", ("demo_fill",))


def processes() -> dict[str, str]:
    known: dict[str, str] = parse_procfile((services.ROOT / "Procfile").read_text()).processes
    return known


def forget_another_clone() -> None:
    """Root's data outlive a clone that was deleted; the next clone in the same folder lacks its secrets, so nobody can
    read them any more."""
    if services.place(KIND).folder.exists() and not environment.FILE.exists():
        reset()


def serve() -> int:
    forget_another_clone()
    where = services.place(KIND)
    with only_one(where) as told:
        services.end_groups(where)  # of a run that was killed while somebody else's servers were used
        assets.install(for_tests=False)
        assets.build()
        embedded = not os.environ.get("DATABASE_URL")
        with services.hold(KIND) as started:
            os.environ.update(started)
            os.environ.update(development_environment())
            found = addresses()
            os.environ.update(settings_of(found, where))
            os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
            prepare(where, embedded=embedded)
            told.write_text(
                json.dumps({name: os.environ[name] for name in (*found, "SITE_URL", "MITID_ISSUER")})
            )
            manager = Manager()
            for name, command in processes().items():
                joined = f"exec {shlex.quote(sys.executable)} -m config.services join {KIND} {command}"
                manager.add_process(name, joined, env=dict(os.environ), cwd=str(services.ROOT))
            threading.Thread(target=say_where, daemon=True).start()
            manager.loop()
            code: int = manager.returncode or 0
            return 0 if code == 130 else code  # Ctrl-C is how one ends it


def say_where() -> None:
    """The last thing on the screen: where to go and who to be, once the portal answers."""
    site, mail = os.environ["SITE_URL"], f"http://localhost:{os.environ['MAIL_PORT']}"
    local = f"http://127.0.0.1:{os.environ['PORT']}/"
    deadline = time.monotonic() + ANSWERS_WITHIN
    while time.monotonic() < deadline and not _answers(local):
        time.sleep(0.2)
    lines = [
        "",
        f"  The portal          {site}/",
        f"  For the staff       {site}/admin/",
        f"  Mail it sends       {mail}/",
        f"  Codes for the staff {mail}/koder",
        f"  Stand-in MitID      {os.environ['MITID_ISSUER']}/",
        f"  Digital Post (stand-in)  http://localhost:{os.environ['POST_PORT']}/",
        "",
        *people.lines(people.load()),
        "  Ctrl-C ends it; make run starts it again with the same data; make reset starts over.",
        "",
    ]
    print("\n".join(lines), flush=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310 our own address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def execute(command: Sequence[str]) -> int:
    """One command in the environment of `make run`, whether or not that is running."""
    where = services.place(KIND)
    running = read_addresses(where.folder / "addresses.json")
    with services.hold(KIND) as started:
        os.environ.update(started)
        os.environ.update(development_environment())
        os.environ.update(
            settings_of({"HOST": "127.0.0.1"} | {n: str(p) for n, (_, p) in PORTS.items()}, where)
        )
        os.environ.update(running)
        programs = [str(Path(sys.executable).parent)]
        if "DATABASE_URL" in started:
            programs.append(str(services.postgres_bin()))  # psql, pg_dump, pg_restore
        os.environ["PATH"] = os.pathsep.join([*programs, os.environ.get("PATH", "")])
        return subprocess.run(command, check=False).returncode


def reset() -> None:
    where = services.place(KIND)
    if where.folder.exists():
        with only_one(where):
            pass
    services.remove(KIND)
    for name in ("beat-schedule", "clock", "demo_people.json"):
        (services.LOCAL / name).unlink(missing_ok=True)
    for file in (
        *(services.LOCAL / "mail").glob("*.eml"),
        *(services.LOCAL / "digital-post").glob("letters.*"),
    ):
        file.unlink()


def main(arguments: Sequence[str]) -> int:
    try:
        match list(arguments):
            case []:
                return serve()
            case ["exec", *command] if command:
                return execute(command)
            case ["reset"]:
                reset()
                return 0
    except (RunError, services.ServicesError, assets.AssetsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    print("python -m config.run [exec COMMAND … | reset]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
