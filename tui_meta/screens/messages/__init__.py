"""The message log screen."""
