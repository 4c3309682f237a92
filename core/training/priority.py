"""Thread priorities: user interfaces first, then training, then batteries."""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

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


def set_group_niceness(niceness: int, group: Path = Path("/proc/self/autogroup")) -> None:
    """Raise the niceness of all processes that were started in one session (``setsid``) with this
    one, against those of other sessions.

    Linux may give each session an equal share of the processors (``sched_autogroup``, as most
    distributions for desktops do). The niceness of a thread then counts within its session only,
    and a user interface is in another one.
    """
    with suppress(Exception):
        if int(group.read_text().rpartition(" ")[2]) < niceness:
            group.write_text(str(niceness))
