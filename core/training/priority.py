"""How threads that compute give way to others: a screen first, then training, then surveys."""

import os
import sys
import threading

TRAINING = 3
"""Keys are answered sooner on a busy machine."""

SURVEY = 19
"""A survey takes what training leaves: all of a free core, and two percent of two busy ones. Beside
training of niceness 5 it took three."""


def set_thread_niceness(niceness: int) -> None:
    """Let threads of a lower ``niceness`` go before this one, where threads have one."""
    # Elsewhere than on Linux niceness belongs to the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
