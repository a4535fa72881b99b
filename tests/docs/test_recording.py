"""The README's moving picture: small, complete in itself, and made of the demo's own screens."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

import pytest
from rich.console import Group
from rich.text import Text

from tests.docs.pages import ROOT
from tools.recording import COLUMNS, MARGIN, PICTURE, SHOWN, Recorder, Scene, picture

SVG: Final = "{http://www.w3.org/2000/svg}"
ADDRESSES_INSIDE: Final = {"http://www.w3.org/2000/svg", "http://127.0.0.1:8080/"}


@pytest.fixture(scope="module")
def drawn() -> str:
    return PICTURE.read_text("utf-8")


def rows(scene: ElementTree.Element) -> list[str]:
    """The texts of a scene, row by row."""
    found: dict[float, list[tuple[float, str]]] = {}
    for text in scene.iter(f"{SVG}text"):
        found.setdefault(float(text.attrib["y"]), []).append((float(text.attrib["x"]), "".join(text.itertext())))
    return ["".join(text for _, text in sorted(found[y])) for y in sorted(found)]


def scenes(drawn: str) -> dict[str, list[str]]:
    groups = [one for one in ElementTree.fromstring(drawn).iter(f"{SVG}g") if "id" in one.attrib]
    return {str(one.findtext(f"{SVG}title")): rows(one) for one in groups}


def test_the_picture_is_shown_and_is_small() -> None:
    assert "(docs/demo.svg)" in (ROOT / "README.md").read_text("utf-8")
    assert PICTURE.stat().st_size < 200_000


def test_the_picture_fetches_nothing_and_names_no_machine(drawn: str) -> None:
    assert set(re.findall(r"https?://[^\s\"'<]*", drawn)) <= ADDRESSES_INSIDE
    for word in (
        "@import",
        "@font-face",
        "url(",
        "<image",
        "<script",
        "<foreignObject",
        "href",
        "/home",
        "/tmp",
    ):
        assert word not in drawn


def test_the_picture_holds_the_chapters_and_ends_with_the_result(drawn: str) -> None:
    shown = scenes(drawn)

    assert list(shown) == list(SHOWN)
    for title, lines in shown.items():
        assert title in lines[0]
    result = "\n".join(shown[SHOWN[-1]])
    for words in ("records that nobody typed", "0  lost: ", "0  duplicated: "):
        assert words in result
    assert "✗" not in drawn


def test_no_text_is_beyond_the_edge(drawn: str) -> None:
    tree = ElementTree.fromstring(drawn)
    width = float(tree.attrib["viewBox"].split()[2])

    ends = [
        float(one.attrib["x"]) + float(one.attrib["textLength"])
        for one in tree.iter(f"{SVG}text")
        if "textLength" in one.attrib
    ]

    assert max(ends) <= width - MARGIN


def test_equal_scenes_make_an_equal_picture_which_rests_on_the_last() -> None:
    told = [Scene(title, Group(Text(title), Text("a & b <c>"))) for title in ("first", "second")]

    once, again = picture(told), picture(told)

    assert once == again
    assert scenes(once) == {title: [title, "a & b <c>"] for title in ("first", "second")}
    # More than an id's own animation, which would otherwise go on.
    assert "@media (prefers-reduced-motion: reduce) {g[id] {animation: none !important}}" in once
    assert re.findall(r"#(s\d) \{opacity: (\d)", once) == [("s0", "0"), ("s1", "1")]


def test_a_recorder_keeps_the_chapters_that_are_shown() -> None:
    screen = Recorder()
    screen.title("not in a chapter")
    screen.chapter(1, "A new client", "text")
    screen.good("kept")
    screen.chapter(2, "It moves", "left out")
    screen.chapter(3, "Lost answers", "x" * (COLUMNS * 2))
    screen.end_scene()

    shown = scenes(picture(screen.scenes))

    assert list(shown) == ["A new client", "Lost answers"]
    assert [line.strip() for line in shown["A new client"][:3]] == ["1  A new client", "text", "✓ kept"]
