"""Workarounds for faults and private parts of Textual and plotext, one module for each subject.

Each says what is wrong, in which version that was seen, and where it is reported. Its test in
``tests/tui_meta/upstream`` fails once the fault is gone: then the workaround can go as well.
"""
