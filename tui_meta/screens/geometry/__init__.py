"""The geometry screen."""
