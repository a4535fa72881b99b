"""The file that holds a list of secrets: one more is put into it by the program that was told the secret."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.errors import ConfigurationError

_NEW: Final = 0o600


@dataclass(frozen=True)
class SecretFile:
    """One secret a line, or a JSON list. The file keeps its owner; one that is made is its account's alone."""

    path: Path

    def require_writable(self) -> None:
        """ConfigurationError where a secret could not be put in. To be asked before one is made that is shown once."""
        try:
            made = not self.path.exists()
            with open(self.path, "a", encoding="utf-8", opener=_opener):
                pass
            if made:
                self.path.unlink()
            self._listed()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "neither text nor a JSON list"
            raise ConfigurationError(
                f"{self.path} cannot be written to ({why}), so nothing was registered: make it and its folder "
                "writable for you, or leave --write-secret out and write the secret there yourself"
            ) from None

    def add(self, secret: str) -> bool:
        """Put a secret in, unless it is there; whether it was not."""
        held, is_json = self._listed()
        if secret in held:
            return False
        with open(self.path, "r+" if self.path.exists() else "w", encoding="utf-8", opener=_opener) as file:
            os.fchmod(file.fileno(), _mode(os.fstat(file.fileno()).st_mode))
            text = file.read() if held else ""
            if is_json:
                file.seek(0)
                file.write(json.dumps([*held, secret]) + "\n")
            else:
                # Appended and not replaced: the file may be handed to a container as it is.
                file.seek(0, os.SEEK_END if held else os.SEEK_SET)
                file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{secret}\n")
            file.truncate()
        return True

    def _listed(self) -> tuple[list[str], bool]:
        text = self.path.read_text("utf-8-sig") if self.path.exists() else ""
        if text.lstrip().startswith("["):
            listed = json.loads(text)
            if not all(isinstance(one, str) for one in listed):
                raise ValueError("not a list of texts")
            return listed, True
        return [line.strip() for line in text.splitlines() if line.strip()], False


def _mode(before: int) -> int:
    """Its account's alone; but a service may read a file of root's through a group of its own."""
    by_group = before & stat.S_IRGRP and not before & stat.S_IRWXO
    return _NEW | (stat.S_IRGRP if by_group else 0)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, _NEW)
