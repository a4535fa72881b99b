"""docs/nothing-arrives.md quotes what the commands say: each quoted line is one that the program has."""

from __future__ import annotations

import re
from pathlib import Path

from worker.core.refused import REASONS
from worker.vendors.robaws import self_test

PAGE = Path(__file__).parents[2] / "docs/nothing-arrives.md"


def rows(heading: str) -> list[str]:
    """The first cells of the table below a heading."""
    section = PAGE.read_text().split(f"## {heading}")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][2:]


def test_what_does_not_reach_the_receiver_is_quoted_as_it_is_said() -> None:
    source = re.sub(r"\{[^}]*\}", "…", Path(self_test.__file__).read_text())

    for row in rows("3."):
        for part in row.replace("HTTP 502", "HTTP …").replace("HTTP 404", "HTTP …").replace("10 s", "… s").split("…"):
            said = part.strip().removesuffix("with a redirect").removesuffix("200").strip(" ,")
            assert said in source, row


def test_every_reason_of_a_refusal_is_on_the_page() -> None:
    text = " ".join(rows("4."))

    missing = [word for word, known in REASONS.items() if known.setup and known.sentence not in text]
    assert missing == []
    assert len(rows("4.")) == 8
