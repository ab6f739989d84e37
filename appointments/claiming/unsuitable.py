"""Why a named resource cannot be had for a treatment at a site, in words.

Reads only. Says nothing of what belongs to other sites, not even that it exists.
"""

from __future__ import annotations

from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.proposing.loading import Loaded
from appointments.refusals import WrongResource, kind_in_words
from clinic.models import HoursException, ProviderHours, Resource, ResourceKind
from clinic.protocols.house_words import room_word
from clinic.saying import gettext, language


def refusal(loaded: Loaded, kind: str, resource_id: int | None) -> WrongResource:
    """For a resource that is wished as `kind` and not eligible."""
    treatment, site = loaded.protocol.name.get(language()), loaded.site
    if resource_id is None:
        return WrongResource(
            gettext("%(treatment)s needs a %(kind)s. Choose one.")
            % {"treatment": treatment, "kind": kind_in_words(kind)},
            field=kind,
        )
    row = Resource.objects.filter(pk=resource_id).exclude(kind=ResourceKind.PATIENT).first()
    if row is None or not _is_here(row, loaded):
        return WrongResource(
            gettext("This %(kind)s is not at %(site)s. Choose another one.")
            % {"kind": kind_in_words(kind), "site": site.name},
            field=kind,
        )
    if row.kind != kind:
        said = gettext("%(row)s is a %(kind)s, not a %(kind_2)s") % {
            "row": row.name,
            "kind": kind_in_words(row.kind),
            "kind_2": kind_in_words(kind),
        }
    elif not row.is_active:
        said = gettext("%(row)s is out of use") % {"row": row.name}
    elif kind == ROOM:
        wanted = loaded.protocol.resources.room_kind
        said = gettext("%(row)s is a %(room_kind)s room; %(treatment)s needs a %(wanted)s room") % {
            "row": row.name,
            "room_kind": room_word(row.room_kind),
            "treatment": treatment,
            "wanted": room_word(wanted),
        }
    elif kind == DEVICE and row.modality is not None:
        said = gettext("%(row)s is for %(modality)s, not for %(treatment)s") % {
            "row": row.name,
            "modality": row.modality.called,
            "treatment": treatment,
        }
    else:
        said = gettext("%(row)s has no credential for %(treatment)s") % {
            "row": row.name,
            "treatment": treatment,
        }
    return WrongResource(
        gettext("%(said)s. Choose another %(kind)s.") % {"said": said, "kind": kind_in_words(kind)},
        field=kind,
    )


def _is_here(row: Resource, loaded: Loaded) -> bool:
    if row.kind != PROVIDER:
        return row.site_id == loaded.site.pk
    here = {"provider": row, "site": loaded.site}
    return (
        ProviderHours.objects.filter(**here).exists()
        or HoursException.objects.filter(**here).exists()
    )
