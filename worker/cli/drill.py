"""`contactsync drill`: break the running product on purpose, against the sandbox, and see that nothing is lost."""

from __future__ import annotations

import json
import os
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, command, console, show_json, stop
from worker.cli.tables import folds, show_table

if TYPE_CHECKING:
    from worker.drills.place import Place
    from worker.drills.report import Report

app = typer.Typer(rich_markup_mode=None)

ALL = "all"


@app.command()
@command
def drill(
    name: Annotated[str, typer.Argument(help="which drill; all: every one of them, mixed at random")],
    minutes: Annotated[float, typer.Option("--minutes", min=0, help="how long clients are changed")] = 1.0,
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=200, help="events a second")] = 20.0,
    seed: Annotated[int | None, typer.Option("--seed", help="the one of an earlier drill, for the same order")] = None,
    own: Annotated[bool, typer.Option("--own", help="a product and a sandbox for this drill alone")] = False,
    keep: Annotated[Path | None, typer.Option("--keep", help="folder for the report, as JSON")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout")] = False,
) -> int:
    """
    Kill parts and break servers while clients are changed, then compare every vendor with Robaws.

    For the sandbox only: refused unless every enabled system is simulated on this machine. It works on the
    `contactsync up` of these settings, or with --own on one that is started for it. Ends with 0 when nothing was lost,
    nothing doubled, every event accounted for and everything agrees in the end; else with 1.

    Example: contactsync drill all --own --minutes 10 --rate 20
    """
    from worker.drills.run import DRILLS
    from worker.drills.run import drill as run

    if name != ALL and name not in DRILLS:
        stop(WRONG_USE, f"there is no drill {name}: it is {ALL} or one of {', '.join(DRILLS)}")
    names = list(DRILLS) if name == ALL else [name]
    number = secrets.randbelow(10**6) if seed is None else seed
    out = console(stderr=True)
    with _place(number, own=own) as place:
        out.print(f"drill {name}, seed {number}: {minutes:g} minutes at {rate:g} events a second")
        report = run(place, names, seconds=minutes * 60, rate=rate, seed=number)
    if keep is not None:
        _keep(report, name, keep)
    if as_json:
        show_json(report.to_json())
    else:
        _show(report)
    return DONE if report.passed else NEEDS_A_PERSON


@contextmanager
def _place(seed: int, *, own: bool) -> Iterator[Place]:
    """The running product that is meant, with webhooks on; what was started here ends with the block."""
    from worker.config import load_settings
    from worker.drills import own as alone
    from worker.drills import place as places

    chance = random.Random(seed)  # noqa: S311 - the same drill for the same seed, nothing secret
    out = console(stderr=True)
    if not own:
        place = places.find(load_settings(), chance, out.print)
        place.vendors.require_webhooks()
        with _ready(place):
            yield place
        return
    with tempfile.TemporaryDirectory(prefix="contactsync-drill-") as folder:
        out.print("starting PostgreSQL, Redis, five simulated vendors, receiver, worker and scheduler …")
        with alone.running(Path(folder), out.print) as (file, address):
            for variable in [variable for variable in os.environ if variable.startswith("CONTACTSYNC_")]:
                del os.environ[variable]
            os.environ["CONTACTSYNC_CONFIG"] = str(file)
            place = places.find(load_settings(), chance, out.print)
            place.vendors.send_webhooks_to(f"{address}/webhooks/robaws")
            with _ready(place):
                yield place


@contextmanager
def _ready(place: Place) -> Iterator[None]:
    """Put right what a drill has left that was killed, before and after."""
    from worker.drills.full_disk import make_room

    make_room(place.database)
    try:
        yield
    finally:
        place.vendors.close()


def _keep(report: Report, name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"drill-{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    file.write_text(json.dumps(report.to_json(), indent=2) + "\n", encoding="utf-8")


def _show(report: Report) -> None:
    show_table(["what", folds("figure")], report.rows(), "Drill")
    out = console()
    for finding in report.findings():
        out.print(f"- {finding}")
    out.print("passed" if report.passed else "not passed")
