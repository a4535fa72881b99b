"""Every link between pages leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, pages

PAGES = [str(page.relative_to(ROOT)) for page in pages()]


def broken_links(page: Path) -> list[str]:
    """The links of a page that are relative and lead nowhere."""
    broken: list[str] = []
    for link in links(page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            broken.append(f"{link}: there is no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            broken.append(f"{link}: there is no such heading")
    return broken


@pytest.mark.parametrize("name", PAGES)
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    assert broken_links(ROOT / name) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_links_to_nothing_outside_the_project_by_path(name: str) -> None:
    page = ROOT / name

    outside = [
        link
        for link in links(page.read_text())
        if "://" not in link and not (page.parent / link.partition("#")[0]).resolve().is_relative_to(ROOT)
    ]

    assert outside == []


def test_a_link_to_a_missing_page_or_heading_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n\n[a](missing.md) [b](#one-two) [c](#three) `[d](code.md)`\n")

    assert broken_links(page) == ["missing.md: there is no such file", "#three: there is no such heading"]


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md", ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = (link.partition("#")[0] for link in links(page.read_text()) if "://" not in link)
        waiting += [
            found
            for target in targets
            if target and (found := (page.parent / target).resolve()).suffix == ".md" and found.exists()
        ]

    assert [name for name in PAGES if ROOT / name not in seen] == []
