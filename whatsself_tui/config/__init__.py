"""Settings and automation files: read, checked, watched and written back."""
