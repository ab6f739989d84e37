"""Words that a message must not hold, in either language, with the cause and what to do. Pure.

A name in a template reaches patients without `phi_detail`, so the template of an e-mail is held to
the same reticence about treatments as a text message. Word lists can only warn of what is spelled
as they spell it; who publishes reads the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reminders.catalogue import CATALOGUE, Channel, Kind, Purpose
from reminders.wording.findings import Finding, Level

# Patients answer with digits, and only where one question is open.
ASKING = frozenset({Kind.REMINDER_CONFIRM, Kind.CHECKIN})

_Applies = Callable[[Kind, Channel], bool]


def _always(kind: Kind, channel: Channel) -> bool:
    return True


def _asks_nothing(kind: Kind, channel: Channel) -> bool:
    return kind not in ASKING


def _is_text(kind: Kind, channel: Channel) -> bool:
    return channel is Channel.SMS


def _is_no_marketing_mail(kind: Kind, channel: Channel) -> bool:
    return channel is Channel.SMS or CATALOGUE[kind].purpose is not Purpose.MARKETING


@dataclass(frozen=True, slots=True)
class _Rule:
    """`what` and `mend` are sentences; “{}” in the first is what was found."""

    code: str
    pattern: re.Pattern[str]
    what: str
    mend: str
    level: Level = Level.ERROR
    applies: _Applies = _always


_NUMBER = r"\d+(?:[.,]\d+)*"


def _words(*words: str) -> re.Pattern[str]:
    """Any of these as whole words, in either case. Each is a regular expression."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


_PRESCRIBED = _words(
    *("botox", "b-?tox", "dysport", "xeomin", "jeuveau", "daxxify", "letybo", "nuceiva"),
    *("azzalure", "bocouture", "vistabel", "alluzience", "relfydess", "nabota", "myobloc"),
    *("botulinum", r"botul[ií]nica", r"toxin[as]?", "toxinas"),
    *("kybella", "belkyra", "latisse", "sculptra", "radiesse", r"juv[eé]derm", "restylane"),
    *("ozempic", "wegovy", "mounjaro", "zepbound", "saxenda", r"semagluti\w+", r"tirzepati\w+"),
    *("retin-?a", r"tretino[ií]n\w*", r"hydroquinone", "hidroquinona", "accutane", "roaccutane"),
    # What the United Kingdom takes for advertising botulinum toxin without its name.
    *(r"anti-?\s?wrinkle", "antiarrugas", r"wrinkle[ -](?:relax|soften|reduc)\w*"),
    *(r"(?:line|frown)[ -]smooth\w*", r"muscle[ -]relax\w*", r"beauty[ -]tox\w*"),
    *(r"(?:vitamin[ -])?b-?12", r"skinny (?:jab|pen)s?", r"neuromodul\w+"),
)
_TREATMENTS = _words(
    *(r"fillers?", r"rellenos?", r"lasers?", r"láser(?:es)?", "ipl", r"micro-?needling"),
    *("microagujas", r"ultrasound", "ultrasonidos?", "ultherapy", "thermage", "morpheus8?"),
    *("hifu", r"radio-?frequency", "radiofrecuencia", r"peels?", "peeling", "mesotherapy"),
    *("mesoterapia", "coolsculpting", "hydrafacial", "prp", r"injections?", r"inyecci\w+"),
    *(r"injectables?", r"hair removal", r"depilaci[oó]n", r"tattoo removal", "facelift"),
)
_AREAS = _words(
    *("lips?", "labios?", "face", "facial", "cara", "rostro", "forehead", "frente"),
    *("cheeks?", "mejillas?", "jawline", "jowls?", "papada", "chin", "neck", "cuello"),
    *("bikini", "underarms?", "axilas?", "abdomen", "buttocks?", r"gl[uú]teos?", "thighs?"),
    *("muslos?", "legs?", "piernas?", "décolleté", "escote", "crow.?s feet", "under-?eyes?"),
)
_SHORTENERS = (
    *("bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "v.gd", "buff.ly", "rb.gy"),
    *("rebrand.ly", "cutt.ly", "tiny.cc", "shorturl.at", "lnkd.in", "wa.me", "t.ly", "bl.ink"),
)
_LINK = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?:[\w.+-]+@)?"
    r"(?P<host>(?:[\w-]+\.)+(?:com|net|org|io|co|ly|me|gl|gd|cc|at|in|gy|app|dev|health|clinic"
    r"|care|link|info|biz|eu|uk|us|es|mx|ca|ie|au|nz|example|ink|test)|localhost)(?![\w.-]*\w)"
    r"(?P<path>[/?#][^\s\[\]{}|]*)?",
    re.IGNORECASE,
)
_OTHER_SCHEME = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U00002600-\U000027bf\U00002b00-\U00002bff\U0000fe0f\U0000200d\U000020e3]+"
)
_KEYWORDS = r"(?:YES|NO|CANCEL|CANCELAR|END|QUIT|CONFIRM\w*|SI|SÍ|C|Y|N|OK|[0-9])"

