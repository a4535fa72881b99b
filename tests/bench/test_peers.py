"""What is said of other products' receivers: fairly, and nothing of one whose answers are worth nothing."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from bench import peers
from bench.peers import Peer, Started, Unavailable

if TYPE_CHECKING:
    from worker.embedded.servers import LocalServers


def result(*, errors: int = 0, **statuses: int) -> dict[str, Any]:
    counts = {name.removeprefix("s"): count for name, count in statuses.items()}
    return {"statuses": counts, "answered": sum(counts.values()), "errors": errors}


@pytest.mark.parametrize(
    ("started", "results", "said"),
    [
        (Started(1, lambda: 12), [result(s202=7), result(s200=5)], ""),
        (Started(1, None), [result(s202=7)], ""),
        (Started(1, lambda: 11), [result(s202=12)], "12 answered, 11 stored"),
        (Started(1, None), [result(s202=7, s401=2)], "2 answers were not 2xx"),
        (Started(1, None), [result(s202=7, errors=3)], "3 answers were not 2xx"),
    ],
    ids=["all stored", "stores nothing", "one is not there", "refused", "broken off"],
)
def test_figures_count_only_with_right_answers_and_every_stored_event_there(
    started: Started, results: list[dict[str, Any]], said: str
) -> None:
    assert peers.judged(started, results) == said


def test_a_peer_that_cannot_be_had_is_named_with_its_reason_and_is_not_tried_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def install() -> Path:
        tried.append("install")
        raise Unavailable("did not install: no such package")

    def begin(*_: object) -> Started:
        raise AssertionError("what is not installed is not started")

    monkeypatch.setattr(peers, "FOLDER", tmp_path / "peers")
    monkeypatch.setattr(peers, "PEERS", {"nowhere": Peer("nothing", install, begin)})

    with ExitStack() as stack:
        first = peers.start(stack, tmp_path, cast("LocalServers", None))
        second = peers.start(stack, tmp_path, cast("LocalServers", None))

    assert first == ({}, {"nowhere": "did not install: no such package"})
    assert second[1]["nowhere"].startswith("did not install: no such package (tried ")
    assert tried == ["install"]


def test_a_command_that_fails_says_why_without_addresses_and_one_that_hangs_is_ended(tmp_path: Path) -> None:
    fails = ["sh", "-c", "echo 'npm error network request to https://registry.example/x failed' >&2; exit 1"]

    with pytest.raises(Unavailable, match="network request to failed"):
        peers._run(fails, tmp_path, "n8n")
    with pytest.raises(Unavailable, match="within 1 s"):
        peers._run(["sleep", "600"], tmp_path, "n8n", seconds=1)
