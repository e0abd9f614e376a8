"""Many voters at once, in a process of its own: python -m tests.budgets.voters THREADS

Reads a line of JSON (round, choice, voters), says `ready`, and begins when it reads another line. Each thread takes the next voter and casts on its own connection. What the voter would have been told is written at once, one
line each: `thanks PERSON` when the cast has returned, `refused PERSON CODE`, `cut PERSON` when an error came instead.
"""

import json
import os
import sys
import threading

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import DatabaseError, connection

    from accounts.models import User
    from accounts.verdict import Refused
    from budgets import actions
    from budgets.models import Round

    work = json.loads(sys.stdin.readline())
    waiting = iter(work["voters"])
    lock = threading.Lock()

    def tell(*words: str) -> None:
        os.write(1, (" ".join(words) + "\n").encode())

    def vote() -> None:
        while True:
            with lock:
                handle = next(waiting, None)
            if handle is None:
                connection.close()
                return
            try:
                user = User.objects.get(handle=handle)
                round = Round.objects.for_voting().get(pk=work["round"])
                actions.cast_ballot(round=round, by=user, choices=[(work["choice"], 1)], tracker=None)
            except Refused as refused:
                tell("refused", handle, refused.code)
            except DatabaseError:
                tell("cut", handle)
                connection.close()
            else:
                tell("thanks", handle)

    tell("ready")
    sys.stdin.readline()
    threads = [threading.Thread(target=vote) for _ in range(int(sys.argv[1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell("done")


if __name__ == "__main__":
    main()
