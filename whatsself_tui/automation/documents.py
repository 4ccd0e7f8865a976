"""Brazilian numbers people are asked for: CPF, CNPJ, CEP."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s./-]+")
_CPF = re.compile(r"[0-9]{11}")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_CEP = re.compile(r"[0-9]{8}")
_MAX_WRITTEN = 40
"""Characters; nobody writes one of these numbers longer."""


def cpf(text: str) -> str | None:
    """The CPF in `text` as `123.456.789-09`; None if it is none or its check digits are wrong.

    Modulo 11 as the Receita Federal defines it. Eleven equal digits pass that sum and are nobody's.
    """
    number = _compact(text)
    if not _CPF.fullmatch(number) or number == number[0] * 11:
        return None
    if number[9:] != _check_digits(number[:9], range(2, 12)):
        return None
    return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"


def cnpj(text: str) -> str | None:
    """The CNPJ in `text` as `12.ABC.345/01DE-35`; None if it is none or its check digits are wrong.

    Letters are allowed in the first twelve places since July 2026 (Instrução Normativa RFB 2.229/2024):
    each character counts as its ASCII code less 48, the weights and modulo 11 are the old ones.
    """
    number = _compact(text)
    if not _CNPJ.fullmatch(number) or number == number[0] * 14:
        return None
    if number[12:] != _check_digits(number[:12], (2, 3, 4, 5, 6, 7, 8, 9)):
        return None
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"


def cep(text: str) -> str | None:
    """The postal code in `text` as `01310-100`; None if it has not eight digits."""
    number = _compact(text)
    return f"{number[:5]}-{number[5:]}" if _CEP.fullmatch(number) else None


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text).upper() if len(text) <= _MAX_WRITTEN else ""


def _check_digits(body: str, weights: range | tuple[int, ...]) -> str:
    """Two check digits; the weights run from the last character to the first, over and over."""
    for _ in range(2):
        values = (ord(char) - 48 for char in reversed(body))
        total = sum(value * weights[place % len(weights)] for place, value in enumerate(values))
        rest = total % 11
        body += "0" if rest < 2 else str(11 - rest)
    return body[-2:]
