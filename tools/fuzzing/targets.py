"""What is fuzzed: a name and a function of bytes that raises where a promise is broken."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tools.fuzzing.api import ApiTarget
from tools.fuzzing.receiver import ReceiverTarget
from tools.fuzzing.vendors import readers
from tools.fuzzing.wire import try_wire

Target = Callable[[bytes], None]

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = ROOT / "tests" / "fuzz" / "corpus"
CRASHES: Final = ROOT / "tests" / "fuzz" / "crashes"
DATABASE_VARIABLE: Final = "CONTACTSYNC_FUZZ_DATABASE_URL"
"""Where the target `api` finds its PostgreSQL; `tools/fuzz.py` sets it."""

NAMES: Final = ("receiver", "api", "wire", "robaws", "rompslomp", "recras", "workspace", "routix")


@contextmanager
def ready(name: str) -> Iterator[Target]:
    """The target of a name, made ready. KeyError for the API without a database."""
    if name == "receiver":
        with closing(ReceiverTarget()) as receiver:
            yield receiver
    elif name == "api":
        with closing(ApiTarget(os.environ[DATABASE_VARIABLE])) as api:
            yield api
    else:
        yield try_wire if name == "wire" else readers()[name]


def inputs(name: str) -> list[Path]:
    """The kept inputs of a target: its corpus, and whatever crashed it once."""
    return sorted(path for folder in (CORPUS, CRASHES) for path in (folder / name).glob("*") if path.is_file())
