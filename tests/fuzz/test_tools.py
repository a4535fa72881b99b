"""The fuzzer's own parts: inputs that mean something, changes that can be made again, and an eye that sees a fault."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tools.fuzz import line
from tools.fuzzing import documents, mutation, page
from tools.fuzzing.mutation import cross, mutate, slots
from tools.fuzzing.receiver import ReceiverTarget
from tools.fuzzing.running import Found
from tools.fuzzing.scripted import CREDENTIAL, Scripted, check_error, check_exchanges, check_value
from tools.fuzzing.targets import CORPUS, NAMES
from tools.fuzzing.vendors import CALLS
from webhooks.group_commit import Arrival
from worker.core.wire import Exchange, Request
from worker.errors import MappingError, SyncError, VendorBroken

SEED = (CORPUS / "recras" / "deliver.json").read_bytes()
FOUND = Found("recras", 121.4, 123_456, 1_200, 2_600, 7, ((Path("/x/tests/fuzz/crashes/recras/1.json"), "ValueError"),))


def flip(data: bytes, most: int) -> bytes:
    """In place of libFuzzer's own mutation."""
    return (data[::-1] + b"\xff")[:most]


def test_a_change_can_be_made_again_and_stays_within_its_room() -> None:
    made = [mutate(SEED, 4_000, seed, flip) for seed in range(500)]

    assert made == [mutate(SEED, 4_000, seed, flip) for seed in range(500)]
    assert max(map(len, made)) <= 4_000
    assert len(set(made)) > 350


def test_most_changes_leave_a_body_that_is_json() -> None:
    documents_made = [documents.read(mutate(SEED, 8_000, seed, flip)) for seed in range(500)]
    bodies = [
        documents.bytes_of(answer.get("body"))
        for document in documents_made
        if isinstance(answers := document.get("answers"), list)
        for answer in answers
        if isinstance(answer, dict)
    ]
    readable = [body for body in bodies if is_json(body)]

    assert len(readable) > 0.7 * len(bodies) > 0
    assert len(readable) < len(bodies)


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def test_two_inputs_have_children() -> None:
    other = (CORPUS / "recras" / "check.json").read_bytes()

    made = {cross(SEED, other, 20_000, seed) for seed in range(50)}

    assert len(made) > 10
    assert all("answers" in documents.read(one) or documents.read(one) for one in made)


@pytest.mark.parametrize("data", [b"", b"\xff\x00", b"[1]", b'{"body":', b"[" * 5_000])
def test_any_bytes_are_an_input(data: bytes) -> None:
    assert documents.bytes_of(documents.read(data)["body"]) == data
    assert documents.read(documents.write(documents.read(data))) == documents.read(data)


def test_every_value_of_a_document_can_be_changed() -> None:
    document: dict[str, Any] = {"a": [{"b": 1}, 2], "c": {}}

    assert sorted(str(place) for _, place in slots(document)) == ["0", "1", "a", "b", "c"]


def test_a_value_that_is_doubled_is_two_values() -> None:
    document = {"answers": [{"x": [1]}]}
    for seed in range(300):
        mutation._change(document, Random(seed), flip)

    inner = [id(holder[place]) for holder, place in slots(document) if isinstance(holder[place], list | dict)]
    assert len(set(inner)) == len(inner)


# ---------------------------------------------------------------------------------------------------- an eye that sees
def session(document: dict[str, Any]) -> Scripted:
    return Scripted("recras", document)


@pytest.mark.parametrize("value", ["a\x00b", {"\x00": 1}, [["\x00"]]])
def test_what_postgresql_does_not_store_is_seen(value: Any) -> None:
    with pytest.raises(AssertionError, match="NUL"):
        check_value(value)


def test_an_escaped_nul_that_is_none_is_no_fault() -> None:
    check_value({"text": "\\u0000"})


@pytest.mark.parametrize(
    "error",
    [MappingError("another kind"), VendorBroken("\x00"), VendorBroken("x", fields={"\x00": ""}),
     VendorBroken("x", excerpt="x" * 5_000), VendorBroken("x", reason="Not a word")],
)  # fmt: skip
def test_an_error_that_breaks_a_promise_is_seen(error: SyncError) -> None:
    with pytest.raises(AssertionError):
        check_error(error, session({}))


def test_a_credential_in_what_is_kept_is_seen() -> None:
    exchange = Exchange("recras", Request("read", "GET", "/x"), 200, f"key {CREDENTIAL}", None, 0.0, 0.0)

    with pytest.raises(AssertionError, match="credential"):
        check_exchanges([exchange])


def test_a_client_that_asks_for_ever_is_seen() -> None:
    way = session({"answers": [{"status": 200}]})

    def ask() -> None:
        for _ in range(100):
            way.send(Request("read", "GET", "/x"))

    with pytest.raises(AssertionError, match="goes on asking"):
        ask()


def test_an_event_that_is_stored_otherwise_than_it_came_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    target = ReceiverTarget()
    right = (CORPUS / "receiver" / "right.json").read_bytes()
    target(right)
    keep = target.writer.store

    async def store(arrival: Arrival) -> Any:
        arrival.body += b" "
        return await keep(arrival)

    monkeypatch.setattr(target.writer, "store", store)
    try:
        with pytest.raises(AssertionError, match="otherwise"):
            target(right)
    finally:
        target.close()


@pytest.mark.parametrize("system", CALLS)
def test_the_corpus_has_answers_for_every_call(system: str) -> None:
    calls = {str(documents.read(path.read_bytes()).get("call")) for path in (CORPUS / system).glob("*.json")}

    assert set(CALLS[system]) <= calls


# ------------------------------------------------------------------------------------------------------------ the page
def test_the_table_goes_to_its_place_and_says_no_path() -> None:
    text = page.put(f"before\n{page.BEGIN}\nold\n{page.END}\nafter", page.table([FOUND], "2026-01-02", "2 cores"))

    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "| `recras` | 121 | 123,456 | 1,200 | 2,600 | 7 | 1 |" in text
    assert "/x/" not in text


def test_a_page_without_a_place_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="no place"):
        page.put("a page", "a table")


def test_the_page_has_a_row_for_every_target() -> None:
    text = page.PAGE.read_text()

    assert re.findall(r"^\| `(\w+)` \| [\d,]+ \| [\d,]+ \|", text, re.MULTILINE) == list(NAMES)


def test_a_line_names_what_crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.fuzz.ROOT", Path("/x"))

    assert "123,456 inputs" in line(FOUND)
    assert "tests/fuzz/crashes/recras/1.json: ValueError" in line(FOUND)
