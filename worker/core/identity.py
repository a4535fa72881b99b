"""How a process says who it is, so that another one's answer on the same port is not taken for its own."""

from __future__ import annotations

from typing import Final

PROCESS_HEADER: Final = "Contactsync-Process"
"""Header of `/readyz`: the process id of the receiver that answers."""
