"""Mail, in a real SMTP conversation with the stand-in."""

import dataclasses
import socket
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from reminders.channels.base import Outcome, Outgoing
from reminders.channels.email import EmailChannel
from reminders.stand_in import StandIn

Opener = Callable[[int], EmailChannel]


@pytest.fixture
def open_channel(settings: Settings) -> Iterator[Opener]:
    opened: list[EmailChannel] = []

    def open_at(port: int) -> EmailChannel:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_TIMEOUT = 5
        opened.append(EmailChannel())
        return opened[-1]

    yield open_at
    for channel in opened:
        channel.close()


@pytest.fixture
def channel(provider: StandIn, open_channel: Opener) -> EmailChannel:
    return open_channel(provider.smtp_port)


def test_a_mail_arrives_as_text_and_html(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    submission = channel.submit(mail)

    [arrived] = provider.mails
    assert submission.outcome is Outcome.ACCEPTED
    assert arrived.to == mail.to
    assert arrived.sender == '"Lumen Clinic, Chelsea" <visits@lumen.example>'
    assert arrived.reply_to == mail.reply_to
    assert arrived.subject == mail.subject
    assert arrived.text == mail.text
    assert arrived.html.strip() == mail.html
    assert arrived.attachments == []


def test_every_attempt_carries_the_same_ids(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    channel.submit(mail)
    channel.submit(mail)

    assert {arrived.message_id for arrived in provider.mails} == {
        f"<{mail.reference}@lumen.example>"
    }
    assert provider.mails[0].headers["X-Afterglow-Reference"] == mail.reference


def test_an_invitation_comes_as_a_part_and_as_a_file(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    calendar = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"

    channel.submit(dataclasses.replace(mail, calendar=calendar, calendar_method="REQUEST"))

    [arrived] = provider.mails
    assert arrived.calendar_method == "REQUEST"
    assert arrived.calendar.encode() == calendar.replace(b"\r\n", b"\n")
    [file] = arrived.attachments
    assert (file.name, file.type, file.bytes) == (
        "invite.ics",
        "application/ics",
        len(calendar),
    )
    assert arrived.text == mail.text


def test_only_mail_with_an_unsubscribe_address_offers_one_click(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    channel.submit(mail)
    channel.submit(dataclasses.replace(mail, unsubscribe_url="https://lumen.example/unsubscribe/t"))

    care, marketing = (arrived.headers for arrived in provider.mails)
    assert "List-Unsubscribe" not in care
    assert marketing["List-Unsubscribe"] == "<https://lumen.example/unsubscribe/t>"
    assert marketing["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("mode", "outcome", "code", "taken"),
    [
        ("mail_550", Outcome.REFUSED, "5.1.1", 0),
        ("mail_451", Outcome.NOT_SENT, "4.7.1", 0),
        ("mail_421", Outcome.NOT_SENT, "421", 0),
        ("mail_drop_before", Outcome.NOT_SENT, "no-connection", 0),
        ("mail_drop_after", Outcome.UNKNOWN, "dropped", 1),
    ],
)
def test_each_ending_is_judged_by_what_it_proves(
    provider: StandIn,
    channel: EmailChannel,
    mail: Outgoing,
    mode: str,
    outcome: Outcome,
    code: str,
    taken: int,
) -> None:
    provider.mode(mode)

    submission = channel.submit(mail)

    assert (submission.outcome, submission.code) == (outcome, code)
    assert len(provider.mails) == taken
    assert channel.submit(mail).outcome is Outcome.ACCEPTED


def test_silence_after_the_content_is_unknown(
    provider: StandIn, open_channel: Opener, mail: Outgoing, settings: Settings
) -> None:
    open_channel(provider.smtp_port)
    settings.EMAIL_TIMEOUT = 0.3
    channel = EmailChannel()
    provider.mode("mail_slow", ms=2000)

    submission = channel.submit(mail)
    channel.close()

    assert (submission.outcome, submission.code) == (Outcome.UNKNOWN, "dropped")


def test_an_idle_connection_that_was_closed_costs_nothing(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    channel.submit(mail)
    provider.mode("mail_drop_before")

    submission = channel.submit(mail)

    assert submission.outcome is Outcome.ACCEPTED
    assert len(provider.mails) == 2


def test_a_server_that_is_not_there_sent_nothing(open_channel: Opener, mail: Outgoing) -> None:
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        submission = open_channel(unheard.getsockname()[1]).submit(mail)

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-connection")


def test_a_header_that_would_break_the_mail_is_refused(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    submission = channel.submit(dataclasses.replace(mail, subject="Hello\nBcc: everyone@x.example"))

    assert (submission.outcome, submission.code) == (Outcome.REFUSED, "malformed")
    assert provider.mails == []


def test_many_mails_use_one_connection(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    channel.submit(mail)
    assert channel._smtp is not None
    first = channel._smtp.connection

    outcomes = {channel.submit(mail).outcome for _ in range(20)}

    assert outcomes == {Outcome.ACCEPTED}
    assert channel._smtp.connection is first
