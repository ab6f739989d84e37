"""What a log line may say: ids and causes, never a name, a number, a body or a token."""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger

# Bearer links: whoever reads the token in a log could open the patient's page or the calendar.
_TOKEN_PATH = re.compile(r"(/(?:p|feeds|unsubscribe|welcome)/)[^/\s?\"']+")
# PostgreSQL quotes the offending row in DETAIL, and in the lines that follow "Failing row".
_ROW = re.compile(r"^(DETAIL|CONTEXT): .*$", re.MULTILINE)
_QUERY = re.compile(r"\?[^\s\"']+=[^\s\"']*")


def discreet(text: str) -> str:
    """The text without link tokens, query strings and quoted rows."""
    return _QUERY.sub("?…", _ROW.sub(r"\1: …", _TOKEN_PATH.sub(r"\1…", text)))


class Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))


class AccessLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's access line without query strings, addresses of people and link tokens."""

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args, **kwargs)
        atoms["U"] = discreet(str(atoms["U"]))
        return atoms
