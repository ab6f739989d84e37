"""Who the people of a file may be: what is known here of each, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db import connection

from appointments.importing.deciding import Facts, Known, Person
from appointments.models import BroughtOver, Import
from clinic.models import Staff
from patients.models import ContactConsent, ContactKind, ContactPoint, Patient
from patients.naming import folded

# As a row calls it → (purpose, channel).
CONSENTS = {
    "care_sms": ("care", "sms"),
    "care_email": ("care", "email"),
    "marketing_sms": ("marketing", "sms"),
    "marketing_email": ("marketing", "email"),
    "photos": ("photos", "any"),
    "phi_detail": ("phi_detail", "any"),
}
_BY_CONSENT = {pair: name for name, pair in CONSENTS.items()}

# `registration.possible_duplicates` for many at once. A key begins with " given family ".
_POSSIBLE = """
WITH person AS (
    SELECT * FROM unnest(%(keys)s::text[], %(given)s::text[], %(family)s::text[],
                         %(born)s::date[], %(phones)s::text[])
           AS person (key, given, family, born, phone)
), near AS (
    SELECT person.key, patient.id FROM person
      JOIN patients_patient patient ON patient.birth_date = person.born
     UNION
    SELECT person.key, contact.patient_id FROM person
      JOIN patients_contactpoint contact ON contact.kind = 'phone'
           AND contact.value = person.phone AND contact.retired_at IS NULL
)
SELECT person.key, patient.id,
       patient.birth_date = person.born
       AND starts_with(patient.search_key, ' ' || person.given || ' ' || person.family || ' ')
  FROM near
  JOIN person ON person.key = near.key
  JOIN patients_patient patient ON patient.id = near.id
 WHERE patient.merged_into_id IS NULL
   AND (position(' ' || person.family || ' ' IN patient.search_key) > 0
        OR position(' ' || person.given || ' ' IN patient.search_key) > 0)
   AND EXISTS (SELECT FROM patients_patient_sites held
                JOIN clinic_siterole role ON role.site_id = held.site_id
               WHERE held.patient_id = patient.id AND role.staff_id = %(staff)s)
 ORDER BY person.key, patient.id
"""


def facts_of(source: Import, people: Sequence[Person], *, by: Staff) -> dict[str, Facts]:
    """What is known of each person, by key."""
    brought = {
        row.key: row
        for row in BroughtOver.objects.filter(
            site=source.site, kind=BroughtOver.Kind.PATIENT, key__in=[each.key for each in people]
        )
    }
    new = [each for each in people if each.key not in brought and "birth_date" in each.values]
    same, possible = _possible(new, by)
    chosen = _chosen(people, by)
    ids = {row.patient_id for row in brought.values()} | set(chosen.values())
    ids |= {pk for several in same.values() for pk in several}
    values = values_of(ids)
    found = {}
    for each in people:
        if each.key in brought:
            row = brought[each.key]
            known = Known(row.patient_id, values[row.patient_id], row.said)
            found[each.key] = Facts(known=known)
        elif each.key in chosen:
            pk = chosen[each.key]
            found[each.key] = Facts(chosen=Known(pk, values[pk]))
        else:
            alike = [Known(pk, values[pk]) for pk in same[each.key]]
            found[each.key] = Facts(same=alike, possible=possible[each.key])
    return found


def _chosen(people: Sequence[Person], by: Staff) -> dict[str, int]:
    """The patients that staff named as a decision, as far as they may see them."""
    named = {each.key: int(each.decision[1:]) for each in people if each.decision[:1] == "#"}
    seen = Patient.objects.seen_by(by).filter(pk__in=named.values()) if named else ()
    ids = {patient.pk for patient in seen}
    return {key: pk for key, pk in named.items() if pk in ids}


def _possible(
    people: Sequence[Person], by: Staff
) -> tuple[defaultdict[str, list[int]], defaultdict[str, list[int]]]:
    """By key, who has the same names and birth date, and who may be the same person besides."""
    same, possible = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    with connection.cursor() as cursor:
        cursor.execute(
            _POSSIBLE,
            {
                "keys": [each.key for each in people],
                "given": [folded(each.values.get("given", "")) for each in people],
                "family": [folded(each.values.get("family", "")) for each in people],
                "born": [each.values["birth_date"] for each in people],
                "phones": [each.values.get("phone", "") for each in people],
                "staff": by.pk,
            },
        )
        for key, patient, is_same in cursor:
            (same if is_same else possible)[key].append(patient)
    return same, possible


def values_of(ids: Collection[int]) -> dict[int, dict[str, str]]:
    """What is here of each of these patients, called as a row calls it."""
    found = {}
    for patient in Patient.objects.filter(pk__in=ids):
        found[patient.pk] = {
            "given": patient.legal_given,
            "family": patient.legal_family,
            "preferred": patient.preferred_name,
            "birth_date": patient.birth_date.isoformat(),
            "language": patient.language,
            "zone": patient.zone,
            "notes": patient.notes,
            "deceased": "yes" if patient.deceased_at else "",
            "erased": "yes" if patient.erased_at else "",
        }
    points = ContactPoint.objects.filter(patient__in=ids, retired_at=None, is_preferred=True)
    for patient_id, kind, value in points.values_list("patient_id", "kind", "value"):
        found[patient_id]["phone" if kind == ContactKind.PHONE else "email"] = value
    given = ContactConsent.objects.filter(patient__in=ids).order_by("opened_at", "id")
    for patient_id, purpose, channel, closed_at in given.values_list(
        "patient_id", "purpose", "channel", "closed_at"
    ):
        # The latest one says it; one that was withdrawn is a no.
        found[patient_id][_BY_CONSENT[purpose, channel]] = "no" if closed_at else "yes"
    return found
