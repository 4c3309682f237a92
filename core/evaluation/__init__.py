"""Few-shot evaluation: protocols, adaptation over many tasks, statistics."""
