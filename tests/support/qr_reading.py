"""A QR code read back from what was drawn: the modules of text rows and of a picture file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import segno

Matrix = tuple[tuple[bool, ...], ...]

_HALVES = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}


def of_text(text: str) -> Matrix:
    """What segno makes of `text` by itself with error correction L."""
    code = segno.make(text, error="l", micro=False, boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


def of_half_blocks(rows: Sequence[str], *, glyphs_are_light: bool = False) -> Matrix:
    """All modules of rows of half blocks, the margin and a half row below the code included."""
    halves: list[tuple[bool, ...]] = []
    for row in rows:
        pairs = [_HALVES[char] for char in row]
        halves.append(tuple(upper != glyphs_are_light for upper, _ in pairs))
        halves.append(tuple(lower != glyphs_are_light for _, lower in pairs))
    return tuple(halves)


def of_letters(rows: Sequence[str], *, glyphs_are_light: bool = False) -> Matrix:
    """All modules of rows in which two letters are one module."""
    for row in rows:
        assert set(row[::2]) | set(row[1::2]) <= {"#", " "}
        assert row[::2] == row[1::2]
    return tuple(tuple((char == "#") != glyphs_are_light for char in row[::2]) for row in rows)


def of_png(data: bytes, scale: int = 8) -> Matrix:
    """All modules of a black and white PNG file as segno writes it (one bit a pixel)."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colours = struct.unpack(">IIBB", data[16:26])
    assert (depth, colours) == (1, 0), "one bit, greyscale"
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    pixels = zlib.decompress(data[start + 4 : start + 4 + length])
    stride = (width + 7) // 8 + 1
    rows = []
    above = bytes(stride - 1)
    for y in range(height):
        kind, *line = pixels[y * stride : (y + 1) * stride]
        assert kind in (0, 2), "as it is, or the difference to the line above"
        above = bytes((byte + up) % 256 for byte, up in zip(line, above, strict=True)) if kind else bytes(line)
        if y % scale == scale // 2:
            bits = "".join(f"{byte:08b}" for byte in above)
            rows.append(tuple(bits[x] == "0" for x in range(scale // 2, width, scale)))
    return tuple(rows)


def inside(matrix: Matrix) -> tuple[Matrix, int]:
    """The code without its margin, and how many light modules are around it on its narrowest side."""
    dark = [(y, x) for y, row in enumerate(matrix) for x, module in enumerate(row) if module]
    top, bottom = min(y for y, _ in dark), max(y for y, _ in dark)
    left, right = min(x for _, x in dark), max(x for _, x in dark)
    margin = min(top, left, len(matrix) - 1 - bottom, len(matrix[0]) - 1 - right)
    return tuple(row[left : right + 1] for row in matrix[top : bottom + 1]), margin
