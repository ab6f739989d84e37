"""Measures one group in a process of its own, on the services of the environment.

Migrates as the owner, measures as the role that runs. Each line it prints is a step or a figure.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module

from benchmarks.figures import Grid, LeftOut


def main(group: str) -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    step("setting up the database")
    call_command("migrate", verbosity=0)
    connection.close()
    connection.settings_dict["USER"] = "afterglow_app"
    for figure in import_module(f"benchmarks.{group}").figures(step):
        kind = {LeftOut: "left_out", Grid: "grid"}.get(type(figure), "figure")
        print(json.dumps({kind: asdict(figure)}), flush=True)


def step(words: str) -> None:
    print(json.dumps({"step": words}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
