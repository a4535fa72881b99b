"""The page on personal data names every table that holds any, and the periods of the settings."""

from __future__ import annotations

import re
from typing import Final

import pytest
from pydantic import ValidationError

import models
from tests.docs.pages import ROOT
from worker.config.sections import RetentionSettings

PAGE: Final = (ROOT / "docs" / "personal-data.md").read_text()

WITHOUT_PEOPLE: Final = {
    "alembic_version": "the number of the schema",
    "checkpoint": "how far a system has been read",
    "create_lock": "digests, for a day",
    "event_tally": "counts",
    "inbox_key": "ids of events",
    "row_tally": "counts",
    "system_state": "states and figures of systems, and who paused one",
    "webhook_result": "counts by the hour",
}


def test_every_table_is_on_the_page_or_holds_nothing_of_people() -> None:
    named = set(re.findall(r"^\| [^|]*\(`(\w+)`\) \|", PAGE, re.MULTILINE))
    tables = set(models.Base.metadata.tables)

    assert sorted(tables - named - WITHOUT_PEOPLE.keys()) == []
    assert sorted(named - tables) == []
    assert sorted(named & WITHOUT_PEOPLE.keys()) == []


def test_the_periods_are_those_of_the_settings() -> None:
    retention = RetentionSettings()

    assert f"`retention.attempts_days`, {retention.attempts_days}" in PAGE
    assert f"`retention.events_days`, {retention.events_days}" in PAGE
    assert "7 days is the least" in PAGE
    for name in ("attempts_days", "events_days"):
        with pytest.raises(ValidationError):
            RetentionSettings.model_validate({name: 6})
