"""Finding entries of the audit trail: who may see which, by what they are found, a page at a time.

Every question that a page may ask is answered from an index, the latest entries first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from clinic import access
from clinic.access import Capability
from clinic.models import AuditEntry, Site, Staff
from clinic.models.audit import LISTED
from patients.models import Patient
from patients.trail.folding import LOOKS, folded

PAGE = 50
# As many entries at most does a page of lines come from.
READ = 400
ACTS_ONLY, LOOKS_ONLY = "acts", "looks"
# As many entries at once as a file is written from.
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look for; None and "" ask for nothing. Instants are UTC, [since, until). `subject` is
    one row of the house, as "appointments.appointment:812"; `kind` is "acts" or "looks"."""

    by: int | None = None
    action: str = ""
    patient: int | None = None
    ip: str | None = None
    via: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""

    @property
    def folds(self) -> bool:
        """Whether looks in a row are one line: unless they are what is asked for."""
        return self.kind != LOOKS_ONLY and self.action not in LOOKS


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: what follows is older."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk}"

    @staticmethod
    def read(text: str) -> Place | None:
        """The place that was written so; None when it is none."""
        at, _, pk = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            return Place(moment, int(pk)) if moment.tzinfo and int(pk) < 2**63 else None
        except ValueError:
            return None


def seen_by(staff: Staff) -> QuerySet[AuditEntry]:
    """The entries of the sites at which `staff` may read the trail: what was done there or to a
    patient of theirs, and what belongs to no site, by people who work there."""
    sites = sites_of(staff)
    here = Site.objects.filter(pk__in=[site.pk for site in sites])
    patients = Patient.sites.through.objects.filter(site__in=here).values("patient_id")
    colleagues = Staff.objects.filter(site_roles__site__in=here).values("pk")
    return AuditEntry.objects.filter(
        Q(site__in=here)
        | Q(patient_id__in=patients)
        | Q(site=None, patient_id=None, by__in=colleagues)
    )


def sites_of(staff: Staff) -> list[Site]:
    """The sites whose trail `staff` may read."""
    return [
        site for site in access.sites_of(staff) if access.can(staff, Capability.SEE_AUDIT, site)
    ]


def found(staff: Staff, asked: Asked) -> QuerySet[AuditEntry]:
    """The entries that `staff` may see and that fit, the latest first."""
    rows = seen_by(staff)
    if asked.patient is not None:
        rows = rows.filter(about(asked.patient))
    for field, value in (("by", asked.by), ("action", asked.action), ("ip", asked.ip)):
        if value:
            rows = rows.filter(**{field: value})
    if asked.subject:
        kind, _, pk = asked.subject.partition(":")
        rows = rows.filter(subject_type=kind, subject_id=pk)
    if asked.kind == ACTS_ONLY:
        rows = rows.exclude(action__in=LOOKS)
    if asked.kind == LOOKS_ONLY:
        rows = rows.filter(action__in=LOOKS)
    if asked.via:
        rows = rows.filter(via=asked.via)
    if asked.since is not None:
        rows = rows.filter(at__gte=asked.since)
    if asked.until is not None:
        rows = rows.filter(at__lt=asked.until)
    return rows.order_by("-at", "-id")


def about(patient_id: int) -> Q:
    """Entries about a patient, the lists in which they stood included."""
    return Q(patient_id=patient_id) | Q(action=LISTED, after__contains={"patients": [patient_id]})


def page(
    rows: QuerySet[AuditEntry], after: Place | None, size: int = PAGE
) -> tuple[list[AuditEntry], Place | None]:
    """A page of what was `found`, from a place on, and the place of the next one if there is."""
    if after is not None:
        rows = rows.filter(at__lte=after.at).exclude(at=after.at, pk__gte=after.pk)
    entries = list(rows.select_related("by", "site")[: size + 1])
    if len(entries) <= size:
        return entries, None
    return entries[:size], Place(entries[size - 1].at, entries[size - 1].pk)


def lines(
    rows: QuerySet[AuditEntry], after: Place | None, *, folds: bool, zone: str
) -> tuple[list[list[AuditEntry]], Place | None]:
    """A page as `page` gives it, the entries by lines; looks in a row on one day of
    `zone` are one where it `folds`."""
    if not folds:
        entries, place = page(rows, after)
        return [[entry] for entry in entries], place
    entries, place = page(rows, after, READ)
    found = folded(entries, zone)
    if len(found) <= PAGE:
        return found, place
    last = found[PAGE - 1][-1]
    return found[:PAGE], Place(last.at, last.pk)


def everything(rows: QuerySet[AuditEntry]) -> Iterator[list[AuditEntry]]:
    """All of what was `found`, some at once, in the memory of one such part."""
    entries, place = page(rows, None, CHUNK)
    yield entries
    while place is not None:
        entries, place = page(rows, place, CHUNK)
        yield entries


_ACTIONS = """
WITH RECURSIVE known AS (
  (SELECT action FROM clinic_auditentry ORDER BY action LIMIT 1)
  UNION ALL
  SELECT (SELECT action FROM clinic_auditentry WHERE action > known.action ORDER BY action LIMIT 1)
    FROM known WHERE known.action IS NOT NULL)
SELECT action FROM known WHERE action IS NOT NULL
"""


def actions() -> list[str]:
    """Every action that was ever written; a look into the index for each."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS)
        return [row[0] for row in cursor.fetchall()]
