"""
`make fuzz`: every target for so many seconds, guided by what of the code each input reaches (atheris, libFuzzer).

One line for each target, the table in docs/fuzzing.md, and every input that crashed in tests/fuzz/crashes, where the
tests replay it. Status 1 after a crash.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from tools.fuzzing import page
from tools.fuzzing.database import filled
from tools.fuzzing.running import EngineFailed, Found, fuzz, keep
from tools.fuzzing.targets import NAMES, ROOT

MISSING = """\
fuzz: atheris is not installed; it is no part of `make setup`, as it has wheels for Linux on x86-64 and Python 3.11 to
      3.13 only. There: .venv/bin/pip install --require-hashes -r requirements-fuzz.lock
      Without it the kept corpus is replayed all the same: make test ARGS=tests/fuzz"""


def main(arguments: list[str] | None = None) -> int:
    """0 without a crash, 1 with one, 2 where the fuzzer is not there."""
    given = _arguments(arguments)
    if find_spec("atheris") is None:
        print(MISSING, file=sys.stderr)
        return 2
    found: list[Found] = []
    with _database(given.targets) as database:
        for name in given.targets:
            try:
                found.append(fuzz(name, given.seconds, database))
            except EngineFailed as failure:
                print(f"fuzz: {name} broke off by itself:\n{failure}", file=sys.stderr)
                return 2
            print(line(found[-1]), flush=True)
            if given.keep:
                print(f"           {keep(name, database)} of them kept in tests/fuzz/corpus/{name}", flush=True)
    if set(given.targets) == set(NAMES):
        page.write(found)
    return 1 if any(one.crashes for one in found) else 0


def line(found: Found) -> str:
    """One target's line, and one more for each crash."""
    text = (
        f"{found.name:<10} {found.seconds:5.0f} s  {found.tried:>9,} inputs  {found.edges:>5,} edges  "
        f"{found.features:>6,} features  {found.entries:>4} new  {len(found.crashes)} crashes"
    )
    return "\n".join([text, *(f"           {path.relative_to(ROOT)}: {why}" for path, why in found.crashes)])


@contextmanager
def _database(names: list[str]) -> Iterator[str | None]:
    if "api" not in names:
        yield None
        return
    with filled() as url:
        yield url


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(NAMES), metavar="TARGET", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target (60)")
    parser.add_argument("--keep", action="store_true", help="take what reaches further into tests/fuzz/corpus")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.targets) - set(NAMES)):
        parser.error(f"no such target: {', '.join(unknown)}")
    return given


if __name__ == "__main__":
    sys.exit(main())
