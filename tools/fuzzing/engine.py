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
        # What libFuzzer calls itself by, where it starts another process of itself (to merge).
        itself = f"{sys.executable} -m tools.fuzzing.engine {arguments[1]}"
        atheris.Setup([itself, *arguments[2:]], run, custom_mutator=change, custom_crossover=mutation.cross)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
