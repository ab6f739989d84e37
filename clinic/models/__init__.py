"""What is true of the house, whoever the patient is."""

from clinic.models.audit import AuditEntry
from clinic.models.consent_form import ConsentForm, ConsentPurpose, FormState
from clinic.models.on_call import OnCallShift
from clinic.models.protocol import ProtocolDraft, ProtocolVersion
from clinic.models.resource import (
    Credential,
    HoursException,
    Modality,
    ProviderHours,
    Resource,
    ResourceKind,
)
from clinic.models.retention import RecordRetention
from clinic.models.site import Closure, OpeningHours, Site, TravelTime
from clinic.models.staff import Role, SiteRole, Staff

__all__ = [
    "AuditEntry",
    "Closure",
    "ConsentForm",
    "ConsentPurpose",
    "Credential",
    "FormState",
    "HoursException",
    "Modality",
    "OnCallShift",
    "OpeningHours",
    "ProtocolDraft",
    "ProtocolVersion",
    "ProviderHours",
    "RecordRetention",
    "Resource",
    "ResourceKind",
    "Role",
    "Site",
    "SiteRole",
    "Staff",
    "TravelTime",
]
