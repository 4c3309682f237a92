"""Thread priorities: user interfaces first, then training, then batteries."""

import os
import sys
import threading
from contextlib import suppress

TRAINING = 3
"""Lower than a user interface, so that keys respond sooner on a busy machine."""

BATTERY = 19
"""A battery gets the time that training leaves: all of a free core, two percent of two busy ones.
With training at niceness 5 it got three."""


def set_thread_niceness(niceness: int) -> None:
    """Raise the niceness of the calling thread to ``niceness``; no effect except on Linux.

    A higher one, which the user gave the process, stays. So does any that the system refuses to
    change: a priority is a wish, and work is done at another one as well.
    """
    # On other systems niceness belongs to the whole process.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(Exception):
            if os.getpriority(os.PRIO_PROCESS, thread) < niceness:
                os.setpriority(os.PRIO_PROCESS, thread, niceness)
