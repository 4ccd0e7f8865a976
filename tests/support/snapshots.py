"""Pictures of screens as SVG files in `snapshots/`, the same on every machine."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex
from textual.app import App

FOLDER = Path(__file__).parents[2] / "snapshots"


class FlatSvg(SingleFileSnapshotExtension):
    """One file a picture, named by the test: `snapshot(name="dashboard_80x24")`."""

    _write_mode = WriteMode.TEXT
    _file_extension = "svg"
    file_extension = "svg"  # its name from version 5 on

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """All in one folder, whatever the test."""
        return str(FOLDER)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """The name the test gave."""
        assert isinstance(index, str), "a picture needs a name"
        return index

    @classmethod
    def write_snapshot(cls, **what: Any) -> None:
        """Write; syrupy warns of names that do not repeat the test's, which is what is wanted here."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().write_snapshot(**what)

    def discover_snapshots(self, *, test_location: PyTestLocation, **_: Any) -> SnapshotCollections:
        """None: running a part of the tests must not call the pictures of the others unused."""
        return SnapshotCollections()


def picture(app: App[int]) -> str:
    """The app's screen as an SVG document without random names and outside addresses."""
    svg = app.export_screenshot(simplify=True)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-\d+(-|\b)", r"terminal\1", svg)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
