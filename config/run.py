"""`make run`: every part against DATABASE_URL and REDIS_URL of the environment or of `.env`.

Where no DATABASE_URL is given, the embedded services of a data directory of their own serve: good
for a trial, not for real patients. Logs go to the terminal.
"""

import os
import sys
from contextlib import ExitStack

from config import environment
from config.embedded import Unusable, default_data_dir, services
from config.embedded.places import PROJECT
from config.parts import (
    Broken,
    house,
    port_is_free,
    run_once,
    together,
    wait_healthy,
    watch_until_told,
)
from config.processes import sigterm_unwinds


def main() -> int:
    environment.load_file(PROJECT)
    try:
        with sigterm_unwinds(), ExitStack() as stack:
            _run(stack)
    except (Unusable, Broken) as problem:
        print(f"afterglow: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _run(stack: ExitStack) -> None:
    port = environment.number("PORT", 8000)
    if not port_is_free(port):
        raise Broken(f"port {port} is in use: choose another one, e.g. `PORT={port + 1} make run`")
    data_dir = default_data_dir() / "run"
    env = {"JOINED_SHEETS": str(data_dir / "sheets")} | os.environ
    running = None
    if not env.get("DATABASE_URL"):
        running = stack.enter_context(services(data_dir))
        env |= {
            "DATABASE_URL": running.database_url,
            "OWNER_DATABASE_URL": running.owner_database_url,
            "REDIS_URL": running.redis_url,
        }
    data_dir.mkdir(parents=True, exist_ok=True)
    _prepare(env)
    parts = stack.enter_context(together(env, None))
    for part in house(data_dir / "beat"):
        parts.start(part)
    wait_healthy(parts, port, seconds=90)
    print(f"afterglow: serving http://127.0.0.1:{port}/ as {env.get('PUBLIC_URL')}", flush=True)
    watch_until_told(parts, running)


def _prepare(env: dict[str, str]) -> None:
    """Migrates as the owner of the tables where its address is known, else asks to; not before the
    agreements with those who will carry messages are on record."""
    run_once(("manage.py", "check", "--deploy", "--tag", "agreements"), env)
    if owner := env.get("OWNER_DATABASE_URL"):
        run_once(("manage.py", "migrate", "--no-input"), env | {"DATABASE_URL": owner})
    else:
        run_once(("manage.py", "migrate", "--check"), env)
    run_once(("manage.py", "load_protocols"), env)


if __name__ == "__main__":
    sys.exit(main())
