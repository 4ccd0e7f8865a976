"""What `start.py` does before the program runs: its `.venv`, and the developers' tests, checks and locks."""
