"""How a site plans: for how long places are held, and what its plans are ranked by."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.models import Site

MOST_POINTS = 1000


def _points(default: float, help_text: str) -> models.FloatField[float, float]:
    return models.FloatField(
        default=default,
        validators=[MinValueValidator(0), MaxValueValidator(MOST_POINTS)],
        help_text=help_text,
    )


class SchedulingSettings(models.Model):
    """The settings of one site; a site without a row has the defaults.

    Points are what a plan costs for each wish that it does not meet: the plan with the fewest is
    shown first. The defaults are those of the scheduling study (section 5.4 of the design).
    """

    site = models.OneToOneField(
        Site, on_delete=models.CASCADE, primary_key=True, related_name="scheduling"
    )
    hold_minutes = models.PositiveSmallIntegerField(
        default=5, help_text="How long looking at a plan keeps its places."
    )
    offer_minutes = models.PositiveSmallIntegerField(
        default=15, help_text="How long a place is kept for those on the wait-list."
    )
    notice_hours = models.PositiveSmallIntegerField(
        default=24,
        help_text="How long before a visit patients may move it, and book one, by themselves.",
    )
    late_terms_en = models.CharField(
        max_length=300, blank=True, help_text="What cancelling later than that comes to."
    )
    late_terms_es = models.CharField(max_length=300, blank=True)
    early = _points(1.5, "For each day before the ideal date.")
    late = _points(1.0, "For each day after the ideal date.")
    other_provider = _points(15.0, "For another provider than at the visit before.")
    other_weekday = _points(6.0, "For a weekday that the patient did not wish.")
    off_time = _points(1.0, "For each half hour outside the wished time of day.")
    most_off_time = _points(8.0, "At most so many for the time of day of one visit.")
    finish = _points(0.05, "For each day until the last visit.")
    device_load = _points(3.0, "For a day on which the devices are taken all day; less in part.")
    idle_gap = _points(
        2.0, "For a gap of a quarter or more in the provider's day, too short for a visit."
    )
    usable_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="A gap shorter than this is too short for a visit."
    )
    unchanged = _points(
        1000.0, "For moving a visit that could stay where it is; so many that none is moved."
    )

    class Meta:
        verbose_name_plural = "scheduling settings"
        constraints = [
            models.CheckConstraint(
                name="settings_hold_minutes",
                condition=Q(hold_minutes__gte=1, hold_minutes__lte=60),
            ),
            models.CheckConstraint(
                name="settings_offer_minutes",
                condition=Q(offer_minutes__gte=1, offer_minutes__lte=24 * 60),
            ),
            models.CheckConstraint(
                name="settings_notice_hours", condition=Q(notice_hours__lte=14 * 24)
            ),
            models.CheckConstraint(
                name="settings_points_not_negative",
                condition=Q(
                    early__gte=0,
                    late__gte=0,
                    other_provider__gte=0,
                    other_weekday__gte=0,
                    off_time__gte=0,
                    most_off_time__gte=0,
                    finish__gte=0,
                    device_load__gte=0,
                    idle_gap__gte=0,
                    unchanged__gte=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"scheduling of site {self.site_id}"

    @classmethod
    def of(cls, site: Site) -> SchedulingSettings:
        """Those of a site; one that has no row has the defaults."""
        return cls.objects.filter(site=site).first() or cls(site=site)
