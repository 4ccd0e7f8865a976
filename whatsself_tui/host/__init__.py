"""This machine: the instance lock, heartbeat, logs, browser and health checks."""
