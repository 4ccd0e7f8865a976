"""The pictures of the console in a real browser, as a reader of the README sees them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

REPOSITORY = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome")


def pictures_of_the_readme() -> list[Path]:
    """The SVG files the README shows."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return [REPOSITORY / name for name in re.findall(r"\(([\w/.-]+\.svg)\)", text)]


async def test_pictures_are_whole_by_themselves_and_show_the_panes() -> None:
    pictures = pictures_of_the_readme()
    assert pictures
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=not hasattr(os, "geteuid") or os.geteuid() != 0
        )
        page = await browser.new_page(viewport={"width": 1500, "height": 1000})
        page.on("request", lambda request: asked.append(request.url))
        for picture in pictures:
            await page.goto(picture.as_uri())
            text = await page.evaluate("document.documentElement.textContent")
            for word in ("Breaker", "Queue", "Limits", "Alerts", "Messages"):
                assert word in text, picture.name
            outside = await page.evaluate(
                """() => {
                    const frame = document.documentElement.getBoundingClientRect();
                    return [...document.querySelectorAll('text')].map(each => each.getBoundingClientRect())
                        .filter(box => box.right > frame.right + 1 || box.bottom > frame.bottom + 1).length;
                }"""
            )
            assert outside == 0, f"texts outside of {picture.name}"
        await browser.close()
    assert asked == [picture.as_uri() for picture in pictures], "a picture loads something from elsewhere"
