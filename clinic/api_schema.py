"""The OpenAPI document: a summary from each docstring, a tag per view, errors everywhere."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

_MEANINGS = {
    "400": "What was sent cannot be; `field` says where.",
    "401": "No token, or one that is not valid any more.",
    "403": "Yours to see, not yours to do; the sentence says whose it is.",
    "404": "Nothing here, or not at your sites.",
    "409": "The rows have moved on since they were shown; look again.",
    "429": "Too many tries; `Retry-After` says for how many seconds to rest.",
}
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_OPEN = "/api/v1/login/"


class Schema(AutoSchema):
    """A docstring's first sentence is the summary, the rest the description."""

    def get_summary(self) -> str | None:
        return self._doc()[0] or None

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        return self._doc()[1]

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", None) or super().get_tags()[0]]

    def _doc(self) -> tuple[str, str]:
        text = " ".join(super().get_description().split())
        summary, stop, rest = text.partition(". ")
        return (f"{summary}." if stop else summary), rest


def with_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: every operation names the errors that it may answer with."""
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _statuses(path, method, operation):
                answer = {"description": _MEANINGS[status], "content": _ERROR}
                operation["responses"].setdefault(status, answer)
    return result


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    writes = method != "get"
    asks = {
        "400": writes or any(each["in"] == "query" for each in operation.get("parameters", ())),
        "401": True,
        "403": path != _OPEN,
        "404": "{" in path or (writes and path != _OPEN),
        "409": writes and path != _OPEN,
        "429": path == _OPEN,
    }
    return [status for status, may in asks.items() if may]
