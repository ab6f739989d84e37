"""A bar from the clock: a visit that would start long before its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from appointments.clearance.bars import Act, Bar, Outcome
from appointments.clearance.treatments import Treatment
from appointments.lifecycle import State
from clinic.access import Capability
from clinic.retelling import kept, moment
from clinic.saying import gettext

# Who is here early is often treated early; beyond this it is more likely the wrong patient or day.
EARLY = timedelta(hours=1)
STARTED_EARLY = "started_early"


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    return [[_bar(each)] if _is_early(each, now) else [] for each in treatments]


def _is_early(treatment: Treatment, now: datetime) -> bool:
    """Only of somebody who is here: what is merely booked is always early."""
    visit = treatment.visit
    return visit is not None and visit.state == State.ARRIVED and now + EARLY < visit.starts_at


def _bar(treatment: Treatment) -> Bar:
    assert treatment.visit is not None
    return Bar(
        code=STARTED_EARLY,
        acts=frozenset({Act.START}),
        outcome=Outcome.REVIEW,
        stored=kept(
            "This visit is booked for %(at)s. If it is the right one, write on its page why it "
            "starts so early. If it is not, take the check-in back.",
            at=moment(treatment.visit.starts_at, treatment.site.zone),
        ),
        rule=gettext("A visit starts at most an hour before its time."),
        passes_with=Capability.RUN_VISIT,
    )
