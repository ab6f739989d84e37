"""Putting what somebody wrote back into the form of a page. Pure: text in, text out.

Nothing but the values of one form changes: everything around it stays letter by letter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

Entries = Sequence[tuple[str, str]]
Attrs = Sequence[tuple[str, str | None]]
# What no browser may be given back, or what is pressed and not written.
_NOT_WRITTEN = frozenset({"submit", "button", "image", "reset", "file", "password"})
_TICKED = frozenset({"checkbox", "radio"})


@dataclass(frozen=True, slots=True)
class _Tag:
    """A start tag, at [start, end) of the page."""

    name: str
    attrs: Attrs
    start: int
    end: int

    def get(self, attr: str) -> str:
        return dict(self.attrs).get(attr) or ""

    def has(self, attr: str) -> bool:
        return attr in dict(self.attrs)


@dataclass(slots=True)
class _Control:
    """One field, or one option of `select`. `around` are the folded parts in which it stands; of a
    text area and of an option, `inner` is where its words end."""

    tag: _Tag
    around: tuple[_Tag, ...]
    inner: int = 0
    select: _Tag | None = None

    @property
    def name(self) -> str:
        return (self.select or self.tag).get("name")


@dataclass(slots=True)
class _Form:
    tag: _Tag
    around: tuple[_Tag, ...]
    addresses: list[str] = field(default_factory=list)
    controls: list[_Control] = field(default_factory=list)

    def names(self) -> set[str]:
        return {each.name for each in self.controls}


def is_same(one: str, other: str) -> bool:
    """Whether two addresses have the same path and query, however they are written."""
    ours, theirs = urlsplit(one), urlsplit(other)
    return ours.path == theirs.path and parse_qsl(ours.query) == parse_qsl(theirs.query)


def refill(html: str, *, page: str, address: str, entries: Entries) -> str | None:
    """The page with `entries` (names and values, as a browser sent them to `address`) in its form
    for them, unfolded; None when it has no such form.

    `page` is its own address. The form gets the id "kept-form" unless it has one. Files and
    passwords stay empty.
    """
    reader = _Reader(html, page)
    forms = [each for each in reader.forms if any(is_same(address, to) for to in each.addresses)]
    if not forms:
        return None
    sent = {name for name, value in entries if value}
    form = max(forms, key=lambda each: len(sent & each.names()))
    return _spliced(html, [*_opened(form, sent), *_filled(html, form, entries)])


def _opened(form: _Form, sent: Collection[str]) -> Iterable[tuple[int, int, str]]:
    folded = {each.start: each for each in form.around}
    for control in form.controls:
        if control.name in sent:
            folded |= {each.start: each for each in control.around}
    for each in folded.values():
        yield each.start, each.end, _written(each.name, _with(each.attrs, open=None))
    if not form.tag.has("id"):
        yield form.tag.start, form.tag.end, _written("form", _with(form.tag.attrs, id="kept-form"))


def _filled(html: str, form: _Form, entries: Entries) -> Iterable[tuple[int, int, str]]:
    values: dict[str, list[str]] = {}
    for name, value in entries:
        values.setdefault(name, []).append(value)
    used: Counter[str] = Counter()
    for control in form.controls:
        tag, name = control.tag, control.name
        sent = values.get(name, [])
        if control.select is not None:
            if sent or control.select.has("multiple"):
                yield _marked(tag, "selected", _value(html, control) in sent)
        elif tag.get("type") in _TICKED:
            yield _marked(tag, "checked", (tag.get("value") or "on") in sent)
        elif used[name] < len(sent):
            value = sent[used[name]]
            used[name] += 1
            if tag.name == "textarea":
                yield tag.end, control.inner, "\n" + escape(value)
            else:
                yield tag.start, tag.end, _written(tag.name, _with(tag.attrs, value=value))


def _value(html: str, option: _Control) -> str:
    """What a browser sends of an option: its words, where it has no value of its own."""
    if option.tag.has("value"):
        return option.tag.get("value")
    return " ".join(unescape(html[option.tag.end : option.inner]).split())


def _marked(tag: _Tag, attr: str, marked: bool) -> tuple[int, int, str]:
    others = [each for each in tag.attrs if each[0] != attr]
    return tag.start, tag.end, _written(tag.name, [*others, (attr, None)] if marked else others)


def _with(attrs: Attrs, **values: str | None) -> Attrs:
    return [*(each for each in attrs if each[0] not in values), *values.items()]


def _written(name: str, attrs: Attrs) -> str:
    said = (key if value is None else f'{key}="{escape(value)}"' for key, value in attrs)
    return f"<{' '.join((name, *said))}>"


def _spliced(html: str, changes: Iterable[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, text in sorted(changes):
        parts += [html[at:start], text]
        at = end
    return "".join([*parts, html[at:]])


class _Reader(HTMLParser):
    """The forms of a page, with where their tags stand in its text."""

    def __init__(self, html: str, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.forms: list[_Form] = []
        self._page = page
        self._lines = [0]
        for line in html.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._within: _Form | None = None
        self._folded: list[_Tag] = []
        self._select: _Tag | None = None
        self._area: _Control | None = None
        self._option: _Control | None = None
        self._apart: list[tuple[str, _Control]] = []  # fields that name their form
        self.feed(html)
        self.close()
        by_id = {each.tag.get("id"): each for each in self.forms}
        for owner, control in self._apart:
            if owner in by_id:
                by_id[owner].controls.append(control)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start, folded = self._at(), tuple(self._folded)
        found = _Tag(tag, attrs, start, start + len(self.get_starttag_text() or ""))
        if tag == "form":
            self._within = _Form(found, folded)
            self.forms.append(self._within)
            if found.get("method").lower() == "post":
                self._leads(found.get("action"))
        elif tag == "details":
            self._folded.append(found)
        elif tag == "select":
            self._select = found
        elif tag == "option" and self._select is not None:
            self._ends_option()
            self._option = _Control(found, folded, inner=found.end, select=self._select)
            self._belongs(self._option, self._select)
        elif tag == "textarea":
            self._area = _Control(found, folded, inner=found.end)
            self._belongs(self._area, found)
        elif tag == "input" and found.get("type") not in _NOT_WRITTEN:
            self._belongs(_Control(found, folded), found)
        for attr in ("formaction", "hx-post"):
            if found.has(attr):
                self._leads(found.get(attr))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._within = None
        elif tag == "details" and self._folded:
            self._folded.pop()
        elif tag in ("option", "optgroup", "select"):
            self._ends_option()
            self._select = None if tag == "select" else self._select
        elif tag == "textarea" and self._area is not None:
            self._area.inner, self._area = self._at(), None

    def _ends_option(self) -> None:
        if self._option is not None:
            self._option.inner, self._option = self._at(), None

    def _leads(self, address: str) -> None:
        if self._within is not None:
            self._within.addresses.append(urljoin(self._page, address))

    def _belongs(self, control: _Control, named: _Tag) -> None:
        if owner := named.get("form"):
            self._apart.append((owner, control))
        elif self._within is not None:
            self._within.controls.append(control)

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
