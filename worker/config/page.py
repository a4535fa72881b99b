"""docs/settings.md, made from the models by `python -m worker.config.page > docs/settings.md`; a test compares them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from worker.config.rows import SettingRow, describe
from worker.config.systems import SYSTEM_NAMES, SystemSettings
from worker.core.contact import BY_PATH

INTRODUCTION: Final = """\
# Settings

This page is made from the code (`python -m worker.config.page > docs/settings.md`); a test compares the two.
`contactsync.example.toml` is the same list as a file to start from.

## Where settings come from

1. `contactsync.toml` in the folder where the command is started, or the file that `CONTACTSYNC_CONFIG` names. Without
   a file, defaults and environment count. A file that is named and not there is an error.
2. The environment, which wins: `CONTACTSYNC_<SECTION>__<KEY>`, with two underscores between the levels, such as
   `CONTACTSYNC_RECEIVER__PORT=9090` or `CONTACTSYNC_SYSTEMS__RECRAS__BASE_URL=https://NAME.recras.nl/api2`. An empty
   variable counts as not set.

Lists and tables are JSON in the environment: `CONTACTSYNC_RETRY__LADDER_SECONDS='[5, 60, 600]'`. A table that is given
so takes the place of the file's. You can also set a single entry of `fields`, `write_back` and `on_missing`:
`CONTACTSYNC_SYSTEMS__RECRAS__FIELDS__ADDRESS__CITY=system`. A whole section may also be one JSON object; its keys are
laid over those of the file one by one.

**Secrets.** Every key can be read from a file: put `_file` behind its name (`password_file = "/run/secrets/robaws"`)
or `_FILE` behind the variable's (`CONTACTSYNC_SYSTEMS__ROBAWS__PASSWORD_FILE`). The line end at the end of the file is
left out; a list is JSON there, or one entry a line. A name without a leading `/` is looked for next to
`contactsync.toml`, or, from the environment, in the folder where the command is started. Secrets are never shown, not
even in an error about them. One that was copied badly is refused: with a blank at its beginning or end, an invisible
character, or, where it is sent in a header as it is (the tokens of Rompslomp, Recras and Workspace), a character that
no header can carry.

`contactsync check` warns of a file that holds a secret and can be read or changed by other accounts (`chmod 600`), of
webhook secrets and server passwords with fewer than 16 characters, of `receiver.signature_tolerance_seconds = 0`, and
of every switch below that lets a connection go unencrypted. A warning does not change the exit status.

**Who needs what.** `contactsync up` and `worker` want the credentials of every system that is enabled; `up` and
`receiver` want `systems.robaws.webhook_secrets`. A receiver, a scheduler and `migrate` start without the credentials of
any vendor, so the process that faces the internet need not hold them. A receiver without them cannot look a record up:
linking by hand over the API then answers 503, and `contactsync contacts link` does it where the worker runs.

**PostgreSQL and Redis on another machine.** A connection that leaves this machine is encrypted and verified, or the
settings are refused. This machine is a socket, `localhost`, 127.0.0.1 and ::1.

- `database.url` ends in `?sslmode=verify-full`. The certificate has to come from a public authority, or from your own
  with `&sslrootcert=FILE`.
- `redis.url` begins with `rediss://`; `?ssl_ca_certs=FILE` names an authority of your own. Celery goes by the same
  address and checks the same.
- `database.allow_insecure` and `redis.allow_insecure` switch that off, for a network that nobody else is in, such as
  the one between the containers of `docker-compose.yml`.
- The password of PostgreSQL itself is never sent, and a server on another machine has to prove by SCRAM that it knows
  it. One that logs in otherwise (`md5`, `trust` or `password` in its pg_hba.conf) is refused there, unless the address
  names the method: `?require_auth=md5`.

**Mistakes.** Nothing starts with wrong settings. All problems are listed at once, each with the key, what is wrong and
what to do; the exit status is 2. A key that does not exist is a problem as well, in the file and in the environment
(any variable that begins with `CONTACTSYNC_`, but for `CONTACTSYNC_CONFIG` and `CONTACTSYNC_TEST_…`):

```
receiver.port (CONTACTSYNC_RECEIVER__PORT) is "http", not a whole number: write digits only
systems.recras.apikey is not a known key: did you mean systems.recras.api_key?
```

Times are in seconds and may be fractions. `–` means that there is no default.
"""

SYSTEMS: Final = """\
## Every system

These keys exist for each of the five systems, as `systems.<name>.<key>`. A rate above what a vendor has published is
refused; where none is published, the setting counts. `base_url` must begin with `https://`, unless it points at this
machine or `allow_http` is set. A system that is enabled without what it needs is a problem, and so is any system
without Robaws. The names in `fields` may be flat (`"address.city" = "fill"`) or nested (`address = { city = "fill" }`).
"""

FIELD_NAMES: Final = "`fields` takes these names: " + ", ".join(f"`{path}`" for path in BY_PATH) + "."

TITLES: Final[Mapping[str, str]] = {
    "robaws": "Robaws",
    "rompslomp": "Rompslomp",
    "recras": "Recras",
    "workspace": "Workspace",
    "routix": "Routix",
}


def settings_page() -> str:
    """The whole page as Markdown."""
    rows = describe()
    own = [row for row in rows if not row.key.startswith("systems.")]
    parts = [INTRODUCTION, "## The product\n", _table(own), SYSTEMS, _common_table(rows), f"{FIELD_NAMES}\n"]
    for name in SYSTEM_NAMES:
        prefix = f"systems.{name}."
        special = [
            row for row in rows if row.key.startswith(prefix) and row.key.removeprefix(prefix) not in _common_names()
        ]
        parts += [f"## {TITLES[name]}\n", _table(special)]
    return "\n".join(parts)


def _common_names() -> Iterable[str]:
    return SystemSettings.model_fields


def _table(rows: Iterable[SettingRow]) -> str:
    lines = ["| key | kind | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.key}` | {row.type} | {_code(row.default)} | {row.meaning} |" for row in rows]
    return "\n".join(lines) + "\n"


def _common_table(rows: Iterable[SettingRow]) -> str:
    by_key = {row.key: row for row in rows}
    names = " | ".join(TITLES[name] for name in SYSTEM_NAMES)
    lines = [f"| key | kind | {names} | meaning |", f"| --- | --- |{' --- |' * len(SYSTEM_NAMES)} --- |"]
    for common, field in SystemSettings.model_fields.items():
        defaults = [_code(by_key[f"systems.{name}.{common}"].default) for name in SYSTEM_NAMES]
        kind = by_key[f"systems.robaws.{common}"].type
        meaning = "; ".join([field.description or "", *_published(by_key, common)])
        lines.append(f"| `{common}` | {kind} | {' | '.join(defaults)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _published(rows: Mapping[str, SettingRow], common: str) -> Iterator[str]:
    """What a vendor's own description adds to the common one, such as its published limit."""
    for name in SYSTEM_NAMES:
        meaning = rows[f"systems.{name}.{common}"].meaning
        general = SystemSettings.model_fields[common].description or ""
        if meaning != general:
            yield f"{TITLES[name]}: {meaning.removeprefix(general).lstrip('; :')}"


def _code(default: str) -> str:
    return default if default == "–" else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
