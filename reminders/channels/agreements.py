"""Agreements about health data with the providers that messages go through, as the environment
lists them (`HEALTH_DATA_AGREEMENTS`): in the United States business associate agreements, in Europe
contracts with a processor.

Knows which providers are used. What an agreement says is for those who sign it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.core.checks import Error

from patients.models import ConsentChannel, Purpose

TAG = "agreements"
# The name of mail that goes to a server and not through a provider's interface.
SMTP = "smtp"
_DETAIL = (Purpose.PHI_DETAIL, ConsentChannel.ANY)


def mail_may_name_treatment() -> bool:
    """Whether who carries the mail may be told what somebody is treated with."""
    return _mail_provider() in settings.HEALTH_DATA_AGREEMENTS


def mail_names_treatment(consents: Collection[tuple[str, str]]) -> bool:
    """Whether mail to somebody says what they are treated with: they agreed to it, and who carries
    it may know. `consents` are the (purpose, channel) pairs that stand."""
    return _DETAIL in consents and mail_may_name_treatment()


def check(**_: Any) -> list[Error]:
    """An error for each real provider that is used without an agreement."""
    return [
        Error(
            f"No agreement about health data with {provider}, which {what} go through, is on"
            " record: nothing may be sent to patients through it.",
            hint="Sign one (in the United States a business associate agreement) and add"
            f" {provider} to HEALTH_DATA_AGREEMENTS; a server of your own is listed as well.",
            id="reminders.E001",
        )
        for what, provider in _in_use()
        if provider not in settings.HEALTH_DATA_AGREEMENTS
    ]


def _in_use() -> list[tuple[str, str]]:
    """(what, the provider that takes it); a stand-in is none."""
    stand_ins = {"twilio": settings.TWILIO_BASE_URL, "telnyx": settings.TELNYX_BASE_URL}
    texts = [] if stand_ins[settings.SMS_PROVIDER] else [("texts", settings.SMS_PROVIDER)]
    return [*texts, ("mails", _mail_provider())]


def _mail_provider() -> str:
    provider: str = settings.MAIL_PROVIDER or SMTP
    return provider
