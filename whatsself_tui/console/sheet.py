"""A framed page of lines that somebody else writes; it only fits them into its width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from whatsself_tui.console.lines import Lines

Picture = Callable[[int], Sequence[Content]]
"""Makes the lines for a width in cells; foreign text in them has to be harmless already."""


def blank(_: int) -> Sequence[Content]:
    """A page with nothing on it."""
    return ()


class Sheet(Lines, can_focus=True):
    """Scrolls; `follows` keeps the last line in sight when there are new ones."""

    def __init__(self, title: str, *, pane_id: str, follows: bool = False) -> None:
        super().__init__(pane_id=pane_id)
        self.border_title = Content(title)
        self._picture: Picture = blank
        self._follows = follows

    def show(self, picture: Picture) -> None:
        """Another page; a page that is read from its top begins there."""
        self._picture = picture
        self._draw()
        if not self._follows:
            self.scroll_to(y=0, animate=False)

    def show_again(self, picture: Picture) -> None:
        """The same page with other words; it stays where it was scrolled to."""
        self._picture = picture
        self._draw()

    def on_resize(self) -> None:
        """Another width."""
        self._draw()

    def _draw(self) -> None:
        width = self.scrollable_content_region.width
        if width > 0:
            self.put(self._picture(width))
            if self._follows:
                self.scroll_end(animate=False)
