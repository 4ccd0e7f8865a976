"""How messages leave and arrive: the protocol and what speaks it."""
