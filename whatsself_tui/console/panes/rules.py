"""The rules in force: a list with a selection that the screen shows the details of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.events import Click

from whatsself_tui.console import queries
from whatsself_tui.console.pane import Canvas, Pane, Source
from whatsself_tui.console.queries import RulesReading
from whatsself_tui.console.rule_rows import POINTER, Entry, Row, rows
from whatsself_tui.console.words import next_day_ms, plural
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.topics import Topic

#: Cells between the columns and the scroll bar.
_MARGIN = 1

_MARK = Content.styled("▸ ", "bold $text-accent")


class RulesPane(Pane[RulesReading]):
    """Problems, triggers, templates and flows, one under the other."""

    TITLE = "1 Rules"
    TOPICS = frozenset({Topic.MESSAGES})

    def __init__(self, source: Source, *, pane_id: str, selected: Callable[[RulesReading, Entry | None], None]) -> None:
        """`selected` is told after each reading and each move of the selection."""
        super().__init__(source, pane_id=pane_id)
        self._selected = selected
        self._entry: Entry | None = None
        self._entry_before_problems: Entry | None = None
        self._told: RulesReading | None = None
        self._laid_out_for = 0
        self._rows: list[Row] = []
        self._first_lines: dict[Entry, int] = {}

    @property
    def entry(self) -> Entry | None:
        """What is selected."""
        return self._entry

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[RulesReading]:
        """What is in force now, with the day's counts."""
        return queries.rules(await link.configuration(), link.problems, now_ms)

    def outdated_at_ms(self, reading: RulesReading, read_at_ms: int) -> int | None:
        """At midnight the counts begin anew."""
        return next_day_ms(read_at_ms, self.source.link.settings.business.zone)

    def has_read(self, reading: RulesReading) -> None:
        """Keep the selection on what it was on, or near it; a file that was just rejected comes first."""
        if reading == self._told:
            return
        before, place = list(self._first_lines), self._entry
        had_problems = any(entry.kind == "problem" for entry in before)
        self._lay_out(reading, self.scrollable_content_region.width - _MARGIN)
        entries = list(self._first_lines)
        wanted = place if place in self._first_lines else None
        if reading.problems and not had_problems:
            self._entry_before_problems, wanted = place, entries[0]
        elif not reading.problems and had_problems and self._entry_before_problems in self._first_lines:
            wanted = wanted or self._entry_before_problems
        if wanted is None and entries:
            wanted = entries[min(before.index(place), len(entries) - 1) if place in before else 0]
        self._entry = wanted
        catalogue = reading.configuration.catalogue
        self.border_subtitle = Content(
            f"{plural(len(catalogue.triggers), 'trigger')} · {plural(len(catalogue.templates), 'template')}"
            f" · {plural(len(catalogue.flows), 'flow')}"
        )
        self._told = reading
        self._selected(reading, wanted)
        self.call_after_refresh(self._show_selection)

    def picture(self, reading: RulesReading, canvas: Canvas) -> Sequence[Content]:
        """The rows, the selected one marked."""
        if canvas.width - _MARGIN != self._laid_out_for:
            self._lay_out(reading, canvas.width - _MARGIN)
            self.call_after_refresh(self._show_selection)
        lines: list[Content] = []
        for row in self._rows:
            first, *others = row.lines
            lines.append(_MARK + first[POINTER:] if row.entry is not None and row.entry == self._entry else first)
            lines.extend(others)
        return lines

    def action_move(self, where: str) -> None:
        """Move the selection."""
        entries = list(self._first_lines)
        if not entries:
            super().action_move(where)
            return
        here = entries.index(self._entry) if self._entry in self._first_lines else 0
        page = max(1, self.scrollable_content_region.height - 2)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "top": -len(entries), "bottom": len(entries)}
        self._select(entries[max(0, min(len(entries) - 1, here + steps[where]))])

    def on_click(self, event: Click) -> None:
        """Select what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        y = offset.y + self.scroll_offset.y
        for row in self._rows:
            y -= len(row.lines)
            if y < 0:
                if row.entry is not None:
                    self._select(row.entry)
                return

    def _lay_out(self, reading: RulesReading, width: int) -> None:
        self._laid_out_for = width
        self._rows = rows(reading, width)
        self._first_lines.clear()
        y = 0
        for row in self._rows:
            if row.entry is not None:
                self._first_lines.setdefault(row.entry, y)
            y += len(row.lines)

    def _select(self, entry: Entry) -> None:
        if entry == self._entry or self.reading is None:
            return
        self._entry = entry
        self.redraw()
        self._show_selection()
        self._selected(self.reading, entry)

    def _show_selection(self) -> None:
        """Scroll so that the selected row is in sight, with its heading if it is the first below one."""
        if self._entry is None or self._entry not in self._first_lines:
            return
        first = self._first_lines[self._entry]
        row = next(row for row in self._rows if row.entry == self._entry)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if first - 1 < top:
            self.scroll_to(y=max(0, first - 1), animate=False)
        elif first + len(row.lines) > top + height:
            self.scroll_to(y=min(first - 1, first + len(row.lines) - height), animate=False)
