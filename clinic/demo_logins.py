"""The four people as whom one may enter the demo. Their password is public: the clinic is invented."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "afterglow-demo"  # noqa: S105


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
