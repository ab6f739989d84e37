"""GET /health/: are the parts alive? Says which, never why: anybody may ask."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from config import pulse
from reminders.ledger import claiming
from reminders.proving.measuring import measure
from reminders.sending import canary


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when every part is `ok`; 503 when one is `down`, `late`, `silent` or, if what proves it
    is down, `unknown`. `engine` counts what waits and how long: no more than anybody may know."""
    state, figures = _engine()
    parts = {"database": _database(), **_broker_side(), "engine": state, **_canary()}
    ok = all(state == "ok" for state in parts.values())
    return JsonResponse(
        {"status": "ok" if ok else "down", "parts": parts, "engine": figures},
        status=200 if ok else 503,
    )


def _canary() -> dict[str, str]:
    """Whether test texts arrive, where a site has a number for them."""
    try:
        found = canary.silences(now=claiming.database_now())
    except DatabaseError:
        return {"canary": "unknown"}
    if not found:
        return {}
    return {"canary": "silent" if any(each.is_too_long for each in found) else "ok"}


def _engine() -> tuple[str, dict[str, float]]:
    try:
        found = measure(now=claiming.database_now())
    except DatabaseError:
        return "unknown", {}
    failed = sum(
        count for (_, outcome, _), count in found.outcomes.items() if outcome != "accepted"
    )
    return "late" if found.is_late else "ok", {
        "due": found.due.total(),
        "oldest_due_seconds": round(found.oldest_due, 1),
        "lateness_p99_seconds": round(found.lateness[1], 1),
        "in_hand": found.submitting,
        "lapsed_claims": found.lapsed,
        "unknown": found.unknown,
        "held_reports": found.held_reports,
        "unplanned_patients": found.unplanned,
        "attempts_failed_15_minutes": failed,
    }


def _database() -> str:
    def ask() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True

    return _state(ask)


def _broker_side() -> dict[str, str]:
    """Redis holds the signs of worker and beat, and beat's doorbells make the worker's."""
    try:
        beat, silent = pulse.beat_lives(), pulse.silent_queues()
    except RedisError:
        return {"redis": "down", "worker": "unknown", "beat": "unknown"}
    worker = "ok" if not silent else "down" if beat else "unknown"
    return {"redis": "ok", "worker": worker, "beat": "ok" if beat else "down"}


def _state(ask: Callable[[], bool]) -> str:
    try:
        return "ok" if ask() else "down"
    except DatabaseError:
        return "down"
