"""Who treats: providers, the login of each, and their leave to treat with a modality.

A provider may have no login, and a login need be no provider; of either at most one belongs to the
other. Refuses to know what is booked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from clinic import access, audit, equipping, staffing
from clinic.access import Capability
from clinic.equipping import ResourceRefused
from clinic.models import Credential, Modality, Resource, ResourceKind, Role, Site, SiteRole, Staff
from clinic.saying import gettext
from clinic.wall_time import local

LONGEST_NAME = 60


@transaction.atomic
def add_provider(
    *,
    site: Site,
    by: Staff,
    now: datetime,
    staff: Staff | None = None,
    name: str = "",
    modalities: Iterable[Modality] = (),
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Resource:
    """Somebody who treats at `site`, to be booked once they have hours there, with leave to treat
    with `modalities` from `valid_from` (today there) up to and with `valid_until`, local dates.

    They sign in as `staff`, whose name they have then, or have no login and this `name`. A `staff`
    who is a provider already stays that one.

    Raises:
        ResourceRefused: for neither or both of `staff` and `name`, a `staff` without a role that
            treats there, and leave that ends before it begins or that `kept_leave` speaks of.
        Forbidden: when `by` does not manage `site`; for leave, as `give_leave`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    if (staff is None) == (not name.strip()):
        said = gettext("Choose somebody, or enter the name of somebody without a login.")
        raise ResourceRefused(said, "staff")
    provider = _of(staff, site, by, now) if staff else _alone(name, site, by, now)
    asked = list(modalities)
    if asked and staff and (kept := kept_leave(staff, by)):
        raise ResourceRefused(kept, "modalities")
    for modality in asked:
        give_leave(
            provider=provider,
            site=site,
            modality=modality,
            valid_from=valid_from or local(now, site.zone).date(),
            valid_until=valid_until,
            by=by,
            now=now,
        )
    return provider


def unbooked(site: Site) -> list[Staff]:
    """Those with a role that treats at `site` who cannot be booked anywhere yet, by name."""
    treating = access.roles_holding(Capability.CHART)
    here = Staff.objects.filter(
        site_roles__site=site, site_roles__role__in=treating, is_active=True, resource=None
    )
    return list(here.distinct())


def not_managed(provider: Resource, by: Staff) -> list[Site]:
    """The sites that have a say in a provider's login and leave and that `by` does not manage.

    Whoever signs in as a provider sees their visits everywhere, and leave to treat holds
    everywhere: so every site at which they have hours, are set up, or hold a role that treats.
    """
    works = Q(provider_hours__provider=provider) | Q(resources=provider)
    return _not_managed(works | _signs(provider.staff), by)


def kept_leave(staff: Staff, by: Staff) -> str:
    """Why `by` gives no leave to treat to somebody who would become a provider; empty when they
    may."""
    sites = ", ".join(each.name for each in _not_managed(_signs(staff), by))
    said = gettext(
        "%(name)s treats at %(elsewhere)s as well, and login and leave to treat hold there too. "
        "Somebody who manages every site at which they treat changes them."
    )
    return said % {"name": staff.name, "elsewhere": sites} if sites else ""


@transaction.atomic
def give_login(
    *,
    provider: Resource,
    site: Site,
    by: Staff,
    now: datetime,
    staff: Staff | None = None,
    email: str = "",
) -> Staff:
    """Let a provider who has no login sign in as `staff`, or with the address `email`: an account
    of that address works at `site` as a provider, and is made where there is none.

    Raises:
        ResourceRefused: for neither or both, what is no provider of `site`, a provider who has a
            login, a login that belongs to another one, and one without a role that treats there.
        Forbidden: when `by` does not manage every site at which the provider works.
    """
    stored = _locked(provider, site, by)
    _require_all(stored, by)
    if (staff is None) == (not email.strip()):
        raise ResourceRefused(gettext("Choose a login, or enter an e-mail address."), "email")
    if stored.staff is not None:
        raise ResourceRefused(
            gettext("%(name)s signs in as %(email)s already. Take that login off first.")
            % {"name": stored.name, "email": stored.staff.email},
            "staff",
        )
    field = "staff" if staff else "email"
    account = staff or _account(email, stored.name, site, by, now)
    Staff.objects.select_for_update(no_key=True).get(pk=account.pk)
    _require_treating(account, site, field)
    other = Resource.objects.filter(staff=account).first()
    if other is not None:
        raise ResourceRefused(
            gettext("%(email)s is the login of %(name)s already. A login belongs to one provider.")
            % {"email": account.email, "name": other.name},
            field,
        )
    _set_login(stored, account, site, by, now)
    return account


