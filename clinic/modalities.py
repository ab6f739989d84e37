"""The ways of treating that the company knows: what protocols, devices and leave to treat name.

The id of one stays; its name and the two letters on the day list may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower

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
        Forbidden: when `by` does not manage every site.
    """
    require_change(by)
    if not SLUG.fullmatch(slug):
        said = gettext("Write small letters, digits and underscores, such as led_therapy.")
        raise ModalityRefused(said, "slug")
    names = _checked(name, code)
    with _told_apart(names):
        made = Modality.objects.create(slug=slug, **names)
    after = {"name": made.name, "code": made.code}
    audit.record(action="modality.add", subject=made, by=by, now=now, after=after)
    return made


@transaction.atomic
def rename(*, modality: Modality, name: str, code: str, by: Staff, now: datetime) -> None:
    """Give a modality this name and this code, at every site.

    Raises ModalityRefused as `add`, Forbidden when `by` does not manage every site.
    """
    require_change(by)
    stored = Modality.objects.select_for_update(no_key=True).get(pk=modality.pk)
    before = {"name": stored.name, "code": stored.code}
    after = _checked(name, code)
    if before == after:
        return
    stored.name, stored.code = after["name"], after["code"]
    with _told_apart(after):
        stored.save(update_fields=["name", "code"])
    audit.record(
        action="modality.rename", subject=stored, by=by, now=now, before=before, after=after
    )


def may_change(staff: Staff) -> bool:
    """Whether `staff` manages every site: modalities are those of all of them."""
    return access.can_everywhere(staff, Capability.MANAGE_SITE)


def require_change(staff: Staff) -> None:
    """Raise Forbidden unless `may_change`."""
    if not may_change(staff):
        said = gettext("Only somebody who manages every site adds and renames modalities.")
        raise access.Forbidden(said)


def known(*, slug: str, name: str, code: str) -> Modality:
    """The modality of this id; where there is none yet, it is made with this name and code. Raises
    ModalityRefused when another has one of them."""
    names = _checked(name, code)
    with _told_apart(names):
        return Modality.objects.get_or_create(slug=slug, defaults=names)[0]


@contextmanager
def _told_apart(names: dict[str, str]) -> Iterator[None]:
    """Names and codes of two modalities differ, or nobody can tell them apart."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        broken = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
        if broken == "clinic_modality_pkey":
            said = gettext("There is a modality with this id already.")
            raise ModalityRefused(said, "slug") from None
        if broken == "modality_name_once":
            field, same = "name", Q(low=Lower(Value(names["name"])))
        elif broken == "modality_code_once":
            field, same = "code", Q(code=names["code"])
        else:
            raise
        other = Modality.objects.alias(low=Lower("name")).get(same)
        said = gettext("%(name)s has it already. Choose another.") % {"name": other.name}
        raise ModalityRefused(said, field) from None


def _checked(name: str, code: str) -> dict[str, str]:
    """Both as they are stored."""
    tidy = " ".join(name.split())
    if not tidy:
        raise ModalityRefused(gettext("Enter a name."), "name")
    if len(tidy) > LONGEST_NAME:
        said = gettext("Write at most %(most)s characters.")
        raise ModalityRefused(said % {"most": LONGEST_NAME}, "name")
    if not CODE.fullmatch(code):
        said = gettext("A code is two capital letters, such as TX.")
        raise ModalityRefused(said, "code")
    return {"name": tidy, "code": code}
