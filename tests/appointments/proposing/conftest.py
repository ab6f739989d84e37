"""Proposals for a patient of the house."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from appointments import proposing
from appointments.proposing.places import Proposal
from appointments.refusals import Refused
from clinic.models import (
    ProtocolVersion,
    Site,
)
from clinic.wall_time import local
from patients.models import Patient
from tests.appointments.conftest import FIRST

DAY = timedelta(days=1)
NEW_YORK = "America/New_York"
Propose = Callable[..., Proposal]


@pytest.fixture
def propose(house: ProtocolVersion, site: Site, patient: Patient, now: datetime) -> Propose:
    def make(sessions: int = 3, **changes: object) -> Proposal:
        wanted = {
            "patient": patient,
            "site": site,
            "version": house,
            "areas": ["face"],
            "now": now,
            "first_from": FIRST,
            **changes,
        }
        return proposing.propose_series(sessions=sessions, **wanted)  # type: ignore[arg-type]

    return make


def days(proposal: Proposal) -> list[date]:
    return [local(visit.starts_at, NEW_YORK).date() for visit in proposal.visits]


def walls(proposal: Proposal) -> list[str]:
    return [f"{local(visit.starts_at, NEW_YORK):%H:%M}" for visit in proposal.visits]


def offered(refusal: Refused) -> list[str]:
    """The starts that are offered instead, on New York's clock in March before the change."""
    return [f"{start - timedelta(hours=5):%H:%M}" for start in refusal.instead]  # type: ignore[attr-defined]
