"""Start WhatsSelf TUI: `python start.py [ARGUMENTS]`; developers also have `test`, `check` and `lock`.

Any Python reads this file, even 2.7, so that one that is too old says so in a sentence. Everything
else is in `launcher`, for Python 3.11 and newer, with the standard library alone.
"""

import os
import sys

OLDEST = (3, 11)


def refusal(version):
    # type: (tuple[int, int]) -> str
    """What to tell somebody whose Python has this version; empty where it will do."""
    if version >= OLDEST:
        return ""
    return (
        "WhatsSelf TUI needs Python %d.%d or newer, and this one is %d.%d."
        " Get a newer one from https://www.python.org/downloads/ and start it with that." % (OLDEST + version)
    )


def main():
    # type: () -> int
    """Run `launcher`, wherever this was called from; the result is the exit code."""
    sentence = refusal(sys.version_info[:2])
    if sentence:
        sys.stderr.write("start.py: " + sentence + "\n")
        return 2
    root = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, root)
    from launcher.commands import begin

    return begin(root, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
