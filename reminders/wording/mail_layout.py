"""An e-mail as a row of blocks, written as plain text and as HTML.

Blocks hold plain text; everything is escaped here, so no value can become markup. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

LINE, BREAK = "\n", "<br>\n"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`text` may have line breaks, of what somebody wrote by hand."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries of (lead, text); the lead is what the eye looks for and may be empty."""

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """`is_button` for the one thing that the mail asks to open."""

    label: str
    url: str
    is_button: bool = False


Block = Paragraph | Heading | Listing | Link


def as_text(blocks: Iterable[Block]) -> str:
    """The blocks with an empty line between them; line breaks are left to the reader's screen."""
    return "\n\n".join(_plain(block) for block in blocks)


def as_html(blocks: Iterable[Block], *, phone: str) -> str:
    """The blocks as HTML in which every mention of `phone` can be tapped to call it."""
    return "\n".join(_markup(block, phone) for block in blocks)


def _plain(block: Block) -> str:
    match block:
        case Paragraph(text):
            return text
        case Heading(text):
            return f"{text}:"
        case Listing(entries):
            return "\n".join(f"- {lead}: {text}" if lead else f"- {text}" for lead, text in entries)
        case Link(label, url):
            return f"{label}: {url}"


def _markup(block: Block, phone: str) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_inline(text, phone).replace(LINE, BREAK)}</p>"
        case Heading(text):
            return f"<h2>{_inline(text, phone)}</h2>"
        case Listing(entries):
            items = "\n".join(
                f"<li>{_lead(lead)}{_inline(text, phone)}</li>" for lead, text in entries
            )
            return f"<ul>\n{items}\n</ul>"
        case Link(label, url, is_button):
            look = ' class="button"' if is_button else ""
            return f'<p><a{look} href="{escape(url)}">{escape(label)}</a></p>'


def _lead(lead: str) -> str:
    return f"<strong>{escape(lead)}</strong><br>" if lead else ""


def _inline(text: str, phone: str) -> str:
    if not phone:
        return escape(text)
    link = f'<a href="tel:{escape(phone)}">{escape(phone)}</a>'
    return link.join(escape(stretch) for stretch in text.split(phone))
