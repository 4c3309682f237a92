"""Run folders on disk: configuration, event log, checkpoints."""
