"""What is said or stored for staff can be told in their language: it goes through the catalogue.

The walk over every page (`test_looks.py`) cannot tell a sentence of ours that was stored from what
a person wrote, and meets few refusals; so the code itself is read for both.
"""

import ast
import re
from collections.abc import Iterator

from config import words

# Under these names sentences are stored, or handed on to be.
STORED = frozenset(("title", "detail", "why", "outcome", "remark", "problem", "closed_reason"))
# Not for staff: programs, whoever runs the installation, patients (whose words are their own).
OTHERS = (
    *("/migrations/", "/management/", "/api/", "/stand_in/", "/patient_pages/", "/proving/"),
    *("_api.py", "api_errors.py", "api_fields.py", "api_parsing.py", "api_views.py"),
    *("reminders/wording/", "patients/signing/", "appointments/by_link/refusals.py"),
    *("appointments/charting/device_data.py", "appointments/finding/preference_words.py"),
)
WORD = re.compile(r"[^\W\d_]{2,}")
# What a programmer did wrong, and what a terminal shows.
FAULTS = frozenset(("CommandError", "NeverAllowed"))


def _said(node: ast.expr) -> Iterator[ast.expr]:
    """The texts of an expression that go through no call: in lists, choices and sums."""
    match node:
        case ast.Constant(value=str(text)) if " " in text.strip():
            yield node
        case ast.JoinedStr(values=values):
            own = "".join(str(each.value) for each in values if isinstance(each, ast.Constant))
            if own[:1].isupper() or len(WORD.findall(own)) > 1:
                yield node
        case ast.List(elts=several) | ast.Tuple(elts=several):
            for each in several:
                yield from _said(each)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from _said(one)
            yield from _said(other)


def _handed_on(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(keywords=keywords):
                yield from (each.value for each in keywords if each.arg in STORED)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in STORED:
                        yield value
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name), args=args)) if (
                name not in FAULTS and not name.endswith("Error")
            ):
                yield from args


def test_no_sentence_is_stored_or_refused_in_one_language_only() -> None:
    found = []
    for app in words.APPS[:-1]:
        for path in sorted((words.ROOT / app).rglob("*.py")):
            place = path.relative_to(words.ROOT).as_posix()
            if any(other in place for other in OTHERS):
                continue
            found += [
                f"{place}:{text.lineno}: {ast.unparse(text)}"
                for value in _handed_on(ast.parse(path.read_text()))
                for text in _said(value)
            ]
    assert not found, "\n".join(["wrap them (clinic.saying, clinic.retelling):", *found])
