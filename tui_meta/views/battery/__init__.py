"""What the battery shows."""
