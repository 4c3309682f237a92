"""One command of every kind."""

from core.commands import AnyCommand, Evaluate, Extend, Pause, Resume, Save, SetPace, Step, Stop

COMMANDS: list[AnyCommand] = [
    Pause(),
    Resume(),
    Step(3),
    Evaluate("compare", 2),
    Save(),
    SetPace(0.5),
    SetPace(None),
    Extend(),
    Stop(save=False),
]
