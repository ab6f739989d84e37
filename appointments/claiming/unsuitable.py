"""Why a named resource cannot be had for a treatment at a site, in words.

Reads only. Says nothing of what belongs to other sites, not even that it exists.
"""

from __future__ import annotations

from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.proposing.loading import Loaded
from appointments.refusals import WrongResource
from clinic.models import HoursException, ProviderHours, Resource, ResourceKind


def refusal(loaded: Loaded, kind: str, resource_id: int | None) -> WrongResource:
    """For a resource that is wished as `kind` and not eligible."""
    treatment, site = loaded.protocol.name.en, loaded.site
    if resource_id is None:
        return WrongResource(f"{treatment} needs a {kind}. Choose one.", field=kind)
    row = Resource.objects.filter(pk=resource_id).exclude(kind=ResourceKind.PATIENT).first()
    if row is None or not _is_here(row, loaded):
        return WrongResource(f"This {kind} is not at {site.name}. Choose another one.", field=kind)
    if row.kind != kind:
        said = f"{row.name} is a {row.kind}, not a {kind}"
    elif not row.is_active:
        said = f"{row.name} is out of use"
    elif kind == ROOM:
        wanted = loaded.protocol.resources.room_kind
        said = f"{row.name} is a {row.room_kind} room; {treatment} needs a {wanted} room"
    elif kind == DEVICE and row.modality is not None:
        said = f"{row.name} is for {row.modality.name}, not for {treatment}"
    else:
        said = f"{row.name} has no credential for {treatment}"
    return WrongResource(f"{said}. Choose another {kind}.", field=kind)


def _is_here(row: Resource, loaded: Loaded) -> bool:
    if row.kind != PROVIDER:
        return row.site_id == loaded.site.pk
    here = {"provider": row, "site": loaded.site}
    return (
        ProviderHours.objects.filter(**here).exists()
        or HoursException.objects.filter(**here).exists()
    )
