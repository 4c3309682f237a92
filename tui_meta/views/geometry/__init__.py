"""What the geometry screen shows."""
