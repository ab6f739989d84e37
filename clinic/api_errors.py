"""Every error of the API in one shape: a code for programs, a sentence for people, the field.

Knows the refusals of every room by their three attributes only. Refuses to say anything of an
error that nobody foresaw.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.settings import api_settings

from clinic.api_fields import BarSerializer, Instant, NotSeen, PlaceSerializer
from clinic.protocols.loading import LoadRefused
from clinic.protocols.reading import ProtocolError

logger = logging.getLogger("clinic.api")

# What was asked for was right when it was shown; the rows have moved on since.
CONFLICTS = frozenset(
    {
        *("slot_taken", "slot_held", "session_taken", "patient_elsewhere", "stale_version"),
        *("move_refused", "nothing_to_undo", "series_closed", "protocol_status"),
        *("visit_locked", "locked_already", "not_locked", "visit_under_way", "series_not_ended"),
        *("retry_refused", "may_repeat", "skip_refused", "task_refused", "conversation_refused"),
        *("time_refused", "out_of_hours", "switch_refused"),
        "opted_out_themselves",
        *("barred", "answers_changed", "not_decidable"),
        *("merge_refused", "unmerge_refused", "record_erased", "erase_refused", "life_refused"),
        *("visits_in_the_way", "block_released"),
        *("stale_log", "draft_elsewhere", "log_signed", "not_signed", "credit_decided"),
        "event_closed",
        *("already_waiting", "not_waiting", "being_offered", "gap_closed", "no_match"),
        *("nothing_to_wait_for", "offer_closed"),
        *("stale_consent_form", "consent_form_state", "form_changed", "withdrawn_already"),
        *("no_photo_consent", "photo_known", "photo_removed"),
        *("import_state", "roles_changed", "week_changed", "site_changed", "account_changed"),
        *("stale_wording", "draft_exists", "wording_unchanged", "wording_not_in_force"),
    }
)
_STATUS = {
    "forbidden": 403,
    "record_merged": 410,
    NotSeen.code: 404,
    **dict.fromkeys(CONFLICTS, 409),
}
_SENTENCES = {
    "not_authenticated": "Sign in first: send the header `Authorization: Token …`.",
    "not_found": "There is nothing here, or it is not at your sites.",
    "error": "Something went wrong on our side. Try again; if it stays, tell the operator.",
}
# Facts that a refusal may carry beside its sentence.
_ROWS: dict[str, type[serializers.Serializer[Any]]] = {
    "nearest": PlaceSerializer,
    "bars": BarSerializer,
}
_INSTANTS, _DAYS = ("next", "first", "second", "start", "held_until"), ("earliest", "latest")


class ErrorLineSerializer(serializers.Serializer[Any]):
    """One thing that is wrong."""

    code = serializers.CharField(help_text="For programs; stable.")
    sentence = serializers.CharField(help_text="For people; says what to do.")
    field = serializers.CharField(
        allow_blank=True, help_text="The input to mend, such as `visits.0.starts_at`, or empty."
    )


class ErrorSerializer(ErrorLineSerializer):
    """Every answer of 400 and above."""

    errors = ErrorLineSerializer(  # type: ignore[assignment]  # the name is the field's here
        many=True, required=False, help_text="All of them, when there are several."
    )
    nearest = PlaceSerializer(
        many=True, required=False, help_text="Free places near a start that is taken."
    )
    instead = serializers.ListField(
        child=Instant(),
        required=False,
        help_text="Starts near the wished one that are right in this respect; they may be taken.",
    )
    bars = BarSerializer(
        many=True, required=False, help_text="Everything that bars it, the strictest first."
    )
    earliest = serializers.DateField(required=False, help_text="First local date that is right.")
    latest = serializers.DateField(required=False, help_text="Last local date that is right.")
    start = Instant(required=False, help_text="The start that is taken.")
    appointments = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="The visits in the way."
    )
    held_until = Instant(required=False, help_text="When a place that is held becomes free.")
    next = Instant(required=False, help_text="The first instant after a wall time that is not.")
    first = Instant(required=False, help_text="A repeated wall time, `fold` 0.")
    second = Instant(required=False, help_text="A repeated wall time, `fold` 1.")
    overridable = serializers.BooleanField(
        required=False, help_text="Whether an `override_reason` lets it pass, for those who may."
    )
    overlappable = serializers.BooleanField(
        required=False, help_text="Whether `overlap` with a reason lets it pass, for those who may."
    )


def handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to an exception of a view; never None, so that even a fault is JSON."""
    if all(hasattr(error, name) for name in ("code", "sentence", "field")):
        return _refusal(error)
    if isinstance(error, LoadRefused | ProtocolError):
        return _several([_line("protocol_invalid", problem) for problem in error.problems])
    if isinstance(error, exceptions.ValidationError):
        return _several(list(_lines(error.detail)))
    if isinstance(error, Http404):
        error = exceptions.NotFound(_SENTENCES["not_found"])
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _foreseen(error)
    logger.error("An endpoint failed", exc_info=error)
    return Response(_line("error", _SENTENCES["error"]), status=500)


def _refusal(refused: Any) -> Response:
    body: dict[str, Any] = _line(refused.code, refused.sentence, refused.field)
    for name in _INSTANTS:
        if hasattr(refused, name):
            body[name] = Instant().to_representation(getattr(refused, name))
    days = {name: getattr(refused, name, None) for name in _DAYS}
    body |= {name: day.isoformat() for name, day in days.items() if day is not None}
    if getattr(refused, "instead", ()):
        body["instead"] = [Instant().to_representation(start) for start in refused.instead]
    for name, shape in _ROWS.items():
        if hasattr(refused, name):
            body[name] = shape(getattr(refused, name), many=True).data
    if hasattr(refused, "appointments"):
        body["appointments"] = list(refused.appointments)
    for name in ("overridable", "overlappable"):
        if getattr(refused, name, False):
            body[name] = True
    _add_errors(body, getattr(refused, "errors", ()))
    return Response(body, status=_STATUS.get(refused.code, 400))


def _add_errors(body: dict[str, Any], errors: Sequence[Any]) -> None:
    """Everything that is to be mended, when a refusal names several things."""
    if errors:
        body["errors"] = [_line(each.code, each.sentence, each.path) for each in errors]


def _foreseen(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = f"{error.wait:.0f}"  # type: ignore[attr-defined]
    code = str(getattr(error.detail, "code", error.default_code))
    sentence = _SENTENCES[code] if code == "not_authenticated" else str(error.detail)
    return Response(_line(code, sentence), status=error.status_code, headers=headers)


def _several(lines: Sequence[dict[str, str]]) -> Response:
    body: dict[str, Any] = dict(lines[0])
    if len(lines) > 1:
        body["errors"] = lines
    return Response(body, status=400)


def _lines(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """The leaves of nested validation errors, each under its path."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _lines(inner, field if own else f"{field}.{name}".strip("."))
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _lines(inner, f"{field}.{number}".strip(".") if nested else field)
    else:
        yield _line(str(getattr(detail, "code", "invalid")), str(detail), field)


def _line(code: str, sentence: str, field: str = "") -> dict[str, str]:
    return {"code": code, "sentence": sentence, "field": field}
