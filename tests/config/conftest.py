"""The folder that a test of the settings starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.loading import Given


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """An empty folder and an empty environment."""
    return Given(tmp_path)
