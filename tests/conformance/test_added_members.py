"""Answers with members that no page names, of every type and in every object: a vendor may add them any day."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import httpx

from tests.conformance.declared import FAULT, check
from tests.conformance.place import Place
from tests.conformance.wire import Answering, Interference

ROUNDS = 12
"""How often members are made up for one check; each answer within a round gets others."""


def anything(random: Random, depth: int = 2) -> Any:
    """A JSON value of any type."""
    simple = [None, True, False, 0, -1, 2.5, "", "new", "2026-03-02"]
    match random.randrange(4 if depth else 2):
        case 0 | 1:
            return random.choice(simple)
        case 2:
            return [anything(random, depth - 1) for _ in range(random.randrange(3))]
        case _:
            return {f"inner_{n}": anything(random, depth - 1) for n in range(random.randrange(3))}


def enriched(value: Any, random: Random) -> Any:
    """The value with a few new members in each of its objects."""
    if isinstance(value, list):
        return [enriched(item, random) for item in value]
    if not isinstance(value, dict):
        return value
    added = {f"added_{n}": anything(random) for n in range(random.randrange(1, 4))}
    return {**{name: enriched(inner, random) for name, inner in value.items()}, **added}


def adding(seed: int) -> Interference:
    """Stands at the wire and adds members to every answer in JSON."""
    random = Random(seed)

    def interfere(request: httpx.Request, answer: Answering) -> httpx.Response:
        response = answer(request)
        response.read()
        try:
            body = json.loads(response.content)
        except ValueError:
            return response
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return httpx.Response(response.status_code, headers=headers, json=enriched(body, random))

    return interfere


@check("Reading", "single read", simulator_only=FAULT)
def test_a_record_reads_the_same_with_members_that_no_page_names(place: Place) -> None:
    plain = place.there()

    for seed in range(ROUNDS):
        place.wire.interfere = adding(seed)
        shown = place.read(plain.external_id)

        assert (shown.fields, shown.persons, shown.reference) == (plain.fields, plain.persons, plain.reference)
        assert (shown.usable, shown.emails, shown.name) == (plain.usable, plain.emails, plain.name)


@check("Listing", simulator_only=FAULT)
def test_a_list_holds_the_same_records_with_members_that_no_page_names(place: Place) -> None:
    place.there()
    plain = list(place.ids())

    for seed in range(ROUNDS):
        place.wire.interfere = adding(seed)

        assert list(place.ids()) == plain


@check("Creating", "create", simulator_only=FAULT)
def test_a_create_makes_one_record_with_members_that_no_page_names(place: Place) -> None:
    place.wire.interfere = adding(1)
    intent = place.intent(place.contact())

    external_id = place.settled(intent, place.send(intent))

    assert place.read(external_id).external_id == external_id
    assert len(place.adapter.names(place.simulator)) == 1


@check("Updating", "update", simulator_only=FAULT)
def test_a_change_arrives_with_members_that_no_page_names(place: Place) -> None:
    before, patch = place.make(), place.new_city()
    place.wire.interfere = adding(2)

    place.update(before, patch)

    after = place.read(before.external_id)
    assert {path: after.fields[path] for path in patch} == patch
