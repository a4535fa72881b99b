"""`python -m tools.fuzzing.engine TARGET LIBFUZZER_ARGUMENT…`: one target in one process, under atheris (libFuzzer)."""

from __future__ import annotations

import sys

import atheris

from tools.fuzzing import mutation

with atheris.instrument_imports(include=["worker", "webhooks"], exclude=["worker.embedded", "worker.cli"]):
    from tools.fuzzing.targets import ready


def change(data: bytes, most: int, seed: int) -> bytes:
    """The mutation of documents, with libFuzzer's own for their texts."""
    return mutation.mutate(data, most, seed, atheris.Mutate)


def main(arguments: list[str]) -> None:
    """Never returns: libFuzzer ends the process."""
    with ready(arguments[1]) as run:
        atheris.Setup([arguments[0], *arguments[2:]], run, custom_mutator=change, custom_crossover=mutation.cross)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
