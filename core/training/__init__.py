"""One run in its thread: training, commands, events, checkpoints."""
