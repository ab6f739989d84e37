"""Whatever patients, staff, providers and dying workers do in whatever order: every message leaves
at most once, says what is true, and to those who agreed; and in the end the ledger is the plan."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Q, QuerySet
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused
from appointments.visits import attendance, booking, cancelling, moving
from clinic import hours, wall_time
from clinic.access import Forbidden
from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients import consent
from patients.models import Patient, Purpose
from reminders.catalogue import Channel, MessageState
from reminders.channels.base import Absent, Found, LookUp, Outcome, Outgoing, Submission, Unanswered
from reminders.gate import QUIET_HOURS
from reminders.journeys import replanning
from reminders.ledger import opting_out, receipts, reconciling, skipping
from reminders.models import Message, MessageItem, Suppression, SuppressionSource
from reminders.planning.wish import SKIPPED_BY_STAFF
from reminders.proving import proof
from reminders.sending import dispatch, retiming, switching
from tests.appointments.conftest import at
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

ZONE = "America/New_York"
PHONE = "+12125550123"
# The clocks go forward between the first sessions and the second.
DAYS = [date(2027, 2, 17), date(2027, 2, 18), date(2027, 2, 24)]
WALLS = ["10:00", "13:00", "15:30"]
# Shrinking such a story takes minutes and rarely makes it shorter than it is long.
LONG_STORIES = settings(
    max_examples=20, stateful_step_count=30, phases=[Phase.explicit, Phase.generate]
)
# What of time passes: less than a hold of notices, a night, up to the next session.
LEAPS = [
    timedelta(seconds=20),
    timedelta(minutes=5),
    timedelta(minutes=40),
    timedelta(hours=9),
    timedelta(days=1),
    timedelta(days=6),
]
CHOICES = ["put_off", "now", "switch", "back", "skip", "unskip"]
STATUSES = ["queued", "sent", "delivered", "undelivered", "failed"]
FAILED = {"undelivered", "failed"}
# Later than due is no fault of the engine here: nobody drains while the machine does other things.
NOT_OF_THE_MACHINE = {"overdue", "expired", "claims", "unknowns", "attempts", "unplanned", "plan"}

starts = st.builds(at, st.sampled_from(DAYS), st.sampled_from(WALLS))
two, nth = st.integers(0, 1), st.integers(0, 7)
channels = st.sampled_from(["sms", "email"])


class Killed(BaseException):
    """The worker dies here."""


class Provider:
    """Takes messages as it is told, and knows which it really took."""

    name = "provider"
    provider = "twilio"

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.last: list[str] = []
        self.mood = "takes"
        # By reference, of the last call about it: our id of what was taken, or nothing.
        self.holds: dict[str, str] = {}

    def __call__(self, name: str) -> "Provider":
        if self.mood == "dies_before_the_mark":
            raise Killed
        return self

    def submit(self, outgoing: Outgoing) -> Submission:
        self.holds[outgoing.reference] = ""
        match self.mood:
            case "busy":
                return Submission(outcome=Outcome.NOT_SENT, code="20429", retry_after_seconds=30)
            case "refuses":
                return Submission(outcome=Outcome.REFUSED, code="30034")
            case "loses_the_call":
                return Submission(outcome=Outcome.UNKNOWN, code="timeout")
            case "dies_before_the_call":
                raise Killed
        self.taken[outgoing.reference] += 1
        self.last.append(outgoing.reference)
        self.holds[outgoing.reference] = f"SM{len(self.last)}"
        match self.mood:
            case "loses_the_answer":
                return Submission(outcome=Outcome.UNKNOWN, code="reset")
            case "dies_after_the_call":
                raise Killed
        return Submission(outcome=Outcome.ACCEPTED, provider_id=f"SM{len(self.last)}")

    def look_up(self, unanswered: Unanswered) -> LookUp:
        held = self.holds.get(unanswered.reference)
        return Found((held,), is_by_reference=True) if held else Absent()

    def close(self) -> None:
        """Nothing is open."""


TROUBLES = [
    *("loses_the_answer", "dies_after_the_call", "loses_the_call", "dies_before_the_call"),
    *("dies_before_the_mark", "busy", "refuses"),
]


@dataclass(frozen=True)
class House:
    site: Site
    version: ProtocolVersion
    place: tuple[int, int, int]
    patients: tuple[Patient, Patient]
    desk: Staff
    provider: Staff
    now: datetime


class Journey(RuleBasedStateMachine):
    """Each example is a transaction of its own, rolled back at its end."""

    house: ClassVar[House]
    happened: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.now = self.house.now
        self.provider = Provider()
        self.turn = 0
        self.reported_lost: Counter[str] = Counter()
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        try:
            self._come_to_rest()
            self._holds(without=frozenset({"overdue", "unknowns"}))
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    # --- What staff and patients do ---------------------------------------------------------------

    @initialize(
        first=starts,
        wall=st.sampled_from(WALLS),
        turn=st.integers(0, len(TROUBLES) - 1),
        act=st.sampled_from(CHOICES),
    )
    def book_one(self, first: datetime, wall: str, turn: int, act: str) -> None:
        self.turn = turn
        self.book(who=0, first=first, later=wall)
        self.choose(turn, act, planned=True)

    @rule(who=two, first=starts, later=st.sampled_from([None, *WALLS]))
    def book(self, who: int, first: datetime, later: str | None) -> None:
        days = [first]
        if later is not None:
            days.append(at(wall_time.local(first, ZONE).date() + timedelta(days=28), later))
        visits = [VisitWish(start, *self.house.place) for start in days]
        self._attempt(
            "book",
            lambda: booking.book_series(
                patient=self.house.patients[who],
                site=self.house.site,
                version=self.house.version,
                areas=["face"],
                visits=visits,
                by=self.house.desk,
                now=self.now,
            ),
        )

    @precondition(lambda self: self._open().exists())
    @rule(n=nth, start=starts)
    def move(self, n: int, start: datetime) -> None:
        visit = self._nth(n)
        provider, room, device = self.house.place
        self._attempt(
            "move",
            lambda: moving.move(
                appointment=visit,
                starts_at=start,
                provider_id=provider,
                room_id=room,
                device_id=device,
                by=self.house.desk,
                now=self.now,
            ),
        )

    @precondition(lambda self: self._open().exists())
    @rule(n=nth)
    def cancel(self, n: int) -> None:
        visit = self._nth(n)
        self._attempt(
            "cancel",
            lambda: cancelling.cancel(appointment=visit, by=self.house.desk, now=self.now),
        )

    @precondition(lambda self: self._open().exists())
    @rule(n=nth)
    def treat(self, n: int) -> None:
        """The day of the visit comes, and it takes place."""
        visit = self._nth(n)
        if visit.starts_at < self.now:
            return
        self.now = visit.starts_at

        def take_place() -> None:
            by = self.house.provider
            arrived = attendance.check_in(appointment=visit, by=by, now=self.now)
            begun = attendance.start(appointment=arrived, by=by, now=self.now)
            self.now = visit.ends_at
            attendance.complete(appointment=begun, by=by, now=self.now)

        self._attempt("treat", take_place)

    @rule(who=two, channel=channels, agrees=st.booleans())
    def consent(self, who: int, channel: str, agrees: bool) -> None:
        act = consent.give if agrees else consent.withdraw
        act(
            patient=self.house.patients[who],
            purpose=Purpose.CARE,
            channel=channel,
            by=self.house.desk,
            now=self.now,
        )

    @rule(stops=st.booleans())
    def write_stop_or_start(self, stops: bool) -> None:
        """From the telephone that both share."""
        act = opting_out.opt_out if stops else opting_out.opt_in
        act(
            channel=Channel.SMS,
            address=PHONE,
            source=SuppressionSource.REPLY,
            by=None,
            now=self.now,
        )

    @rule(n=nth, act=st.sampled_from(CHOICES), planned=st.booleans())
    def choose(self, n: int, act: str, planned: bool) -> None:
        """Staff change a message that waits, planned anew since or not."""
        if planned:
            replanning.sync_stale(now=self.now)
        rows = list(self._waiting())
        if not rows:
            return
        told: dict[str, Any] = {"message": rows[n % len(rows)], "by": self.house.desk}
        later = rows[n % len(rows)].due_at + timedelta(hours=1 + n)
        acts: dict[str, Callable[[], object]] = {
            "put_off": lambda: retiming.put_off(until=later, now=self.now, **told),
            "now": lambda: retiming.send_now(now=self.now, **told),
            "switch": lambda: switching.switch(now=self.now, **told),
            "back": lambda: switching.switch_back(now=self.now, **told),
            "skip": lambda: skipping.skip(now=self.now, **told),
            "unskip": lambda: skipping.unskip(now=self.now, **told),
        }
        before = self.happened["switch"]
        self._attempt(act, acts[act])
        if planned and self.happened["switch"] > before:
            self._assert_said_by_the_other(told["message"])

    def _assert_said_by_the_other(self, switched: Message) -> None:
        """A switch lost nothing: all of it is planned on the other channel, and only there."""
        replanning.sync_stale(now=self.now)
        of_message = MessageItem.objects.filter(message=switched)
        own = set(of_message.values_list("anchor", "schedule_version", "step"))
        same = MessageItem.objects.filter(anchor__in={each[0] for each in own}, live=True)
        waiting = same.filter(message__state=MessageState.SCHEDULED)
        by_channel: dict[str, set[tuple[str, int, str]]] = {"sms": set(), "email": set()}
        for item in waiting:
            by_channel[item.channel].add((item.anchor, item.schedule_version, item.step))
        there = {"sms": "email", "email": "sms"}[switched.channel]
        assert own <= by_channel[there]
        assert not own & by_channel[switched.channel]

    # --- What the engine does ---------------------------------------------------------------------

    @rule(
        mood=st.sampled_from(["takes", *TROUBLES]),
        window=st.sampled_from([1, 3, 64]),
        leap=st.sampled_from(LEAPS),
        planned=st.sampled_from([True, True, True, False]),
    )
    def drain(self, mood: str, window: int, leap: timedelta, planned: bool) -> None:
        self.now += leap
        if planned:
            replanning.sync_stale(now=self.now)
        self._send(mood, window)

    @rule(leap=st.sampled_from(LEAPS))
    def drain_undisturbed(self, leap: timedelta) -> None:
        self.drain("takes", 64, leap, planned=True)

    @precondition(lambda self: self._open().exists())
    @rule(n=nth, start=starts, mood=st.sampled_from(TROUBLES))
    def move_and_tell(self, n: int, start: datetime, mood: str) -> None:
        self.move(n, start)
        self.drain(mood, 64, timedelta(minutes=5), planned=True)

    @precondition(lambda self: self._next_due() is not None)
    @rule()
    def drain_in_trouble(self) -> None:
        """At the moment at which something is due, so that each trouble meets a message in turn."""
        due = self._next_due()
        assert due is not None
        self.now = max(self.now, due)
        self.drain(TROUBLES[self.turn % len(TROUBLES)], 64, timedelta(seconds=1), planned=True)
        self.turn += 1

    @rule()
    def tidy(self) -> None:
        dispatch.tidy(now=self.now)

    @rule(leap=st.sampled_from(LEAPS))
    def ask(self, leap: timedelta) -> None:
        """The provider is asked about what is unknown."""
        self.now += leap
        asked = reconciling.reconcile(now=self.now, channel=lambda name: self.provider)
        self.happened.update(asked)

    @precondition(lambda self: self.provider.last)
    @rule(n=nth, status=st.sampled_from(STATUSES), times=st.integers(1, 2))
    def report(self, n: int, status: str, times: int) -> None:
        """The provider reports on a message that it took: late, doubled, in any order."""
        reference = self.provider.last[n % len(self.provider.last)]
        for _ in range(times):
            moved = receipts.record(
                provider="twilio",
                reference=UUID(reference),
                event_key=f"{reference}:{status}",
                status=status,
                code="30003" if status in FAILED else "",
                now=self.now,
            )
            if moved and status in FAILED:
                self.reported_lost[reference] += 1
        self._holds()

    # --- What is always so ------------------------------------------------------------------------

    def _send(self, mood: str, window: int) -> None:
        before = len(self.provider.last)
        self.provider.mood = mood
        try:
            dispatch.send_due(now=self.now, window=window, channel=self.provider)
        except Killed:
            self.happened["killed"] += 1
        for reference in self.provider.last[before:]:
            self.happened[mood] += 1
            self._was_right(Message.objects.get(reference=reference))
        if len(self.provider.last) > before:
            self._holds()

    def _was_right(self, message: Message) -> None:
        """Nothing else happens while a window is sent: what is so now was so at the call."""
        assert message.patient is not None
        standing = consent.standing([message.patient.pk])[message.patient.pk]
        assert (message.purpose, message.channel) in standing
        assert not Suppression.objects.filter(address=message.content.address, lifted_at=None)
        assert self.now < message.expires_at
        assert message.chosen_at is None or message.chosen_at <= self.now
        if message.priority > 0:
            zones = (self.house.site.zone,)
            window = QUIET_HOURS[message.purpose]  # type: ignore[index]
            assert hours.next_allowed(self.now, window, zones) == self.now
        for item in message.items.exclude(starts_at=None):
            if item.step != "cancelled":
                visit = Appointment.objects.get(pk=item.anchor.removeprefix("visit:"))
                assert visit.state != State.CANCELLED
                assert visit.starts_at == item.starts_at

    def _holds(self, without: frozenset[str] = frozenset(NOT_OF_THE_MACHINE)) -> None:
        for reference, times in self.provider.taken.items():
            assert times <= 1 + self.reported_lost[reference]
        for check in proof.CHECKS:
            if check.name not in without:
                finding = check.run(self.now)
                assert not finding.faults, (check.name, finding.named)

    def _come_to_rest(self) -> None:
        """Time passes with a provider in good mood until nothing more is due."""
        self.now += timedelta(minutes=2)
        self.provider.mood = "takes"
        dispatch.tidy(now=self.now)
        for _ in range(2):
            self.ask(timedelta(minutes=2))
        assert not Message.objects.filter(state=MessageState.UNKNOWN).exists()
        for _ in range(60):
            dispatch.tidy(now=self.now)
            replanning.sync_stale(now=self.now)
            tally = dispatch.send_due(now=self.now, channel=self.provider)
            if not tally["claimed"]:
                break
        assert not Patient.objects.stale().exists()
        assert not Message.objects.filter(state=MessageState.SUBMITTING).exists()

    # --- How --------------------------------------------------------------------------------------

    def _open(self) -> QuerySet[Appointment]:
        return Appointment.objects.filter(state=State.BOOKED)

    def _waiting(self) -> QuerySet[Message]:
        """What was planned and has not left, the next first; and what staff skipped of it."""
        found = Message.objects.filter(claimed_at=None, waits_for="").filter(
            Q(state=MessageState.SCHEDULED) | Q(reason=SKIPPED_BY_STAFF)
        )
        return found.exclude(priority=0).select_related("site").order_by("due_at", "pk")[:8]

    def _next_due(self) -> datetime | None:
        waiting = Message.objects.filter(state=MessageState.SCHEDULED, wake_at__isnull=False)
        return waiting.order_by("wake_at").values_list("wake_at", flat=True).first()

    def _nth(self, n: int) -> Appointment:
        rows = list(self._open().select_related("series__patient", "site").order_by("pk"))
        return rows[n % len(rows)]

    def _attempt(self, name: str, act: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                act()
        except (Refused, Forbidden):
            return
        self.happened[name] += 1


def test_whatever_happens_in_whatever_order(
    site: Site,
    house: ProtocolVersion,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
    front_desk: Staff,
    provider: Staff,
    now: datetime,
) -> None:
    one = a_patient(site, front_desk, now, given="A")
    # Shares the telephone.
    other = a_patient(site, front_desk, now, given="B", email="b@patients.example")

    class Here(Journey):
        happened = Counter()
        house: ClassVar[House]

    Here.house = House(
        site=site,
        version=house,
        place=(treatment_provider.pk, room.pk, needling_device.pk),
        patients=(one, other),
        desk=front_desk,
        provider=provider,
        now=now,
    )
    run_state_machine_as_test(Here, settings=LONG_STORIES)
    # A machine that never came where it hurts would prove nothing.
    for what in (
        *("book", "move", "cancel", "treat", "put_off", "now", "switch", "skip"),
        *("takes", "killed", "loses_the_answer", "found"),
    ):
        assert Here.happened[what] >= 2, (what, Here.happened)
