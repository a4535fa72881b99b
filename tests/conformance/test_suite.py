"""The suite itself: it covers what it says, its reasons hold, it cleans up, and a client that is wrong fails in it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tests.conformance import page as pages
from tests.conformance import test_creating, test_listing, test_metering, test_persons, test_unanswered, test_updating
from tests.conformance.adapter import Adapter
from tests.conformance.place import Place, is_gone, simulated
from tests.conformance.registry import ADAPTERS, FEATURES, told_by, why_not
from tests.conformance.samples import PREFIX
from worker.vendors.contract import KNOWN

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "conformance.md"
every_vendor = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=list(ADAPTERS))


def test_the_page_of_coverage_is_up_to_date() -> None:
    assert PAGE.read_text() == pages.page(), "run: python -m tests.conformance.page > docs/conformance.md"


def test_the_suite_covers_every_known_vendor() -> None:
    assert set(ADAPTERS) == set(KNOWN)


@every_vendor
def test_what_an_adapter_says_is_missing_is_what_its_client_says(adapter: Adapter) -> None:
    told = told_by(simulated(adapter).client)

    assert {feature: feature not in adapter.lacks for feature in told} == told


@every_vendor
def test_every_reason_is_one_for_a_check_that_there_is(adapter: Adapter) -> None:
    needed = {feature for check in pages.checks() for feature in check.needs}

    assert set(adapter.lacks) - needed == set()
    assert [feature for feature, reason in adapter.lacks.items() if len(reason) < 15] == []


def test_every_feature_is_needed_by_a_check_and_had_by_a_vendor() -> None:
    needed = {feature for check in pages.checks() for feature in check.needs}

    assert set(FEATURES) == needed
    assert [feature for feature in FEATURES if all(feature in adapter.lacks for adapter in ADAPTERS.values())] == []


def test_every_capability_has_checks_and_every_check_runs_somewhere() -> None:
    found = pages.checks()

    assert {check.capability for check in found} == set(pages.CAPABILITIES)
    assert [check.name for check in found if all(why_not(one, check) for one in ADAPTERS.values())] == []


def test_every_test_that_takes_a_place_is_declared() -> None:
    declared = {(check.module, check.name) for check in pages.checks()}
    written = {
        (path.stem, node.name)
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if any(argument.arg == "place" for argument in node.args.args)
    }

    assert written == declared


@every_vendor
def test_what_a_check_makes_is_removed_where_the_vendor_can(adapter: Adapter) -> None:
    place = simulated(adapter)
    if not place.client.capabilities.create:
        assert not adapter.can_delete
        return
    record = place.make()

    left = place.tidy()

    assert str(record.name).startswith(PREFIX)
    assert left == ([] if adapter.can_delete else [record.external_id])
    assert is_gone(place, record.external_id) == adapter.can_delete


# ------------------------------------------------------------------------------- a client that is wrong fails in it
class _Wrong:
    """A client with one method exchanged, which is what a fault in it would look like."""

    def __init__(self, client: Any, **methods: Callable[..., Any]) -> None:
        self._client, self._methods = client, methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name, getattr(self._client, name))


def wrong(name: str, **methods: Callable[..., Any]) -> Place:
    place = simulated(ADAPTERS[name])
    place.way.client = _Wrong(place.way.client, **methods)
    return place


def test_a_client_that_finds_no_lost_create_would_make_a_second_record_and_fail() -> None:
    place = wrong("workspace", find_created=lambda session, intent: [])

    with pytest.raises(AssertionError):
        test_unanswered.test_a_create_that_was_made_and_not_answered_is_found_and_not_made_twice(place, "no answer")


def test_a_client_that_goes_round_the_budget_would_fail() -> None:
    place = simulated(ADAPTERS["rompslomp"])
    place.way.http.get("/companies")

    with pytest.raises(AssertionError, match="1 requests left, 0 had a turn and 0 were recorded"):
        place.assert_metered()


def test_a_client_that_repeats_records_in_a_list_would_fail() -> None:
    place = simulated(ADAPTERS["rompslomp"])
    adapter = _Wrong(place.adapter, ids=lambda client, session: ["7", "7"])
    place.adapter = adapter  # type: ignore[assignment]

    with pytest.raises(AssertionError):
        test_listing.test_a_list_holds_every_record_once(place)


def test_a_client_that_changes_more_than_is_named_would_fail() -> None:
    place = simulated(ADAPTERS["rompslomp"])
    update = place.client.update
    place.way.client = _Wrong(
        place.client, update=lambda session, at, patch, *rest: update(session, at, {**patch, "zipcode": None}, *rest)
    )

    with pytest.raises(AssertionError):
        test_updating.test_only_what_is_named_changes(place)


def test_a_client_that_drops_a_member_of_a_create_would_fail() -> None:
    place = simulated(ADAPTERS["recras"])
    create = place.client.create

    def forgetful(session: Any, intent: Any, ours: Any) -> Any:
        body = {path: value for path, value in intent.body.items() if path != "postcode"}
        return create(session, type(intent).from_json({**intent.to_json(), "body": body}), ours)

    place.way.client = _Wrong(place.client, create=forgetful)

    with pytest.raises(AssertionError):
        test_creating.test_a_record_is_read_back_as_it_was_meant(place)


def test_a_client_that_sends_only_its_own_persons_would_fail() -> None:
    place = simulated(ADAPTERS["recras"])
    update = place.client.update

    def careless(session: Any, at: str, patch: Any, persons: Any, current: Any, key: str) -> Any:
        if persons is not None:
            ours = tuple(entry for entry in persons.listing if entry[1] is not None)
            persons = type(persons)(**{**vars(persons), "listing": ours, "list_changes": True})
        return update(session, at, patch, persons, current, key)

    place.way.client = _Wrong(place.client, update=careless)

    with pytest.raises(AssertionError):
        test_persons.test_persons_of_somebody_else_survive_every_change(place)


def test_a_client_that_hides_its_calls_would_fail() -> None:
    place = simulated(ADAPTERS["routix"])
    place.way.exchanges = _Forgetful()

    with pytest.raises(AssertionError):
        test_metering.test_every_request_is_kept_with_its_status_and_its_time(place)


class _Forgetful(list[Any]):
    @override
    def append(self, value: Any) -> None:
        """Keep nothing."""
