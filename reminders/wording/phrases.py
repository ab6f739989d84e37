"""The notation of message templates: merge values in braces, optional parts in brackets.

    Your visit is on {when}.[ Questions? Call {phone}.| Call {phone}.|]

A part in brackets lists its forms, longest first; an empty last form means that it may go. A part
also goes when one of its values is missing. Outside brackets a missing value is an error. When a
text must become shorter, parts shrink from the left: what is furthest left is dearest to lose.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NAME = re.compile(r"\{(\w+)\}")
_PART = re.compile(r"\[([^\[\]]*)\]")


class PhraseError(ValueError):
    """A sentence that says what is wrong with a template or its values."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a phrase: its forms, longest first."""

    forms: tuple[str, ...]
    is_optional: bool

    def fill(self, form: int, values: Mapping[str, str]) -> str:
        """The form with its values in place; PhraseError when one is missing and must not be."""
        text = self.forms[form]
        missing = [name for name in _NAME.findall(text) if not values.get(name)]
        if missing and not self.is_optional:
            raise PhraseError(f"The message needs a value for “{missing[0]}”.")
        return "" if missing else _NAME.sub(lambda match: values[match[1]], text)


@dataclass(frozen=True, slots=True)
class Phrase:
    parts: tuple[Part, ...]

    @property
    def names(self) -> frozenset[str]:
        """The merge values that it speaks of."""
        return frozenset(
            name for part in self.parts for form in part.forms for name in _NAME.findall(form)
        )

    @property
    def always(self) -> frozenset[str]:
        """The merge values without which it cannot be written."""
        fixed = (part for part in self.parts if not part.is_optional)
        return frozenset(name for part in fixed for name in _NAME.findall(part.forms[0]))

    def fill(self, values: Mapping[str, str]) -> str:
        """The longest text."""
        return next(self.shrinking(values))

    def shrinking(self, values: Mapping[str, str]) -> Iterator[str]:
        """Every text from the longest to the shortest, the leftmost part shrinking first."""
        chosen = [0] * len(self.parts)
        yield self._text(chosen, values)
        for place, part in enumerate(self.parts):
            for form in range(1, len(part.forms)):
                chosen[place] = form
                yield self._text(chosen, values)

    def _text(self, chosen: list[int], values: Mapping[str, str]) -> str:
        return "".join(
            part.fill(form, values) for part, form in zip(self.parts, chosen, strict=True)
        )


def parse(source: str) -> Phrase:
    """Read the notation; PhraseError when a bracket or brace does not close."""
    parts: list[Part] = []
    end = 0
    for match in _PART.finditer(source):
        parts.append(Part((source[end : match.start()],), is_optional=False))
        parts.append(Part(tuple(match[1].split("|")), is_optional=True))
        end = match.end()
    parts.append(Part((source[end:],), is_optional=False))
    for part in parts:
        for form in part.forms:
            if set(_NAME.sub("", form)) & set("[]{}"):
                raise PhraseError(f"A bracket or brace does not close in “{source}”.")
    return Phrase(tuple(part for part in parts if part.forms != ("",)))
