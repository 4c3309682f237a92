"""Experiments: many runs from one description, trained by a pool of workers into one folder."""
