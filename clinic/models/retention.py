"""How long a site keeps treatment records: decided, dated, and never changed afterwards."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clinic.models.site import Site
from clinic.models.staff import Staff

# The database itself destroys nothing that is younger than the fewest (`afterglow_destroy`).
FEWEST_YEARS, MOST_YEARS = 3, 50


class RecordRetention(models.Model):
    """From `begins_on` (local date) on, `site` keeps treatment records for `years` after the last
    treatment; until another row begins. `basis` is the law or rule behind it, in words.
    """

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="retentions", db_index=False
    )
    begins_on = models.DateField()
    years = models.PositiveSmallIntegerField()
    basis = models.CharField(max_length=200)
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ("site", "-begins_on", "-id")
        constraints = [
            models.UniqueConstraint(fields=("site", "begins_on"), name="retention_once_a_day"),
            models.CheckConstraint(
                name="retention_years", condition=Q(years__range=(FEWEST_YEARS, MOST_YEARS))
            ),
            models.CheckConstraint(name="retention_has_a_basis", condition=~Q(basis="")),
        ]

    def __str__(self) -> str:
        return f"{self.years} years at site {self.site_id} from {self.begins_on}"
