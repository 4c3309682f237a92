"""What the Runs screen shows."""
