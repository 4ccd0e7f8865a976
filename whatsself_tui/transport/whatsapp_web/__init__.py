"""WhatsApp Web in the user's own browser: pairing, sending, receiving, surviving."""
