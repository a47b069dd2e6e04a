"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving.parts import Players


@pytest.fixture
def players() -> Iterator[Players]:
    """Who plays the workers."""
    players = Players()
    yield players
    players.close()
