"""The circuit breaker's numbers: which outcomes count, and when they are too bad.

The robot measures with these; the state is `closed`.
"""

from __future__ import annotations

#: Outcomes older than this are forgotten.
WINDOW_MS = 300_000

#: At most this many of the last outcomes count.
WINDOW_ATTEMPTS = 50

#: With fewer outcomes than this the rate means nothing.
MIN_ATTEMPTS = 20

#: Share of failed sends that is too much.
FAIL_RATE = 0.25
