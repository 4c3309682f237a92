"""The pure part of the Sweep screen."""
