"""Texts in lines: foreign ones made harmless, their own line ends kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from textual.content import Content

from whatsself_tui.text import visible

_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")

#: WhatsApp's longest message, in characters.
LONGEST = 65_536


def paragraphs(text: str, width: int, style: str = "", *, limit: int = LONGEST) -> list[Content]:
    """`text` wrapped to `width` cells, at most `limit` characters of it; placeholders stand out."""
    lines: list[Content] = []
    shown = text[:limit].replace("\r\n", "\n")
    for line in shown.split("\n"):
        content = Content.styled(visible(line, limit=limit), style)
        lines.extend(content.highlight_regex(_PLACEHOLDER, style="bold $text-accent").wrap(max(4, width)))
    if len(text) > limit:
        lines.append(Content.styled(f"… {len(text):,} characters in all", "$text-muted"))
    return lines


def indented(lines: Iterable[Content], cells: int) -> list[Content]:
    """The lines moved to the right."""
    return [line.pad_left(cells) for line in lines]


def hanging(head: Content, body: str, width: int, style: str = "") -> list[Content]:
    """`body` beside `head`, and under itself where it needs more lines."""
    room = head.cell_length
    if width - room < 12:
        return [head, *indented(paragraphs(body, width - 2, style), 2)]
    first, *rest = paragraphs(body, width - room, style)
    return [head + first, *indented(rest, room)]


def flowing(head: Content, body: str, width: int, style: str = "") -> list[Content]:
    """`head` and `body` as one text; further lines are moved to the right a little."""
    first, *rest = (head + Content.styled(visible(body, limit=LONGEST), style)).wrap(max(4, width - 2))
    return [first, *indented(rest, 2)]


def section(title: str, lines: Sequence[Content]) -> list[Content]:
    """The lines under a title, a blank line before it; nothing without lines."""
    return [Content(""), Content.styled(title, "bold $text-accent"), *lines] if lines else []
