"""What stands between a patient and a treatment: bars to booking it and to starting it.

    bars = clearance.standing([treatment_of(visit)], now=now)[0]      # to show
    clearance.require(Act.START, treatment, days=[today], by=by, ...)  # to hold

A *source* of bars is one function in a module of its own, named in `asking.SOURCES` with the acts
that it may bar:

    def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]: ...

It gives for each treatment what bars it, in a number of queries that does not grow with the
treatments, and neither asks which act it is about nor on which day: `Bar.acts`, `since` and
`until` say that. What is merely lacking (an answer, a signature) goes through
`treatments.as_lacking`: it bars only from the site's `clearance_from` on; what is known to be wrong
bars always. A bar that names a capability in
`passes_with` yields to its holder's written reason, which the visit then keeps with the bar's
`code` (at most 30 characters) among its overrides; all others are mended on the page that the bar
names (`page`, the name of an address that takes the visit's id).

Refuses to bar arrival: who is here is checked in, whatever stands in the way.
"""

from appointments.clearance.asking import require, require_no_worse, standing
from appointments.clearance.bars import Act, Bar, Barred, Outcome
from appointments.clearance.dates import kept_free
from appointments.clearance.treatments import Treatment, treatment_of

__all__ = [
    "Act",
    "Bar",
    "Barred",
    "Outcome",
    "Treatment",
    "kept_free",
    "require",
    "require_no_worse",
    "standing",
    "treatment_of",
]
