"""Processes that are born quickly: Django is loaded once, and each is forked from there.

A process of its own all the same, with its own connections; it can be killed like any other. Speaks
JSON, one line each: {"arguments": […], "settings": {…}, "failpoint": "…"} brings forth
`manage.py ARGUMENTS…` under these settings and answers with its id; {"wait": ID} answers with how
it ended, as Popen's returncode.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from importlib import reload
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from config.processes import dies_with_parent


def main() -> None:
    django.setup()
    # What every command needs is loaded before the first is asked for.
    from reminders.management.commands import remind_loop  # noqa: F401
    from reminders.sending import letters  # noqa: F401

    children: set[int] = set()
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "wait" in asked:
                print(_ended(asked["wait"]), flush=True)
                children.discard(asked["wait"])
                continue
            if (child := os.fork()) == 0:
                _live(asked)
            children.add(child)
            print(child, flush=True)
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def _live(asked: dict[str, Any]) -> None:
    """Does not return."""
    code = 1
    try:
        if dies := dies_with_parent(signal.SIGKILL):
            dies()
        for name, value in asked["settings"].items():
            setattr(settings, name, value)
        os.environ["AFTERGLOW_FAILPOINT"] = asked["failpoint"]
        from reminders import failpoints

        reload(failpoints)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        call_command(*asked["arguments"])
        code = 0
    finally:
        os._exit(code)


def _ended(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