RULES: tuple[_Rule, ...] = (
    _Rule(
        "relative_day",
        _words("tomorrow", "today", "tonight", "yesterday", "mañana", "hoy", "esta noche", "ayer"),
        "It says “{}”, and a message may be read on another day.",
        "Give weekday, date and time: {when}.",
    ),
    _Rule(
        "asks_for_reply",
        re.compile(
            r"\b(?:reply|respond|answer|text back|responda|conteste|responder)\b"
            r"(?!(?:\s+(?:with|con|to this number with))?\s+[\"“']?(?:STOP|HELP|[1-3])\b)",
            re.IGNORECASE,
        ),
        "It says “{}” and asks for a reply that nobody can read or that opts the patient out.",
        "Ask for a call to {phone}. Only STOP, HELP and, where one question is open, 1 to 3"
        " may be asked for.",
    ),
    _Rule(
        "asks_for_keyword",
        re.compile(
            rf"\b(?:[Tt]ext|[Ss]end|[Ww]rite|[Ee]nvíe|[Mm]ande|[Ee]scriba)\s+[\"“']?{_KEYWORDS}\b"
        ),
        "It says “{}”: CANCEL, END and QUIT opt the patient out, YES opts in.",
        "Ask for a call to {phone}.",
    ),
    _Rule(
        "asks_for_digit",
        re.compile(r"\b(?:reply|responda|conteste)(?:\s+(?:with|con))?\s+[1-3]\b", re.IGNORECASE),
        "It asks for “{}”, and this kind of message asks no question that a digit could answer.",
        "Ask for a call to {phone}.",
        applies=_asks_nothing,
    ),
    _Rule(
        "asks_for_secret",
        _words(
            *("card number", "credit card", "debit card", "cvv", "cvc", "bank details", "iban"),
            *("social security", "ssn", "passport", "driver'?s licen[cs]e", "password", "pin code"),
            *("date of birth", "birth ?date", "your birthday", r"n[uú]mero de (?:su )?tarjeta"),
            *("tarjeta de (?:cr[eé]dito|d[eé]bito)", "contraseña", "pasaporte", "dni", "nie"),
            *("seguro social", "fecha de nacimiento", "datos bancarios"),
        ),
        "It speaks of “{}”: asking for cards, papers or birth dates is what frauds do.",
        "Leave it out; the patient's page asks for what it needs.",
    ),
    _Rule(
        "prescription_drug",
        _PRESCRIBED,
        "It names “{}”. Prescription medicines must not be promoted, not even by what they do,"
        " and carriers block such texts.",
        "Say “your visit” or “your treatment”.",
    ),
    _Rule(
        "treatment",
        _TREATMENTS,
        "It names a treatment (“{}”), which others may read.",
        "Say “your visit”; e-mail names the treatment by itself where the patient allows it.",
    ),
    _Rule(
        "body_area",
        _AREAS,
        "“{}” may name a part of the body, from which others could guess the treatment.",
        "Leave it out if it does.",
        level=Level.WARNING,
    ),
    _Rule(
        "provider",
        re.compile(r"\b(?:Dr|Dra|Doctor|Doctora|Nurse|Enfermer[ao])\.?\s+[A-ZÁÉÍÓÚÑ]\w+"),
        "It names who treats (“{}”), from which others could guess the treatment.",
        "Leave the name out: “your visit” is enough.",
    ),
    _Rule(
        "price",
        re.compile(
            rf"[$£€]\s?{_NUMBER}|{_NUMBER}\s?[%$£€]|\b(?:prices?|precios?)\b", re.IGNORECASE
        ),
        "It speaks of a price (“{}”).",
        "Leave it out. Prices belong into marketing e-mail and into conversations.",
        applies=_is_no_marketing_mail,
    ),
    _Rule(
        "offer",
        _words(
            *("special offers?", "offers?", "discounts?", "deals?", "vouchers?", "gift cards?"),
            *(
                "ofertas?",
                "descuentos?",
                "promoci[oó]n\\w*",
                "promotions?",
                "gratis",
                "gratuit[ao]s?",
            ),
            *(
                "free of charge",
                "for free",
                r"free (?:consultation|treatment|session|gift|visit)s?",
            ),
        ),
        "It makes an offer (“{}”), and that makes it marketing.",
        "Leave it out: patients who agreed to messages about their care did not agree to this.",
        applies=_is_no_marketing_mail,
    ),
    _Rule(
        "perhaps_offer",
        _words("free", "exclusive", "limited", "exclusiv[ao]"),
        "“{}” may read like an offer, and filters of carriers take it for one.",
        "Say it in another way if you can.",
        level=Level.WARNING,
        applies=_is_no_marketing_mail,
    ),
    _Rule(
        "emoji",
        _EMOJI,
        "It holds the picture “{}”, which makes a text cost more than twice and looks careless.",
        "Leave it out.",
    ),
    _Rule(
        "shouting",
        re.compile(r"!\s*!|¡¡|\b(?!STOP\b|HELP\b|PIN\b)[A-ZÁÉÍÓÚÑ]{4,}(?:\s+[A-ZÁÉÍÓÚÑ]{2,})*\b"),
        "“{}” shouts, and filters take shouting for fraud.",
        "Write it in small letters, with one exclamation mark at most.",
        level=Level.WARNING,
    ),
)


