"""The people as whom one may enter the demo; their password is public, as nobody in it is real."""

from __future__ import annotations

from dataclasses import dataclass

# Before there are settings: the demo writes them from here.
from django.utils.translation.trans_null import gettext_noop as _

PASSWORD = "afterglow-demo"


@dataclass(frozen=True, slots=True)
class DemoLogin:
    role: str
    email: str
    may: str


LOGINS = (
    DemoLogin(
        _("Front desk"),
        "frontdesk@demo.example",
        _("Books series, moves visits, checks patients in, reads and retries messages."),
    ),
    DemoLogin(
        _("Provider"),
        "provider@demo.example",
        _("Sees the day and the patients, starts and completes visits."),
    ),
    DemoLogin(
        _("Manager"),
        "manager@demo.example",
        _("All of the front desk's work, overrides intervals, adds plain services."),
    ),
    DemoLogin(
        _("Clinical lead"),
        "lead@demo.example",
        _("Approves and retires protocols, overrides intervals."),
    ),
)
