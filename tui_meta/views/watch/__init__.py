"""What the watch screen shows."""
