"""The time machine screen."""
