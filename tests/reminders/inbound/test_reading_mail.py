"""A mail as it comes: whose it is, whether a person wrote it, and which words are theirs."""

import pytest
from anymail.inbound import AnymailInboundMessage

from reminders.inbound import reading_mail
from reminders.inbound.reading_mail import Mail, own_words, said

OURS = "Your visit is on Thu 4 Mar at 10:00.\nText STOP to end messages."
QUOTED = "\n".join(f"> {line}" for line in OURS.split("\n"))


def mail(raw: str, *, envelope_sender: str | None = None) -> Mail:
    told = AnymailInboundMessage.parse_raw_mime(raw)
    told.envelope_sender = envelope_sender
    return reading_mail.read(told, "event-1")


HEAD = "From: Elena <Elena@Patients.example>\nTo: Desk <desk@clinic.example>\nSubject: Re: Visit\n"


@pytest.mark.parametrize(
    "below",
    [
        "On Thu, 4 Mar 2027 at 10:00, Lumen Clinic <desk@clinic.example> wrote:\n" + QUOTED,
        "On Thu, Mar 4, 2027 at 10:00 AM Lumen Clinic\n<desk@clinic.example> wrote:\n\n" + QUOTED,
        "El jue, 4 mar 2027 a las 10:00, Lumen (<desk@clinic.example>) escribió:\n" + QUOTED,
        "-----Original Message-----\nFrom: Lumen\n" + OURS,
        "________________________________\nFrom: Lumen\n" + OURS,
        "From: Lumen <desk@clinic.example>\nSent: Thursday 4 March\nTo: Elena\n\n" + OURS,
        "De: Lumen\nEnviado el: jueves, 4 de marzo\nPara: Elena\n\n" + OURS,
        "-- \nElena Sato\nStop by our shop!",
        "Sent from my iPhone",
        "Sent from my iPhone\n\nOn 4 Mar 2027, at 10:00, Lumen <d@c.example> wrote:\n\n" + QUOTED,
        "Enviado desde mi Samsung",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_only_the_writers_own_words_are_read(below: str, line_end: str) -> None:
    body = f"Can I come on Friday?\n\n{below}\n".replace("\n", line_end)
    assert own_words(body) == "Can I come on Friday?"


def test_words_between_quoted_lines_and_below_them_stay() -> None:
    body = f"> How are you?\nMy lip is white.\n> Any fever?\nNo.\n\n{QUOTED}\n\nElena"
    assert own_words(body) == "My lip is white.\nNo.\n\nElena"


@pytest.mark.parametrize(
    "body",
    [
        "On Friday I wrote: nothing. It hurts.",
        "From: now on my lip is numb",
        "-----Original Message-----\nmy lip is white",
        "-- \nstop",
    ],
)
def test_what_only_looks_quoted_or_has_nothing_above_it_stays(body: str) -> None:
    assert own_words(body) == body


@pytest.mark.parametrize(
    ("subject", "body", "words"),
    [
        ("unsubscribe", "", "unsubscribe"),
        ("Stop", "please", "Stop\nplease"),
        ("Re: Stop by our clinic", "1", "1"),
        ("RV: Cancel", "ok", "ok"),
        ("", "", ""),
    ],
)
def test_the_subject_counts_where_it_is_the_writers(subject: str, body: str, words: str) -> None:
    assert said(subject, body) == words


def test_a_mail_of_html_alone_is_read_without_what_it_quotes() -> None:
    raw = (
        f"{HEAD}Content-Type: text/html\n\n<html><head><title>x</title><style>p{{}}</style></head>"
        "<p>It&rsquo;s numb,<br>call me &lt;now&gt;</p><div class=gmail_quote><div>On 4 Mar 2027"
        " Lumen wrote:<br></div><blockquote><p>Text STOP</p></blockquote></div></html>"
    )
    assert mail(raw).text == "It’s numb,\ncall me <now>"


def test_whose_it_is_and_to_whom_is_told_in_small_letters() -> None:
    read = mail(f"{HEAD}Cc: B@c.example\nMessage-ID: <m1@x>\n\nhello")
    assert read.from_address == "elena@patients.example"
    assert read.to_addresses == ("desk@clinic.example", "b@c.example")
    assert (read.identity, read.text, read.is_automatic) == ("<m1@x>", "hello", False)
    assert mail(f"{HEAD}\nhello").identity == "event-1"
    long = mail(f"{HEAD}Message-ID: <{'m' * 300}@x>\n\nhello").identity
    assert len(long) == 64
    assert long == mail(f"{HEAD}Message-ID: <{'m' * 300}@x>\n\nanother").identity
    with pytest.raises(ValueError, match="without a sender"):
        mail("Subject: x\n\nhello")


@pytest.mark.parametrize(
    ("header", "is_automatic"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("X-Autoreply: yes", True),
        ("Content-Type: multipart/report; boundary=x", True),
        ("Importance: high", False),
    ],
)
def test_what_no_person_wrote_is_told_apart(header: str, is_automatic: bool) -> None:
    assert mail(f"{HEAD}{header}\n\nI am away. STOP").is_automatic is is_automatic
    assert mail(f"{HEAD}\nFailed", envelope_sender="").is_automatic
