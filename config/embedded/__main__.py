"""Runs a command beside throw-away services: `python -m config.embedded -- COMMAND …`.

The command talks to PostgreSQL as the owner, so it may migrate.
"""

import os
import subprocess
import sys

from config.embedded import Unusable, throwaway


def main(arguments: list[str]) -> int:
    if arguments[:1] != ["--"] or not arguments[1:]:
        print("usage: python -m config.embedded -- COMMAND …", file=sys.stderr)
        return 2
    defaults = {
        "SECRET_KEY": "for-commands-beside-throw-away-services-0123456789",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "EMAIL_URL": "smtp://127.0.0.1:1025",
    }
    try:
        with throwaway() as running:
            addresses = {
                "DATABASE_URL": running.owner_database_url,
                "REDIS_URL": running.redis_url,
            }
            return subprocess.call(arguments[1:], env=defaults | os.environ | addresses)
    except Unusable as problem:
        print(f"afterglow: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
