"""Which misbehaviour the next submission gets: told beforehand, or asked for by its address."""

import threading
from collections import deque
from dataclasses import dataclass

CODE_LENGTH = 5
NUMBER_ENDINGS = {
    "9008": "slow",
    "9428": "429_date",
    "9429": "429",
    "9500": "500",
    "9501": "500_after_accept",
    "9999": "garbage",
    "9001": "drop_before_accept",
    "9000": "drop_after_accept",
    "9610": "21610",
    "9211": "21211",
    "9614": "21614",
    "9003": "30003",
    "9007": "30007",
    "9100": "no_callback",
    "9200": "duplicate",
    "9300": "out_of_order",
    "9403": "forged",
}
MAILBOXES = {
    "slow": "mail_slow",
    "refused": "mail_550",
    "later": "mail_451",
    "busy": "mail_421",
    "vanish": "mail_drop_before",
    "drop": "mail_drop_after",
}
LATE_LIST = "late_list"
MAIL_MODES = frozenset(MAILBOXES.values())
TEXT_MODES = frozenset(name for name in NUMBER_ENDINGS.values() if len(name) != CODE_LENGTH)


@dataclass(frozen=True)
class Mode:
    """`normal`, a name of the tables, or a code: Twilio's 2xxxx and Telnyx's 100xx and 403xx are
    answers, 3xxxx and 400xx come with the last report."""

    name: str = "normal"
    ms: int = 3000

    @property
    def is_refusal_code(self) -> bool:
        return self._is_code and self.name.startswith(("2", "100", "403"))

    @property
    def is_delivery_code(self) -> bool:
        return self._is_code and self.name.startswith(("3", "400"))

    @property
    def _is_code(self) -> bool:
        return len(self.name) == CODE_LENGTH and self.name.isdecimal()


class Modes:
    """Modes in waiting, one queue for texts and one for mail. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: deque[Mode] = deque()
        self._mails: deque[Mode] = deque()
        self._lasting_text: Mode | None = None
        self._lasting_mail: Mode | None = None
        # Milliseconds before a text that was taken stands in any list.
        self.listed_after_ms = 0

    def tell(self, name: str, *, count: int = 1, ms: int = 3000) -> None:
        """Queue a mode for `count` submissions; 0 keeps it until `clear`. ValueError if unknown."""
        if name == LATE_LIST:
            self.listed_after_ms = ms
            return
        mode = Mode(name, ms)
        is_mail = name in MAIL_MODES
        if not (is_mail or name in TEXT_MODES or mode.is_refusal_code or mode.is_delivery_code):
            raise ValueError(f"There is no mode {name!r}.")
        with self._lock:
            if count:
                (self._mails if is_mail else self._texts).extend([mode] * count)
            elif is_mail:
                self._lasting_mail = mode
            else:
                self._lasting_text = mode

    def clear(self) -> None:
        with self._lock:
            self._texts.clear()
            self._mails.clear()
            self._lasting_text = self._lasting_mail = None
            self.listed_after_ms = 0

    def for_number(self, number: str) -> Mode:
        with self._lock:
            if self._texts:
                return self._texts.popleft()
            return self._lasting_text or Mode(NUMBER_ENDINGS.get(number[-4:], "normal"))

    def for_mailbox(self, address: str) -> Mode:
        with self._lock:
            if self._mails:
                return self._mails.popleft()
            return self._lasting_mail or Mode(MAILBOXES.get(address.partition("@")[0], "normal"))
