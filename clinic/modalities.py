"""The ways of treating that the company knows: what protocols, devices and leave to treat name.

The id of one stays; its name and the two letters on the day list may change.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Modality, Staff
from clinic.protocols.rules import CODE, LONGEST_NAME, SLUG
from clinic.saying import gettext


class ModalityRefused(Exception):
    """It cannot be like that; `field` is the input to mend. Nothing was changed."""

    code = "modality_refused"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


@transaction.atomic
def add(*, slug: str, name: str, code: str, by: Staff, now: datetime) -> Modality:
    """Another way of treating; devices and leave can be of it at once, protocols as they are
    written.

    Raises:
        ModalityRefused: for an id, a name or a code that cannot be or is another's.
        Forbidden: when `by` manages no site.
    """
    access.require(by, Capability.MANAGE_SITE)
    if not SLUG.fullmatch(slug):
        said = gettext("Write small letters, digits and underscores, such as led_therapy.")
        raise ModalityRefused(said, "slug")
    made = Modality(slug=slug, **_checked(slug, name, code))
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        said = gettext("There is a modality with this id already.")
        raise ModalityRefused(said, "slug") from None
    after = {"name": made.name, "code": made.code}
    audit.record(action="modality.add", subject=made, by=by, now=now, after=after)
    return made


@transaction.atomic
def rename(*, modality: Modality, name: str, code: str, by: Staff, now: datetime) -> None:
    """Give a modality this name and this code. Raises as `add`."""
    access.require(by, Capability.MANAGE_SITE)
    stored = Modality.objects.select_for_update(no_key=True).get(pk=modality.pk)
    before = {"name": stored.name, "code": stored.code}
    after = _checked(stored.slug, name, code)
    if before == after:
        return
    stored.name, stored.code = after["name"], after["code"]
    stored.save(update_fields=["name", "code"])
    audit.record(
        action="modality.rename", subject=stored, by=by, now=now, before=before, after=after
    )


def _checked(slug: str, name: str, code: str) -> dict[str, str]:
    """Both as they are stored. Names and codes of two modalities differ, or nobody can tell them
    apart."""
    tidy = " ".join(name.split())
    if not tidy:
        raise ModalityRefused(gettext("Enter a name."), "name")
    if len(tidy) > LONGEST_NAME:
        said = gettext("Write at most %(most)s characters.")
        raise ModalityRefused(said % {"most": LONGEST_NAME}, "name")
    if not CODE.fullmatch(code):
        said = gettext("A code is two capital letters, such as TX.")
        raise ModalityRefused(said, "code")
    others = Modality.objects.exclude(pk=slug)
    for field, same in (("name", {"name__iexact": tidy}), ("code", {"code": code})):
        if other := others.filter(**same).first():
            said = gettext("%(name)s has it already. Choose another.")
            raise ModalityRefused(said % {"name": other.name}, field)
    return {"name": tidy, "code": code}
