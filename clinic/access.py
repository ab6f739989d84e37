"""Who may do what where: roles at sites → capabilities, and the sites a person may see.

Refuses to know about patients or visits; those rooms filter their rows by `sites_of`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from clinic import statements
from clinic.models import Role, Site, Staff
from clinic.reading_once import once
from clinic.saying import gettext, noop


class Capability(StrEnum):
    SEE_PATIENTS = "see_patients"
    EDIT_PATIENTS = "edit_patients"
    BOOK = "book"
    RUN_VISIT = "run_visit"  # check in, start, complete
    CHART = "chart"  # write and sign treatment logs, close adverse events
    OVERRIDE_INTERVAL = "override_interval"
    OVERLAP = "overlap"  # put a visit over another one, on purpose
    MANAGE_MESSAGES = "manage_messages"
    SEND_AT_ANY_HOUR = "send_at_any_hour"  # what is about care, outside of its hours
    BLOCK_TIME = "block_time"  # somebody is ill, a device is out of order
    APPROVE_PROTOCOL = "approve_protocol"
    MANAGE_SITE = "manage_site"
    SEE_AUDIT = "see_audit"  # who did and saw what
    MERGE_RECORDS = "merge_records"  # two records of one person
    EXPORT_RECORD = "export_record"  # the whole record, handed out
    ERASE_RECORD = "erase_record"
    SEE_REPORTS = "see_reports"  # how the site does, in figures
    IMPORT = "import"  # bring the data of a former system over
    PUBLISH_WORDING = "publish_wording"  # put the words of messages in force
    PUBLISH_CONSENT_FORMS = "publish_consent_forms"  # what patients sign
    SCREEN = "screen"  # ask screening questions and write down the answers
    DECIDE_SCREENING = "decide_screening"  # whether to treat in spite of an answer
    OVERRIDE_CLEARANCE = "override_clearance"  # start although something is lacking, for a reason


# What somebody without it may not do, as it stands after "You may not".
IN_WORDS: dict[Capability, str] = {
    Capability.SEE_PATIENTS: noop("see patients"),
    Capability.EDIT_PATIENTS: noop("change the details of patients"),
    Capability.BOOK: noop("book, move or cancel visits"),
    Capability.RUN_VISIT: noop("check patients in or start and complete visits"),
    Capability.CHART: noop("write treatment logs"),
    Capability.OVERRIDE_INTERVAL: noop("book against an interval of the protocol"),
    Capability.OVERLAP: noop("put a visit over another one"),
    Capability.MANAGE_MESSAGES: noop("change or skip messages"),
    Capability.SEND_AT_ANY_HOUR: noop("send outside of the hours for messages"),
    Capability.BLOCK_TIME: noop("block time"),
    Capability.APPROVE_PROTOCOL: noop("approve protocols"),
    Capability.MANAGE_SITE: noop("change how the site is set up"),
    Capability.SEE_AUDIT: noop("see who did and saw what"),
    Capability.MERGE_RECORDS: noop("merge records"),
    Capability.EXPORT_RECORD: noop("hand out a record"),
    Capability.ERASE_RECORD: noop("erase a record"),
    Capability.SEE_REPORTS: noop("see reports"),
    Capability.IMPORT: noop("bring over data"),
    Capability.PUBLISH_WORDING: noop("publish the words of messages"),
    Capability.PUBLISH_CONSENT_FORMS: noop("publish consent forms"),
    Capability.SCREEN: noop("ask screening questions"),
    Capability.DECIDE_SCREENING: noop("decide on screening answers"),
    Capability.OVERRIDE_CLEARANCE: noop("let treatment start while something is lacking"),
}

CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.FRONT_DESK: frozenset(
        {
            Capability.SEE_PATIENTS,
            Capability.EDIT_PATIENTS,
            Capability.BOOK,
            Capability.RUN_VISIT,
            Capability.MANAGE_MESSAGES,
            Capability.BLOCK_TIME,
            Capability.SCREEN,
        }
    ),
    Role.PROVIDER: frozenset(
        {
            Capability.SEE_PATIENTS,
            Capability.BOOK,
            Capability.RUN_VISIT,
            Capability.CHART,
            Capability.SCREEN,
            Capability.DECIDE_SCREENING,
            Capability.OVERRIDE_CLEARANCE,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Capability.SEE_PATIENTS,
            Capability.EDIT_PATIENTS,
            Capability.BOOK,
            Capability.RUN_VISIT,
            Capability.OVERRIDE_INTERVAL,
            Capability.OVERLAP,
            Capability.MANAGE_MESSAGES,
            Capability.SEND_AT_ANY_HOUR,
            Capability.BLOCK_TIME,
            Capability.MANAGE_SITE,
            Capability.SEE_AUDIT,
            Capability.IMPORT,
            Capability.MERGE_RECORDS,
            Capability.EXPORT_RECORD,
            Capability.ERASE_RECORD,
            Capability.PUBLISH_WORDING,
            Capability.SEE_REPORTS,
            Capability.SCREEN,
        }
    ),
    Role.CLINICAL_LEAD: frozenset(
        {
            Capability.SEE_PATIENTS,
            Capability.BOOK,
            Capability.RUN_VISIT,
            Capability.OVERRIDE_INTERVAL,
            Capability.OVERLAP,
            Capability.APPROVE_PROTOCOL,
            Capability.SEE_REPORTS,
            Capability.PUBLISH_CONSENT_FORMS,
            Capability.CHART,
            Capability.SCREEN,
            Capability.DECIDE_SCREENING,
            Capability.OVERRIDE_CLEARANCE,
        }
    ),
}


class Forbidden(PermissionDenied):
    """The act is not this person's. `sentence` says so and says whose it is; a page that lets it
    rise becomes the 403 page with that sentence."""

    code = "forbidden"
    field = ""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def roles_with(capability: Capability) -> list[str]:
    """The labels of the roles that hold a capability, for the sentence of a refusal."""
    return [str(Role(role).label) for role in roles_holding(capability)]


def roles_holding(capability: Capability) -> list[str]:
    return [role for role, held in CAPABILITIES.items() if capability in held]


def capabilities(staff: Staff, site: Site | None = None) -> frozenset[Capability]:
    """What `staff` may do at `site`, or at any site when none is named."""
    if not staff.is_active:
        return frozenset()
    at = [role for at_site, role in _held(staff) if site is None or at_site == site.pk]
    return frozenset().union(*(CAPABILITIES[role] for role in at))


def roles_at(staff: Staff, site: Site) -> list[str]:
    """The labels of the roles that `staff` holds at `site`."""
    held = sorted(role for at_site, role in _held(staff) if at_site == site.pk)
    return [str(Role(role).label) for role in held]


def _held(staff: Staff) -> list[tuple[int, str]]:
    """Each role of `staff`, with the id of its site."""

    def read() -> list[tuple[int, str]]:
        asked = "SELECT site_id, role FROM clinic_siterole WHERE staff_id = %s"
        return statements.rows(asked, [staff.pk])

    return once(("roles", staff.pk), read)


def can(staff: Staff, capability: Capability, site: Site | None = None) -> bool:
    return capability in capabilities(staff, site)


def require(staff: Staff, capability: Capability, site: Site | None = None) -> None:
    """Raise Forbidden unless `staff` holds `capability` at `site` (at any site when None)."""
    if not can(staff, capability, site):
        where = gettext(" at %(site)s") % {"site": site.name} if site is not None else ""
        who = ", ".join(roles_with(capability)).lower()
        what = gettext(IN_WORDS[capability])
        raise Forbidden(
            gettext("You may not %(what)s%(where)s. Those who may: %(who)s.")
            % {"what": what, "where": where, "who": who}
        )


def require_at_any(staff: Staff, capability: Capability, sites: Iterable[Site]) -> None:
    """Raise Forbidden unless `staff` holds `capability` at one of these sites."""
    known = list(sites)
    if not any(can(staff, capability, site) for site in known):
        require(staff, capability, known[0] if known else None)


def can_everywhere(staff: Staff, capability: Capability) -> bool:
    """Whether `staff` holds `capability` at every site of the company, of which there is one."""
    sites = list(Site.objects.all())
    return bool(sites) and all(can(staff, capability, site) for site in sites)


def sites_with(staff: Staff, capability: Capability) -> QuerySet[Site]:
    """The sites at which `staff` holds `capability`."""
    if not staff.is_active:
        return Site.objects.none()
    roles = roles_holding(capability)
    held = Site.objects.filter(site_roles__staff=staff, site_roles__role__in=roles)
    return held.distinct()


def sites_of(staff: Staff) -> QuerySet[Site]:
    """The sites at which `staff` holds a role."""
    if not staff.is_active:
        return Site.objects.none()
    return Site.objects.filter(site_roles__staff=staff).distinct()


def sites_at_hand(staff: Staff) -> tuple[Site, ...]:
    """The same sites as rows, in order of name."""
    return once(("sites", staff.pk), lambda: tuple(sites_of(staff)))
