"""A full day of a house as rows: twenty providers with six visits each."""

from datetime import date, timedelta

from appointments.models import Allocation, Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, ProviderHours, Resource, ResourceKind, Site
from clinic.wall_time import instant
from patients.models import Patient

PROVIDERS, EACH = 20, 6
VISITS = PROVIDERS * EACH
MINUTE = timedelta(minutes=1)
OPENS, CLOSES, APART, LUNCH = 9 * 60, 18 * 60, 75, 45


def fill(day: date, *, site: Site, version: ProtocolVersion) -> None:
    """The providers work from nine to six, and rest at noon; each visit takes an hour, with what
    is set up before and cleaned after it."""
    providers = Resource.objects.bulk_create(
        Resource(kind=ResourceKind.PROVIDER, name=f"Dr Provider {number}", site=site)
        for number in range(PROVIDERS)
    )
    ProviderHours.objects.bulk_create(
        ProviderHours(provider=each, site=site, weekday=day.weekday(), starts=OPENS, ends=CLOSES)
        for each in providers
    )
    booked_at = instant(day, 0, site.zone) - timedelta(days=30)
    patients = Patient.objects.bulk_create(
        Patient(
            legal_given="Wilhelmina",
            legal_family=f"Abernathy{number}",
            birth_date=date(1980, 1, 1),
            resource=resource,
            search_key="wilhelmina abernathy",
            created_at=booked_at,
        )
        for number, resource in enumerate(
            Resource.objects.bulk_create(Resource(kind=ResourceKind.PATIENT) for _ in range(VISITS))
        )
    )
    through = Patient.sites.through
    through.objects.bulk_create(through(patient=each, site=site) for each in patients)
    series = TreatmentSeries.objects.bulk_create(
        TreatmentSeries(
            patient=each,
            site=site,
            protocol_version=version,
            areas=["face"],
            sessions=3,
            booked_at=booked_at,
        )
        for each in patients
    )
    visits = Appointment.objects.bulk_create(
        Appointment(
            series=each,
            site=site,
            protocol_version=version,
            session=1,
            starts_at=(at := instant(day, _minute(number % EACH), site.zone)),
            ends_at=at + 60 * MINUTE,
            booked_at=booked_at,
            scheduled_at=booked_at,
        )
        for number, each in enumerate(series)
    )
    Allocation.objects.bulk_create(
        Allocation(
            resource=resource,
            appointment=visit,
            starts_at=visit.starts_at - 5 * MINUTE,
            ends_at=visit.ends_at + 10 * MINUTE,
        )
        for number, visit in enumerate(visits)
        for resource in (providers[number // EACH], patients[number].resource)
    )


def _minute(number: int) -> int:
    """When the visit of a provider begins, as minutes of the day."""
    return OPENS + 5 + number * APART + (LUNCH if number >= EACH // 2 else 0)
