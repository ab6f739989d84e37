"""Whose signature for a treatment that is under way is lacking, or soon will be.

The database sorts out the many of whom it is certain. It reads no local clock, so whoever's
signature ends about a moment that matters is judged by what signing itself judges by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Min

from appointments.lifecycle import TO_COME
from appointments.models import Appointment, TreatmentSeries
from clinic import statements
from clinic.consent_forms import in_force
from patients.signing import asking

UNSIGNED, RUNS_OUT = "unsigned", "runs_out"
# How long before its end a signature is to be given again.
SOON = timedelta(days=30)
# Further than this no clock of a site moves an end that was reckoned in UTC.
_ABOUT = timedelta(days=3)
# Of each open series whose treatment has a form in force: the visit of it that is next, and when
# the last signature ends, about; long ago where none counts.
_ENDS = """
    WITH form AS (
        SELECT protocol, coalesce(
            (SELECT max(number) FROM clinic_consentform anew
             WHERE anew.purpose = 'treatment' AND anew.protocol = published.protocol
               AND anew.asks_anew AND anew.published_at IS NOT NULL), 1) AS counts_from
        FROM clinic_consentform published WHERE purpose = 'treatment' AND state = 'published'
    ), signed AS (
        SELECT DISTINCT ON (patient_id, protocol) patient_id, protocol,
               CASE WHEN withdrawn_at IS NOT NULL OR number < counts_from THEN '-infinity'
                    WHEN valid_for = '' THEN 'infinity'
                    ELSE signed_at + valid_for::interval END AS ends_at
        FROM patients_signedform signature
        JOIN clinic_consentform edition ON edition.id = form_id AND purpose = 'treatment'
        JOIN form USING (protocol)
        ORDER BY patient_id, protocol, signed_at DESC, signature.id DESC
    ), under_way AS (
        SELECT series.patient_id, coalesce(signed.ends_at, '-infinity') AS ends_at,
               version.protocol
        FROM appointments_treatmentseries series
        JOIN clinic_protocolversion version ON version.id = series.protocol_version_id
        JOIN form ON form.protocol = version.protocol
        LEFT JOIN signed ON signed.patient_id = series.patient_id
                        AND signed.protocol = version.protocol
        WHERE series.closed_at IS NULL
    )"""
_LACKING = f"""{_ENDS}
    SELECT patient_id, bool_or(ends_at < %(certain)s) FROM under_way
    WHERE ends_at < %(perhaps)s GROUP BY patient_id"""
_ENDING = f"""{_ENDS}, next AS (
        SELECT series.patient_id, version.protocol, min(visit.starts_at) AS starts_at
        FROM appointments_appointment visit
        JOIN appointments_treatmentseries series ON series.id = visit.series_id
        JOIN clinic_protocolversion version ON version.id = visit.protocol_version_id
        WHERE visit.state = ANY (%(to_come)s) AND visit.ends_at > %(now)s
        GROUP BY series.patient_id, version.protocol
    )
    SELECT DISTINCT patient_id FROM under_way LEFT JOIN next USING (patient_id, protocol)
    WHERE ends_at > %(certain)s
      AND ends_at < greatest(%(soon)s, next.starts_at + %(about)s)"""


def lacking(*, now: datetime) -> set[int]:
    """The patients with a series under way whose signature for it is lacking."""
    edges = {"certain": now - _ABOUT, "perhaps": now + _ABOUT}
    found = dict(statements.rows(_LACKING, edges))
    certain = {patient for patient, is_certain in found.items() if is_certain}
    return certain | flagged_forms(found.keys() - certain, now=now)[UNSIGNED]


def ending(*, now: datetime) -> set[int]:
    """Those whose signature counts, and stops within a month or before the next visit."""
    facts = {
        "certain": now - _ABOUT,
        "soon": now + SOON + _ABOUT,
        "about": _ABOUT,
        "to_come": [state.value for state in TO_COME],
        "now": now,
    }
    perhaps = [patient for (patient,) in statements.rows(_ENDING, facts)]
    return flagged_forms(perhaps, now=now)[RUNS_OUT]


def flagged_forms(patients: Iterable[int], *, now: datetime) -> dict[str, set[int]]:
    """Those of these patients (ids) whose signature for a series under way is lacking
    (`UNSIGNED`), and those whose signature stops counting within a month, or before their next
    visit of it (`RUNS_OUT`), in a constant number of queries."""
    under_way = TreatmentSeries.objects.filter(
        patient__in=statements.one_of(list(patients)), closed_at=None
    )
    subjects: defaultdict[int, set[in_force.Subject]] = defaultdict(set)
    rows = under_way.order_by().values_list("patient", "protocol_version__protocol").distinct()
    for patient, protocol in rows:
        subjects[patient].add(in_force.treatment(protocol))
    asked = asking.of(subjects, now=now)
    forms = [(patient, *each) for patient, mine in asked.items() for each in mine.items()]
    ending = {patient for patient, _, form in forms if form.until is not None and not form.is_due}
    visits = _next_visits(ending, now)
    return {
        UNSIGNED: {patient for patient, _, form in forms if form.is_due},
        RUNS_OUT: {
            patient
            for patient, subject, form in forms
            if not form.is_due
            if form.is_due_at(max(now + SOON, visits.get((patient, subject), now)))
        },
    }


def _next_visits(patients: set[int], now: datetime) -> dict[tuple[int, in_force.Subject], datetime]:
    """When the next visit of each treatment begins (UTC)."""
    to_come = Appointment.objects.filter(
        series__patient__in=statements.one_of(patients), state__in=TO_COME, ends_at__gt=now
    ).order_by()
    rows = to_come.values_list("series__patient", "protocol_version__protocol")
    return {
        (patient, in_force.treatment(protocol)): starts_at
        for patient, protocol, starts_at in rows.annotate(first=Min("starts_at"))
    }
