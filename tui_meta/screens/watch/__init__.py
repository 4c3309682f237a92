"""The watch screen."""
