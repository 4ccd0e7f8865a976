"""How often a pane may read and paint: a few times at once, then at a steady rate."""

from __future__ import annotations

#: Changes shown at once, so that a send (claimed, sent, delivered) is seen as it happens.
BURST = 4

#: Paints per second a pane gets under a steady stream of changes.
RATE_PER_S = 2.0


class Allowance:
    """A token bucket: `BURST` at once, refilled at `RATE_PER_S`. Times are of a monotonic clock."""

    def __init__(self, now_s: float) -> None:
        self._left = float(BURST)
        self._counted_at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next paint is due, 0.0 for at once."""
        self._refill(now_s)
        return max(0.0, (1.0 - self._left) / RATE_PER_S)

    def spend(self, now_s: float) -> None:
        """A paint begins."""
        self._refill(now_s)
        self._left -= 1.0

    def _refill(self, now_s: float) -> None:
        self._left = min(float(BURST), self._left + (now_s - self._counted_at_s) * RATE_PER_S)
        self._counted_at_s = now_s
