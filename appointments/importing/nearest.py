"""Finding what a file means by a name, or else what it may have meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Generic, TypeVar

from clinic.retelling import kept, together, word
from clinic.retelling import text as quoted
from clinic.saying import noop
from patients.naming import folded

T = TypeVar("T")
_AS_NEAR = 0.6
_MOST_LISTED = 6


class Unknown(ValueError):
    """Nothing has this name; the text is a sentence, as it is stored, with the nearest that there
    is."""


class Lookup(Generic[T]):
    """Values by their names, in any case, without accents and punctuation. Of several names of one
    value the first is the one that is told."""

    def __init__(self, what: str, named: Iterable[tuple[str, T]]) -> None:
        self._what = what
        self._values: dict[str, T] = {}
        self._shown: dict[str, str] = {}
        self._firsts: list[str] = []
        twice = set()
        for name, value in named:
            key = folded(name)
            if key in self._values:
                twice |= {key} if self._values[key] != value else set()
                continue
            if value not in self._values.values():
                self._firsts.append(name)
            self._values[key], self._shown[key] = value, name
        # A name of two is the name of none.
        self._twice = frozenset(twice)

    def find(self, text: str) -> T:
        """Raises Unknown."""
        key = folded(text)
        if key in self._twice:
            raise Unknown(
                kept(
                    "There are several of %(what)s “%(name)s”. Rename one of them.",
                    what=word(self._what),
                    name=quoted(text[:60]),
                )
            )
        if key in self._values:
            return self._values[key]
        unknown = kept(
            "There is no %(what)s “%(name)s” here.", what=word(self._what), name=quoted(text[:60])
        )
        raise Unknown(together((unknown, self._hint(key))))

    def _hint(self, key: str) -> str:
        near = get_close_matches(key, self._shown, n=1, cutoff=_AS_NEAR)
        near = near or [name for name in self._shown if key and (key in name or name in key)][:1]
        if near:
            return kept("Did you mean “%(name)s”?", name=quoted(self._shown[near[0]]))
        if not self._shown:
            return noop("Add it first.")
        first = ", ".join(sorted(self._firsts)[:_MOST_LISTED])
        more = len(self._firsts) - _MOST_LISTED
        if more <= 0:
            return kept("There is %(names)s.", names=quoted(first))
        return kept("There is %(names)s and %(count)s more.", names=quoted(first), count=more)
