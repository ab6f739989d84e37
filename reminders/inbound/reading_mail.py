"""What somebody wrote in a mail: their own words, without those that they answer. Pure.

Refuses to know what the words mean, and to take for quoted what may be the writer's: words
between quoted lines stay. Only below the heads that mail programs set above a mail that they do not
mark line by line is everything left out, and only where something stands above.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

# What a database column holds of an identity.
LONGEST_IDENTITY = 120
MACHINES = frozenset({"bulk", "junk", "list", "auto_reply"})

_QUOTED = re.compile(r"^\s*>")
# "On Thu, 4 Mar 2027 at 10:00, Lumen Clinic <desk@…> wrote:" and the same in Spanish, in one line
# or broken into several.
_ATTRIBUTION = re.compile(
    r"^[ \t>]*(?:on|el)\s(?=[^\n]*\d)[^\n]{0,200}(?:\n[^\n]{0,200}){0,2}?"
    r"(?:wrote|escribi[oó])\s?:[ \t]*$(?=\s*(?:>|\Z))",
    re.IGNORECASE | re.MULTILINE,
)
# Outlook's: a rule with a title, or a head of several lines.
_ORIGINAL = re.compile(
    r"^(?:-{2,}\s*(?:original message|forwarded message|mensaje original|mensaje reenviado)\s*-{2,}"
    r"|_{10,}"
    r"|\*?(?:from|de):\*?\s[^\n]+\n(?:\*?(?:sent|date|enviado(?: el)?|fecha):\*?\s[^\n]+))",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_DEVICE = re.compile(r"^(?:sent from my|enviado desde mi|get outlook for)\b[^\n]*$", re.I | re.M)
_ANSWERS = re.compile(r"^\s*(?:re|rv|fw|fwd|aw|sv|r)\s*:", re.IGNORECASE)
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3"})
_UNSEEN = frozenset({"style", "script", "head", "title", "blockquote"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail. `identity` is the same each time it is reported; addresses are in lower case,
    those that it went to in the order in which they say most. `is_automatic` is true of what no
    person wrote, such as a notice of absence or of a failed delivery."""

    identity: str
    from_address: str
    to_addresses: tuple[str, ...]
    text: str
    is_automatic: bool


def read(told: Any, event_id: str | None) -> Mail:
    """A mail as Anymail hands it over. Raises ValueError for one without a sender."""
    senders = told.get_address_header("From")
    if not senders:
        raise ValueError("A mail without a sender.")
    addressees = [each.addr_spec for each in (*told.to, *told.cc)]
    if told.envelope_recipient:
        addressees.append(str(told.envelope_recipient))
    return Mail(
        identity=_identity(str(told["Message-ID"] or event_id or told.as_string()).strip()),
        from_address=senders[0].addr_spec.lower(),
        to_addresses=tuple(address.lower() for address in addressees),
        text=said(told.subject or "", told.text or plain(told.html or "")),
        is_automatic=_is_automatic(told),
    )


def said(subject: str, body: str) -> str:
    """The writer's own words: the subject where it is theirs, then the body without the rest."""
    own = "" if _ANSWERS.match(subject) else " ".join(subject.split())
    return "\n".join(part for part in (own, own_words(body)) if part)


def own_words(body: str) -> str:
    """A body without quoted lines, the heads above them, signatures and what devices add."""
    text = body.replace("\r\n", "\n").replace("\xa0", " ")
    if (head := _ORIGINAL.search(text)) and text[: head.start()].strip():
        text = text[: head.start()]
    text = _ATTRIBUTION.sub("", text)
    text = "\n".join(line for line in text.split("\n") if not _QUOTED.match(line))
    if (signature := _SIGNATURE.search(text)) and text[: signature.start()].strip():
        text = text[: signature.start()]
    return re.sub(r"\n{3,}", "\n\n", _DEVICE.sub("", text)).strip()


def plain(html: str) -> str:
    """The words of a mail that has no plain part, without what it quotes."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    return "".join(reader.found)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        if tag in _BREAKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            while self._unseen.pop() != tag:
                pass
        if tag in _BREAKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(" ".join(data.split("\n")))


def _is_automatic(mail: Any) -> bool:
    """By RFC 3834, by what older programs set in its place, and by the empty sender of RFC 5321."""
    marked = str(mail["Auto-Submitted"] or "no").split(";")[0].strip().lower()
    return (
        marked != "no"
        or str(mail["Precedence"] or "").strip().lower() in MACHINES
        or any(name in mail for name in ("X-Autoreply", "X-Autorespond"))
        or mail.get_content_type() == "multipart/report"
        or mail.envelope_sender in ("", "<>")
    )


def _identity(told: str) -> str:
    if len(told) <= LONGEST_IDENTITY:
        return told
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()
