"""What the console loads before it draws: Textual, and nothing else that takes its time."""

from __future__ import annotations

import json
import subprocess
import sys

#: Each costs tens of milliseconds; the robot loads them behind the first frame.
SLOW = ("pydantic", "structlog", "watchfiles", "re2", "holidays", "tomllib", "whatsself_tui.config.schema")

PROGRAM = """
import json, sys
import whatsself_tui.cli.main, whatsself_tui.cli.console, whatsself_tui.console.app, whatsself_tui.robot.starting
print(json.dumps(sorted(sys.modules)))
"""


def test_the_first_frame_needs_neither_settings_nor_robot() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True)
    assert sorted(set(json.loads(done.stdout)).intersection(SLOW)) == []