@transaction.atomic
def take_login(*, provider: Resource, site: Site, by: Staff, now: datetime) -> None:
    """Let nobody sign in as `provider`, who can still be booked. Twice is once.

    The account keeps its roles; what is booked with the provider is no longer in its day. Raises
    Forbidden, and ResourceRefused for what is no provider of `site`, as `give_login`.
    """
    stored = _locked(provider, site, by)
    _require_all(stored, by)
    if stored.staff is not None:
        # Without hours or a login, it is the site that says where they are set up.
        stored.site = stored.site or site
        _set_login(stored, None, site, by, now)


@transaction.atomic
def give_leave(
    *,
    provider: Resource,
    site: Site,
    modality: Modality,
    valid_from: date,
    by: Staff,
    now: datetime,
    valid_until: date | None = None,
) -> Credential:
    """Leave to treat with a modality from `valid_from` up to and with `valid_until`, local dates;
    leave that begins on the same day gets the new end.

    Leave holds wherever the provider works. Raises ResourceRefused when it would end before it
    begins and for what is no provider of `site`, Forbidden as `give_login`.
    """
    stored = _locked(provider, site, by)
    _require_all(stored, by)
    if valid_until is not None and valid_until < valid_from:
        raise ResourceRefused(
            gettext("It ends before it begins. Choose a later end."), "valid_until"
        )
    former = stored.credentials.filter(modality=modality, valid_from=valid_from).first()
    before = {"valid_until": _iso(former.valid_until)} if former else {}
    made, _ = Credential.objects.update_or_create(
        provider=stored,
        modality=modality,
        valid_from=valid_from,
        defaults={"valid_until": valid_until},
    )
    audit.record(
        action="resource.credential",
        subject=stored,
        by=by,
        now=now,
        site=site,
        before=before,
        after={
            "modality": modality.pk,
            "valid_from": valid_from.isoformat(),
            "valid_until": _iso(valid_until),
        },
    )
    return made


def _signs(staff: Staff | None) -> Q:
    """The sites at which a login holds a role that treats."""
    treating = access.roles_holding(Capability.CHART)
    held = SiteRole.objects.filter(staff=staff, role__in=treating)
    return Q(pk__in=held.values("site"))


def _not_managed(which: Q, by: Staff) -> list[Site]:
    sites = Site.objects.filter(which).distinct()
    return [each for each in sites if not access.can(by, Capability.MANAGE_SITE, each)]


def _of(staff: Staff, site: Site, by: Staff, now: datetime) -> Resource:
    Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    _require_treating(staff, site, "staff")
    found = Resource.objects.filter(staff=staff).first()
    if found is not None:
        return found
    made = Resource(kind=ResourceKind.PROVIDER, staff=staff, name=staff.name[:LONGEST_NAME])
    return equipping.add(made, site=site, by=by, now=now)


def _alone(name: str, site: Site, by: Staff, now: datetime) -> Resource:
    """Without a login and hours yet, it is the site that says where they are set up."""
    made = Resource(kind=ResourceKind.PROVIDER, site=site, name=name.strip())
    return equipping.add(made, site=site, by=by, now=now)


def _account(email: str, name: str, site: Site, by: Staff, now: datetime) -> Staff:
    known = Staff.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if known is not None and staffing.roles_at(site, known):
        return known
    roles = [Role.PROVIDER]
    return staffing.employ(site=site, email=email, name=name, roles=roles, by=by, now=now)


def _require_treating(staff: Staff, site: Site, field: str) -> None:
    if not access.can(staff, Capability.CHART, site):
        raise ResourceRefused(
            gettext("%(name)s has no role that treats at %(site)s.")
            % {"name": staff.name, "site": site.name},
            field,
        )


def _require_all(provider: Resource, by: Staff) -> None:
    for site in not_managed(provider, by):
        access.require(by, Capability.MANAGE_SITE, site)


def _locked(provider: Resource, site: Site, by: Staff) -> Resource:
    """The provider as stored, one of `site`, which `by` manages."""
    access.require(by, Capability.MANAGE_SITE, site)
    found = Resource.objects.select_for_update(no_key=True, of=("self",)).select_related("staff")
    stored = found.get(pk=provider.pk)
    if stored.kind != ResourceKind.PROVIDER:
        raise ResourceRefused(gettext("Only somebody who treats has a login and leave to treat."))
    here = equipping.at(Site.objects.filter(pk=site.pk))
    if not here.filter(pk=stored.pk).exists():
        raise ResourceRefused(
            gettext("%(name)s does not treat at %(site)s. Choose a site at which they do.")
            % {"name": stored.name, "site": site.name},
            "site",
        )
    return stored


def _set_login(
    provider: Resource, staff: Staff | None, site: Site, by: Staff, now: datetime
) -> None:
    before, provider.staff = provider.staff, staff
    provider.save(update_fields=["staff", "site"])
    audit.record(
        action="resource.login",
        subject=provider,
        by=by,
        now=now,
        site=site,
        before={"staff": before and before.pk},
        after={"staff": staff and staff.pk},
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
