"""Calendar feeds: visits of a provider or a site for a calendar program, by a secret address."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Resource, Site, Staff


class FeedDetail(models.TextChoices):
    BUSY = "busy", _("Free or busy only")
    INITIALS = "initials", _("Initials of the patient")


class FeedQuerySet(models.QuerySet["CalendarFeed"]):
    def seen_by(self, staff: Staff) -> FeedQuerySet:
        """The feeds of the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()


class CalendarFeed(models.Model):
    """A read-only calendar. Only the SHA-256 of its token is stored; revocable.

    `etag` names the content that was last read, `changed_at` says since when it is so.
    """

    token_digest = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="feeds")
    provider = models.ForeignKey(
        Resource, on_delete=models.CASCADE, null=True, blank=True, related_name="feeds"
    )
    detail = models.CharField(max_length=8, choices=FeedDetail.choices, default=FeedDetail.BUSY)
    made_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True, help_text="When it was last fetched.")
    etag = models.CharField(max_length=64, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = FeedQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="feed_revoked_by_somebody",
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="feed_detail_known", condition=Q(detail__in=FeedDetail.values)
            ),
            models.CheckConstraint(
                name="feed_content_since",
                condition=Q(etag="", changed_at=None) | ~Q(etag="") & Q(changed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"feed {self.pk}"
