"""Treatment series, their visits, who or what is held for them, and who waits for a place."""

from appointments.models.adverse_event import AdverseEvent, EventOutcome, Severity
from appointments.models.allocation import Allocation, Block, BlockKind
from appointments.models.appointment import Appointment, StatusChange
from appointments.models.feed import CalendarFeed, FeedDetail
from appointments.models.hold import Hold, HoldPurpose
from appointments.models.importing import (
    BroughtOver,
    ColumnNaming,
    Import,
    ImportPhase,
    ImportRow,
    ImportState,
    RowOutcome,
)
from appointments.models.link import PatientLink
from appointments.models.photo import Photo, PhotoSource
from appointments.models.phrase import Phrase
from appointments.models.recall import OF_A_CALL, RecallAttempt, RecallOutcome
from appointments.models.record import (
    Addendum,
    Cartridge,
    SessionCredit,
    SessionOutcome,
    TreatmentRecord,
)
from appointments.models.score import OutcomeScore, ScoreKind
from appointments.models.series import TreatmentSeries
from appointments.models.settings import SchedulingSettings
from appointments.models.task import Task, TaskKind
from appointments.models.waitlist import (
    Answer,
    EntryEnd,
    Gap,
    GapEnd,
    Invitation,
    Offer,
    OfferEnd,
    WaitlistEntry,
)

__all__ = [
    "OF_A_CALL",
    "Addendum",
    "AdverseEvent",
    "Allocation",
    "Answer",
    "Appointment",
    "Block",
    "BlockKind",
    "BroughtOver",
    "CalendarFeed",
    "Cartridge",
    "ColumnNaming",
    "EntryEnd",
    "EventOutcome",
    "FeedDetail",
    "Gap",
    "GapEnd",
    "Hold",
    "HoldPurpose",
    "Import",
    "ImportPhase",
    "ImportRow",
    "ImportState",
    "Invitation",
    "Offer",
    "OfferEnd",
    "OutcomeScore",
    "PatientLink",
    "Photo",
    "PhotoSource",
    "Phrase",
    "RecallAttempt",
    "RecallOutcome",
    "RowOutcome",
    "SchedulingSettings",
    "ScoreKind",
    "SessionCredit",
    "SessionOutcome",
    "Severity",
    "StatusChange",
    "Task",
    "TaskKind",
    "TreatmentRecord",
    "TreatmentSeries",
    "WaitlistEntry",
]
