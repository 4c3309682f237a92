"""Thread priorities: user interfaces first, then training, then batteries."""

import os
import sys
import threading

TRAINING = 3
"""Lower than a user interface, so that keys respond sooner on a busy machine."""

BATTERY = 19
"""A battery gets the time that training leaves: all of a free core, two percent of two busy ones.
With training at niceness 5 it got three."""


def set_thread_niceness(niceness: int) -> None:
    """Set the niceness of the calling thread; no effect except on Linux."""
    # On other systems niceness belongs to the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
