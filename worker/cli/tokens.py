"""`contactsync tokens`: a token for the API, which is shown once and kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from worker.cli.output import DONE, WRONG_USE, command, show_json, stop, write

if TYPE_CHECKING:
    from worker.config import TokenSettings

app = typer.Typer(rich_markup_mode=None)

PREFIX: Final = "cs_"
"""Before the random part, so that a scanner for leaked secrets, or a person, recognises one."""

RANDOM_BYTES: Final = 32


@app.command()
@command
def new(
    name: Annotated[str, typer.Argument(help="whose it is, a person or a program; the log of actions says it")],
    role: Annotated[str, typer.Option("--role", help="viewer, operator or admin")],
    expires: Annotated[str | None, typer.Option("--expires", help="its last day, like 2027-06-30 (UTC)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout")] = False,
) -> int:
    """
    Make a token for the API, and the line for the settings that lets it in.

    The token is shown only once; the settings get its hash alone. Nothing is written anywhere: put the line into
    ops.tokens, and a running receiver takes it over within seconds.

    Example: contactsync tokens new monitoring --role viewer --expires 2027-06-30
    """
    import re
    import secrets
    from datetime import UTC, datetime

    if expires is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", expires):
        stop(WRONG_USE, _sentence("expires"))
    token = f"{PREFIX}{secrets.token_urlsafe(RANDOM_BYTES)}"
    entry = _entry(name, role, expires, token)
    if entry.name in _names_taken():
        stop(WRONG_USE, f"ops.tokens or ops.users holds the name {entry.name} already: take another")
    if entry.expired(datetime.now(UTC)):
        stop(WRONG_USE, f"{expires} is over already: give a later day")
    last_day = entry.expires.date().isoformat() if entry.expires is not None else None
    line = _line(entry, last_day)
    if as_json:
        show_json(
            {
                "name": entry.name,
                "role": entry.role,
                "expires": last_day,
                "token": token,
                "token_hash": entry.token_hash,
                "settings": line,
            }
        )
        return DONE
    until = f", until {last_day}" if last_day else ""
    # A token is copied: nothing may fold it.
    write(
        f"The token of {entry.name} ({entry.role}{until}). It is shown only once:\n\n"
        f"  {token}\n\n"
        f"Its place in {_file()}, which has one [ops] and in it one list of tokens; a running receiver takes it over"
        " within seconds:\n\n"
        "  [ops]\n"
        "  tokens = [\n"
        f"  {line}\n"
        "  ]\n"
    )
    return DONE


def _entry(name: str, role: str, expires: str | None, token: str) -> TokenSettings:
    """The entry, checked as the settings check it."""
    from pydantic import ValidationError

    from worker.config import TokenSettings
    from worker.config.access import token_hash

    given = {"name": name, "role": role, "token_hash": token_hash(token), "expires": expires}
    try:
        return TokenSettings.model_validate(given)
    except ValidationError as error:
        stop(WRONG_USE, *(_sentence(str(fault["loc"][0])) for fault in error.errors(include_input=False)))


def _file() -> str:
    """The settings file of this call."""
    import os

    from worker.config.keys import CONFIG_VARIABLE
    from worker.config.sources import FILE_NAME

    return os.environ.get(CONFIG_VARIABLE, "").strip() or FILE_NAME


def _sentence(member: str) -> str:
    return {
        "name": "the name is empty, too long, or begins like those of this command in the log: take another",
        "role": "the role is none: write --role viewer, --role operator or --role admin",
    }.get(member, "the last day is none: write it like --expires 2027-06-30")


def _names_taken() -> set[str]:
    """The names in the settings; none where there are no settings yet, or none that can be read."""
    from worker.config import load_settings
    from worker.errors import ConfigurationError

    try:
        ops = load_settings(part="command").ops
    except ConfigurationError:
        return set()
    return {token.name for token in ops.tokens} | {user.name for user in ops.users}


def _line(entry: TokenSettings, last_day: str | None) -> str:
    """An inline table of TOML. A text of JSON is one of TOML too."""
    import json

    until = f", expires = {last_day}" if last_day else ""
    name = json.dumps(entry.name, ensure_ascii=False)
    return f'{{ name = {name}, role = "{entry.role}", token_hash = "{entry.token_hash}"{until} }},'
