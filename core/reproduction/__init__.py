"""Published results: how they were trained and evaluated, and how runs of ours compare."""
