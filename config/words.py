"""The words of the screens: gathered from code and templates, kept in `locale/`, compiled.

`python -m config.words` brings the catalogues up to date: new words appear without a translation,
those that nobody says any more go. Only Python is needed; a test holds that nothing is left over.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APPS = ("clinic", "patients", "appointments", "reminders", "config")
LANGUAGES = ("es",)
# What a gettext function takes, by its name: which arguments are words, and which a context.
KEYWORDS: dict[str, Any] = {
    "_": None,
    "counted": (1, 2),
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "kept": None,
    "noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


def path_of(language: str) -> Path:
    """The catalogue of one language, as people edit it."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def gathered() -> Catalog:
    """Every word that code and templates say."""
    found = Catalog(project="Afterglow", fuzzy=False)
    for path in sorted(_sources()):
        method: Any = extract_python if path.suffix == ".py" else _extract_template
        text = path.read_bytes()
        if path.suffix == ".py" and not any(each in text for each in _SAYS):
            continue
        with path.open("rb") as file:
            for _line, words, comments, context in extract(
                method, file, keywords=KEYWORDS, comment_tags=("Translators:",)
            ):
                place = (path.relative_to(ROOT).as_posix(), 0)
                found.add(words, locations=[place], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """The catalogue of a language as it is kept."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language, domain="django")


def updated(language: str, words: Catalog) -> Catalog:
    """What is kept of a language with just these words; nothing is guessed from similar ones."""
    kept = read(language) if path_of(language).exists() else Catalog(locale=language)
    kept.update(words, no_fuzzy_matching=True, update_header_comment=False)
    kept.obsolete.clear()
    return kept


def written(catalog: Catalog) -> bytes:
    """A catalogue as text: no line numbers and no date, so that only a changed word changes it."""
    text = io.BytesIO()
    write_po(text, catalog, width=100, omit_header=True, sort_by_file=True, include_lineno=False)
    return HEADER.format(language=catalog.locale, plurals=catalog.plural_forms).encode() + (
        text.getvalue()
    )


def compiled(catalog: Catalog) -> bytes:
    """A catalogue as gettext reads it; the same words are the same bytes."""
    packed = io.BytesIO()
    catalog.creation_date = catalog.revision_date = _NO_DATE
    write_mo(packed, catalog)
    return packed.getvalue()


# A module says nothing unless it imports one of these; most do not, and are not read closely.
_SAYS = (b"gettext", b"clinic.saying", b"clinic.retelling")
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


def _sources() -> Iterator[Path]:
    for app in APPS:
        yield from (ROOT / app).rglob("*.py")
        yield from (ROOT / app).rglob("*.html")


def _extract_template(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[Any]:
    """A template with all but its words blotted out is a program, once its lines begin alike."""
    program = templatize(file.read().decode(), origin=getattr(file, "name", None))
    lines = "\n".join(line.strip() for line in program.splitlines())
    yield from extract_python(io.BytesIO(lines.encode()), keywords, comment_tags, options)


def main() -> int:
    words = gathered()
    for language in LANGUAGES:
        catalog = updated(language, words)
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(catalog))
        path.with_suffix(".mo").write_bytes(compiled(read(language)))
        missing = [each.id for each in catalog if each.id and not all(strings(each))]
        print(f"{language}: {len(catalog)} words, {len(missing)} without a translation: {path}")
    return 0


def strings(word: Message) -> tuple[str, ...]:
    """The translation of a word, once for each number it can have; empty where it lacks."""
    return (word.string or "",) if isinstance(word.string, str | None) else tuple(word.string)


if __name__ == "__main__":
    sys.exit(main())
