"""Makes .venv and installs the locked requirements into it; says in one sentence what is missing on the machine.

Runs before anything is installed, with whatever Python the machine has: standard library only, and nothing that an
old Python can't read.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
OLDEST = (3, 11)
NO_NETWORK = (
    "NewConnectionError",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "ConnectTimeout",
    "Connection refused",
    "Failed to establish a new connection",
    "(from versions: none)",  # what the lock names exists, so no index answered
)


class Missing(Exception):
    """A sentence that says what to install."""


def need_python():
    if sys.version_info < OLDEST:
        raise Missing(
            "Python %d.%d is too old: install Python 3.11 or newer (and say where with make run PYTHON=/path/to/python3)."
            % sys.version_info[:2]
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Missing(
            "This Python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)."
        ) from None


def make_venv():
    python = os.path.join(VENV, "bin", "python")
    if os.path.exists(python):
        done = subprocess.run([python, "-c", ""], check=False)
        if done.returncode == 0:
            return python
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise Missing(
            "Python could not make a virtual environment here (on Debian and Ubuntu: apt install python3-venv):\n"
            + done.stdout.decode(errors="replace")[-400:]
        )
    return python


def install(name):
    lock = os.path.join(ROOT, "requirements", name + ".txt")
    with open(lock, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(VENV, "installed-" + name)
    # an environment for tests holds everything that running needs, from the same versions
    for each in {stamp, os.path.join(VENV, "installed-test")}:
        if os.path.exists(each) and os.path.exists(os.path.join(VENV, "bin", "python")):
            with open(each) as file:
                if wanted in file.read().split():
                    return
    need_python()
    python = make_venv()
    print("Installing what %s needs into .venv ..." % ("running" if name == "run" else "testing"), flush=True)
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--quiet",
        "--requirement",
        lock,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, check=False)
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace")
        if any(sign in said for sign in NO_NETWORK):
            raise Missing(
                "No network: the packages come from the Python package index; connect and try again."
            )
        raise Missing("pip could not install the requirements:\n" + said[-3000:])
    covered = [wanted]
    if name == "test":
        with open(os.path.join(ROOT, "requirements", "run.txt"), "rb") as file:
            covered.append(hashlib.sha256(file.read()).hexdigest())
    with open(stamp, "w") as file:
        file.write("\n".join(covered) + "\n")


if __name__ == "__main__":
    try:
        install(sys.argv[1] if len(sys.argv) > 1 else "run")
    except Missing as missing:
        sys.exit(str(missing))
