"""The battery screen."""
