"""Writing a draft of the words of a kind in a language. Nothing that patients get changes by it."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from appointments.refusals import InputRefused, Refused
from clinic import audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from reminders.catalogue import Kind
from reminders.models import WordingState, WordingVersion
from reminders.rewording import scopes
from reminders.rewording.scopes import EDITABLE, Scope
from reminders.wording import versions
from reminders.wording.texts import LANGUAGES
from reminders.wording.versions import PHRASES, Sources

LONGEST_PHRASE = 2000


class KindFixed(Refused):
    """The words of this kind are those of the product."""

    code = "wording_fixed"
    field = "kind"


class PhraseTooLong(InputRefused):
    code = "phrase_too_long"


class StaleDraft(Refused):
    """Somebody saved, published or discarded the draft since it was shown. `draft` is as it stands
    now, None when there is none any more."""

    code = "stale_wording"
    field = "digest"

    def __init__(self, draft: WordingVersion | None) -> None:
        super().__init__(
            gettext("Somebody changed this draft while you wrote. Look at both, then save again.")
        )
        self.draft = draft


class DraftExists(Refused):
    code = "draft_exists"
    field = "draft"


def of(scope: Scope, kind: Kind, language: str) -> QuerySet[WordingVersion]:
    """All versions of the words of a kind in a language, the newest first."""
    rows = WordingVersion.objects.filter(site=scope, kind=kind, language=language)
    return rows.select_related("site", "saved_by", "published_by", "retired_by").order_by("-number")


def draft_of(scope: Scope, kind: Kind, language: str) -> WordingVersion | None:
    return of(scope, kind, language).filter(state=WordingState.DRAFT).first()


def published_of(scope: Scope, kind: Kind, language: str) -> WordingVersion | None:
    return of(scope, kind, language).filter(state=WordingState.PUBLISHED).first()


def save(
    *,
    scope: Scope,
    kind: Kind,
    language: str,
    sources: Sources,
    seen: str,
    by: Staff,
    now: datetime,
) -> WordingVersion:
    """Save the draft, or make it. `seen` is the digest of the draft that was changed, empty when
    there was none.

    Raises StaleDraft when the draft is another by now, KindFixed, PhraseTooLong, and Forbidden
    unless `by` may manage messages at the site (for the company's words: at every site).
    """
    scopes.require(by, Capability.MANAGE_MESSAGES, scope)
    written = _checked(kind, language, sources)
    digest = versions.digest(written)
    try:
        with transaction.atomic():
            standing = of(scope, kind, language).select_for_update(of=("self",), no_key=True)
            draft = standing.filter(state=WordingState.DRAFT).first()
            if (draft.digest if draft else "") != seen:
                raise StaleDraft(draft)
            if draft is None:
                draft = _new(scope, kind, language, by=by, now=now)
            draft.digest, draft.saved_by, draft.saved_at = digest, by, now
            for name, text in written.items():
                setattr(draft, name, text)
            draft.save()
            _record("wording.save", draft, by=by, now=now)
    except IntegrityError:  # two first drafts at once
        raise StaleDraft(draft_of(scope, kind, language)) from None
    return draft


@transaction.atomic
def discard(*, draft: WordingVersion, seen: str, by: Staff, now: datetime) -> None:
    """Throw a draft away. Raises StaleDraft and Forbidden as `save` does."""
    scopes.require(by, Capability.MANAGE_MESSAGES, draft.site)
    locked(draft, seen)
    _record("wording.discard", draft, by=by, now=now)
    draft.delete()


def take_up(*, version: WordingVersion, by: Staff, now: datetime) -> WordingVersion:
    """Begin a new draft with the words of a version that was published before.

    Raises DraftExists when one is under way, and Forbidden as `save` does.
    """
    kind = Kind(version.kind)
    try:
        return save(
            scope=version.site,
            kind=kind,
            language=version.language,
            sources=version.sources,
            seen="",
            by=by,
            now=now,
        )
    except StaleDraft:
        raise DraftExists(
            gettext(
                "There is a draft already. Publish or discard it first; then take this version up."
            )
        ) from None


def locked(draft: WordingVersion, seen: str) -> WordingVersion:
    """The draft under its lock; StaleDraft unless it is what was seen."""
    rows = WordingVersion.objects.select_for_update(of=("self",), no_key=True).select_related(
        "site"
    )
    fresh = (
        rows.select_for_update(of=("self",), no_key=True)
        .filter(pk=draft.pk, state=WordingState.DRAFT)
        .first()
    )
    if fresh is None or fresh.digest != seen:
        raise StaleDraft(fresh)
    return fresh


def _checked(kind: Kind, language: str, sources: Sources) -> dict[str, str]:
    if kind not in EDITABLE or language not in LANGUAGES:
        raise KindFixed(gettext("These words come with the product and are not changed."))
    written = versions.tidied(sources)
    for name in PHRASES:
        if len(written[name]) > LONGEST_PHRASE:
            raise PhraseTooLong(
                gettext("Write at most %(longest_phrase)s characters.")
                % {"longest_phrase": LONGEST_PHRASE},
                field=name,
            )
    return written


def _new(scope: Scope, kind: Kind, language: str, *, by: Staff, now: datetime) -> WordingVersion:
    last: int | None = of(scope, kind, language).aggregate(last=Max("number"))["last"]
    return WordingVersion(
        site=scope,
        kind=kind,
        language=language,
        number=(last or 0) + 1,
        created_at=now,
        created_by=by,
    )


def _record(action: str, draft: WordingVersion, *, by: Staff, now: datetime) -> None:
    audit.record(
        action=action,
        subject=draft,
        by=by,
        now=now,
        site=draft.site,
        after={
            "kind": draft.kind,
            "language": draft.language,
            "number": draft.number,
            "digest": draft.digest,
        },
    )
