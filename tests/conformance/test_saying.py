"""`check()`: a line for each thing that was looked at, and for each that is wrong what to do. It never raises."""

from __future__ import annotations

import httpx

from tests.conformance.declared import FAULT, STATE, check
from tests.conformance.place import Place, Way
from worker.vendors.contract import Finding


def findings(way: Way) -> list[Finding]:
    found: list[Finding] = way.client.check(way.session())
    return found


def only_fault(found: list[Finding]) -> Finding:
    """The one finding that is not right; it must say what, and what to do."""
    wrong = [finding for finding in found if not finding.ok]
    assert len(wrong) == 1, found
    assert wrong[0].message
    assert wrong[0].next_step
    return wrong[0]


def secret_in(place: Place, way: Way, found: list[Finding]) -> bool:
    return any(secret in repr(found) for secret in place.adapter.secrets(way.settings))


@check("What check() says")
def test_check_finds_nothing_wrong_where_nothing_is(place: Place) -> None:
    if place.simulator is not None:
        place.adapter.without_a_worry(place.simulator)

    found = findings(place.way)

    open_ = set() if place.simulator is not None else place.adapter.open_on_a_tenant
    assert len(found) >= 2
    assert [finding for finding in found if not finding.ok and finding.subject not in open_] == []


@check("What check() says")
def test_check_tells_of_wrong_credentials(place: Place) -> None:
    way = place.other_way(**place.adapter.wrong_credentials())

    found = findings(way)

    assert only_fault(found).subject == place.adapter.says.credentials
    assert len(way.wire.left) == 1
    assert not secret_in(place, way, found)


@check("What check() says", simulator_only=STATE)
def test_check_tells_of_a_missing_right(place: Place) -> None:
    place.adapter.take_the_right(place.simulator)

    wrong = [finding for finding in findings(place.way) if not finding.ok]

    # One line for each part of the vendor that the right is missing for.
    assert wrong
    assert [one for one in wrong if not one.subject.startswith(place.adapter.says.right)] == []
    assert all(finding.message and finding.next_step for finding in wrong)


@check("What check() says")
def test_check_tells_of_a_wrong_address(place: Place) -> None:
    way = place.other_way(**place.adapter.wrong_address(place.way.settings))

    assert only_fault(findings(way)).subject == place.adapter.says.address


@check("What check() says", simulator_only=FAULT)
def test_check_tells_of_a_vendor_that_cannot_be_reached(place: Place) -> None:
    with place.cut_off():
        found = findings(place.way)

    assert only_fault(found).subject == place.adapter.says.unreachable


@check("What check() says", simulator_only=FAULT)
def test_check_tells_of_a_vendor_that_asks_to_wait(place: Place) -> None:
    place.simulator.fail("throttle", times=-1)

    assert only_fault(findings(place.way)).subject == place.adapter.says.limited


@check("What check() says", simulator_only=FAULT)
def test_check_tells_of_an_answer_that_is_not_the_vendors(place: Place) -> None:
    page = {"content-type": "text/html"}
    with place.answered(lambda _: httpx.Response(200, headers=page, text="<html>Log in</html>"), done=False):
        found = findings(place.way)

    assert only_fault(found).subject == place.adapter.says.broken


@check("What check() says", simulator_only=FAULT)
def test_check_never_raises_whatever_happens(place: Place) -> None:
    faults = [("status", {"status": status}) for status in (400, 401, 403, 404, 405, 406, 409, 418, 422, 429, 500, 503)]
    faults += [("html", {"status": 404}), ("truncate", {}), ("wrong_json", {}), ("empty", {}), ("drop_after", {})]
    silent = []
    for kind, settings in faults:
        place.simulator.fail(kind, times=-1, **settings)
        if all(finding.ok for finding in findings(place.way)):
            silent.append((kind, settings))
        place.simulator.clear_faults()

    assert silent == []


@check("What check() says")
def test_check_writes_nothing(place: Place) -> None:
    findings(place.way)

    methods = {request.method for request in place.wire.left if not request.url.path.endswith("/oauth-token")}
    assert methods == {"GET"}
