"""Views of the Runs screen, and the report of a run."""
