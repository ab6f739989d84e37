"""Writing the draft of a consent form. Nothing that patients sign changes by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from clinic import access, audit
from clinic.access import Capability
from clinic.consent_forms import wording
from clinic.consent_forms.in_force import Subject
from clinic.consent_forms.wording import Problem, Words
from clinic.models import ConsentForm, FormState, Staff
from clinic.saying import gettext


class ConsentFormRefused(Exception):
    """The act cannot be done with this form; `sentence` says why and what to do."""

    code = "consent_form_state"
    field = "state"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StaleConsentForm(ConsentFormRefused):
    """Somebody saved, published or threw away the draft since it was shown."""

    code = "stale_consent_form"
    field = "digest"

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "Somebody changed this form while you wrote. Look at it as it is now, then repeat."
            )
        )


class WordsRefused(ConsentFormRefused):
    """The words cannot be kept; `problems` are all of them."""

    code = "consent_form_words"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0].sentence)
        self.field = problems[0].field
        self.problems = problems


def editions(subject: Subject) -> QuerySet[ConsentForm]:
    """Every edition of a form, the newest first."""
    rows = ConsentForm.objects.filter(purpose=subject[0], protocol=subject[1])
    return rows.select_related("saved_by", "published_by", "retired_by").order_by("-number")


def words_of(form: ConsentForm) -> dict[str, Words]:
    return {each: Words(form.title(each), form.body(each)) for each in wording.LANGUAGES}


def save(
    *,
    subject: Subject,
    words: Mapping[str, Words],
    valid_for: str,
    seen: str,
    by: Staff,
    now: datetime,
) -> ConsentForm:
    """Save the draft of a form, or make it. `words` are by language; `seen` is the digest of the
    draft that was changed, empty when there was none.

    Raises Forbidden, WordsRefused, and StaleConsentForm when the draft is another by now.
    """
    access.require(by, Capability.PUBLISH_CONSENT_FORMS)
    kept = {language: wording.cleaned(each) for language, each in words.items()}
    if found := wording.problems(kept, valid_for):
        raise WordsRefused(found)
    try:
        with transaction.atomic():
            draft = editions(subject).select_for_update(of=("self",)).filter(state=FormState.DRAFT)
            standing = draft.first()
            if (standing.digest if standing else "") != seen:
                raise StaleConsentForm
            form = standing or new(subject, now=now)
            write(form, kept, valid_for)
            form.saved_at, form.saved_by = now, by
            form.save()
            record("consent_form.save", form, by=by, now=now)
    except IntegrityError:  # two first drafts at once
        raise StaleConsentForm from None
    return form


@transaction.atomic
def discard(*, draft: ConsentForm, seen: str, by: Staff, now: datetime) -> None:
    """Throw a draft away: it is retired without having been published. Raises as `save` does."""
    access.require(by, Capability.PUBLISH_CONSENT_FORMS)
    form = locked(draft, seen)
    form.state, form.retired_at, form.retired_by = FormState.RETIRED, now, by
    form.save(update_fields=["state", "retired_at", "retired_by"])
    record("consent_form.discard", form, by=by, now=now)


def new(subject: Subject, *, now: datetime) -> ConsentForm:
    """The next edition of a form, not stored yet."""
    last = editions(subject).order_by().aggregate(last=Max("number"))["last"] or 0
    return ConsentForm(
        purpose=subject[0], protocol=subject[1], number=last + 1, created_at=now, saved_at=now
    )


def write(form: ConsentForm, words: Mapping[str, Words], valid_for: str) -> None:
    """Put words into an edition, with their digests. Stores nothing."""
    form.title_en, form.body_en = words["en"].title, words["en"].body
    form.title_es, form.body_es = words["es"].title, words["es"].body
    form.valid_for = valid_for
    form.digest_en, form.digest_es = wording.digest(words["en"]), wording.digest(words["es"])
    form.digest = wording.digest_of_all(words, valid_for)


def locked(draft: ConsentForm, seen: str) -> ConsentForm:
    """The draft under its lock; raises StaleConsentForm unless it is what was seen."""
    rows = ConsentForm.objects.select_for_update()
    fresh = rows.filter(pk=draft.pk, state=FormState.DRAFT, digest=seen).first()
    if fresh is None:
        raise StaleConsentForm
    return fresh


def record(action: str, form: ConsentForm, *, by: Staff | None, now: datetime) -> None:
    audit.record(
        action=action,
        subject=form,
        by=by,
        now=now,
        after={"form": form.key, "number": form.number, "digest": form.digest},
    )
