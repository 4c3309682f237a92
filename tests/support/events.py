"""Events and snapshots of two runs, as strategies."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from core.algorithms.base import Budget
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.events import (
    AnyEvent,
    CommandIssued,
    CommandRejected,
    Curve,
    Diverged,
    Evaluated,
    Finished,
    Paused,
    Progress,
    Saved,
    Snapshot,
    Spent,
    Stepped,
    Validated,
    Validation,
)

RUNS = FOMAML, REPTILE = ("fomaml-1", "reptile-1")
FINITE = st.floats(-1e6, 1e6)
STAMP = {
    "run": st.sampled_from(RUNS),
    "iteration": st.integers(0, 2**62),
    "time": st.floats(0, 2e9),
}


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluated:
    """Draw an evaluation of any probe, in full or abridged."""
    n = draw(st.integers(0, 3))
    points = st.lists(FINITE, min_size=n, max_size=n).map(tuple)
    return draw(
        st.builds(
            Evaluated,
            probe=st.sampled_from(["validation", "validation", "random", "compare"]),
            index=st.integers(0, 5),
            amplitude=FINITE,
            phase=FINITE,
            support_x=points,
            support_y=points,
            query_x=points,
            before=points,
            after=points,
            losses=st.lists(FINITE, min_size=1, max_size=4).map(tuple),
            training_loss=st.none() | FINITE,
            **STAMP,
        )
    )


@st.composite
def validations(draw: st.DrawFn) -> Validated:
    """Draw a validation after any steps, some of which diverge."""
    n = draw(st.integers(1, 3))
    column = st.lists(st.none() | FINITE, min_size=n, max_size=n).map(tuple)
    return draw(
        st.builds(
            Validated,
            steps=st.just(tuple(range(n))),
            mean=column,
            low=column,
            high=column,
            median=column,
            diverged=st.lists(st.integers(0, 9), min_size=n, max_size=n).map(tuple),
            losses=st.lists(st.none() | FINITE, max_size=3).map(tuple),
            spent=st.builds(Spent, *[st.integers(0, 2**62)] * 3, st.floats(0, 1e9)),
            **STAMP,
        )
    )


EVENTS = st.one_of(
    evaluations(),
    validations(),
    st.builds(Progress, loss=FINITE, **STAMP),
    st.builds(Paused, **STAMP),
    st.builds(Finished, **STAMP),
    st.builds(Stepped, count=st.integers(0, 9), **STAMP),
    st.builds(Saved, path=st.text(), **STAMP),
    st.builds(CommandRejected, command=st.text(), reason=st.text(), **STAMP),
    st.builds(CommandIssued, who=st.text(), command=st.text(), **STAMP),
    st.builds(Diverged, problem=st.text(), advice=st.text(), **STAMP),
)


@st.composite
def growing_curves(draw: st.DrawFn, length: int) -> list[Curve]:
    """Draw ``length`` states of a curve: points are appended, or neighbours are merged."""
    iterations: list[int] = []
    losses: list[float] = []
    step = 1
    states = []
    for _ in range(length):
        if len(iterations) > 8:
            step *= 2
            iterations = iterations[1::2]
            losses = [sum(losses[n : n + 2]) / 2 for n in range(0, len(losses) - 1, 2)]
        for _ in range(draw(st.integers(0, 4))):
            iterations.append((iterations[-1] if iterations else 0) + step)
            losses.append(draw(FINITE))
        losses = losses[: len(iterations)]
        states.append(Curve(tuple(iterations), tuple(losses)))
    return states


@st.composite
def snapshots(draw: st.DrawFn, run: str, curve: Curve) -> Snapshot:
    """Draw a snapshot of ``run``."""
    return draw(
        st.builds(
            Snapshot,
            run=st.just(run),
            algorithm=st.just(run.partition("-")[0]),
            title=st.just("Title"),
            state=st.sampled_from(["loading", "training", "paused", "finished", "stopped"]),
            iteration=st.integers(0, 3),
            target=st.integers(1, 3),
            rate=FINITE,
            elapsed=FINITE,
            engine=st.sampled_from(["auto", "torch"]),
            device=st.sampled_from(["auto", "cpu"]),
            pace=st.none() | FINITE,
            unsaved=st.booleans(),
            loss=st.none() | FINITE,
            best=st.none() | st.builds(Validation, st.integers(0, 3), FINITE, FINITE, FINITE),
            curve=st.just(curve),
            theta=st.none(),
            preparing=st.sampled_from(["", "loading PyTorch"]),
            config=st.sampled_from([{}, RunConfig(algorithm=Reptile()).to_dict()]),
            budget=st.builds(Budget, *[st.integers(0, 9)] * 3),
        )
    )


def counted(events: Sequence[AnyEvent]) -> list[int]:
    """Return the numbers of the events that ``stepped`` made."""
    return [event.count for event in events if isinstance(event, Stepped)]


def stepped(number: int) -> Stepped:
    return Stepped(count=number, run=FOMAML, iteration=number, time=0.0)


def asked(events: Sequence[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.run, event.command) for event in events if isinstance(event, CommandIssued)]
