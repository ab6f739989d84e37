"""Runs it: `python -m tests.chaos --kills 150`.

The oracle is the providers' own log. Passes when, after everything came back, no message was lost
and none arrived twice, and the proof is clean. Prints what was done to whom and what came of it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from config.parts import healthy, house
from config.processes import wait_until
from tests.chaos.home import House, house_of_chaos

# So long after the last fault may it take until every outcome is known: the lease, tidying, and the
# looks at the provider, which come minutes apart.
HEALING_SECONDS = 420
SPACE = 2.0  # seconds between two faults, on average
REFERENCE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=150, help="faults in all (default 150)")
    parser.add_argument("--messages", type=int, default=1200, help="that fall due meanwhile")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the faults")
    options = parser.parse_args()
    random.seed(options.seed)
    with house_of_chaos() as home:
        return _run(home, options.kills, options.messages, Console(highlight=False))


def _run(home: House, kills: int, messages: int, console: Console) -> int:
    postgres, redis = home.open("postgres"), home.open("redis")
    migrated = home.manage("migrate", "--no-input", owner=True)
    if migrated.returncode:
        console.print(migrated.stderr)
        return 1
    os.environ.update(home.env)
    import django

    django.setup()
    # They need Django's settings, which are known from here on.
    from tests.chaos import ledger
    from tests.chaos.faults import Faults

    seconds = kills * SPACE
    console.print(f"{messages} messages fall due within {seconds:.0f} s; {kills} faults meanwhile.")
    starts = datetime.now(UTC) + timedelta(seconds=30)
    ledger.furnish(messages, starts=starts, seconds=seconds)
    for part in house(home.data / "beat"):
        home.run(part.name, *part.arguments)
    for part in house(home.data / "beat-2"):
        if part.name in ("beat", "worker-wake"):
            renamed = [each.replace("worker-wake@", "worker-wake-2@") for each in part.arguments]
            home.run(f"{part.name}-2", *renamed)
    if not wait_until(lambda: healthy(home.port), seconds=180, every=0.5):
        console.print("The house does not come up.")
        return 1
    faults = Faults(home, postgres, redis)
    while faults.done.total() < kills:
        time.sleep(random.uniform(0.5 * SPACE, 1.5 * SPACE))
        faults.one()
        faults.thaw()
        home.revive()
    faults.thaw(all_of_them=True)
    home.stand_in.modes.clear()
    healed = _healing(home, ledger.is_at_rest, console)
    return _verdict(home, faults.done, ledger.states(), healed, console)


def _healing(home: House, is_at_rest: Callable[[], bool], console: Console) -> float | None:
    """How many seconds it took until nothing was to be done any more; None when it did not end."""
    begun = time.monotonic()
    console.print("The last fault is over; now it may heal.")

    def healed() -> bool:
        home.revive()
        return is_at_rest()

    at_rest = wait_until(healed, seconds=HEALING_SECONDS, every=1.0)
    return time.monotonic() - begun if at_rest else None


def _verdict(
    home: House,
    done: Counter[str],
    states: dict[str, str],
    healed: float | None,
    console: Console,
) -> int:
    arrived = Counter(
        match[0]
        for sign in (
            *(text.status_callback for text in home.stand_in.texts),
            *(mail.message_id for mail in home.stand_in.mails),
        )
        if (match := REFERENCE.search(sign))
    )
    doubled = [reference for reference, count in arrived.items() if count > 1]
    unknown = [reference for reference, state in states.items() if state == "unknown"]
    lost = [each for each in states if each not in arrived and each not in unknown]
    table = Table("Fault", "Times", title="Chaos")
    for name, count in done.most_common():
        table.add_row(name, str(count))
    console.print(table)
    for state, count in Counter(states.values()).most_common():
        console.print(f"{count} messages are {state}")
    took = "it did not come to rest" if healed is None else f"at rest {healed:.0f} s later"
    console.print(
        f"{arrived.total()} arrivals, {len(doubled)} doubled, {len(lost)} lost, {len(unknown)} "
        f"left for staff as unknown ({sum(each in arrived for each in unknown)} of them arrived); "
        f"{took}."
    )
    for what, references in (("doubled", doubled), ("lost", lost)):
        for reference in references[:20]:
            console.print(f"{what}: {reference} ({states.get(reference, 'not ours')})")
    proof = home.manage("prove")
    print(proof.stdout + proof.stderr)
    return int(bool(doubled or lost or healed is None or proof.returncode))


if __name__ == "__main__":
    sys.exit(main())
