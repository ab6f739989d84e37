"""Resources: everything that can be in one place only at a time."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from clinic.models.site import Site
from clinic.models.staff import Staff
from clinic.protocols.house_words import modality_word
from clinic.wall_time import MINUTES_A_DAY


class Modality(models.Model):
    """A way of treating, such as `rf_microneedling`; `code` is its two letters on the day list."""

    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=60)
    code = models.CharField(max_length=2)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "modalities"
        constraints = [
            models.CheckConstraint(name="modality_code", condition=Q(code__regex=r"^[A-Z]{2}$")),
            models.UniqueConstraint(Lower("name"), name="modality_name_once"),
            models.UniqueConstraint(fields=("code",), name="modality_code_once"),
        ]

    def __str__(self) -> str:
        return self.called

    @property
    def called(self) -> str:
        """Its name in the reader's language."""
        return modality_word(self.name)


class ResourceKind(models.TextChoices):
    PROVIDER = "provider", _("Provider")
    ROOM = "room", _("Room")
    DEVICE = "device", _("Device")
    PATIENT = "patient", _("Patient")


class Resource(models.Model):
    """A provider, room, device or patient: what an allocation holds.

    A provider may work at several sites (see ProviderHours), a patient may visit all of them;
    a room and a device belong to one. A patient's resource carries no name.
    """

    kind = models.CharField(max_length=8, choices=ResourceKind.choices)
    name = models.CharField(max_length=60, blank=True)
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, blank=True, related_name="resources"
    )
    staff = models.OneToOneField(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="resource"
    )
    room_kind = models.SlugField(blank=True, help_text="For a room: treatment, laser, consult …")
    modality = models.ForeignKey(
        Modality,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
    )
    serial = models.CharField(max_length=40, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("kind", "name")
        constraints = [
            models.CheckConstraint(
                name="resource_shape",
                condition=(
                    Q(kind="provider", room_kind="", modality=None)
                    | Q(kind="room", staff=None, modality=None, site__isnull=False)
                    & ~Q(room_kind="")
                    | Q(kind="device", staff=None, room_kind="")
                    & Q(site__isnull=False, modality__isnull=False)
                    | Q(
                        kind="patient",
                        staff=None,
                        room_kind="",
                        modality=None,
                        site=None,
                        name="",
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.pk}"


class Credential(models.Model):
    """Leave to treat with a modality, from `valid_from` up to and with `valid_until`."""

    provider = models.ForeignKey(
        Resource, on_delete=models.CASCADE, related_name="credentials", db_index=False
    )
    modality = models.ForeignKey(Modality, on_delete=models.PROTECT, related_name="credentials")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="credential_in_order",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
            models.UniqueConstraint(
                fields=("provider", "modality", "valid_from"), name="credential_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.modality_id} {self.valid_from}–{self.valid_until or ''}"


class ProviderHours(models.Model):
    """One working stretch of a provider at a site, in minutes of that site's wall clock."""

    provider = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="hours")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="provider_hours")
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday.")
    starts = models.PositiveSmallIntegerField(help_text="Minute of the day, wall time.")
    ends = models.PositiveSmallIntegerField(help_text="Minute of the day, wall time, exclusive.")

    class Meta:
        ordering = ("provider", "weekday", "starts")
        verbose_name_plural = "provider hours"
        constraints = [
            models.CheckConstraint(name="provider_weekday", condition=Q(weekday__lte=6)),
            models.CheckConstraint(
                name="provider_hours_not_empty",
                condition=Q(ends__gt=F("starts")) & Q(ends__lte=MINUTES_A_DAY),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} day {self.weekday} {self.starts}–{self.ends}"


class HoursException(models.Model):
    """Other hours on one local day, in minutes of the site's wall clock; they replace that day's.

    Without `provider` the site's opening hours, else the provider's hours at the site. A day may
    have several stretches; one row without times means none on that day.
    """

    site = models.ForeignKey(
        Site, on_delete=models.CASCADE, related_name="hours_exceptions", db_index=False
    )
    provider = models.ForeignKey(
        Resource,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="hours_exceptions",
        limit_choices_to={"kind": ResourceKind.PROVIDER},
    )
    day = models.DateField()
    starts = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Minute of the day, wall time; empty: none that day."
    )
    ends = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Minute of the day, wall time, exclusive."
    )
    reason = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ("site", "day", "starts")
        constraints = [
            models.CheckConstraint(
                name="hours_exception_whole",
                condition=Q(starts=None, ends=None)
                | Q(starts__isnull=False, ends__isnull=False)
                & Q(ends__gt=F("starts"))
                & Q(ends__lte=MINUTES_A_DAY),
            ),
            models.UniqueConstraint(
                fields=("site", "provider", "day", "starts"),
                name="hours_exception_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.starts}–{self.ends}"
