"""The Textual application and its process: signals, shutdown, themes, preferences."""
