"""The QR code as text and as a picture file, read back and compared with what an encoder makes by itself."""

from __future__ import annotations

import string

import pytest
from console.pairing_scenes import QR_TEXT
from hypothesis import given, settings
from hypothesis import strategies as st
from support.qr_reading import inside, of_half_blocks, of_letters, of_png, of_text

from whatsself_tui.console.big_letters import big
from whatsself_tui.console.qr_picture import (
    LEAST_QUIET_ZONE,
    LONGEST,
    QUIET_ZONE,
    fits,
    half_blocks,
    least_size,
    letters,
    modules,
    picture,
    png,
    roomy_zone,
    size,
)

CODES = st.text(string.ascii_letters + string.digits + "@,+/=", min_size=1, max_size=320)


@settings(max_examples=25, deadline=None)
@given(CODES, st.integers(LEAST_QUIET_ZONE, QUIET_ZONE), st.booleans())
def test_half_blocks_hold_the_very_code(text: str, quiet_zone: int, glyphs_are_light: bool) -> None:
    rows = half_blocks(modules(text), quiet_zone, glyphs_are_light=glyphs_are_light)
    assert (len(rows[0]), len(rows)) == size(len(modules(text)), quiet_zone)
    assert inside(of_half_blocks(rows, glyphs_are_light=glyphs_are_light)) == (of_text(text), quiet_zone)


@settings(max_examples=25, deadline=None)
@given(CODES, st.integers(LEAST_QUIET_ZONE, QUIET_ZONE), st.booleans())
def test_letters_hold_the_very_code(text: str, quiet_zone: int, glyphs_are_light: bool) -> None:
    rows = letters(modules(text), quiet_zone, glyphs_are_light=glyphs_are_light)
    assert "".join(rows).isascii()
    assert (len(rows[0]), len(rows)) == size(len(modules(text)), quiet_zone, ascii_only=True)
    assert inside(of_letters(rows, glyphs_are_light=glyphs_are_light)) == (of_text(text), quiet_zone)


@settings(max_examples=10, deadline=None)
@given(CODES)
def test_the_file_holds_the_very_code_with_the_margin_of_the_standard(text: str) -> None:
    assert inside(of_png(png(text))) == (of_text(text), QUIET_ZONE)


def test_a_short_text_is_no_micro_code_which_whatsapp_cannot_read() -> None:
    assert len(modules("1")) == 21


def test_a_code_of_whatsapp_s_needs_thirty_rows() -> None:
    assert len(QR_TEXT) in range(227, 272)
    assert least_size(QR_TEXT) == (61, 31)
    assert least_size(QR_TEXT, ascii_only=True) == (122, 61)
    assert not fits(QR_TEXT, 80, 24)


@pytest.mark.parametrize(
    ("width", "height", "margin"), [(80, 40, 4), (65, 33, 4), (64, 33, 3), (65, 32, 3), (61, 31, 2), (200, 31, 2)]
)
def test_it_takes_the_widest_margin_there_is_room_for(width: int, height: int, margin: int) -> None:
    rows = picture(QR_TEXT, width, height)
    assert inside(of_half_blocks(rows)) == (of_text(QR_TEXT), margin)
    assert fits(QR_TEXT, width, height)


@given(st.integers(0, 140), st.integers(0, 70))
def test_it_is_drawn_only_where_it_fits(width: int, height: int) -> None:
    rows = picture(QR_TEXT, width, height)
    assert bool(rows) == fits(QR_TEXT, width, height)
    assert len(rows) <= height
    assert all(len(row) <= width for row in rows)
    zone = roomy_zone(57, width, height, ascii_only=True)
    assert (zone is not None) == fits(QR_TEXT, width, height, ascii_only=True)


@pytest.mark.parametrize("text", ["", "x" * (LONGEST + 1), "x" * 100_000])
def test_what_cannot_be_one_of_whatsapp_s_codes_is_refused(text: str) -> None:
    for make in (modules, png, least_size):
        with pytest.raises(ValueError, match=r"cannot be drawn"):
            make(text)


def test_large_letters_can_all_be_told_apart() -> None:
    shapes = {char: big(char, 5) for char in string.ascii_uppercase + string.digits + "-"}
    assert len(set(shapes.values())) == len(shapes)
    assert all(len(shape) == 3 and all(len(row) == 5 for row in shape) for shape in shapes.values())


def test_large_letters_stay_in_their_width_and_leave_out_nothing() -> None:
    assert max(len(row) for row in big("K7MW-2QXD", 53)) == 53
    assert big("K7MW-2QXD", 52) == ()
    assert big("K7é", 60) == ()
    assert big("", 60) == ()
