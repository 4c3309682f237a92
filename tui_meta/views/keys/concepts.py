"""What each screen shows, in the words with which its help begins.

The numbers are those of docs/evaluation.md, for the default tasks and 32 gradient steps from 10
points. Keys in braces are names of actions, so that texts follow the user's key map.
"""

from collections.abc import Mapping

from tui_meta.views.keys.keymap import KeyOf

HEADING = "What you see here"

Concepts = Mapping[str, str]
"""The meaning of each term."""

_GOOD = (
    "about 2.7 to 3 without training, 0.05 (FOMAML) and 0.06 (Reptile) after the default "
    "50,000 iterations on sine waves, 10 points, 32 steps"
)

_CONCEPTS: Mapping[str, Concepts] = {
    "Watch": {
        "goal": "Each run learns a starting point θ of a network, from which a few gradient steps "
        "on a few points fit any new task.",
        "iteration": "A meta-iteration: adapt to random tasks from θ, then move θ once.",
        "support": "The points that gradient steps learn from, usually 10. The loss is measured on "
        "other points, the query set: mean squared error, less is better.",
        "before": "At θ, without a gradient step; after: with them. Before them a loss of 4 to 6 "
        "is right, as θ fits no wave but adapts to any.",
        "validation": "The mean loss after the last step on a fixed set of tasks, the same for all "
        "runs, in its 95 % band; dotted: the network without training.",
        "good": f"Validation: {_GOOD}.",
        "training": "Each algorithm's own loss, defined in the caption: it shows whether a run "
        "learns, and ranks no algorithms. ↓ falling, → level, ↑ rising.",
        "table": "One random task each. Large waves have large losses: compare by validation.",
        "waves": "The newest task common to all running runs. After {evaluate}, {standard}, "
        "{half range} or {per step} your evaluation, until {back}.",
        "group": "Runs that differ in their seed alone; ± is over seeds. {add run} and enter: one "
        "more.",
        "verdict": "At the end all runs are compared on 1,000 other tasks.",
        "focus": "A run has the focus when its line is highlighted ({next}, arrows). Without one, "
        "{pause}, {step}, {save}, {continue}, {slower} and {pace} act on all runs.",
        "e, s, p": "Below a chart: where you evaluated, saved or paused.",
    },
    "Lab": {
        "task": "A function, such as a sine wave, and some points on it. Every run, and a random "
        "initialisation, adapts from its θ to the same points.",
        "support": "The points. Gradient steps learn from them alone; the query loss is measured "
        "along the whole function.",
        "step": "Step 0 is θ itself, before adaptation. {lab back} and {lab step} show what each "
        "gradient step changes, {lab replay} plays them.",
        "query loss": "Mean squared error, less is better; before, at this step, at the end. It "
        "grows with the height squared, so compare rows, not tasks.",
        "good": f"On average over waves: {_GOOD}. On 5 points in the right half and 10 steps "
        "about 0.16, above 6 without training.",
        "random": "The same steps from random weights: what was not learned.",
        "θ": "Live θ follows training until you freeze it ({lab freeze}); {lab less} and "
        "{lab change} on a run's θ choose its checkpoints.",
        "settings": "The marked one (▸) is changed by {lab less} and {lab change}, or typed after "
        "{lab type}; {lab setting} marks the next one.",
        "to try": "Too few points ({lab one point}), half a wave ({lab half range}), waves larger "
        "than any in training ({lab beyond range}), noise ({lab noisy}).",
    },
    "Battery": {
        "battery": "All runs and a random initialisation adapt to the same random tasks, hundreds "
        "or thousands, so that luck with one task decides nothing.",
        "loss": "One number for each task: mean squared error on its query points after the last "
        "gradient step. Less is better.",
        "good": f"Mean: {_GOOD}. The median is lower: few tasks have large losses.",
        "95 %": "The interval of the mean over tasks. It does not contain the luck of training: "
        "another seed gives another θ.",
        "pairs": "Differences on the same task. An interval without 0 is a significant difference; "
        "one with 0 is not.",
        "diverged": "Tasks on which adaptation diverged. A single one decides the mean, not the "
        "median.",
        "histogram": "How many tasks ended at which loss, on a logarithmic axis.",
        "map": "Mean loss by two parameters, a wave's amplitude and phase, of the run chosen with "
        "{battery previous run} and {battery run}.",
        "worst": "The ten tasks with the largest loss; {battery open} opens one in the Lab.",
        "protocol": "Points, interval, steps and rate. {battery protocol} goes through the named "
        "ones, {battery open} types any.",
    },
    "Geometry": {
        "picture": "One iteration of each run, from θ (◆): where the inner steps go for each task, "
        "and where the outer step moves θ. Thousands of parameters are projected on the plane "
        "that shows most of it; its share is in the title.",
        "inner": "Gradient steps on one task, each from the point that the one before reached.",
        "outer": "The step of θ itself. Reptile's points from θ to the adapted weights; FOMAML's "
        "down the query loss at them.",
        "length": "Of the inner path, in all parameters; displacement is the straight way, and "
        "straightness their ratio: 1 is a line.",
        "cosine": "1 same direction, 0 unrelated, -1 opposite. Small angles are rare among so many "
        "parameters: even 0.1 is far from chance.",
        "good": "No value is good by itself: a cosine of successive outer steps above 0 is "
        "progress in one direction, near 0 the noise of single tasks.",
    },
    "Time machine": {
        "checkpoint": "θ as it was: the history is kept from iteration 0 on, closer together at "
        "the start. {time-machine earlier} and {time-machine checkpoint} travel through it.",
        "wave": "How the θ of then adapts to the task, the same for all checkpoints; "
        "{time-machine back} and {time-machine step} show single gradient steps.",
        "loss": "Query loss at that step, mean squared error. At iteration 0 it is that of a "
        "network without training.",
        "history": "The validations of the run: the mean loss on fixed tasks, in a 95 % band.",
        "good": f"Validation: {_GOOD}.",
        "evaluations": "{time-machine evaluations} moves through the evaluations on one random "
        "task each instead, with the nearest θ that was kept; the screen says which.",
    },
    "Runs": {
        "list": "The runs in the folder, whatever process trains them, as they are now. Settings "
        "that differ among them are columns.",
        "validation": "The best, which is the lowest: mean loss after adaptation on a fixed set of "
        "tasks, within its 95 % interval. Comparable if validation settings are the same.",
        "good": f"{_GOOD[0].upper()}{_GOOD[1:]}.",
        "state": "training; paused; finished (reached its target); stopped (ended and saved by a "
        "user); "
        "interrupted (its process ended, the latest checkpoint is there); diverged; failed; "
        "damaged.",
        "open": "{runs open} shows a run's settings, checkpoints and evaluations, {info} all that "
        "it is.",
        "compare": "{runs mark} marks runs, {runs compare} shows up to eight in one chart, with "
        "the chart keys of Watch, above what differs among them.",
        "continue": "{runs resume} trains an unfinished run to its target, in a new session.",
    },
    "Sweep": {
        "group": "Runs that differ in their seed alone, in a line: the settings that differ among "
        "groups, how many seeds are done, and what the others do. {sweep open} shows its runs.",
        "validation": "The loss after the last step on fixed tasks, the same for all runs: the "
        "mean over seeds ± its 95 % interval over seeds; of a single run, over tasks.",
        "best": "◆ marks the lowest mean. It was chosen by these very numbers: a small lead may "
        "be luck, which other seeds decide.",
        "more": "How much more the loss is than that of the best, seed by seed on the same tasks; "
        "* excludes 0. With many groups the intervals are wider, so that all hold together.",
        "chart": "{sweep chart}: a heat map of two settings, the loss over one, all in parallel, "
        "or curves. {sweep x axis} and {sweep y axis} choose settings. Dotted: bands over seeds.",
        "good": f"{_GOOD[0].upper()}{_GOOD[1:]}.",
        "time left": "From what runs have taken, and how many are trained at once: about.",
        "in training": "In a session, runs count with their newest validation; in a folder, once "
        "they have ended.",
        "folder": "{sweep folder} opens the folder of any sweep, wherever its runs are trained; "
        "{back} returns. tui-meta report writes it as Markdown, CSV or LaTeX.",
    },
    "Messages": {
        "messages": "What you, others and the runs did, with the time of day; the newest is last.",
        "results": "On all screens the result of a key keeps the message line until the next "
        "key at least, and an error until {back}; +2 counts messages since.",
        "evaluations": "random task, standard, half range: before → after, mean squared error on "
        "one task. Large waves have large losses.",
        "other names": "Commands of other clients of the session have the client's name.",
    },
}


def concepts(screen: str, key: KeyOf) -> Concepts:
    """Return what ``screen`` shows, with the keys that ``key`` gives."""
    keys = _Keys(key)
    return {term: text.format_map(keys) for term, text in _CONCEPTS[screen].items()}


def concept(screen: str, term: str) -> str:
    """Return what ``screen`` says about ``term``, of the texts that name no key."""
    return _CONCEPTS[screen][term]


class _Keys(dict[str, str]):
    """The key of each action that a text names."""

    def __init__(self, key: KeyOf) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, name: str) -> str:
        return self._key(name)
