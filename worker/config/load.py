"""The one way to settings: read all sources, check everything, and say all problems at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from worker.config.advice import Advice, advise
from worker.config.checks import Part, check
from worker.config.keys import CONFIG_VARIABLE, Path_
from worker.config.problems import explain, path_of
from worker.config.settings import Settings
from worker.config.sources import FILE_NAME, Tree, located, read
from worker.errors import ConfigurationError


def load_settings(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None, *, part: Part = "worker"
) -> Settings:
    """
    The settings of this process, from `contactsync.toml` and the environment.

    Called once, at a process's entry. ConfigurationError holds every problem that there is, each with the key, what is
    wrong and the next step. `part` decides which secrets have to be there: a receiver starts without the credentials of
    any vendor, and only what takes webhooks needs their secrets. `home` comes back as an absolute path, so that a child
    with another folder agrees on it.
    """
    return _load(environ, cwd, part)[0]


def load_with_advice(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[Settings, tuple[Advice, ...]]:
    """The settings as a worker gets them, and what is allowed in them but unwise."""
    settings, tree = _load(environ, cwd, "worker")
    return settings, tuple(advise(settings, tree.secret_files))


def file_of(key: Path_) -> Path | None:
    """The file that a key of this process's settings is read from, if it is named for that key alone."""
    return read(os.environ, Path.cwd()).files.get(key)


def files_of(environ: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """The settings file and the files of secrets that these settings come from, whether they are there or not."""
    named = environ.get(CONFIG_VARIABLE, "").strip()
    return tuple(dict.fromkeys((located(named or FILE_NAME, folder), *read(environ, folder).secret_files)))


def _load(environ: Mapping[str, str] | None, cwd: Path | None, part: Part) -> tuple[Settings, Tree]:
    folder = cwd or Path.cwd()
    tree = read(os.environ if environ is None else environ, folder)
    settings = _validated(tree)
    if tree.complete and settings is not None:
        for path, sentence in check(settings, part):
            if not _has_problem(path, tree.broken):
                tree.note(path, sentence)
    if tree.problems or settings is None:
        raise ConfigurationError(tree.problems)
    return settings.model_copy(update={"home": located(settings.home, folder.absolute())}), tree


def _validated(tree: Tree) -> Settings | None:
    """
    The settings without the keys that are refused, which are noted in the tree.

    What is refused is taken out and the rest looked at again, as a wrong port must not hide a missing password.
    """
    while True:
        try:
            return Settings(**tree.values)
        except ValidationError as error:
            tree.problems.extend(explain(error, tree))
            refused = {path_of(detail) for detail in error.errors(include_url=False)}
            tree.broken |= refused
            if not [path for path in refused if tree.remove(path)]:
                return None


def _has_problem(path: Path_, broken: set[Path_]) -> bool:
    return any(path[: len(other)] == other or other[: len(path)] == path for other in broken)
