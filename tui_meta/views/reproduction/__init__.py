"""Published results beside ours, in words."""
