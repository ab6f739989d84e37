"""A row of everything that is the house's and no patient's, and the words that addresses name."""

from datetime import datetime, timedelta
from typing import Any

from appointments.absences import blocks
from appointments.feeds import subscriptions
from appointments.importing import uploading
from appointments.models import BlockKind, FeedDetail, Phrase
from appointments.photos.preparing import RENDITIONS
from appointments.proposing.places import VisitWish
from clinic import closures, exceptional_hours, on_call
from clinic.consent_forms import loading
from clinic.models import ConsentForm, HoursException, ProtocolVersion, Resource, Site, Staff
from clinic.protocols import drafting
from clinic.protocols.sections import SECTIONS
from reminders.catalogue import Kind
from reminders.rewording import drafting as rewording
from reminders.rewording import publishing
from reminders.wording.texts import SOURCES

# Names would be words that nobody translates.
FILE = b"1,2\n3,4\n"
KIND = Kind.BOOKING_CONFIRMED
SMS = "{sms_name}: Booked {when}.[ Questions? Call {phone}.|]"


def furnish(
    site: Site, house: ProtocolVersion, place: VisitWish, *, by: Staff, now: datetime
) -> dict[str, list[Any]]:
    """The ids by the words that stand before them, and what addresses name by a word."""
    later = place.starts_at + timedelta(hours=4)
    day = later.date() + timedelta(days=20)
    loading.load_library(now=now)
    form = ConsentForm.objects.order_by("pk")[0]
    block = blocks.block(
        site=site, resources=[Resource.objects.get(pk=place.room_id)], kind=BlockKind.MAINTENANCE,
        starts_at=later, ends_at=later + timedelta(hours=1), by=by, now=now,
    )  # fmt: skip
    closed = closures.close(site=site, first_day=day, last_day=day, reason="Fair", by=by, now=now)
    exceptional_hours.set_day(
        site=site, day=day - timedelta(days=1), stretches=[], reason="Fair", by=by, now=now
    )
    exception = HoursException.objects.get()
    shift = on_call.add(
        site=site, staff=by, starts_at=now, ends_at=now + timedelta(days=1), by=by, now=now,
        email="on-call@clinic.example",
    )  # fmt: skip
    _, feed = subscriptions.make(site=site, provider=None, detail=FeedDetail.BUSY, by=by, now=now)
    source = uploading.take_in(blocks=[FILE], name="numbers.csv", site=site, by=by, now=now)
    drafting.begin(base=house, by=by, now=now)
    return {
        "sites": [site.pk],
        "staff": [by.pk],
        "resources": [place.provider_id, place.room_id, place.device_id],
        "protocols": [house.pk],
        "consent-forms": [form.pk],
        "blocks": [block.pk],
        "closures": [closed.pk],
        "hours-exceptions": [exception.pk],
        "phrases": [Phrase.objects.create(site=site, text="12").pk],
        "on-call": [shift.pk],
        "imports": [source.pk],
        "import": [source.pk],
        "feeds": [feed.pk],
        "calendar-feeds": [feed.pk],
        "key": [form.key],
        "protocol": [house.protocol],
        "version": [house.version],
        "slug": [section.slug for section in SECTIONS],
        "rendition": list(RENDITIONS),
        "whose": ["site", str(place.provider_id)],
        "on": [str(day)],
        "modality": [house.modality_id],
        "act": ["close", "death", "confirm"],
        "purpose": ["care"],
        "channel": ["sms"],
        "site": [site.slug],
        **_wording(site, by, now),
    }


def _wording(site: Site, by: Staff, now: datetime) -> dict[str, list[Any]]:
    """A wording of the site in force, and the draft of the next."""
    at: dict[str, Any] = {"scope": site, "kind": KIND, "language": "en", "by": by, "now": now}
    sources = {**SOURCES["en"][KIND], "sms": SMS}
    draft = rewording.save(**at, sources=sources, seen="")
    published = publishing.publish(draft=draft, seen=draft.digest, accepted=[], by=by, now=now)
    rewording.save(**at, sources=sources | {"subject": "Your visit"}, seen="")
    return {"wordings": [published.pk], "scope": ["site"], "kind": [KIND], "language": ["en"]}
