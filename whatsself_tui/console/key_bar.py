"""The bottom line: the keys that do something now."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from whatsself_tui.console.actions import ACTIONS, ActionState, key_name, key_of
from whatsself_tui.console.lines import Lines

#: What the line that is written in does with keys.
_WHILE_TYPING = (("enter", "Send"), ("esc", "Back"))


class KeyBar(Lines, can_focus=False):
    """As many of the actions that can be done now as fit, the most important first; each can be clicked."""

    def __init__(self, *, pane_id: str) -> None:
        super().__init__(pane_id=pane_id)
        self.auto_links = False  # keys keep their colours; a click works all the same
        self._state = ActionState()

    def show_state(self, state: ActionState) -> None:
        """What can be done has changed."""
        self._state = state
        self.put([key_line(state, self.scrollable_content_region.width)])

    def on_resize(self) -> None:
        """More or fewer keys fit."""
        self.show_state(self._state)


def key_line(state: ActionState, width: int) -> Content:
    """`p Pause  z Zoom …` in `width` cells; what leads out or explains keeps its place at the end."""
    words = {
        action.id: (key_name(key), action.label(state))
        for action in ACTIONS
        if action.enabled(state) is None and (key := key_of(action, state)) is not None
    }
    parts = [_key(key, word) for key, word in _WHILE_TYPING] if state.typing else []
    room = width - sum(part.cell_length for part in parts)
    chosen: list[str] = []
    by_need = sorted(words, key=lambda action_id: action_id not in ("help", "quit"))
    for action_id in by_need:
        key, label = words[action_id]
        room -= cell_len(key) + cell_len(label) + 3
        if room >= 0:
            chosen.append(action_id)
    for action_id in words:
        if action_id in chosen:
            key, label = words[action_id]
            click = Style.from_meta({"@click": f"app.act('{action_id}')"})
            parts.append(_key(key, label).stylize(click))
    return Content("").join(parts)


def _key(key: str, label: str) -> Content:
    return Content.assemble((f" {key}", "bold $text-accent"), f" {label} ")
