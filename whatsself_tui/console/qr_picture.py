"""WhatsApp's QR code as text and as a picture file: dark modules on a light ground, a quiet zone around them.

Error correction L: the code is shown on a clean screen, and the fewer modules it has, the more
terminals it fits. Two modules share a cell as half blocks, or each takes two letters where a terminal
has no such glyphs.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

#: A code's modules, row by row; True is dark.
Matrix = tuple[tuple[bool, ...], ...]

#: Modules of light margin: ISO/IEC 18004 asks for 4; phones read a code with 2 on an empty screen.
QUIET_ZONE = 4
LEAST_QUIET_ZONE = 2

#: WhatsApp's codes have 230 to 310 characters; anything far longer is none of them.
LONGEST = 600

#: Pixels of the picture file for one module.
_SCALE = 8

#: (upper module is dark, lower module is dark) → the glyph in the colour of dark modules.
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}

_LETTERS = {True: "##", False: "  "}


@lru_cache(maxsize=2)
def modules(text: str) -> Matrix:
    """The code of `text` without a margin. Raises ValueError for an empty text and one above `LONGEST`."""
    import segno  # 90 ms, for the few who pair

    _check(text)
    code = segno.make_qr(text, error="l", boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


def half_blocks(matrix: Matrix, quiet_zone: int, *, glyphs_are_light: bool = False) -> tuple[str, ...]:
    """Rows of cells, each with two modules one above the other; the lower half of the last may be beyond the code.

    `glyphs_are_light` is for a dark screen on which no colours can be set.
    """
    rows = _with_margin(matrix, quiet_zone)
    beyond = (False,) * len(rows[0])
    return tuple(
        "".join(_HALVES[a != glyphs_are_light, b != glyphs_are_light] for a, b in zip(upper, lower, strict=True))
        for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=beyond)
    )


def letters(matrix: Matrix, quiet_zone: int, *, glyphs_are_light: bool = False) -> tuple[str, ...]:
    """Rows of ASCII alone: `##` for each dark module (or each light one), two blanks for the others."""
    rows = _with_margin(matrix, quiet_zone)
    return tuple("".join(_LETTERS[module != glyphs_are_light] for module in row) for row in rows)


def size(side: int, quiet_zone: int, *, ascii_only: bool = False) -> tuple[int, int]:
    """Columns and rows of cells for a code of `side` modules."""
    whole = side + 2 * quiet_zone
    return (2 * whole, whole) if ascii_only else (whole, (whole + 1) // 2)


def least_size(text: str, *, ascii_only: bool = False) -> tuple[int, int]:
    """The least columns and rows `text` can be shown in. Raises ValueError as `modules` does."""
    return size(len(modules(text)), LEAST_QUIET_ZONE, ascii_only=ascii_only)


def fits(text: str, width: int, height: int, *, ascii_only: bool = False) -> bool:
    """Whether its code can be shown in so many columns and rows. Raises ValueError as `modules` does."""
    columns, rows = least_size(text, ascii_only=ascii_only)
    return columns <= width and rows <= height


def picture(text: str, width: int, height: int) -> tuple[str, ...]:
    """The half blocks of its code with the widest quiet zone there is room for; empty where it does not fit.

    Raises ValueError as `modules` does.
    """
    matrix = modules(text)
    zone = roomy_zone(len(matrix), width, height)
    return () if zone is None else half_blocks(matrix, zone)


def roomy_zone(side: int, width: int, height: int, *, ascii_only: bool = False) -> int | None:
    """The widest quiet zone of a code of `side` modules in so many columns and rows; None if there is no room."""
    for quiet_zone in range(QUIET_ZONE, LEAST_QUIET_ZONE - 1, -1):
        columns, rows = size(side, quiet_zone, ascii_only=ascii_only)
        if columns <= width and rows <= height:
            return quiet_zone
    return None


def png(text: str) -> bytes:
    """Its code as a picture file, black on white. Raises ValueError as `modules` does."""
    import segno

    _check(text)
    file = io.BytesIO()
    segno.make_qr(text, error="l", boost_error=False).save(file, kind="png", scale=_SCALE, border=QUIET_ZONE)
    return file.getvalue()


def _check(text: str) -> None:
    if not text:
        raise ValueError("an empty code cannot be drawn")
    if len(text) > LONGEST:
        raise ValueError(f"a code of {len(text)} characters cannot be drawn; at most {LONGEST} are")


def _with_margin(matrix: Matrix, quiet_zone: int) -> Sequence[tuple[bool, ...]]:
    side = (False,) * quiet_zone
    line = (False,) * (len(matrix) + 2 * quiet_zone)
    return (*(line,) * quiet_zone, *((*side, *row, *side) for row in matrix), *(line,) * quiet_zone)
