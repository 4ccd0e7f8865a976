"""The robot itself: what comes in, what goes out, and the commands it carries out."""
