"""Builds one list in a process of its own, so that its memory is nobody else's: `python -m tests.bench.building 7`."""

import json
import os
import sys
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from mailouts import actions
    from mailouts.models import Campaign
    from tests.mailouts.storm import peak_memory

    campaign = Campaign.objects.get(pk=sys.argv[1])
    before, began = peak_memory(), time.perf_counter()
    campaign = actions.build_list(campaign=campaign)
    print(
        json.dumps(
            {
                "letters": campaign.list_numbers["letters"],
                "seconds": time.perf_counter() - began,
                "memory": peak_memory() - before,
            }
        )
    )


if __name__ == "__main__":
    main()
