"""What the time machine shows."""
