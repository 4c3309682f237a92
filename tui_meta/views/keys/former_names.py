"""Names of actions in version 0.1, by which older key maps may call them."""

FORMER_NAMES = {
    "train on": "continue",
    "fresh run": "restart",
    "per update": "per step",
    "lab carry": "lab grab",
    "lab next": "lab new task",
    "lab still": "lab freeze",
    "time-machine travel": "time-machine checkpoint",
    "time-machine run before": "time-machine previous run",
    "time-machine next task": "time-machine new task",
    "battery seed back": "battery previous seed",
    "battery worst": "battery task",
    "battery whose before": "battery previous run",
    "battery whose": "battery run",
    "battery chart before": "battery previous chart",
    "geometry before": "geometry previous run",
    "runs order before": "runs previous sort",
    "runs go on": "runs resume",
    "runs read again": "runs refresh",
}
"""Today's name of each action that was renamed."""
