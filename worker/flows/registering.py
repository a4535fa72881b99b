"""The webhook registration at the source, on an operator's word: made once, listed, ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from worker.config.checks import is_simulated
from worker.errors import ConfigurationError
from worker.flows.checking import Paced
from worker.runtime import SOURCE, require_credentials
from worker.vendors import contract
from worker.vendors.robaws.endpoints import problem
from worker.vendors.transport import Session, make_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config import Settings


def require_address(settings: Settings, url: str, *, any_path: bool = False) -> None:
    """ConfigurationError for an address where no event of Robaws can arrive."""
    simulated = is_simulated("robaws", settings.systems.robaws.base_url)
    wrong = problem(url, simulated=simulated, any_path=any_path)
    if wrong is not None:
        raise ConfigurationError(wrong)


@contextmanager
def source(settings: Settings) -> Iterator[tuple[Any, Session]]:
    """
    The source's client and a way to it, before anything runs: paced by this process alone, a call or two.

    ConfigurationError where Robaws is not configured.
    """
    robaws = settings.systems.robaws
    if not robaws.enabled:
        raise ConfigurationError("systems.robaws is off: set enabled = true and its credentials first")
    require_credentials(settings, SOURCE)
    client = contract.build(SOURCE, robaws, robaws.phone_region)
    session = Session(
        SOURCE,
        make_client(robaws.base_url),
        Paced(float(robaws.rate_per_second or 1)),
        timeout_seconds=float(robaws.timeout_seconds),
        patience_seconds=10.0,
        idempotency_headers=robaws.idempotency_headers,
    )
    try:
        yield client, session
    finally:
        session.client.close()
