"""Adding a plain service together with those who offer it, so that it can be booked at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from clinic import audit
from clinic.models import Credential, ProtocolVersion, Resource, Staff
from clinic.protocols import loading
from clinic.protocols.schema import Text
from clinic.wall_time import begun_everywhere


@transaction.atomic
def add_service(
    *,
    id: str,
    name: Text,
    code: str,
    minutes: int,
    room_kind: str,
    providers: Iterable[Resource],
    by: Staff,
    now: datetime,
    modality: str = "",
    set_up_minutes: int = 0,
    clean_up_minutes: int = 0,
) -> ProtocolVersion:
    """Store the service and give `providers` the credential for it, from a day on that has
    begun wherever they are.

    A `modality` is one of devices: every visit then holds such a device. Raises what
    `loading.create_service` raises: only who manages every site adds one, so leave to treat is
    theirs to give.
    """
    version = loading.create_service(
        id=id,
        name=name,
        code=code,
        minutes=minutes,
        room_kind=room_kind,
        modality=modality,
        needs_device=bool(modality),
        set_up_minutes=set_up_minutes,
        clean_up_minutes=clean_up_minutes,
        by=by,
        now=now,
    )
    held = Credential.objects.filter(modality=version.modality, valid_until=None)
    able = set(held.values_list("provider_id", flat=True))
    for provider in providers:
        if provider.pk not in able:
            credential = Credential.objects.create(
                provider=provider, modality=version.modality, valid_from=begun_everywhere(now)
            )
            audit.record(action="credential.give", subject=credential, by=by, now=now)
    return version
