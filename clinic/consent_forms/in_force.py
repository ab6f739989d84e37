"""Which editions patients sign now, and from which number on a signature still counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from clinic.models import ConsentForm, ConsentPurpose, FormState

PHOTO_PURPOSES = tuple(each for each in ConsentPurpose if each is not ConsentPurpose.TREATMENT)
Subject = tuple[str, str]  # (purpose, protocol)


@dataclass(frozen=True, slots=True)
class InForce:
    """The published edition of a form; signatures of editions before `counts_from` are outdated."""

    form: ConsentForm
    counts_from: int


def treatment(protocol: str) -> Subject:
    return (ConsentPurpose.TREATMENT, protocol)


def photos() -> list[Subject]:
    return [(purpose, "") for purpose in PHOTO_PURPOSES]


def of(subjects: Iterable[Subject]) -> dict[Subject, InForce]:
    """The editions in force of these subjects, in one query; a subject without one is missing."""
    wanted = Q(pk__in=())
    for purpose, protocol in set(subjects):
        wanted |= Q(purpose=purpose, protocol=protocol)
    asking_anew = ConsentForm.objects.filter(
        purpose=OuterRef("purpose"),
        protocol=OuterRef("protocol"),
        asks_anew=True,
        published_at__isnull=False,
    )
    published = ConsentForm.objects.filter(wanted, state=FormState.PUBLISHED).annotate(
        counts_from=Coalesce(Subquery(asking_anew.order_by("-number").values("number")[:1]), 1)
    )
    return {(form.purpose, form.protocol): InForce(form, form.counts_from) for form in published}
