"""Nobody connects to PostgreSQL past the one place that says how the server has to prove itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONNECTS = {"psycopg.connect", "AsyncConnection.connect", "create_engine"}


def sources() -> Iterator[Path]:
    """All but the bundled servers' own start, which reaches them through a folder that nobody else may enter."""
    for package in ("worker", "webhooks", "alembic"):
        yield from (path for path in (ROOT / package).rglob("*.py") if path.parent.name != "embedded")


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_every_connection_to_postgresql_is_made_with_its_parameters() -> None:
    found: dict[str, bool] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and name_of(node) in CONNECTS:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                found[place] = "postgres_parameters(" in ast.unparse(node)

    assert len(found) >= 3
    assert [place for place, guarded in found.items() if not guarded] == []
