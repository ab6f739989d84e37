"""Moves a taken text through its statuses and tells the address it came with."""

import heapq
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reminders.stand_in.modes import Mode
from reminders.stand_in.received import Received, Text
from reminders.stand_in.reports import Step

# Codes of a text that never left its provider.
FAILED_CODES = frozenset({"30001", "30002", "30034", "30036", "40010", "40014", "40015"})
FINAL = frozenset({"delivered", "undelivered", "failed"})
# As long as Twilio waits for an answer (its error 11205).
TIMEOUT_SECONDS = 15


def steps(mode: Mode) -> list[Step]:
    """The statuses that a text of this mode goes through, in the order of their callbacks."""
    road = [Step("queued"), Step("sent"), Step("delivered")]
    if mode.is_delivery_code:
        last = "failed" if mode.name in FAILED_CODES else "undelivered"
        return [Step("queued"), Step("sent"), Step(last, code=mode.name)]
    if mode.name == "no_callback":
        return [Step(step.status, silent=True) for step in road]
    if mode.name == "duplicate":
        return [step for step in road for _ in range(2)]
    if mode.name == "out_of_order":
        return road[::-1]
    if mode.name == "forged":
        return [Step(step.status, forged=True) for step in road]
    return road


class Reports(Protocol):
    def request(self, text: Text, step: Step) -> urllib.request.Request | None: ...


@dataclass(order=True)
class Due:
    at: float
    number: int
    text: Text = field(compare=False)
    step: Step = field(compare=False)


class Callbacks:
    """One thread that posts what is due, each callback once. `delay` is seconds between steps,
    `reports` has what each provider posts."""

    def __init__(self, *, received: Received, reports: Mapping[str, Reports], delay: float) -> None:
        self._received = received
        self._reports = reports
        self._delay = delay
        self._due: list[Due] = []
        self._number = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="callbacks", daemon=True)
        # The machine's proxy must not see what stays on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def plan(self, text: Text, mode: Mode) -> None:
        with self._changed:
            now = time.monotonic()
            for place, step in enumerate(steps(mode), start=1):
                self._number += 1
                heapq.heappush(self._due, Due(now + place * self._delay, self._number, text, step))
            self._changed.notify()

    def _run(self) -> None:
        while (due := self._next()) is not None:
            self._move(due.text, due.step)
            if due.text.status_callback and not due.step.silent:
                self._post(due.text, due.step)

    def _next(self) -> Due | None:
        with self._changed:
            while not self._stopping:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)
                self._changed.wait(wait)
        return None

    def _move(self, text: Text, step: Step) -> None:
        if text.status not in FINAL:
            self._received.moved_on(text, status=step.status, code=step.code)

    def _post(self, text: Text, step: Step) -> None:
        request = self._reports[text.provider].request(text, step)
        if request is None:
            return
        try:
            self._opener.open(request, timeout=TIMEOUT_SECONDS).close()
        except (urllib.error.URLError, OSError):
            return  # Twilio does not repeat a status callback either
