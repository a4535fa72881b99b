"""Nobody connects to PostgreSQL past the one place that says how the server has to prove itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONNECTS = {"psycopg.connect", "AsyncConnection.connect", "create_engine"}


def sources() -> Iterator[Path]:
    for package in ("worker", "webhooks", "alembic"):
        yield from (ROOT / package).rglob("*.py")


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_every_connection_to_postgresql_is_made_with_its_parameters() -> None:
    found: dict[str, bool] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and name_of(node) in CONNECTS:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                found[place] = "postgres_parameters(" in ast.unparse(node)

    assert len(found) >= 5
    assert [place for place, guarded in found.items() if not guarded] == []
