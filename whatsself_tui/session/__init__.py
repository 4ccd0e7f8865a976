"""Backups of everything that cannot be made again: settings, database, browser profile."""
