"""Who decides on a protocol: writes its next version, approves and retires it.

A plain service says nothing clinical and is every site's: who manages all of them decides on it as
well. As soon as it says something clinical, the clinical lead alone does.
"""

from __future__ import annotations

from clinic import access
from clinic.access import Capability, Forbidden
from clinic.models import Staff
from clinic.protocols.schema import Protocol
from clinic.saying import gettext


def may_add_services(staff: Staff) -> bool:
    return access.can_everywhere(staff, Capability.MANAGE_SITE)


def require_adding_services(staff: Staff) -> None:
    """Raise Forbidden unless `may_add_services`."""
    if not may_add_services(staff):
        raise Forbidden(gettext("Only a manager of every site adds plain services."))


def may_decide(staff: Staff, protocol: Protocol) -> bool:
    """Whether `staff` may write, approve and retire a version that says `protocol`."""
    if access.can(staff, Capability.APPROVE_PROTOCOL):
        return True
    return protocol.is_plain and may_add_services(staff)


def require(staff: Staff, protocol: Protocol) -> None:
    """Raise Forbidden unless `may_decide`."""
    if not may_decide(staff, protocol):
        if protocol.is_plain:
            said = gettext("Only a manager of every site or the clinical lead changes a service.")
            raise Forbidden(said)
        access.require(staff, Capability.APPROVE_PROTOCOL)
