"""Pure state machines that say when a message may leave: windows, breaker, retries, human pace."""
