"""Kill owners at random moments under load, as often as you like.

    python tests/crash/random_kills.py [--kills N] [--seed N]

Prints what was done and what is wrong after it; exits with 1 if anything is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from support.crash_load import Storm  # noqa: E402


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Kill owners at random moments under load.")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how many (200)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="which moments (7)")
    args = parser.parse_args()
    os.environ["PYTHONPATH"] = str(TESTS.parent)
    place = Path(tempfile.mkdtemp(prefix="random-kills-"))
    began = time.monotonic()
    storm = Storm(place / "data", args.seed)
    storm.rage(args.kills)
    print(f"{storm.told()}, {time.monotonic() - began:.0f} s")
    faults = storm.faults()
    if faults:
        print("\n".join([*faults, f"The data folder is kept: {place / 'data'}"]))
        return 1
    print("Nothing lost, nothing twice, order and windows kept, the database without fault.")
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
