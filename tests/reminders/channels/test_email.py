"""Mail, in a real SMTP conversation with the stand-in."""

import dataclasses
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from reminders.channels.base import Outcome, Outgoing
from reminders.channels.email import EmailChannel
from reminders.channels.kept import MOST
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


INVITATION = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


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
    calendar = INVITATION

    channel.submit(dataclasses.replace(mail, invitations=(calendar,), calendar_method="REQUEST"))

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


def test_several_invitations_come_as_a_file_each(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    both = (INVITATION, INVITATION)

    channel.submit(dataclasses.replace(mail, invitations=both, calendar_method="REQUEST"))

    [arrived] = provider.mails
    assert [file.name for file in arrived.attachments] == ["invite-1.ics", "invite-2.ics"]
    assert arrived.calendar.count("BEGIN:VCALENDAR") == 2
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
    outcomes = {channel.submit(mail).outcome for _ in range(20)}

    assert outcomes == {Outcome.ACCEPTED}
    assert provider.mail_connections == 1


def test_a_refused_mail_fails_alone_and_its_connection_goes_on(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    channel.submit(mail)
    provider.mode("mail_550")

    refused, following = channel.submit(mail), channel.submit(mail)

    assert (refused.outcome, following.outcome) == (Outcome.REFUSED, Outcome.ACCEPTED)
    assert provider.mail_connections == 1


def test_a_connection_that_was_idle_for_long_is_asked_before_it_is_used(
    provider: StandIn,
    channel: EmailChannel,
    mail: Outgoing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reminders.channels.email.ASK_AFTER_IDLE_SECONDS", 0)
    channel.submit(mail)
    assert channel.submit(mail).outcome is Outcome.ACCEPTED
    assert provider.mail_connections == 1
    provider.hang_up_mail()

    assert channel.submit(mail).outcome is Outcome.ACCEPTED
    assert provider.mail_connections == 2
    assert len(provider.mails) == 3


def test_one_channel_serves_many_threads_over_a_connection_each(
    provider: StandIn, channel: EmailChannel, mail: Outgoing
) -> None:
    outcomes: list[Outcome] = []

    def send() -> None:
        for _ in range(5):
            outcomes.append(channel.submit(mail).outcome)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [Outcome.ACCEPTED] * 40
    assert len(provider.mails) == 40
    assert provider.mail_connections <= 8


def test_who_gets_no_turn_has_sent_nothing(
    provider: StandIn,
    open_channel: Opener,
    mail: Outgoing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reminders.channels.kept.WAIT_SECONDS", 0.05)
    channel = open_channel(provider.smtp_port)
    with ExitStack() as turns:
        for _ in range(MOST):
            turns.enter_context(channel._kept.borrowed())
        submission = channel.submit(mail)

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-turn")
    assert channel.submit(mail).outcome is Outcome.ACCEPTED


def test_mail_goes_over_tls_with_a_login_on_a_kept_connection(
    open_channel: Opener, mail: Outgoing, settings: Settings, tls: ssl.SSLContext
) -> None:
    with StandIn(smtp_tls=tls, smtp_login=("clinic", "a password")) as provider:
        settings.EMAIL_USE_TLS = True
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "clinic", "a password"
        channel = open_channel(provider.smtp_port)
        outcomes = {channel.submit(mail).outcome for _ in range(3)}
        channel.close()
        settings.EMAIL_HOST_PASSWORD = "another"
        stranger = open_channel(provider.smtp_port)
        refused = stranger.submit(mail)
        stranger.close()

        assert outcomes == {Outcome.ACCEPTED}
        assert (provider.mail_connections, len(provider.mails)) == (2, 3)
    assert (refused.outcome, refused.code) == (Outcome.NOT_SENT, "535")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for this machine that this process trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
