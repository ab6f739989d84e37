"""A conversation given to a colleague: who could have it, and the act."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from reminders.inbound import conversing
from reminders.inbound.conversing import ConversationRefused, State
from reminders.models import Conversation


def colleagues(conversation: Conversation) -> QuerySet[Staff]:
    """Who may read and answer it, by name."""
    needed = {Capability.MANAGE_MESSAGES}
    if conversation.has_symptom:
        needed.add(Capability.RUN_VISIT)
    roles = {role for each in needed for role in access.roles_holding(each)}
    at_its_site = {"site_roles__site": conversation.site_id, "site_roles__role__in": roles}
    return Staff.objects.filter(is_active=True, **at_its_site).distinct().order_by("name", "pk")


@transaction.atomic
def assign(*, conversation: Conversation, to: Staff, by: Staff, now: datetime) -> Conversation:
    """Make `to` the owner, in whose sight it is at once. What is urgent is taken by whoever acts on
    it, and paged for until then.

    Raises Forbidden unless `by` may answer it, and ConversationRefused when it is closed or urgent,
    or `to` has it or may not read it.
    """
    stored = conversing.locked(conversation, by)
    if stored.state == State.ESCALATED:
        raise ConversationRefused(
            gettext("This is urgent: it is taken by who calls the patient, and given to nobody.")
        )
    if stored.owner_id == to.pk:
        raise ConversationRefused(
            gettext("%(owner)s has this conversation already.") % {"owner": to.name}, field="staff"
        )
    if not colleagues(stored).filter(pk=to.pk).exists():
        raise ConversationRefused(
            gettext("%(name)s may not answer this conversation. Choose somebody else.")
            % {"name": to.name},
            field="staff",
        )
    before = stored.owner_id
    stored.owner, stored.snoozed_until = to, None
    stored.save(update_fields=["owner", "snoozed_until"])
    conversing.recorded(
        "conversation.assign", stored, by=by, now=now, before=before, after={"owner": to.pk}
    )
    return stored
