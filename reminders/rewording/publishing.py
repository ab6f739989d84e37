"""Putting words in force, and taking them out again.

A message is written when it leaves, so that what is in force at that moment counts: publishing
plans nothing anew, and what a provider took before keeps the version that it was written with.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from appointments.refusals import Refused
from clinic import audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from reminders.catalogue import Kind, MessageState, Tray
from reminders.models import Message, WordingState, WordingVersion
from reminders.rewording import checking, drafting, scopes
from reminders.rewording.scopes import Scope
from reminders.wording.findings import Finding, errors, warnings


class WordingUnfit(Refused):
    """Errors bar the publication. `findings` are all of them."""

    code = "wording_unfit"
    field = "phrases"

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(
            gettext("These words cannot be published yet. %(what)s %(mend)s")
            % {"what": first.what, "mend": first.mend}
        )
        self.findings = tuple(findings)


class WarningsOpen(Refused):
    """Warnings have to be accepted by name. `findings` are those that were not."""

    code = "wording_warnings"
    field = "accepted"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(
            gettext("Accept each warning, or mend it. %(what)s") % {"what": findings[0].what}
        )
        self.findings = tuple(findings)


class NothingChanged(Refused):
    code = "wording_unchanged"
    field = "digest"


class NotInForce(Refused):
    code = "wording_not_in_force"
    field = "state"


@transaction.atomic
def publish(
    *,
    draft: WordingVersion,
    seen: str,
    accepted: Collection[str],
    by: Staff,
    now: datetime,
) -> WordingVersion:
    """Put a draft in force, in place of the version before. `seen` is its digest as it was shown,
    `accepted` the keys of the warnings that were ticked.

    Raises StaleDraft, NothingChanged, WordingUnfit, WarningsOpen, and Forbidden unless `by` may
    publish wording at the site (for the company's words: at every site).
    """
    scopes.require(by, Capability.PUBLISH_WORDING, draft.site)
    fresh = drafting.locked(draft, seen)
    kind = Kind(fresh.kind)
    before = drafting.published_of(fresh.site, kind, fresh.language)
    if before is not None and before.digest == fresh.digest:
        raise NothingChanged(gettext("These words are in force already. Discard the draft."))
    found = checking.of_row(fresh)
    if unfit := errors(found):
        raise WordingUnfit(unfit)
    if unaccepted := [each for each in warnings(found) if each.key not in accepted]:
        raise WarningsOpen(unaccepted)
    if before is not None:
        _retire(before, by=by, now=now)
    fresh.state = WordingState.PUBLISHED
    fresh.published_at, fresh.published_by = now, by
    fresh.save(update_fields=["state", "published_at", "published_by"])
    _record(
        "wording.publish",
        fresh,
        by=by,
        now=now,
        before=before,
        accepted=sorted(each.key for each in warnings(found)),
    )
    return fresh


@transaction.atomic
def retire(*, version: WordingVersion, by: Staff, now: datetime) -> None:
    """Take a version out of force: the company's words hold again, else those of the product.

    Raises NotInForce, and Forbidden as `publish` does.
    """
    scopes.require(by, Capability.PUBLISH_WORDING, version.site)
    rows = WordingVersion.objects.select_for_update(of=("self",), no_key=True).select_related(
        "site"
    )
    fresh = (
        rows.select_for_update(of=("self",), no_key=True)
        .filter(pk=version.pk, state=WordingState.PUBLISHED)
        .first()
    )
    if fresh is None:
        raise NotInForce(gettext("This version is not in force."))
    _retire(fresh, by=by, now=now)
    _record("wording.retire", fresh, by=by, now=now)


def waiting_messages(scope: Scope, kind: Kind, language: str) -> int:
    """How many scheduled messages will be written with what is published here, as things stand."""
    return Message.objects.filter(
        tray=Tray.TO_COME,
        state=MessageState.SCHEDULED,
        kind=kind,
        patient__language=language,
        site__in=scopes.sites_reached(scope, kind, language),
    ).count()


def _retire(version: WordingVersion, *, by: Staff, now: datetime) -> None:
    version.state = WordingState.RETIRED
    version.retired_at, version.retired_by = now, by
    version.save(update_fields=["state", "retired_at", "retired_by"])


def _record(
    action: str,
    version: WordingVersion,
    *,
    by: Staff,
    now: datetime,
    before: WordingVersion | None = None,
    accepted: Sequence[str] = (),
) -> None:
    audit.record(
        action=action,
        subject=version,
        by=by,
        now=now,
        site=version.site,
        before={"number": before.number, "digest": before.digest} if before else {},
        after={
            "kind": version.kind,
            "language": version.language,
            "number": version.number,
            "digest": version.digest,
            "accepted": list(accepted),
        },
    )
