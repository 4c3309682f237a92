"""How threads that compute give way to others: a screen first, then training, then surveys."""

import os
import sys
import threading

TRAINING = 5
"""Keys were answered about a quarter sooner on a busy machine."""

SURVEY = 19
"""A survey takes what training leaves: a few percent of a busy core, all of a free one."""


def give_way(niceness: int) -> None:
    """Let threads of a lower ``niceness`` go before this one, where threads have one."""
    # Elsewhere than on Linux niceness belongs to the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
