"""
A vendor down for a day: 50,000 links due at it, while the others go on; then it comes back.

Its rate is set to 40 calls a second (the simulated Rompslomp has none), and the breaker probes every two seconds. The
others' latency is that of changes made one at a time, before and while the vendor is down. On its return the calls
that it sees are counted, and the links that are done with them: a run in which none is, or in which the vendor holds
more records than links know, is void.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from bench.e2e import name_of, one_change
from bench.processes import wait_until
from bench.product import Product, product
from bench.report import Figure, Section, median
from bench.resident import Resident
from bench.settings import Effort

RATE: Final = 40.0
OTHERS: Final = ("recras", "workspace")
WATCHED_SECONDS: Final = 20.0

_CONTACTS: Final = """
    INSERT INTO contact (source, source_id, version, content_hash, name, canonical, raw, fetched_at, fetch_wanted,
        fetch_done)
    SELECT source, (900000 + n)::text, 1, md5(n::text), 'Wachtrij ' || n,
        replace(replace(canonical::text, 'Wachtrij', 'Wachtrij ' || n), '"' || source_id || '"',
            '"' || 900000 + n || '"')::jsonb, raw, now(), 1, 1
    FROM contact, generate_series(1, %(count)s) AS n WHERE name = 'Wachtrij'
"""
_LINKS: Final = """
    INSERT INTO link (contact_id, system, state, wanted_version, next_attempt_at, since, reason, attempts)
    SELECT id, 'rompslomp', 'waiting', 1, now() - interval '1 minute', now() - interval '1 day', 'server_error', 2
    FROM contact WHERE name LIKE 'Wachtrij %%'
"""
_DRAINED: Final = """
    SELECT count(*) FROM link JOIN contact ON contact.id = link.contact_id
    WHERE link.system = 'rompslomp' AND link.external_id IS NOT NULL AND contact.name LIKE 'Wachtrij %%'
"""
_COUNT: Final = "SELECT count(*) FROM link WHERE system = 'rompslomp' AND "


def run(effort: Effort) -> Section:
    """Before, during and after."""
    section = Section("down")
    fast = {"rate_per_second": 200.0, "burst": 50}
    systems = {"rompslomp": {"rate_per_second": RATE, "burst": 10}, "recras": fast, "workspace": fast}
    systems["robaws"] = {"rate_per_second": 15.0, "burst": 20}
    sections: dict[str, dict[str, Any]] = {"breaker": {"probe_seconds": 2.0}, "reconcile": {"interval_seconds": 0}}
    with product(unlimited=False, systems=systems, sections=sections) as made:
        ids = made.clients(20)
        made.sandbox.world.robaws.add_client(name="Wachtrij")
        wait_until(lambda: made.count("SELECT count(*) FROM contact WHERE name = 'Wachtrij'") == 1, 30, "it is known")
        made.settle()
        samples = max(20, effort.samples // 4)
        before = [one_change(made, ids, number, OTHERS)[0] for number in range(samples)]
        held = Resident(made.parts)
        held.look("before")
        _goes_down(made, effort.down_links)
        during = [one_change(made, ids, samples + number, OTHERS, rest=False)[0] for number in range(samples)]
        held.look("while it is down")
        rate, drained = _comes_back(made)
        held.look("draining")
        last = [name_of(ids, number) for number in range(2 * samples - len(ids), 2 * samples)]
        section.void = _wrong(made, last) or ("" if drained else "no link that waited was delivered")
    for words, took in (("before", before), ("while it is down", during)):
        runs = tuple(1000 * one for one in took)
        section.add(Figure(f"a change at the others, {words}", round(median(runs), 1), "ms", runs=runs))
    section.add(Figure("the others, down against before", round(median(during) / median(before), 2), "x", 1.2, "lower"))
    held.tell(section)
    section.add(Figure("links that waited", effort.down_links, "links"))
    words = f"links done within {WATCHED_SECONDS:.0f} s of its return"
    section.add(Figure(words, drained, "links", note="a first link is several calls"))
    section.add(Figure("calls on its return", round(100 * rate / RATE, 1), "% of its rate", 95.0))
    return section


def _goes_down(made: Product, count: int) -> None:
    made.sandbox.simulators["rompslomp"].fail("status", times=-1, status=503)
    with psycopg.connect(made.running.database_url) as connection:
        connection.execute(_CONTACTS, {"count": count})
        connection.execute(_LINKS, {})
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE) link")
        connection.execute("VACUUM (ANALYZE) contact")
    wait_until(
        lambda: made.count("SELECT count(*) FROM system_state WHERE system = 'rompslomp' AND breaker <> 'closed'") == 1,
        60,
        "the breaker opens",
    )


def _comes_back(made: Product) -> tuple[float, int]:
    """Calls a second that the vendor sees once it is back, and links that are done with them."""
    rompslomp = made.sandbox.simulators["rompslomp"]
    made.forget_calls()
    rompslomp.clear_faults()
    wait_until(lambda: len(rompslomp.calls()) > 2 * RATE, 60, "it is called again", every=0.1)
    first = rompslomp.calls()[-1].at
    wait_until(lambda: rompslomp.calls()[-1].at - first > WATCHED_SECONDS, 60, "the window is over", every=0.1)
    seen = [call for call in rompslomp.calls() if first < call.at <= first + WATCHED_SECONDS]
    return len(seen) / WATCHED_SECONDS, made.count(_DRAINED)


def _wrong(made: Product, names: list[str]) -> str:
    for system in OTHERS:
        held = [str(one) for one in made.records(system)]
        for name in names:
            if sum(name in one for one in held) != 1:
                return f"{system} does not hold {name!r} once"
    # It goes down once more, so that nothing is under way there while both sides are counted.
    made.sandbox.simulators["rompslomp"].fail("status", times=-1, status=503)
    wait_until(lambda: made.count(_COUNT + "state = 'working'") == 0, 60, "nothing is under way there", every=0.2)
    known = made.count(_COUNT + "external_id IS NOT NULL")
    unknown = made.count(_COUNT + "external_id IS NULL AND state = 'unknown'")
    records = len(made.records("rompslomp"))
    if not known <= records <= known + unknown:
        return f"rompslomp holds {records} records for {known} links and {unknown} that wait to know"
    return ""
