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


def may_decide(staff: Staff, *protocols: Protocol) -> bool:
    """Whether `staff` may write, approve and retire versions that say each of `protocols`."""
    if access.can(staff, Capability.APPROVE_PROTOCOL):
        return True
    return all(each.is_plain for each in protocols) and may_add_services(staff)


def require(staff: Staff, *protocols: Protocol) -> None:
    """Raise Forbidden unless `may_decide`."""
    if not may_decide(staff, *protocols):
        if all(each.is_plain for each in protocols):
            said = gettext("Only a manager of every site or the clinical lead changes a service.")
            raise Forbidden(said)
        access.require(staff, Capability.APPROVE_PROTOCOL)
