"""
A real test tenant instead of a simulator, where the environment names one; the rules stand in docs/conformance.md.

`CONTACTSYNC_TEST_TENANT_<VENDOR>` is the path of a file in TOML with `[systems.<vendor>]`, as in contactsync.toml, and
`[conformance] this_is_a_test_tenant = true`. Nothing is asked of a tenant otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pydantic

from tests.conformance.adapter import Adapter
from tests.conformance.place import Place, Way
from tests.conformance.wire import Paced, Wire
from tests.fixtures import network
from worker.config.keys import CONFIG_VARIABLE
from worker.config.sources import FILE_NAME, Tree, read
from worker.config.systems import SystemSettings

VARIABLE: Final = "CONTACTSYNC_TEST_TENANT_{}"
PROMISE: Final = "this_is_a_test_tenant"


class UnsafeTenant(Exception):
    """A tenant that the suite will not touch, with the reason."""


def named(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a tenant of this vendor."""
    return bool(environ.get(VARIABLE.format(name.upper()), "").strip())


def refused(environ: Mapping[str, str] = os.environ) -> str:
    """Why no tenant is asked although one is named; empty where it may be."""
    if "PYTEST_XDIST_WORKER" in environ:
        return "a tenant is asked by one process at a time: run pytest without -n"
    return ""


def settings_of(adapter: Adapter, environ: Mapping[str, str], folder: Path) -> SystemSettings:
    """The settings of the tenant that the environment names. UnsafeTenant where a rule of safety is broken."""
    path = folder / Path(environ[VARIABLE.format(adapter.name.upper())]).expanduser()
    tree = _read(path)
    if tree.values.get("conformance") != {PROMISE: True}:
        raise UnsafeTenant(
            f"{path}: write [conformance] and {PROMISE} = true below it, if this is a tenant that nobody works in"
        )
    try:
        settings = adapter.settings(tree.values.get("systems", {}).get(adapter.name, {}))
    except pydantic.ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors(include_url=False))
        raise UnsafeTenant(f"{path}: [systems.{adapter.name}] is not right at {places}") from None
    for address in adapter.hosts(settings):
        _require_safe_address(address)
    if _is_in_production(adapter, settings, environ, folder):
        raise UnsafeTenant(f"{path} has the credentials of {adapter.name} that the product itself is configured with")
    return settings


def _read(path: Path) -> Tree:
    tree = read({CONFIG_VARIABLE: str(path)}, path.parent)
    if tree.problems:
        raise UnsafeTenant("; ".join(tree.problems))
    return tree


def _require_safe_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not network.is_local(parts.hostname):
        raise UnsafeTenant(f"{address} is not https, so that credentials would be readable on the way")


def _is_in_production(adapter: Adapter, tenant: SystemSettings, environ: Mapping[str, str], folder: Path) -> bool:
    """Whether contactsync.toml, or the environment of the product, holds one of the tenant's secrets."""
    own = {name: value for name, value in environ.items() if not name.startswith("CONTACTSYNC_TEST_")}
    values: Any = read(own, folder).values.get("systems", {}).get(adapter.name, {})
    held = str(values) if isinstance(values, Mapping) else ""
    return any(secret in held for secret in adapter.secrets(tenant))


class Tenants:
    """
    The tenants of one run. Each is opened once: one client, one budget, one token; `left` are the records that stay.
    """

    def __init__(self) -> None:
        self._ways: dict[str, Way] = {}
        self.left: dict[str, list[str]] = {}

    def place(self, adapter: Adapter) -> Place:
        """A place at the tenant, with counts that begin anew."""
        way = self._ways.get(adapter.name)
        if way is None:
            settings = settings_of(adapter, os.environ, Path.cwd())
            for address in adapter.hosts(settings):
                network.allow(urlsplit(address).hostname or "")
            way = Way(adapter, settings, Wire(httpx.HTTPTransport()), Paced.of(settings))
            self._ways[adapter.name] = way
        way.begin_anew()
        return Place(adapter, way, settle_seconds=min(10.0, float(way.settings.unknown_settle_seconds)))

    def remember(self, place: Place, ids: list[str]) -> None:
        """Records that could not be removed."""
        if place.simulator is None and ids:
            self.left.setdefault(place.adapter.name, []).extend(ids)

    def close(self) -> None:
        """Give connections back."""
        for way in self._ways.values():
            way.http.close()


__all__ = ["FILE_NAME", "PROMISE", "Tenants", "UnsafeTenant", "named", "refused", "settings_of"]
