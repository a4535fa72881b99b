"""What `check` says of the parts that run here: whether they go by the settings that it has just read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.config import SYSTEM_NAMES
from worker.processes.in_use import PARTS, InUse
from worker.vendors.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config import Settings
    from worker.flows.checking import Checked

_WEBHOOK_SECRETS: Final = "systems.robaws.webhook_secrets"
_TAKEN_OVER: Final = (_WEBHOOK_SECRETS, "ops.tokens")
"""What a receiver takes over by itself."""
_HANDED_DOWN: Final = ("database.url", "database.owner_url", "redis.url", "receiver.port")
"""What `up` gives to the parts that it starts; all else they read themselves."""
_MOST_NAMED: Final = 4


def running(settings: Settings) -> Iterator[Checked]:
    """The findings as an area of `check`; nothing where nothing runs here."""
    from worker.flows.checking import Checked

    if found := tuple(findings(settings)):
        yield Checked("running", found)


def findings(settings: Settings) -> Iterator[Finding]:
    """A line for what is not in use yet; one where all is; none where nothing runs here."""
    differing = {part: InUse(settings.home, part).differing(settings) for part in PARTS}
    older = {part: _of_part(part, names) for part, names in differing.items() if names is not None}
    if not older:
        return
    waiting = dict.fromkeys(name for names in older.values() for name in names if _is_read_again(name))
    stale = {part: [name for name in names if not _is_read_again(name)] for part, names in older.items()}
    for name in waiting:
        yield _waits(name)
    if "up" in older:
        stale = {"up": list(dict.fromkeys(name for names in stale.values() for name in names))}
    for part, names in stale.items():
        if names:
            named = ", ".join(names[:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            text = f"runs with older settings than the files hold: {named}{more}"
            yield Finding(part, False, text, f"restart contactsync {part}")
    if not waiting and not any(stale.values()):
        parts = ", ".join(part for part in older if part != "up" or len(older) == 1)
        yield Finding("settings", True, f"what runs here goes by what the files hold ({parts})")


def _of_part(part: str, names: tuple[str, ...]) -> list[str]:
    """Those that the part goes by."""
    if part == "up":
        return [name for name in names if name in _HANDED_DOWN]
    if part == "receiver":
        return [name for name in names if name not in _credentials()]
    kept = [name for name in names if not name.startswith(("receiver.", "ops.")) and name != _WEBHOOK_SECRETS]
    return kept if part == "worker" else [name for name in kept if name not in _credentials()]


def _credentials() -> dict[str, str]:
    """The keys that a worker reads again, with the system of each."""
    from worker.config.settings import SystemsSettings

    fields = SystemsSettings.model_fields
    return {
        f"systems.{system}.{name}": system for system in SYSTEM_NAMES for name in fields[system].default.credentials
    }


def _is_read_again(name: str) -> bool:
    return name in _TAKEN_OVER or name in _credentials()


def _waits(name: str) -> Finding:
    if name in _TAKEN_OVER:
        text = f"{name} is another one in the files, and is taken over within seconds"
        return Finding("receiver", True, text, "check again in a moment", warning=True)
    text = f"{name} is another one in the files, which is used when the old one is refused"
    return Finding("worker", True, text, f"at once: contactsync systems resume {_credentials()[name]}", warning=True)
