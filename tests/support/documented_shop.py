"""The page for shop owners, as tests read it: its blocks, its complete shop, its conversations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "automations.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """What stands in the page's fences of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def shop_files() -> dict[str, str]:
    """The complete shop, which the page writes as two files: name → content."""
    return {
        found[1]: block for block in blocks("toml") if (found := re.search(r"^# (\w+\.toml)$", block, re.MULTILINE))
    }


def turns(conversation: str) -> Iterator[tuple[str, str, list[str]]]:
    """(time, what the contact writes, the expected answers)."""
    at = ""
    for part in re.split(r"^(?=[>@])", conversation, flags=re.MULTILINE):
        if part.startswith("@"):
            at = part[1:].strip()
        elif part:
            written, *answers = re.split(r"^< ", part, flags=re.MULTILINE)
            yield at, written[1:].strip(), [re.sub(r"\n  ", "\n", answer).removesuffix("\n") for answer in answers]


def media_and_text(written: str) -> tuple[str, str]:
    """(`text` or the kind of media, the text or caption) of `[image] a caption`."""
    media = re.match(r"\[(\w+)\] ?", written)
    return (media[1], written[media.end() :]) if media else ("text", written)
