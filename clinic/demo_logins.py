"""The people as whom one may enter the demo; their password is public, as nobody in it is real."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "afterglow-demo"


@dataclass(frozen=True, slots=True)
class DemoLogin:
    role: str
    email: str
    may: str


LOGINS = (
    DemoLogin(
        "Front desk",
        "frontdesk@demo.example",
        "Books series, moves visits, checks patients in, reads and retries messages.",
    ),
    DemoLogin(
        "Provider",
        "provider@demo.example",
        "Sees the day and the patients, starts and completes visits.",
    ),
    DemoLogin(
        "Manager",
        "manager@demo.example",
        "All of the front desk's work, overrides intervals, adds plain services.",
    ),
    DemoLogin(
        "Clinical lead",
        "lead@demo.example",
        "Approves and retires protocols, overrides intervals.",
    ),
)
