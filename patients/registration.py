"""Registering, changing and finding patients.

Owns names, contact points and the search key. A change that a planned message depends on
(language, zone, death) raises the patient's revision. Contact points are asked when a message goes
out; they raise it too, so that what was just taken up for the former address is not sent to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.db.models import F, Q

from clinic import access, audit, hours
from clinic.access import Capability, Forbidden
from clinic.models import Resource, ResourceKind, Site, Staff
from clinic.saying import gettext
from patients import contacts, naming
from patients.models import ContactKind, ContactPoint, Language, Patient, ToldApart

# Columns that staff may change, and those among them that the plan of messages depends on.
CHANGEABLE = frozenset(
    {
        "legal_given",
        "legal_family",
        "preferred_name",
        "birth_date",
        "language",
        "zone",
        "quiet_from",
        "quiet_until",
        "notes",
    }
)
PLANNED_FROM = frozenset({"language", "zone", "preferred_name", "legal_given"})
OLDEST_YEARS = 120
# Quiet hours leave this much of the hours in which care messages go out (reminders.gate).
CARE_HOURS = (time(8), time(20))
LEAST_OPEN = timedelta(hours=2)
SEARCH_KEY_LENGTH = 248  # with a space on either side it fits its column


class RegistrationRefused(ValueError):
    """A field of the patient cannot be; `sentence` says what to write instead."""

    code = "patient_invalid"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


class StalePatient(ValueError):
    """Somebody else changed the patient meanwhile; nothing was saved."""

    code = "stale_version"
    field = "version"

    @property
    def sentence(self) -> str:
        return gettext("Somebody else changed this patient meanwhile. Look at it again, then save.")


@transaction.atomic
def register(
    *,
    legal_given: str,
    legal_family: str,
    birth_date: date,
    site: Site,
    by: Staff,
    now: datetime,
    preferred_name: str = "",
    language: str = Language.ENGLISH,
    zone: str = "",
    quiet_from: time | None = None,
    quiet_until: time | None = None,
    notes: str = "",
    phone: str = "",
    email: str = "",
) -> Patient:
    """A new patient of `site`. Names, birth date and a mobile number are enough.

    Raises RegistrationRefused, ContactRefused, or Forbidden unless `by` may edit patients there.
    """
    access.require(by, Capability.EDIT_PATIENTS, site)
    fields: dict[str, Any] = {
        "legal_given": legal_given,
        "legal_family": legal_family,
        "preferred_name": preferred_name,
        "birth_date": birth_date,
        "language": language,
        "zone": zone,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "notes": notes,
    }
    cleaned = as_columns(fields, now=now)
    patient = Patient.objects.create(
        **cleaned,
        resource=Resource.objects.create(kind=ResourceKind.PATIENT),
        search_key=search_key(cleaned),
        created_at=now,
    )
    patient.sites.add(site)
    set_contact(patient, ContactKind.PHONE, phone, now=now)
    set_contact(patient, ContactKind.EMAIL, email, now=now)
    audit.record(
        action="patient.register",
        subject=patient,
        by=by,
        now=now,
        site=site,
        patient_id=patient.pk,
    )
    return patient


@transaction.atomic
def change(
    *,
    patient: Patient,
    expected_version: int,
    by: Staff,
    now: datetime,
    phone: str | None = None,
    email: str | None = None,
    **fields: Any,
) -> Patient:
    """Save changed fields of a patient; None leaves a contact as it is, "" retires it.

    Raises StalePatient when `expected_version` is not the stored one, and what `register`
    raises.
    """
    require_edit(by, patient)
    stored = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    require_open(stored)
    if stored.version != expected_version:
        raise StalePatient(StalePatient.sentence)
    if unknown := set(fields) - CHANGEABLE:
        raise RegistrationRefused(
            min(unknown),
            gettext("'%(unknown)s' cannot be changed here.") % {"unknown": min(unknown)},
        )
    whole = {name: fields.get(name, getattr(stored, name)) for name in CHANGEABLE}
    cleaned = as_columns(whole, now=now)
    changed = {name for name in CHANGEABLE if cleaned[name] != getattr(stored, name)}
    before = {name: str(getattr(stored, name)) for name in changed}
    for name in changed:
        setattr(stored, name, cleaned[name])
    stored.search_key = search_key(cleaned)
    stored.version += 1
    stored.save(update_fields=[*changed, "search_key", "version"])
    readdressed = [
        set_contact(stored, kind, text, now=now)
        for kind, text in ((ContactKind.PHONE, phone), (ContactKind.EMAIL, email))
        if text is not None
    ]
    if changed & PLANNED_FROM or any(readdressed):
        Patient.objects.filter(pk=stored.pk).raise_revision()
    audit.record(
        action="patient.change",
        subject=stored,
        by=by,
        now=now,
        patient_id=stored.pk,
        before=before,
        after={name: str(cleaned[name]) for name in changed},
    )
    return stored


@transaction.atomic
def prefer(
    *,
    patient: Patient,
    language: str,
    quiet_from: time | None,
    quiet_until: time | None,
    now: datetime,
) -> None:
    """Save what patients choose themselves. Raises what `change` raises of these fields."""
    stored = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    whole = {name: getattr(stored, name) for name in CHANGEABLE}
    chosen = {"language": language, "quiet_from": quiet_from, "quiet_until": quiet_until}
    as_columns(whole | chosen, now=now)
    changed = {name: value for name, value in chosen.items() if value != whole[name]}
    if not changed:
        return
    Patient.objects.filter(pk=stored.pk).update(**changed, version=F("version") + 1)
    if changed.keys() & PLANNED_FROM:
        Patient.objects.filter(pk=stored.pk).raise_revision()
    audit.record(
        action="patient.change",
        subject=stored,
        by=None,
        now=now,
        patient_id=stored.pk,
        before={name: str(whole[name]) for name in changed},
        after={name: str(value) for name, value in changed.items()},
    )


@transaction.atomic
def record_death(*, patient: Patient, by: Staff, now: datetime) -> None:
    """Stop everything for a patient who died, at once; what is planned is withdrawn."""
    require_edit(by, patient)
    Patient.objects.filter(pk=patient.pk, deceased_at=None).update(deceased_at=now)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    audit.record(
        action="patient.record_death",
        subject=patient,
        by=by,
        now=now,
        patient_id=patient.pk,
    )


def possible_duplicates(
    *,
    staff: Staff,
    legal_given: str,
    legal_family: str,
    birth_date: date,
    phone: str = "",
    known_as: Patient | None = None,
) -> list[Patient]:
    """Patients whom `staff` may see that may be the same person: the same birth date with the
    same family or given name, or the same number with either name. Of who is `known_as` a patient
    neither that one nor who was told apart from them."""
    given, family = naming.folded(legal_given), naming.folded(legal_family)
    named = Q(search_key__contains=f" {family} ") | Q(search_key__contains=f" {given} ")
    same = Q(birth_date=birth_date)
    if phone:
        same |= Q(
            contact_points__kind=ContactKind.PHONE,
            contact_points__value=phone,
            contact_points__retired_at=None,
        )
    found = Patient.objects.seen_by(staff).filter(named & same)
    if known_as is not None:
        apart = ToldApart.objects.standing().of(known_as)
        found = found.exclude(pk=known_as.pk).exclude(
            Q(pk__in=apart.values("one")) | Q(pk__in=apart.values("other"))
        )
    return list(found.distinct()[:5])


def search(*, staff: Staff, query: str) -> Iterable[Patient]:
    """The patients whom `staff` may see that `query` may mean, as a queryset.

    A birth date, a part of a phone number (four digits or more), the patient's number after "#",
    or the beginnings of names in any order and without accents. Nothing typed finds everybody.
    """
    found = Patient.objects.seen_by(staff)
    text = query.strip()
    if not text:
        return found
    if (born := naming.as_date(text)) is not None:
        return found.filter(birth_date=born)
    if text.startswith("#") and text[1:].isdecimal():
        return found.filter(pk=int(text[1:])) if len(text) < 19 else found.none()
    if len(number := naming.digits(text)) >= 4:
        with_number = ContactPoint.objects.filter(
            kind=ContactKind.PHONE, value__contains=number, retired_at=None
        )
        return found.filter(pk__in=with_number.values("patient"))
    words = naming.folded(text).split()
    if not words:
        return found.none()
    for word in words:
        found = found.filter(search_key__contains=f" {word}")
    return found


class RecordMerged(Exception):
    """The record became a part of another one, which the reader may see."""

    code = "record_merged"
    field = "id"

    def __init__(self, into: int) -> None:
        self.into = into
        self.sentence = gettext("This record was merged into %(into)s. Ask for that one.") % {
            "into": into
        }
        super().__init__(self.sentence)


def stands_as(*, staff: Staff, patient_id: int) -> Patient | None:
    """The patient that a merged record is a part of by now, if `staff` may see them."""
    gone = Patient.objects.filter(pk=patient_id, merged_into__isnull=False).first()
    while gone is not None and gone.merged_into_id is not None:
        gone = Patient.objects.get(pk=gone.merged_into_id)
    return Patient.objects.seen_by(staff).filter(pk=gone.pk).first() if gone else None


def require_edit(by: Staff, patient: Patient) -> None:
    """Raise Forbidden unless `by` may edit this patient at one of the patient's sites."""
    if not any(access.can(by, Capability.EDIT_PATIENTS, site) for site in patient.sites.all()):
        access.require(by, Capability.EDIT_PATIENTS, patient.sites.first())


