"""A session reached from another process of the same person on the same machine."""
