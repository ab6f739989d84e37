"""Another version of a protocol, as if its clinical lead had just approved it."""

from datetime import datetime

from clinic.models import ProtocolVersion, Staff
from clinic.protocols import reading
from clinic.protocols.schema import Protocol


def publish(
    protocol: Protocol, *, instead_of: ProtocolVersion, by: Staff, now: datetime
) -> ProtocolVersion:
    """Puts another version of a protocol in use."""
    ProtocolVersion.objects.filter(pk=instead_of.pk).update(status=ProtocolVersion.Status.RETIRED)
    digest = reading.digest(protocol)
    return ProtocolVersion.objects.create(
        protocol=protocol.id,
        version=protocol.version,
        kind=protocol.kind,
        name=protocol.name.en,
        modality=instead_of.modality,
        document=reading.to_document(protocol),
        digest=digest,
        created_at=now,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=now,
        approved_by=by,
        approved_digest=digest,
    )
