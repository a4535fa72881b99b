"""
`GET /metrics`: what this process counted, and the summary as gauges, in Prometheus's text format.

It shares the event loop with the webhooks, so its larger part, the summary's gauges, is made once a second at most. A
database that does not answer holds nobody up for longer than a monitor waits: the counts of this process come without
the gauges then.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from webhooks.problems import Problem
from worker.store import systems

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from starlette.requests import Request

    from webhooks.database import Database
    from webhooks.figures import Figures, Histogram
    from webhooks.group_commit import GroupCommit
    from webhooks.refusals import Refusals
    from worker.config import Settings
    from worker.store.arrivals import Arrivals
    from worker.store.summary import Summary
    from worker.store.systems import SystemView

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SUMMARY_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
"""How long the summary is waited for. Prometheus gives a scrape ten seconds."""
SYSTEM_STATES: Final = ("running", "paused", "broken", "probing", "disabled")


class ProcessFigures(Collector):
    """The counts of this receiver."""

    def __init__(self, figures: Figures, commit: GroupCommit, refusals: Refusals) -> None:
        self.figures = figures
        self.commit = commit
        self.refusals = refusals

    @override
    def collect(self) -> Iterator[Metric]:
        """Everything that was counted."""
        figures = self.figures
        results = CounterMetricFamily(
            "contactsync_webhook_requests", "Requests to the webhook address, by what became of them", labels=["result"]
        )
        for result, count in sorted(figures.results.items()):
            results.add_metric([result], count)
        yield results
        yield _histogram(
            "contactsync_accept_seconds", "From the whole body to its commit, of events stored or seen", figures.latency
        )
        yield _histogram("contactsync_accept_batch_events", "Events that shared one commit", figures.batch)
        yield GaugeMetricFamily(
            "contactsync_accept_waiting_events", "Events that wait for their commit", self.commit.waiting
        )
        yield CounterMetricFamily(
            "contactsync_accept_failed_commits",
            "Commits that failed; their senders were asked to come again",
            figures.failed_commits,
        )
        yield CounterMetricFamily(
            "contactsync_database_connects", "Connections that the flusher made", figures.reconnects
        )
        yield GaugeMetricFamily(
            "contactsync_database_connected", "Whether the flusher has its database", int(self.commit.connected)
        )
        yield CounterMetricFamily("contactsync_nudges", "Nudges handed to the broker", figures.nudges_sent)
        yield _counted("contactsync_api_requests", "Calls of the API, by status", "status", figures.api_requests)
        yield _counted(
            "contactsync_refusals", "Requests and connections turned away, by kind", "kind", self.refusals.counts
        )
        yield GaugeMetricFamily("contactsync_connections", "Open connections", figures.connections())
        yield GaugeMetricFamily("contactsync_connections_limit", "Open connections at most", figures.most_connections)


class SummaryFigures(Collector):
    """The summary as gauges; without one (the database is away) there are none, rather than old ones."""

    def __init__(self, summary: Summary | None, views: Mapping[str, SystemView]) -> None:
        self.summary = summary
        self.views = views

    @override
    def collect(self) -> Iterator[Metric]:
        """One family for each part of the summary."""
        summary = self.summary
        yield GaugeMetricFamily(
            "contactsync_summary_read", "Whether the summary could be read", int(summary is not None)
        )
        if summary is None:
            return
        yield _labelled("contactsync_events", "Events by state, since the beginning", "state", _parts(summary.events))
        yield GaugeMetricFamily(
            "contactsync_conservation",
            "received - applied - skipped - open - dead: anything but 0 is a fault",
            summary.conservation,
        )
        yield _labelled("contactsync_contacts", "Contacts by kind of count", "count", _parts(summary.contacts))
        links = GaugeMetricFamily("contactsync_links", "Links by system and state", labels=["system", "state"])
        for name, states in summary.links.items():
            for state, count in states.items():
                links.add_metric([name, state], count)
        yield links
        yield from _webhooks(summary.webhooks)
        yield from _systems(summary)
        yield from rates(self.views)


def rates(views: Mapping[str, SystemView]) -> Iterator[Metric]:
    """How often the systems are called after they refused calls, and how many they refused."""
    rate = GaugeMetricFamily(
        "contactsync_learned_rate_per_second", "Calls a second after calls were refused (429)", labels=["system"]
    )
    refusals = GaugeMetricFamily(
        "contactsync_rate_refusals", "Calls refused (429) since a client last got through", labels=["system"]
    )
    for name, view in views.items():
        if view.rate is not None:
            rate.add_metric([name], view.rate)
        refusals.add_metric([name], view.recovery.refusals if view.recovery else 0)
    yield from (rate, refusals)


def _webhooks(arrivals: Arrivals) -> Iterator[Metric]:
    if arrivals.last_event_seconds is not None:
        text = "Age of the newest event; there is none before the first"
        yield GaugeMetricFamily("contactsync_last_event_age_seconds", text, arrivals.last_event_seconds)
    refused = GaugeMetricFamily(
        "contactsync_webhooks_refused", "Webhooks of the last 7 days that were refused, by reason", labels=["reason"]
    )
    for one in arrivals.refused:
        refused.add_metric([one.reason], one.requests)
    yield refused
    obstructed = "1 while webhooks are refused for a wrong set-up and none has got in since"
    yield GaugeMetricFamily("contactsync_webhooks_obstructed", obstructed, int(arrivals.obstacle is not None))


def _systems(summary: Summary) -> Iterator[Metric]:
    state = GaugeMetricFamily("contactsync_system_state", "1 for the state it is in", labels=["system", "state"])
    oldest = GaugeMetricFamily("contactsync_oldest_due_seconds", "Age of the oldest work owed", labels=["system"])
    calls = GaugeMetricFamily("contactsync_calls_today", "Calls made today", labels=["system"])
    quota = GaugeMetricFamily("contactsync_quota_remaining", "Calls left today, where that is known", labels=["system"])
    for name, system in summary.systems.items():
        for word in SYSTEM_STATES:
            state.add_metric([name, word], int(system.state == word))
        oldest.add_metric([name], system.oldest_due_seconds)
        calls.add_metric([name], system.calls_today)
        if system.quota_remaining is not None:
            quota.add_metric([name], system.quota_remaining)
    yield from (state, oldest, calls, quota)


def _parts(counts: object) -> dict[str, int]:
    return dict(vars(counts))


def _labelled(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, count in values.items():
        family.add_metric([word], count)
    return family


def _counted(name: str, text: str, label: str, counts: Mapping[str, int] | Mapping[int, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for word, count in sorted(counts.items()):
        family.add_metric([str(word)], count)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(name, text, buckets=histogram.cumulated(), sum_value=histogram.total)


class Exposition:
    """What `/metrics` answers, and to whom: to everybody who reaches it, unless `receiver.metrics_token` is set."""

    def __init__(
        self, settings: Settings, database: Database, figures: Figures, commit: GroupCommit, refusals: Refusals
    ) -> None:
        token = settings.receiver.metrics_token
        self._digest = None if token is None else sha256(token.get_secret_value().encode()).digest()
        self._database = database
        self._refusals = refusals
        self._process = ProcessFigures(figures, commit, refusals)
        self._summary: tuple[float, bytes] | None = None
        self._making = asyncio.Lock()

    def require_token(self, request: Request) -> None:
        """Problem 401 without the token, where one is set."""
        if self._digest is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        digest = sha256(given.strip().encode("utf-8", "surrogateescape")).digest()
        if scheme.lower() == "bearer" and hmac.compare_digest(digest, self._digest):
            return
        self._refusals.note("metrics_token", request.client.host if request.client else None, status=401)
        raise Problem(
            401,
            "send receiver.metrics_token as `Authorization: Bearer TOKEN`",
            headers={"WWW-Authenticate": 'Bearer realm="contactsync"'},
        )

    async def text(self) -> bytes:
        """The counts of this process as they are now, and the summary's gauges, made a second ago at most."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._making:
            # Whoever asked while it was being made gets what was made: else they would wait for one after the other.
            if self._summary is None or asked - self._summary[0] >= SUMMARY_SECONDS:
                summary = await self._summary_text()
                self._summary = (loop.time(), summary)
            summary = self._summary[1]
        return _text(self._process) + summary

    async def _summary_text(self) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found, views = await self._database.summary(), await self._database.run(systems.views)
            return _text(SummaryFigures(found, views))
        except (Problem, TimeoutError):
            return _text(SummaryFigures(None, {}))


def _text(collector: Collector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)
