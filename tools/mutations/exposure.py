"""What strangers can reach: hosts, headers, connections, shares of the API, and the sandbox's control API."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

MUTATIONS: Final = (
    Mutation(
        "any host is ours",
        "a request under a name that is not ours is turned away",
        "webhooks/hosts.py",
        '        if parts is None or (parts[1] or parts[2].rstrip(".")) not in self.names:\n',
        "        if parts is None:\n",
        "tests/webhooks/test_hosts.py::test_another_name_is_misdirected_wherever_it_goes",
    ),
    Mutation(
        "two hosts are one",
        "a request that does not name exactly one host is refused",
        "webhooks/hosts.py",
        "                if host is not None:\n                    return _MISSING\n",
        "",
        "tests/webhooks/test_hosts.py::test_a_request_that_does_not_name_one_host_is_refused",
    ),
    Mutation(
        "answers go out as they are",
        "every answer carries the security headers",
        "webhooks/protocol.py",
        "            self._head = secured(data)\n",
        "            self._head = data\n",
        "tests/webhooks/test_headers.py::test_every_kind_of_answer_has_them",
    ),
    Mutation(
        "connections without end",
        "idle connections make room before the open files are used up",
        "webhooks/protocol.py",
        "        if len(self.connections) > self.server_state.most_connections:\n",
        "        if len(self.connections) > 1_000_000:\n",
        "tests/webhooks/test_connections.py::test_more_idle_connections_than_open_files_do_not_stop_webhooks",
    ),
    Mutation(
        "a sender of events is closed like any other",
        "a connection is not closed while it sends a signed event or waits for its answer",
        "webhooks/connections.py",
        "if not connection.sender.signed or connection.activity is Activity.IDLE",
        "if connection.sender is not None",
        "tests/webhooks/test_connections.py::test_a_sender_of_signed_events_is_not_closed_while_it_sends_or_waits",
    ),
    Mutation(
        "the body is read first",
        "no body is read for a signature that none can make right",
        "webhooks/receive.py",
        "        claim = self._claim(signed)\n        body = await self._read(receive)\n",
        "        body = await self._read(receive)\n        claim = self._claim(signed)\n",
        "tests/webhooks/test_limits.py::test_a_signature_that_no_body_can_make_right_is_refused_before_the_body",
    ),
    Mutation(
        "refusals are not counted",
        "what is turned away is counted and seen in the log",
        "webhooks/refusals.py",
        "        self._count(kind)\n        self._refused.note(kind, address=address, **details)\n",
        "        self._count(kind)\n",
        "tests/webhooks/test_refusals.py::test_an_attack_on_the_signature_is_counted_and_logged_once",
    ),
    Mutation(
        "the metrics want no token",
        "the metrics are for whoever has their token, where one is set",
        "webhooks/metrics.py",
        '        if scheme.lower() == "bearer" and hmac.compare_digest(digest, self._digest):\n',
        '        if scheme.lower() == "bearer" or hmac.compare_digest(digest, self._digest):\n',
        "tests/webhooks/test_pages.py::test_metrics_want_their_token_where_one_is_set",
    ),
    Mutation(
        "scrapes wait for one another",
        "scrapes that come together share one reading of the summary",
        "webhooks/metrics.py",
        "            if self._summary is None or asked - self._summary[0] >= SUMMARY_SECONDS:\n",
        "            if self._summary is None or loop.time() - self._summary[0] >= SUMMARY_SECONDS:\n",
        "tests/webhooks/test_pages.py::test_scrapes_that_come_together_share_one_summary",
    ),
    Mutation(
        "one caller takes all places",
        "a caller of the API has a share of the database, and no more",
        "webhooks/database.py",
        "self._callers.setdefault(caller, asyncio.Semaphore(CALLS_OF_ONE))",
        "self._callers.setdefault(caller, asyncio.Semaphore(CALLS_OF_ONE * 100))",
        "tests/webhooks/test_shares.py::test_a_viewer_with_many_searches_does_not_keep_an_operator_waiting",
    ),
    Mutation(
        "any page may use the sandbox",
        "a page of another site changes nothing in the sandbox",
        "worker/sandbox/guard.py",
        "    if not _same_origin(headers, safe=request.method in _SAFE):\n",
        "    if not _same_origin({}, safe=request.method in _SAFE):\n",
        "tests/sandbox/test_guard.py::test_a_page_of_another_site_changes_nothing",
    ),
    Mutation(
        "public credentials open a real installation",
        "the sandbox's credentials are refused beside a system that is not simulated",
        "worker/config/checks.py",
        "    if not real:\n        return\n",
        "    if real or not real:\n        return\n",
        "tests/config/test_edge.py::test_the_secret_of_the_sandbox_beside_real_systems_is_refused",
    ),
)
