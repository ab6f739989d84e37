"""What changed between two versions of a phrase, word by word. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\s+|\{\w+\}|\w+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of text; `change` is "kept", "gone" or "new"."""

    change: str
    text: str


def differences(before: str, after: str) -> list[Stretch]:
    """The stretches that together are `before` (kept, gone) and `after` (kept, new)."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    found: list[Stretch] = []
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, from_old, to_old, from_new, to_new in matcher.get_opcodes():
        if tag == "equal":
            found.append(Stretch("kept", "".join(old[from_old:to_old])))
            continue
        if from_old < to_old:
            found.append(Stretch("gone", "".join(old[from_old:to_old])))
        if from_new < to_new:
            found.append(Stretch("new", "".join(new[from_new:to_new])))
    return found
