"""GET /metrics/: the engine's figures for Prometheus, to whoever brings the token."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reminders.ledger import claiming
from reminders.proving.measuring import Measures, measure
from reminders.sending import canary


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """403 without the token of METRICS_TOKEN as bearer; not there at all when none is set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(
        request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
    ):
        return HttpResponse(status=403)
    now = claiming.database_now()
    figures = _Engine(measure(now=now), canary.silences(now=now))
    return HttpResponse(generate_latest(figures), content_type=CONTENT_TYPE_LATEST)


class _Engine(Collector):
    def __init__(self, measures: Measures, silences: Sequence[canary.Silence]) -> None:
        self._measures = measures
        self._silences = silences

    def collect(self) -> Iterator[Metric]:
        m = self._measures
        due = GaugeMetricFamily(
            "afterglow_due", "Messages due and not taken up", labels=["priority"]
        )
        for priority in range(5):
            due.add_metric([str(priority)], m.due[priority])
        yield due
        yield _gauge(
            "oldest_due_seconds", "How long the oldest due message has waited", m.oldest_due
        )
        yield _gauge("submitting", "Messages being handed to a provider", m.submitting)
        yield _gauge("lapsed_claims", "Claims whose lease ended a lease ago", m.lapsed)
        yield _gauge("unknown", "Messages whose outcome is unknown", m.unknown)
        yield _gauge("oldest_unknown_seconds", "Age of the oldest of them", m.oldest_unknown)
        yield _gauge("unplanned_patients", "Patients waiting to be planned", m.unplanned)
        yield _gauge("held_reports", "Reports that could not be dealt with yet", m.held_reports)
        late = GaugeMetricFamily(
            "afterglow_lateness_seconds",
            "From due to the first attempt, last 15 minutes",
            labels=["quantile"],
        )
        for quantile, seconds in zip(("0.5", "0.99"), m.lateness, strict=True):
            late.add_metric([quantile], seconds)
        yield late
        attempts = GaugeMetricFamily(
            "afterglow_attempts",
            "Attempts of the last 15 minutes",
            labels=["provider", "outcome", "code"],
        )
        for labels, count in sorted(m.outcomes.items()):
            attempts.add_metric(labels, count)
        yield attempts
        silent = GaugeMetricFamily(
            "afterglow_canary_silence_seconds",
            "Since the last test text that came back was sent out",
            labels=["site"],
        )
        for silence in self._silences:
            silent.add_metric([silence.site], silence.seconds)
        yield silent


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"afterglow_{name}", says, value=value)
