"""What arrived: bounded, in memory, and in a file if one was named."""

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


@dataclass
class Text:
    """A text that was taken. `status` is the provider's word and moves on."""

    sid: str
    to: str
    sender: str
    text: str
    status: str
    code: str
    status_callback: str
    validity_seconds: int | None
    received_at: str  # ISO 8601, UTC
    id: int = 0
    provider: str = "twilio"


@dataclass(frozen=True)
class Attachment:
    name: str
    type: str
    bytes: int


@dataclass
class Mail:
    """A mail that was taken, opened up. `calendar` is the text of its invitations."""

    to: str
    sender: str
    reply_to: str
    subject: str
    message_id: str
    headers: dict[str, str]
    text: str
    html: str
    calendar: str
    calendar_method: str
    received_at: str
    attachments: list[Attachment] = field(default_factory=list)
    id: int = 0


class Received:
    """The newest `keep` texts and mails. With a file, they outlive the process."""

    def __init__(self, *, keep: int, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._texts: deque[Text] = deque(maxlen=keep)
        self._mails: deque[Mail] = deque(maxlen=keep)
        self._last_id = 0
        self._file = file
        if file is not None and file.exists():
            self._load(file)

    def add(self, item: Text | Mail) -> None:
        with self._lock:
            self._last_id += 1
            item.id = self._last_id
            self._shelf(item).append(item)
            self._write(item)

    def moved_on(self, text: Text, *, status: str, code: str) -> None:
        with self._lock:
            text.status, text.code = status, code
            self._write(text)

    def texts(self) -> list[Text]:
        with self._lock:
            return list(self._texts)

    def listed(self, provider: str, *, after_ms: int) -> list[Text]:
        """What a provider lists by now, the newest first: not before `after_ms` have passed."""
        latest = datetime.now(UTC) - timedelta(milliseconds=after_ms)
        return [
            text
            for text in reversed(self.texts())
            if text.provider == provider and datetime.fromisoformat(text.received_at) <= latest
        ]

    def mails(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)

    def clear(self) -> None:
        with self._lock:
            self._texts.clear()
            self._mails.clear()
            if self._file is not None:
                self._file.write_text("")

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        with self._lock:
            return {
                "texts": [asdict(text) for text in self._texts],
                "mails": [asdict(mail) for mail in self._mails],
            }

    def _shelf(self, item: Text | Mail) -> Any:
        return self._texts if isinstance(item, Text) else self._mails

    def _write(self, item: Text | Mail) -> None:
        if self._file is not None:
            kind = "text" if isinstance(item, Text) else "mail"
            with self._file.open("a") as out:
                out.write(json.dumps({kind: asdict(item)}) + "\n")

    def _load(self, file: Path) -> None:
        """A text has one line per status: the last one holds."""
        texts: dict[int, Text] = {}
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            if "text" in entry:
                texts[entry["text"]["id"]] = Text(**entry["text"])
            else:
                attachments = [Attachment(**one) for one in entry["mail"].pop("attachments")]
                self._mails.append(Mail(**entry["mail"], attachments=attachments))
        self._texts.extend(texts.values())
        self._last_id = max(
            [0, *(text.id for text in self._texts), *(mail.id for mail in self._mails)]
        )