def forbidden(
    source: str, *, phrase: str, kind: Kind, channel: Channel, names: Iterable[str]
) -> Iterator[Finding]:
    """What `source` must not hold; `names` are those of this clinic's providers and treatments."""
    plain = re.sub(r"\{\w*\}", "{}", source)  # the names of merge values are no words of it
    for rule in RULES:
        if rule.applies(kind, channel):
            found = dict.fromkeys(match[0].strip() for match in rule.pattern.finditer(plain))
            for words in found:
                yield Finding(
                    rule.code, rule.level, phrase, rule.what.format(words), rule.mend, words
                )
    for name in names:
        if match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", plain, re.IGNORECASE):
            yield Finding(
                "own_name",
                Level.ERROR,
                phrase,
                f"It names “{match[0]}”, a person or a treatment of this clinic.",
                "Leave it out: “your visit” is enough.",
                match[0],
            )


def links(source: str, *, phrase: str, hosts: frozenset[str]) -> Iterator[Finding]:
    """Links in `source` that do not lead to the clinic's own pages by HTTPS."""
    for match in _LINK.finditer(source):
        host, scheme = match["host"].lower(), (match["scheme"] or "").lower()
        if host in _SHORTENERS:
            yield _link("shortener", phrase, match[0], "is a shortener, and carriers block those")
        elif host not in hosts:
            yield _link("foreign_link", phrase, match[0], "is not an address of this clinic")
        elif scheme != "https://":
            yield _link("open_link", phrase, match[0], "does not begin with https://")
    for match in _OTHER_SCHEME.finditer(_LINK.sub(" ", source)):
        yield _link("foreign_link", phrase, match[0], "is not an address of this clinic")


def _link(code: str, phrase: str, found: str, cause: str) -> Finding:
    return Finding(
        code,
        Level.ERROR,
        phrase,
        f"“{found}” {cause}.",
        "Use a merge value such as {care_url}, which gives each patient a link of their own.",
        found,
    )
