"""Real owners killed at random moments, while real commands send and receive."""

from __future__ import annotations

import os
from pathlib import Path

from support.crash_load import Storm

#: As many as fit into half a minute on two processors; `random_kills.py` beside this file takes a number.
KILLS = int(os.environ.get("RANDOM_KILLS", "15"))


def test_owners_killed_at_random_moments(tmp_path: Path) -> None:
    storm = Storm(tmp_path / "data", seed=7)
    storm.rage(KILLS)
    assert storm.faults() == []
    assert storm.messages > KILLS, storm.told()
