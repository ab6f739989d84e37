"""Runs the stand-in until it is told to stop. One JSON line with its ports says it is ready."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from reminders.stand_in.server import ACCOUNT_SID, AUTH_TOKEN, StandIn

STOP = {signal.SIGTERM, signal.SIGINT}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--http-port", type=int, default=0, help="0 chooses one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 chooses one")
    parser.add_argument("--data", type=Path, help="file that keeps what arrived")
    parser.add_argument("--callback-delay", type=float, default=0.5, help="seconds per status")
    parser.add_argument(
        "--account-sid", default=os.environ.get("TWILIO_ACCOUNT_SID") or ACCOUNT_SID
    )
    parser.add_argument("--auth-token", default=os.environ.get("TWILIO_AUTH_TOKEN") or AUTH_TOKEN)


def serve(
    *,
    host: str,
    http_port: int,
    smtp_port: int,
    data: Path | None,
    callback_delay: float,
    account_sid: str,
    auth_token: str,
) -> None:
    """Blocks until SIGTERM or SIGINT. Raises OSError when a port is taken."""
    # Blocked before any thread starts, so that only this one receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    stand_in = StandIn(
        host=host,
        http_port=http_port,
        smtp_port=smtp_port,
        account_sid=account_sid,
        auth_token=auth_token,
        callback_delay=callback_delay,
        data=data,
    )
    with stand_in:
        ready = {"http_port": stand_in.http_port, "smtp_port": stand_in.smtp_port}
        print(json.dumps(ready), flush=True)
        signal.sigwait(STOP)


def main() -> int:
    parser = argparse.ArgumentParser(prog="stand_in", description=__doc__)
    add_arguments(parser)
    try:
        serve(**vars(parser.parse_args()))
    except OSError as taken:
        print(f"The stand-in cannot open its ports: {taken.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
