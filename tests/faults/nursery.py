"""Processes that are born quickly: Django is loaded once, and each is forked from there.

A process of its own all the same, with its own session and connections; it can be killed like any
other. Speaks JSON, one line each: {"arguments": […], "settings": {…}, "env": {…}, "log": "…"}
brings forth `manage.py ARGUMENTS…`, or `celery …` where that is the first argument, under these
settings and answers with its id; {"ended": ID} answers with how it ended, as Popen's returncode,
or null.
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

from config.celery import app
from config.processes import dies_with_parent


def main() -> None:
    django.setup()
    # What every command needs is loaded before the first is asked for.
    import kombu.transport.redis  # noqa: F401

    from reminders import tasks  # noqa: F401
    from reminders.management.commands import remind_loop  # noqa: F401
    from reminders.sending import letters  # noqa: F401

    children: set[int] = set()
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "ended" in asked:
                code = _ended(asked["ended"])
                print(json.dumps(code), flush=True)
                if code is not None:
                    children.discard(asked["ended"])
                continue
            if (child := os.fork()) == 0:
                _live(asked)
            children.add(child)
            print(child, flush=True)
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)


def _live(asked: dict[str, Any]) -> None:
    """Does not return."""
    code = 1
    try:
        os.setsid()
        if dies := dies_with_parent(signal.SIGKILL):
            dies()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for name, value in asked["settings"].items():
            setattr(settings, name, value)
        os.environ.update(asked["env"])
        from reminders import failpoints

        reload(failpoints)
        _run(*asked["arguments"])
        code = 0
    finally:
        os._exit(code)


def _run(*arguments: str) -> None:
    if arguments[0] == "celery":
        app.start(list(arguments[1:]))
    else:
        call_command(*arguments)


def _ended(child: int) -> int | None:
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    main()
