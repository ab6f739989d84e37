"""Why a treatment log, or what goes with it, cannot be written or signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appointments.refusals import InputRefused, Refused


class StaleLog(Refused):
    """Somebody saved the log since it was shown."""

    code = "stale_log"
    field = "version"


class DraftElsewhere(Refused):
    """Somebody else writes this log; it can be taken over."""

    code = "draft_elsewhere"
    field = "log"


class NotSigned(Refused):
    """The act belongs to a signed log."""

    code = "not_signed"
    field = "log"


class LogIncomplete(Refused):
    """The log cannot be signed yet; `errors` (path, code, sentence) are to be mended."""

    code = "log_incomplete"

    def __init__(self, sentence: str, *, findings: Sequence[Any]) -> None:
        super().__init__(sentence)
        self.errors = tuple(findings)
        self.field = self.errors[0].path if self.errors else ""


class CorrectionRefused(InputRefused):
    """An addendum's corrected value is none, or at no place of the log."""

    code = "correction_refused"


class PhraseRefused(Refused):
    """A phrase for notes cannot be like that, or has no room."""

    code = "phrase_refused"

    def __init__(self, sentence: str, *, field: str = "text") -> None:
        super().__init__(sentence)
        self.field = field


class CreditDecided(Refused):
    """Somebody decided before whether this session counts."""

    code = "credit_decided"
    field = "counts"


class EventRefused(InputRefused):
    """An adverse event cannot be like that."""

    code = "event_refused"


class EventClosed(Refused):
    """A clinician has closed the adverse event."""

    code = "event_closed"
    field = "event"


class ScoreRefused(InputRefused):
    """There is no such outcome score."""

    code = "score_refused"
