"""Pure view models: snapshots and events to text and points. No terminal."""
