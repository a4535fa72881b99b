"""What a person does at the console, by the functions that the API and the command line call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulation.exhaustive.step import Action
from simulation.operators import SOMEBODY
from worker.store import operating, operating_links, operating_reviews
from worker.store.refusals import Conflict, NotFound, Unfit
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from simulation.exhaustive.world import World

WAITING = ("waiting", "unknown", "review", "dead")


def enabled(world: World, rows: Mapping[str, Any]) -> Iterator[Action]:
    """The commands that make sense now; one that the product refuses changes nothing."""
    sources = {row["id"]: row["source_id"] for row in rows["contact"] or ()}
    for row in rows["contact"] or ():
        yield Action(f"sync client {row['source_id']} now", "commands", _sync(row["source_id"]))
        if row["fetch_state"] in ("waiting", "dead"):
            yield Action(f"retry the fetch of client {row['source_id']}", "commands", _retry(f"fetch-{row['id']}"))
    for row in rows["link"] or ():
        yield from _of_link(row, sources[row["contact_id"]])
    for row in rows["review"] or ():
        yield from _answers(world, row)
    for row in rows["system_state"] or ():
        if row["system"] == world.system and row["paused_by"] is None:
            yield Action("pause the system", "commands", _pause)
        elif row["system"] == world.system:
            yield Action("resume the system", "", resume)


def _of_link(row: Mapping[str, Any], client: str) -> Iterator[Action]:
    if row["state"] in WAITING:
        yield Action(f"retry client {client} there", "commands", _retry(f"link-{row['id']}"))
        yield Action(f"discard client {client} there", "commands", _discard(f"link-{row['id']}", client))
    if row["state"] == "excluded":
        yield Action(f"include client {client}", "commands", _include(client))
    else:
        yield Action(f"exclude client {client}", "commands", _exclude(client))
    if row["external_id"] is not None:
        yield Action(f"unlink client {client}", "commands", _unlink(client, row["external_id"]))


def _answers(world: World, review: Mapping[str, Any]) -> Iterator[Action]:
    if review["resolved_at"] is None:
        for choose, external_id in choices(world, review):
            words = f"answer {choose} {external_id or ''}".strip()
            yield Action(words, "commands", _answer(review["id"], choose, external_id))


def choices(world: World, review: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The answers that a person may give to an open question."""
    if review["kind"] == "field":
        return [("ours", None), ("theirs", None)]
    there = {str(record["id"]) for record in world.records()}
    candidates = [str(one["external_id"]) for one in review["detail"].get("candidates") or () if "external_id" in one]
    return [*(("link", one) for one in candidates if one in there), ("create", None), ("exclude", None)]


def attempt(world: World, act: Callable[[Connection], object]) -> bool:
    """Do it in a transaction of its own; False where it is refused."""
    try:
        with world.database.console.begin() as connection:
            act(connection)
    except (Conflict, Unfit, NotFound):
        return False
    return True


def _sync(source_id: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        if attempt(world, lambda connection: operating.sync(connection, source_id, SOMEBODY, world.now)):
            world.ghost.left_out.discard(source_id)
            world.ghost.asked_back = True

    return do


def _retry(retry_id: str) -> Callable[[World], object]:
    return lambda world: attempt(world, lambda connection: operating.retry(connection, retry_id, SOMEBODY, world.now))


def _discard(retry_id: str, client: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        if attempt(
            world, lambda connection: operating.discard(connection, retry_id, SOMEBODY, world.now, "not wanted there")
        ):
            world.ghost.left_out.add(client)

    return do


def _exclude(client: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        if _done(world, operating_links.exclude, client):
            world.ghost.left_out.add(client)

    return do


def _include(client: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        if _done(world, operating_links.include, client):
            world.ghost.left_out.discard(client)

    return do


def _unlink(client: str, record: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        if _done(world, operating_links.unlink, client):
            world.ghost.left_out.add(client)
            world.ghost.refused.add(f"{client}:{record}")
            world.ghost.more_allowed = True

    return do


def _done(world: World, act: Callable[..., object], client: str) -> bool:
    return attempt(
        world,
        lambda connection: act(connection, client, world.system, actor=SOMEBODY, now=world.now, reason="looked at it"),
    )


def _answer(review_id: int, choose: str, external_id: str | None) -> Callable[[World], object]:
    return lambda world: answer(world, review_id, choose, external_id)


def answer(world: World, review_id: int, choose: str, external_id: str | None) -> bool:
    """Answer one question; False where the answer is refused."""
    rows = world.database.look(
        "SELECT c.source_id, r.detail, r.path, l.external_id FROM review r JOIN link l ON l.id = r.link_id "
        "JOIN contact c ON c.id = l.contact_id WHERE r.id = %(id)s",
        {"id": review_id},
    )
    done = attempt(
        world,
        lambda connection: operating_reviews.resolve(
            connection, str(review_id), choose, SOMEBODY, world.now, shape_of=id_shape, external_id=external_id
        ),
    )
    if not done or not rows:
        return done
    [(client, detail, _, _)] = rows
    candidates = {str(one["external_id"]) for one in detail.get("candidates") or () if "external_id" in one}
    if choose == "create":
        world.ghost.refused |= {f"{client}:{one}" for one in candidates}
        world.ghost.more_allowed = True
    elif choose == "link":
        world.ghost.refused.discard(f"{client}:{external_id}")
        world.ghost.more_allowed = True
    elif choose == "exclude":
        world.ghost.left_out.add(client)
    elif choose == "ours":
        world.ghost.edited = None
    return done


def _pause(world: World) -> None:
    attempt(world, lambda connection: operating.pause(connection, world.system, SOMEBODY, world.now, "looking at it"))


def resume(world: World) -> None:
    """Lift whatever holds the system."""
    attempt(world, lambda connection: operating.resume(connection, world.system, SOMEBODY, world.now))
