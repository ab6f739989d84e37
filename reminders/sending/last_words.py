"""What each process is writing, noted where it outlives the process; what the dead were writing.

Writing and mark are one transaction, so a letter that ends its writer leaves nothing in the
database and would end the next one too, for ever. Each process therefore notes in a file of its own
which letters it writes, and holds a lock on the file that the kernel opens with the process's end.
Whoever finds such a file counts a death against each message in it. From then on a message is noted
alone: only the one that is to blame goes on collecting deaths, until it is given up.

The directory must outlive a process, not a machine: where it does not, or nothing can be written
there, nothing is counted, and messages leave all the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction

from reminders.ledger import writing_deaths
from reminders.ledger.claiming import Due
from reminders.models import Message

log = logging.getLogger(__name__)

_own: tuple[int, Path, int] | None = None
_suspects: frozenset[int] | None = None


def suspects() -> frozenset[int]:
    """The messages that somebody died of, as far as this process has heard."""
    return _suspects or frozenset()


@contextmanager
def noted(messages: Sequence[Message | Due]) -> Iterator[None]:
    """While the block lasts, this process writes these."""
    _note([message.pk for message in messages])
    try:
        yield
    finally:
        _note([])


def collect(*, now: datetime) -> None:
    """Count what processes of this machine were writing when they died, each once."""
    global _suspects
    found = [_count(note, now=now) for note in _notes()]
    if any(found) or _suspects is None:
        _suspects = writing_deaths.suspects()


def _notes() -> list[Path]:
    try:
        return list(_directory().glob("*.json"))
    except OSError as fault:
        _tell(fault)
        return []


def _count(note: Path, *, now: datetime) -> bool:
    """Whether a note was one of the dead; it is gone then. One that stays would be counted again
    and again, against messages that ended nobody: of it nothing is counted."""
    if _own is not None and note == _own[1]:
        return False
    try:
        with note.open() as opened, transaction.atomic():
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            writing_deaths.count(_read(opened.readline()), now=now)
            note.unlink()
    except (BlockingIOError, FileNotFoundError):  # its process lives, or somebody was faster
        return False
    except OSError as fault:
        _tell(fault)
        return False
    return True


def _read(line: str) -> list[int]:
    """What a note says; nothing of one that a full disk cut off."""
    try:
        said: list[int] = json.loads(line or "[]")
    except ValueError:
        return []
    return said


def _note(messages: Sequence[int]) -> None:
    # One call, so that no half of it is left; what stands behind the line is of a longer one.
    try:
        os.pwrite(_file(), f"{json.dumps(messages)}\n".encode(), 0)
    except OSError as fault:
        _tell(fault)


def _tell(fault: OSError) -> None:
    log.error("what is being written cannot be noted: %s", fault.strerror)


def _file() -> int:
    """This process's own file, locked before it gets the name under which others look for it."""
    global _own
    if _own is None or _own[0] != os.getpid():
        path = _directory() / f"{uuid4()}.json"
        unnamed = path.with_suffix(".new")
        opened = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(opened, fcntl.LOCK_EX)
        unnamed.rename(path)
        _own = os.getpid(), path, opened
    return _own[2]


def _directory() -> Path:
    """Of this database and this user alone: numbers of another one's messages are not ours."""
    of = connection.settings_dict
    name = f"{of['HOST']}:{of['PORT']}/{of['NAME']}:{os.getuid()}"
    path = Path(settings.LAST_WORDS_DIR) / hashlib.sha256(name.encode()).hexdigest()[:16]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
