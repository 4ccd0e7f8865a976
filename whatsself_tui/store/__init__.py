"""The one database: outbox, inbox, contacts, statistics, alerts, changes."""
