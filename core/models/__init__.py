"""Networks that are trained, and their settings."""
