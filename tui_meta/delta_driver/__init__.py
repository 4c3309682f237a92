"""A driver for Textual that sends only the cells that differ from what the terminal shows.

It serves any Textual application and knows nothing of this one; see ``docs/delta_driver.md``.
"""
