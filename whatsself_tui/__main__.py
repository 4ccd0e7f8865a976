"""`python -m whatsself_tui`."""

from whatsself_tui.cli.main import entry

if __name__ == "__main__":
    entry()
