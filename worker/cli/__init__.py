"""The `contactsync` command: one file for each group of subcommands, each imported only when it runs."""

from worker.cli.entry import main

__all__ = ["main"]
