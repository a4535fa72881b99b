"""
Credentials that are replaced while something runs: settings are read once more, from where they came from.

A file may be empty or half written at that moment, or gone: then what is known goes on, until it is read again.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from worker.config.checks import Part, lacking
from worker.config.load import files_of, load_settings
from worker.config.settings import Settings
from worker.errors import ConfigurationError

log = structlog.get_logger()


class Files:
    """The settings of this process where it found them at its start: file, secret files, environment."""

    def __init__(self, part: Part) -> None:
        self._part: Part = part
        self._environ = dict(os.environ)
        self._folder = Path.cwd()
        self._paths = files_of(self._environ, self._folder)

    def marks(self) -> tuple[tuple[Path, int, int, int], ...]:
        """What changes when one of them is replaced or written to; a file that is not there counts as well."""
        return tuple((path, *_mark(path)) for path in self._paths)

    def __call__(self) -> Settings | None:
        """What they say now; None where that is no valid configuration."""
        self._paths = files_of(self._environ, self._folder)
        try:
            return load_settings(self._environ, self._folder, part=self._part)
        except ConfigurationError as error:
            log.warning("settings.not_read_again", problems=len(error.problems), next_step="contactsync check")
            return None


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        state = path.stat()
    except OSError:
        return (0, 0, 0)
    return (state.st_mtime_ns, state.st_size, state.st_ino)


def with_access(settings: Settings, newer: Settings) -> Settings:
    """
    The same settings with the webhook secrets and the tokens of the API that `newer` has. Unchanged where it has no
    secret any more: then the settings file is away, as some programs have it while they write.
    """
    if settings.systems.robaws.webhook_secrets and not newer.systems.robaws.webhook_secrets:
        return settings
    robaws = settings.systems.robaws.model_copy(update={"webhook_secrets": newer.systems.robaws.webhook_secrets})
    systems = settings.systems.model_copy(update={"robaws": robaws})
    ops = settings.ops.model_copy(update={"tokens": newer.ops.tokens})
    return settings.model_copy(update={"systems": systems, "ops": ops})


def with_credentials(settings: Settings, newer: Settings, system: str) -> Settings:
    """
    The same settings with the credentials that `newer` has for one system, and nothing else of it: an address goes
    with the settings that were checked at the start. Unchanged where `newer` does not name all of them.
    """
    if any(lacking(system, newer.system(system))):
        return settings
    held, given = settings.system(system), newer.system(system)
    renewed = {name: getattr(given, name) for name in held.credentials}
    if all(getattr(held, name) == value for name, value in renewed.items()):
        return settings
    systems = settings.systems.model_copy(update={system: held.model_copy(update=renewed)})
    return settings.model_copy(update={"systems": systems})
