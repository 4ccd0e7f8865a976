"""The console: panes, screens and widgets of the terminal application."""
