"""What the log gets to know of a fault."""

from __future__ import annotations

from whatsself_tui.console.faults import harmless


def test_numbers_are_masked_and_variables_left_out() -> None:
    secret = "a message nobody else may read"
    try:
        raise KeyError("5511999990001", len(secret))
    except KeyError as error:
        told = harmless(error)
    assert told["error"] == "KeyError"
    assert told["message"] == "('5511*****0001', 30)"
    assert "test_numbers_are_masked_and_variables_left_out" in told["frames"]
    assert "a message nobody else may read" not in told["frames"]


def test_no_error_tells_nothing() -> None:
    assert harmless(None) == {}
