"""Root needs nothing of what we do: said where somebody starts us with its rights."""

from __future__ import annotations

import os


def runs_as_root() -> str | None:
    """A sentence for whoever starts the product as root; None for everybody else."""
    if os.geteuid() != 0:
        return None
    return (
        "warning: this runs as root, and so do the receiver, the worker and the scheduler, which need no such rights. "
        "Start it as a user of its own: docs/running.md, deploy/contactsync.service"
    )