def require_open(patient: Patient) -> None:
    """Raise Forbidden when the record was merged into another one, or erased."""
    if patient.is_closed:
        raise Forbidden(
            gettext("This record was merged or erased. Nothing is written in it any more.")
        )


def as_columns(fields: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """The columns of a patient as they are stored. Raises RegistrationRefused."""
    cleaned: dict[str, Any] = {
        name: naming.one_line(value) if isinstance(value, str) and name != "notes" else value
        for name, value in fields.items()
    }
    for name, label in (
        ("legal_given", gettext("given name")),
        ("legal_family", gettext("family name")),
    ):
        if not cleaned[name]:
            raise RegistrationRefused(
                name, gettext("Write the legal %(label)s.") % {"label": label}
            )
    for name in ("legal_given", "legal_family", "preferred_name"):
        if len(cleaned[name]) > 60:
            raise RegistrationRefused(name, gettext("A name has at most 60 characters here."))
    born = cleaned["birth_date"]
    if not now.year - OLDEST_YEARS <= born.year or born > now.date():
        raise RegistrationRefused(
            "birth_date",
            gettext("A birth date lies within the last %(oldest_years)s years.")
            % {"oldest_years": OLDEST_YEARS},
        )
    if cleaned["language"] not in Language.values:
        raise RegistrationRefused("language", gettext("Choose English (en) or Spanish (es)."))
    if cleaned["zone"] and cleaned["zone"] not in available_timezones():
        raise RegistrationRefused(
            "zone",
            gettext("“%(zone)s” is not a time zone; write one such as America/New_York.")
            % {"zone": cleaned["zone"]},
        )
    _require_open_hours(cleaned["quiet_from"], cleaned["quiet_until"])
    return cleaned


def _require_open_hours(quiet_from: time | None, quiet_until: time | None) -> None:
    if quiet_from is None and quiet_until is None:
        return
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        field = "quiet_from" if quiet_from is None else "quiet_until"
        raise RegistrationRefused(field, gettext("Give both ends of the quiet hours, or none."))
    opens, closes = (_minute(each) for each in CARE_HOURS)
    care = hours.Hours(frozenset({0}), opens, closes)
    left = care.without(_minute(quiet_from), _minute(quiet_until))
    if sum(each.closes - each.opens for each in left) < LEAST_OPEN.total_seconds() / 60:
        raise RegistrationRefused(
            "quiet_until",
            gettext(
                "Leave at least two hours between 08:00 and 20:00, or messages about visits "
                "could not be sent. To send none at all, withdraw the consent."
            ),
        )


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def search_key(fields: Mapping[str, Any]) -> str:
    """The folded names between spaces, so that a word is found by its beginning."""
    names = f"{fields['legal_given']} {fields['legal_family']} {fields['preferred_name']}"
    # One letter may fold to many.
    return f" {naming.folded(names)[:SEARCH_KEY_LENGTH]} "


def set_contact(patient: Patient, kind: ContactKind, text: str, *, now: datetime) -> bool:
    """Make `text` the preferred contact of its kind; the former one is retired, never deleted.

    Without a text every contact of the kind is retired. Whether anything changed.
    """
    value = ""
    if text.strip():
        value = contacts.as_e164(text) if kind is ContactKind.PHONE else contacts.as_address(text)
    standing = ContactPoint.objects.filter(
        patient=patient, kind=kind, guardian=None, retired_at=None
    )
    if standing.filter(value=value, is_preferred=True).exists():
        return False
    leaving = standing.filter(Q(is_preferred=True) | Q(value=value)) if value else standing
    retired = leaving.update(retired_at=now, is_preferred=False)
    if value:
        ContactPoint.objects.create(
            patient=patient, kind=kind, value=value, is_preferred=True, created_at=now
        )
    return bool(retired or value)
