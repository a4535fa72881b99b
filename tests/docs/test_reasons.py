"""Each reason word that the code can produce is explained on the page for operators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.reasons import reasons_in
from worker.core.what_to_do import BY_REASON, REVIVED, SAME_AS, WORDS, what_to_do
from worker.store.budget import _SENTENCES
from worker.store.requests import REFUSED

PAGE = ROOT / "docs" / "failures.md"


def explained() -> set[str]:
    """The words in the first column of the page's tables."""
    rows = re.findall(r"^\| (`[a-z_]+`[^|]*)\|", PAGE.read_text(), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([a-z_]+)`", row)}


def vendor_words() -> set[str]:
    """The last part of Rompslomp's own types of a refused request, which becomes the word (`rules.refusal`)."""
    text = "".join(path.read_text() for path in (ROOT / "worker" / "vendors" / "rompslomp").glob("simulator*.py"))
    return set(re.findall(r"client\.parameters\.([a-z_]+)", text))


def test_every_reason_in_the_code_is_explained() -> None:
    known = explained()

    missing = {word: place for word, place in reasons_in(ROOT).items() if word not in known}

    assert missing == {}


def test_the_words_of_the_budget_and_of_refused_data_are_explained() -> None:
    assert {*_SENTENCES, *REFUSED} - explained() == set()


def test_rompslomps_own_words_are_explained() -> None:
    words = vendor_words()

    assert len(words) >= 5
    assert words - explained() == set()


def test_nothing_is_explained_that_the_code_does_not_say() -> None:
    states = {"due", "working", "waiting", "unknown", "review", "dead", "excluded"}

    assert explained() - set(reasons_in(ROOT)) - {*_SENTENCES, *REFUSED} - vendor_words() - states == set()


def test_a_new_word_in_the_code_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "webhooks").mkdir()
    lines = [
        'fail(reason="new_word")',
        'link.state, link.reason = "dead", "second_word"',
        'Verdict("review", None, "third_word")',
    ]
    (tmp_path / "worker" / "one.py").write_text("\n".join(lines))

    assert set(reasons_in(tmp_path)) == {"new_word", "second_word", "third_word"}


def rows() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Reason, state where the row says one, and the row's cells by the heads of its table."""
    head: list[str] = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            head = []
        elif not head:
            head = cells
        elif "you" in head and head[0] == "reason":
            where = re.search(r"state `(\w+)`", cells[0]) or re.search(r"\(`(\w+)`", cells[1])
            for word in re.findall(r"`([a-z_]+)`", re.sub(r"\(state [^)]*\)", "", cells[0])):
                yield word, where[1] if where else "", dict(zip(head, cells, strict=True))


def plain(cell: str) -> str:
    """A cell with its links as the command line names them."""
    return re.sub(r"\[[^]]*\]\(([^)]*)\)", r"docs/\1", cell)


def test_the_page_says_what_the_command_line_says() -> None:
    """What to do stands in one table of the code; the page repeats it, and may say more."""
    otherwise = []
    for word, state, cells in rows():
        if word not in WORDS:
            continue
        usual = "dead" if BY_REASON[SAME_AS.get(word, word)].by_itself == REVIVED else "waiting"
        advice = what_to_do(word, state or usual)
        if advice.you not in plain(cells["you"]) or advice.by_itself not in cells.get("by itself", advice.by_itself):
            otherwise.append((word, state, advice))

    assert otherwise == []


def test_every_reason_of_the_queue_has_a_sentence_about_what_to_do() -> None:
    delivered = {"not_accepted", "matched", "reference"}

    assert {word for word, _, _ in rows()} - delivered == set(WORDS) - {"discarded"}
