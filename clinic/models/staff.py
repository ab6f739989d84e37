"""Staff: people who sign in by e-mail, with roles at sites."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from clinic.models.site import Site


class Role(models.TextChoices):
    FRONT_DESK = "front_desk", _("Front desk")
    PROVIDER = "provider", _("Provider")
    MANAGER = "manager", _("Manager")
    CLINICAL_LEAD = "clinical_lead", _("Clinical lead")


class StaffManager(BaseUserManager["Staff"]):
    """Creates staff by e-mail; the address is stored in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Staff:
        staff = self.model(email=email.strip().lower(), **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Staff:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Staff:
        return self.get(email=(username or "").strip().lower())


class Staff(AbstractBaseUser, PermissionsMixin):
    """A person who works here. What they may do follows from their roles at sites."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May open the set-up admin.")
    language = models.CharField(
        max_length=2,
        blank=True,
        choices=[("en", "English"), ("es", "Spanish")],
        help_text="In which pages are read; empty leaves it to the browser.",
    )
    sites = models.ManyToManyField(Site, through="SiteRole", related_name="staff")

    objects = StaffManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "staff"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="staff_email_once"),
            models.CheckConstraint(
                name="staff_language_known",
                condition=models.Q(language__in=["", "en", "es"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SiteRole(models.Model):
    """One role of one staff member at one site."""

    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, related_name="site_roles", db_index=False
    )
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="site_roles")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("staff", "site", "role"), name="site_role_once"),
            models.CheckConstraint(
                name="site_role_known", condition=models.Q(role__in=Role.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.role} at {self.site_id}"
