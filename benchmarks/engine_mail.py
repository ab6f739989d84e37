"""Mail over TLS on a kept connection, against the standard library's bare client.

Run as a program it is the server: it takes every mail and keeps none.
"""

from __future__ import annotations

import signal
import smtplib
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from django.test import override_settings

from benchmarks.figures import Figure, LeftOut
from config.parts import free_port
from config.processes import start, stop, wait_until
from reminders.channels.base import Outgoing
from reminders.channels.email import EmailChannel, SmtpConnection, compose

GROUP = "engine"
NAME = "mails over TLS on a kept connection"
MAILS = (100, 400)
OF_BARE_CLIENT = 0.8
TEXT = "See you tomorrow at 2:00 PM.\n" * 20


def figures() -> Iterator[Figure | LeftOut]:
    with tempfile.TemporaryDirectory(prefix="afterglow-") as directory:
        certificate = Path(directory) / "sink.pem"
        try:
            _sign(certificate)
        except (OSError, subprocess.CalledProcessError):
            yield LeftOut(GROUP, NAME, "there is no openssl to make a certificate")
            return
        with _sink(certificate) as port:
            trusting = ssl.create_default_context(cafile=str(certificate))
            ours = {}
            for mails in MAILS:
                bare = _bare(port, trusting, mails)
                ours[mails] = _ours(port, trusting, mails)
                target = 1 / OF_BARE_CLIENT
                yield Figure(GROUP, f"{mails} {NAME}", ours[mails], "mails/s", bare, target)
    few, many = MAILS
    yield Figure(GROUP, f"{many} {NAME}, against {few}", ours[many], "mails/s", ours[few])


def _outgoing(number: int) -> Outgoing:
    return Outgoing(
        message_id=number,
        reference=f"00000000-0000-4000-8000-{number:012}",
        to="pat@patients.example",
        sender="bench@clinic.example",
        subject="Your visit",
        text=TEXT,
        html=f"<p>{TEXT}</p>",
    )


def _bare(port: int, trusting: ssl.SSLContext, mails: int) -> float:
    """The same mails, composed once each and sent by the standard library's client."""
    with smtplib.SMTP_SSL("localhost", port, context=trusting) as client:
        _send(client, 0)
        began = time.perf_counter()
        for number in range(mails):
            _send(client, number)
        return mails / (time.perf_counter() - began)


def _send(client: smtplib.SMTP, number: int) -> None:
    mail = compose(_outgoing(number)).message().as_bytes().replace(b"\n", b"\r\n")
    client.sendmail("bench@clinic.example", ["pat@patients.example"], mail)


def _ours(port: int, trusting: ssl.SSLContext, mails: int) -> float:
    with (
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="localhost",
            EMAIL_PORT=port,
            EMAIL_USE_SSL=True,
        ),
        patch.object(SmtpConnection, "ssl_context", trusting),
    ):
        channel = EmailChannel()
        channel.submit(_outgoing(0))
        began = time.perf_counter()
        outcomes = {channel.submit(_outgoing(number)).outcome for number in range(mails)}
        taken = time.perf_counter() - began
        channel.close()
    assert outcomes == {"accepted"}, outcomes
    return mails / taken


def _sign(certificate: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(certificate), "-out", str(certificate) + ".crt"),
        ],
        check=True,
        capture_output=True,
    )
    with certificate.open("a") as file:
        file.write(Path(str(certificate) + ".crt").read_text())


@contextmanager
def _sink(certificate: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.engine_mail", str(port), str(certificate)]
    process = start(command, dies_by=signal.SIGTERM, cwd=Path.cwd())
    try:
        if not wait_until(lambda: _answers(port), seconds=20):
            raise RuntimeError("the mail sink did not start")
        yield port
    finally:
        stop(process, signal.SIGTERM, seconds=5)


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP_SSL("localhost", port, context=ssl._create_unverified_context()):
            return True
    except OSError:
        return False


def serve(port: int, certificate: str) -> None:
    from aiosmtpd.controller import Controller

    class Sink:
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
            return "250 2.0.0 taken"

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    Controller(Sink(), hostname="localhost", port=port, ssl_context=context).start()
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
