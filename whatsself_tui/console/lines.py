"""A widget of lines that writes to the terminal only the lines that changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from whatsself_tui.console.actions import MOVES


class Lines(ScrollView):
    """Scrolls by line; a list, a table or a label is given to it as finished lines."""

    ALLOW_SELECT = False
    BINDINGS = [Binding(",".join(move.keys), f"move('{move.id}')", move.title, show=False) for move in MOVES]  # noqa: RUF012
    DEFAULT_CSS = """
    Lines {
        text-wrap: nowrap;
        text-overflow: ellipsis;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, pane_id: str) -> None:
        super().__init__(id=pane_id)
        self._lines: tuple[Content, ...] = ()

    @property
    def plain(self) -> str:
        """The text of all lines, without styles."""
        return "\n".join(line.plain for line in self._lines)

    def put(self, lines: Sequence[Content]) -> None:
        """Show `lines`; what is the same as before is not painted again."""
        before, self._lines = self._lines, tuple(lines)
        if len(before) != len(self._lines):
            self.virtual_size = Size(0, len(self._lines))
        for y, (old, new) in enumerate(zip_longest(before, self._lines)):
            if old is None or new is None or not old.is_same(new):
                self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """The strip of row `y` of the widget."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        strips = Visual.to_strips(self, self._lines[index], width, 1, self.visual_style, pad=True)
        return strips[0] if strips else Strip.blank(width, self.rich_style)

    def action_move(self, where: str) -> None:
        """Scroll as the key says."""
        page = max(1, self.scrollable_content_region.height - 1)
        here = self.scroll_offset.y
        target = {
            "up": here - 1,
            "down": here + 1,
            "page_up": here - page,
            "page_down": here + page,
            "top": 0,
            "bottom": len(self._lines),
        }[where]
        self.scroll_to(y=target, animate=False)
