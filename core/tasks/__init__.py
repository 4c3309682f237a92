"""Task families: what is learned on, and how tasks and points are sampled."""
