"""Sites: where the clinic works, when it is open and in whose name it writes."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.wall_time import MINUTES_A_DAY

# The opt-out line of texts looks thirty days back, and a delivery report may come late.
FEWEST_WORDS_DAYS = 60
# What falls due at a quarter of an hour never reaches the next, where quiet hours may begin.
MOST_SPREAD_MINUTES = 14


E164 = r"^\+[1-9][0-9]{6,14}$"
# The letters of a plain text (GSM 03.38) that take one unit each; one of any other and every text
# of the site is written in 70 letters instead of 160.
PLAIN_LETTERS = r"^[ A-Za-z0-9@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]+$"


def validate_zone(value: str) -> None:
    """Refuse anything that is not an IANA zone name."""
    if value not in available_timezones():
        raise ValidationError(
            _("“%(zone)s” is not a time zone; write one such as America/New_York."),
            params={"zone": value},
        )


class Site(models.Model):
    """One place of the clinic, with its own zone, hours and sender identity.

    `revision` rises with every change that a planned message may depend on (zone, phone,
    name, go-live date); `planned_revision` is the one that the messages were planned from.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=64, validators=[validate_zone])
    address = models.CharField(max_length=200)
    phone = models.CharField(
        max_length=20,
        help_text="E.164; printed in messages.",
        validators=[
            RegexValidator(E164, _("Write the number with its country code, like +12125550123."))
        ],
    )
    sms_name = models.CharField(
        max_length=24,
        validators=[
            RegexValidator(
                PLAIN_LETTERS,
                _(
                    "Use the letters of plain texts only: no accents but those of é, ñ, ü and their"
                    " like, no typographic marks, no emoji."
                ),
            )
        ],
        help_text="How the clinic signs a text message; plain GSM-7 letters.",
    )
    sms_number = models.CharField(max_length=20, help_text="E.164 sender of text messages.")
    email_address = models.EmailField(help_text="Sender of e-mail.")
    reply_to = models.EmailField(help_text="A mailbox that staff read.")
    live_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Nothing is sent before; empty means not yet live.",
    )
    clearance_from = models.DateField(
        null=True,
        blank=True,
        help_text=(
            "From this local day on, treatment starts only when nothing is lacking: screening"
            " answers, consents. Empty: what is lacking is shown, and stops nobody."
        ),
    )
    canary_number = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text=(
            "E.164 number of a telephone of the clinic's own. It gets a test text every quarter of "
            "an hour, whose delivery shows that texts arrive. Empty: none."
        ),
    )
    spread_minutes = models.PositiveSmallIntegerField(
        default=10,
        db_default=10,
        validators=[MaxValueValidator(MOST_SPREAD_MINUTES)],
        help_text=(
            "What falls due for many patients at once leaves over so many minutes, each patient's"
            " at its own second. 0: all at once."
        ),
    )
    review_url = models.URLField(
        blank=True,
        default="",
        db_default="",
        help_text="Where patients write a review; an address with https.",
    )
    reviews_from = models.DateField(
        null=True,
        blank=True,
        help_text=(
            "Who is treated from this local day on and agreed to news and offers is asked for a"
            " review, whatever they said of the visit. Empty: nobody is."
        ),
    )
    birthdays_from = models.DateField(
        null=True,
        blank=True,
        help_text=(
            "From this local day on patients who agreed to news and offers are greeted on their"
            " birthday. Empty: nobody is."
        ),
    )
    week_reminders_from = models.DateField(
        null=True,
        blank=True,
        help_text=(
            "From this local day on visits have one more reminder by e-mail, a week before. Empty:"
            " they have not."
        ),
    )
    nudges_from = models.DateField(
        null=True,
        blank=True,
        help_text=(
            "From this local day on who has not confirmed gets one more text, three hours before"
            " the visit. Empty: nobody does."
        ),
    )
    notice_hold_seconds = models.PositiveIntegerField(
        default=180,
        help_text="A notice waits this long after a change, so that an undo sends nothing.",
    )
    words_kept_days = models.PositiveIntegerField(
        default=2557,
        validators=[MinValueValidator(FEWEST_WORDS_DAYS)],
        help_text="The words of a sent message are emptied after so many days: 2557 are 7 years.",
    )
    revision = models.BigIntegerField(default=1)
    planned_revision = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="site_keeps_words",
                condition=Q(words_kept_days__gte=FEWEST_WORDS_DAYS),
            ),
            models.CheckConstraint(
                name="site_plan_not_ahead",
                condition=Q(planned_revision__lte=F("revision")),
            ),
            models.CheckConstraint(
                name="site_canary_number",
                condition=Q(canary_number="") | Q(canary_number__regex=E164),
            ),
            models.CheckConstraint(
                name="site_spreads_within_a_quarter",
                condition=Q(spread_minutes__lte=MOST_SPREAD_MINUTES),
            ),
            models.CheckConstraint(
                name="site_review_url",
                condition=Q(review_url="") | Q(review_url__startswith="https://"),
            ),
            models.CheckConstraint(
                name="site_asks_for_reviews_somewhere",
                condition=Q(reviews_from=None) | ~Q(review_url=""),
            ),
            models.CheckConstraint(name="site_phone", condition=Q(phone__regex=E164)),
            models.CheckConstraint(
                name="site_sms_name", condition=Q(sms_name__regex=PLAIN_LETTERS)
            ),
        ]
        indexes = [
            models.Index(F("id"), name="site_stale", condition=~Q(planned_revision=F("revision"))),
        ]

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """One open stretch of a weekday (0 is Monday), in minutes of the site's wall clock."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField()
    opens = models.PositiveSmallIntegerField(help_text="Minute of the day, wall time.")
    closes = models.PositiveSmallIntegerField(help_text="Minute of the day, wall time, exclusive.")

    class Meta:
        ordering = ("site", "weekday", "opens")
        constraints = [
            models.CheckConstraint(name="opening_weekday", condition=Q(weekday__lte=6)),
            models.CheckConstraint(
                name="opening_not_empty",
                condition=Q(closes__gt=F("opens")) & Q(closes__lte=MINUTES_A_DAY),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} day {self.weekday} {self.opens}–{self.closes}"


class Closure(models.Model):
    """Whole local days on which the site is closed, `first_day` up to and with `last_day`."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="closures")
    first_day = models.DateField()
    last_day = models.DateField()
    reason = models.CharField(max_length=80)

    class Meta:
        ordering = ("site", "first_day")
        constraints = [
            models.CheckConstraint(
                name="closure_in_order", condition=Q(last_day__gte=F("first_day"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.first_day}–{self.last_day}"


class TravelTime(models.Model):
    """Minutes from one site to another, in either direction; each pair stands once."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    minutes = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            # The lower id first, so that a pair cannot be entered twice.
            models.CheckConstraint(name="travel_pair_in_order", condition=Q(site__lt=F("other"))),
            models.UniqueConstraint(fields=("site", "other"), name="travel_pair_once"),
            models.CheckConstraint(
                name="travel_within_a_day", condition=Q(minutes__lte=MINUTES_A_DAY)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} to {self.other_id}: {self.minutes} min"
