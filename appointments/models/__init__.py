"""Treatment series, their visits, and who or what is held for them."""

from appointments.models.allocation import Allocation, Block, BlockKind
from appointments.models.appointment import Appointment, StatusChange
from appointments.models.link import PatientLink
from appointments.models.series import TreatmentSeries
from appointments.models.task import Task, TaskKind

__all__ = [
    "Allocation",
    "Appointment",
    "Block",
    "BlockKind",
    "PatientLink",
    "StatusChange",
    "Task",
    "TaskKind",
    "TreatmentSeries",
]
