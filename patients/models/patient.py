"""The patient."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic import statements
from clinic.models import Resource, Site, Staff
from clinic.models.site import validate_zone


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    SPANISH = "es", _("Spanish")


class SkinType(models.TextChoices):
    """Fitzpatrick's types, as `clinic.protocols.schema.SkinType`."""

    I = "I", _("Type I")  # noqa: E741 - Fitzpatrick's numeral
    II = "II", _("Type II")
    III = "III", _("Type III")
    IV = "IV", _("Type IV")
    V = "V", _("Type V")
    VI = "VI", _("Type VI")


class PatientQuerySet(models.QuerySet["Patient"]):
    def seen_by(self, staff: Staff) -> PatientQuerySet:
        """The patients of the sites at which `staff` holds a role; merged records are none."""
        if not staff.is_active:
            return self.none()
        held = Patient.sites.through.objects.filter(site__site_roles__staff=staff)
        return self.filter(pk__in=held.values("patient_id"), merged_into=None)

    def stale(self) -> PatientQuerySet:
        """Patients whose facts moved on since their messages were planned."""
        return self.exclude(planned_revision=F("revision"))

    def raise_revision(self) -> int:
        """Mark these patients' messages for planning; called by every act that moves a fact."""
        return self.update(revision=F("revision") + 1)


class Patient(models.Model):
    """A person treated here. Staff see the patients of their sites.

    `revision` rises with every change that a planned message may depend on, of the patient or
    of any of their visits; `planned_revision` is the one that the messages were planned from.
    `search_key` is the folded names, kept by `registration`.
    """

    legal_given = models.CharField(max_length=60)
    legal_family = models.CharField(max_length=60)
    preferred_name = models.CharField(max_length=60, blank=True)
    birth_date = models.DateField()
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_zone],
        help_text="Only when the patient lives in another zone than the site.",
    )
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="The patient's own quiet hours, in the zone they live in."
    )
    quiet_until = models.TimeField(null=True, blank=True, help_text="May be past midnight.")
    notes = models.TextField(blank=True)
    skin_type = models.CharField(
        max_length=3, choices=SkinType.choices, blank=True, help_text="Fitzpatrick; seen by staff."
    )
    skin_type_at = models.DateTimeField(null=True, blank=True)
    skin_type_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    sites = models.ManyToManyField(Site, related_name="patients")
    resource = models.OneToOneField(Resource, on_delete=models.PROTECT, related_name="patient")
    deceased_at = models.DateTimeField(null=True, blank=True)
    do_not_contact_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on nothing is sent, whatever was agreed to."
    )
    do_not_contact_why = models.CharField(max_length=200, blank=True, default="", db_default="")
    # The record that this one became a part of; it is no patient of its own any more.
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )
    erased_at = models.DateTimeField(null=True, blank=True)
    kept_until = models.DateField(
        null=True, blank=True, help_text="Of an erased record: when what the law keeps goes too."
    )
    search_key = models.CharField(max_length=250, editable=False)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1, help_text="Rises with every saved edit.")
    revision = models.BigIntegerField(default=1)
    planned_revision = models.BigIntegerField(default=0)
    catch_up_at = models.DateTimeField(
        null=True, help_text="What was late then is said together, in one message."
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ("legal_family", "legal_given", "id")
        constraints = [
            models.CheckConstraint(
                name="patient_language_known", condition=Q(language__in=Language.values)
            ),
            models.CheckConstraint(
                name="patient_quiet_hours_whole",
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~Q(quiet_from=F("quiet_until")),
            ),
            models.CheckConstraint(
                name="patient_skin_type_whole",
                condition=Q(skin_type="", skin_type_at=None, skin_type_by=None)
                | Q(
                    skin_type__in=SkinType.values,
                    skin_type_at__isnull=False,
                    skin_type_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="patient_plan_not_ahead",
                condition=Q(planned_revision__lte=F("revision")),
            ),
            models.CheckConstraint(
                name="patient_do_not_contact_explained",
                condition=Q(do_not_contact_at=None, do_not_contact_why="")
                | Q(do_not_contact_at__isnull=False) & ~Q(do_not_contact_why=""),
            ),
            models.CheckConstraint(
                name="patient_merged_into_another",
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
            ),
            models.CheckConstraint(
                name="patient_kept_until_when_erased",
                condition=Q(kept_until=None) | Q(erased_at__isnull=False),
            ),
            models.CheckConstraint(
                name="patient_named", condition=~Q(legal_given="") & ~Q(legal_family="")
            ),
        ]
        indexes = [
            models.Index(
                F("id"),
                name="patient_stale",
                condition=~Q(planned_revision=F("revision")),
            ),
            models.Index(fields=("birth_date",), name="patient_birth_date"),
            models.Index(
                fields=("kept_until",),
                condition=Q(kept_until__isnull=False),
                name="patient_to_erase",
            ),
            models.Index(fields=("legal_family", "legal_given", "id"), name="patient_name"),
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    def is_seen_by(self, staff: Staff) -> bool:
        """As `seen_by` of the rows, of one."""
        asked = """
            SELECT EXISTS (
                SELECT FROM patients_patient_sites here
                JOIN clinic_siterole held USING (site_id)
                JOIN patients_patient patient ON patient.id = here.patient_id
                WHERE here.patient_id = %s AND held.staff_id = %s AND patient.merged_into_id IS NULL
            )
        """
        [(seen,)] = statements.rows(asked, [self.pk, staff.pk])
        return bool(seen) and staff.is_active

    def comes_to(self, site: Site) -> None:
        """Become a patient of the site, if not one yet, and have the messages planned anew."""
        statements.run(
            """
            WITH here AS (
                INSERT INTO patients_patient_sites (patient_id, site_id)
                VALUES (%(patient)s, %(site)s) ON CONFLICT DO NOTHING
            )
            UPDATE patients_patient SET revision = revision + 1 WHERE id = %(patient)s
            """,
            {"patient": self.pk, "site": site.pk},
        )

    @property
    def is_silent(self) -> bool:
        """Whether nothing may be sent to or about this patient, whatever was agreed to."""
        return self.deceased_at is not None or self.do_not_contact_at is not None

    @property
    def is_closed(self) -> bool:
        """Whether the record was merged into another one, or erased."""
        return self.merged_into_id is not None or self.erased_at is not None

    @property
    def display_name(self) -> str:
        """Preferred (or given) name and family name, for staff screens only."""
        return f"{self.first_name} {self.legal_family}"

    @property
    def first_name(self) -> str:
        """How the patient wants to be addressed; the only name that a message may carry."""
        return self.preferred_name or self.legal_given

    def age_on(self, day: date) -> int:
        """Whole years of age on `day`."""
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
