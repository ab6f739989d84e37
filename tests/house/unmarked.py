"""Which words of a page nobody can translate: a language in which every translated word stands in
⟦brackets⟧ shows them, as they stand outside."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path

import django
from babel.messages.catalog import Catalog, Message
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import trans_real

from appointments.photos import standard_views
from clinic import retelling, saying_days
from config import words
from patients.screening.form import WORDS
from patients.screening.questions import _IN_THE_SUN

OPEN, CLOSE = "⟦", "⟧"
# Said the same in every language: names, units, formats, what a program reads.
SAME = re.compile(
    r"Afterglow|Su contraseña debe contener al menos|caracteres|"
    r"English|Español|SHA-256|JPEG|HEIC|PDF|CSV|ZIP|JSON|UTC|Esc\b|Lux et Umbra|"
    r"https?://\S+|\S+@\S+|\b(?:[A-Z][a-z]+/)+[A-Z][A-Za-z_]+|\b[A-Z]{2,5}\b|\b[a-z]+(?:[._][a-z_]+)+"
)
NAME = re.compile(r"[^\W\d_]{2,}(?:[ '’-][^\W\d_]+)*")
_SPOKEN = ("aria-label", "alt", "placeholder", "title", "data-label", "data-key-label")


def brackets(monkeypatch: object, folder: Path) -> None:
    """From now on Spanish is English in brackets, Django's own words included."""
    catalog = Catalog(locale="es")
    for word in (*_of_django(), *words.gathered()):
        if not word.id:
            continue
        ids = word.id if isinstance(word.id, list | tuple) else (word.id,)
        marked = tuple(_marked(each) for each in ids)
        catalog.add(word.id, marked if len(marked) > 1 else marked[0], context=word.context)
    target = folder / "es" / "LC_MESSAGES"
    target.mkdir(parents=True)
    (target / "django.mo").write_bytes(words.compiled(catalog))
    monkeypatch.setattr(settings, "LOCALE_PATHS", [str(folder)])  # type: ignore[attr-defined]
    monkeypatch.setattr(trans_real, "_translations", {})  # type: ignore[attr-defined]


def _of_django() -> Iterator[Message]:
    for path in Path(django.__file__).parent.rglob("locale/es/LC_MESSAGES/django.mo"):
        with path.open("rb") as file:
            said = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        # A context is parted from its word by EOT; a plural is keyed with its number, and said as
        # what it is in Spanish.
        yield from (Message(each) for each in said if isinstance(each, str) and "\4" not in each)


def _marked(word: str) -> str:
    return f"{OPEN}{word}{CLOSE}"


def phrases(html: str, known: str) -> set[str]:
    """The phrases of a page that stand in no brackets and are not in `known`, which is lower case:
    what the database and the protocols hold."""
    reader = _Reader()
    reader.feed(html)
    return {
        phrase
        for said in reader.said
        for phrase in NAME.findall(SAME.sub("·", said))
        if phrase.lower() not in known
    }


class _Reader(HTMLParser):
    """The text and spoken attributes of a page, outside of what is marked as of one language."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if not self._is_silent:
            self.said += [_outside(given[name] or "", 0)[0] for name in _SPOKEN if name in given]
        if tag not in _VOID:
            is_other = tag in _SILENT or ("lang" in given and tag != "html")
            self._open.append((tag, is_other))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        outside, self._depth = _outside(data, self._depth)
        if not self._is_silent:
            self.said.append(outside)

    @property
    def _is_silent(self) -> bool:
        return any(is_other for _, is_other in self._open)


def _outside(text: str, depth: int) -> tuple[str, int]:
    """What stands outside of all brackets, of which `depth` are open, and how many are then: they
    stand in one another, and reach over elements."""
    kept = ""
    for char in text:
        if char == OPEN:
            depth += 1
        elif char == CLOSE:
            depth, kept = depth - 1, kept + "·"
        elif depth <= 0:
            kept += char
    return kept, depth


def _theirs(value: object, ours: Collection[str]) -> object:
    """A stored value without what is told anew: words of the catalogue, and what has facts."""
    if isinstance(value, list):
        return [_theirs(each, ours) for each in value]
    if isinstance(value, str) and (value in ours or retelling._FACT in value):
        return ""
    return value


# Marks hold dates, code is for programs, and options are names of rows.
_SILENT = frozenset(("script", "style", "time", "code", "kbd", "textarea", "option"))
_VOID: Iterable[str] = frozenset(
    ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr", "use")
)


def stored() -> str:
    """All words that the database and the protocols of the clinic hold, in lower case, but for
    the sentences of ours in it: they must be told."""
    held: list[str] = []
    ours = {str(word.id) for word in words.gathered() if word.id and " " in str(word.id)}
    for model in apps.get_models():
        if model._meta.app_label in {each.rpartition(".")[2] for each in words.APPS}:
            fields = [field.name for field in model._meta.concrete_fields]
            names = [
                field.name
                for field in model._meta.concrete_fields
                if isinstance(field, models.CharField | models.TextField | models.JSONField)
            ]
            rows = model._base_manager.values_list(*names)
            held += [str(_theirs(value, ours)) for row in rows for value in row]
            held += [name.replace("_", " ") for name in (model._meta.model_name or "", *fields)]
    held += [
        str(each) for each in (saying_days._WEEKDAYS["es"], saying_days._MONTHS["es"], WORDS["es"])
    ]
    views = standard_views.FILE.read_text()
    wordings = words.ROOT / "patients/templates/patients/consent_wording.html"
    said = " ".join((*held, _IN_THE_SUN.es, views, wordings.read_text())).lower()
    # The trail says names with spaces.
    return f"{said} {said.replace('_', ' ')}"
