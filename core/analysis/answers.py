"""Answers to questions: immutable, ready for MessagePack and JSON.

A number that is not finite is None, as in a run's log: fine-tuning may diverge, and JSON cannot
express it. Answers whose parts do not fit together raise ``ValueError``.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from core.analysis.questions import ExplicitTask
from core.evaluation_protocol import EvaluationProtocol
from core.events import Iteration, SaveKind, Validation

LARGEST_ANSWER = 2**19
"""Bytes of an answer in MessagePack. The longest, 1,000 steps on 50 points, has 465,000, which take
some milliseconds to send."""

WORST_TASKS = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Number = float | None
Numbers = tuple[Number, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag=str.lower):
    """An answer to a question."""


class Cancelled(Answer, frozen=True, kw_only=True):
    """No answer: the question was cancelled."""


class Adapted(Answer, frozen=True, kw_only=True):
    """Fine-tuning on ``task`` from the theta of ``iteration``, with steps of size ``lr``.

    ``query_y`` is the true curve at ``query_x``, both ``(n_query,)``. ``losses`` is
    ``(updates + 1,)``, before any step and after each; ``predictions`` ``(updates + 1, n_query)``.
    """

    iteration: Iteration
    task: ExplicitTask
    lr: float
    query_x: tuple[float, ...]
    query_y: tuple[float, ...]
    losses: Numbers
    predictions: tuple[Numbers, ...]

    def __post_init__(self) -> None:
        _require(len(self.losses) > 0, "there must be a loss before any step")
        _require(
            len(self.predictions) == len(self.losses), "each step needs a loss and predictions"
        )
        points = {len(self.query_x), len(self.query_y), *map(len, self.predictions)}
        _require(len(points) == 1, "each query point needs a prediction")


class HardTask(msgspec.Struct, frozen=True, kw_only=True):
    """One of the tasks with the largest losses: number ``index`` of those drawn.

    ``task`` is None for one that is not a curve.
    """

    index: int
    loss: Number
    label: str
    task: ExplicitTask | None


class SourceResult(msgspec.Struct, frozen=True, kw_only=True):
    """The losses of one source after the last gradient step.

    ``low`` to ``high`` is the 95 % interval of the mean. ``quantiles`` are those of ``QUANTILES``.
    ``diverged`` tasks have a loss that is not finite, or far above the mean before adaptation
    (`core.evaluation.statistics`): then there is no mean, they are the first of the ``worst``, and
    ``counts`` (of each bin) leaves them out. ``heat`` is the mean loss of each cell of the map,
    ``(rows, columns)``, None where there is no task in it or one that diverged.
    """

    iteration: Iteration
    lr: float
    mean: Number
    low: Number
    high: Number
    median: Number
    quantiles: Numbers
    diverged: int
    counts: tuple[int, ...]
    worst: tuple[HardTask, ...]
    heat: tuple[Numbers, ...]

    def __post_init__(self) -> None:
        _require(len(self.quantiles) == len(QUANTILES), "each quantile needs a value")


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The difference of two sources, numbers ``first`` and ``second``, on the same tasks.

    ``mean`` is that of the first loss minus the second, None where a task diverged;
    ``first_better`` is the share of tasks on which the first has the lower loss.
    """

    first: int
    second: int
    mean: Number
    low: Number
    high: Number
    first_better: float


class BatteryResult(Answer, frozen=True, kw_only=True, tag="surveyed"):
    """Losses of several sources after the last step of ``protocol``, on its random tasks.

    The edges of the histogram's bins are ``bins``, spaced evenly on a logarithmic scale and the
    same for all. The heat map's cells are intervals of the family's first two parameters, whose
    names are ``axes``: with edges ``rows`` and ``columns``, and ``tasks`` in each cell. Those of a
    mixture are its families, which have ``names``, and the place of their first parameter in its
    range, from 0 to 1. ``pairs`` has each two sources once.
    """

    protocol: EvaluationProtocol
    bins: tuple[float, ...]
    axes: tuple[str, str]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    tasks: tuple[tuple[int, ...], ...]
    sources: tuple[SourceResult, ...]
    pairs: tuple[Pair, ...]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n_rows, n_columns = len(self.rows) - 1, len(self.columns) - 1
        _require(len(self.names) in (0, n_rows), "each row needs a name")
        maps: list[Sequence[Sequence[object]]] = [self.tasks]
        for source in self.sources:
            maps.append(source.heat)
            _require(len(source.counts) == len(self.bins) - 1, "each bin needs a count")
        for cells in maps:
            sound = len(cells) == n_rows and all(len(row) == n_columns for row in cells)
            _require(sound, "a heat map needs a value for each cell")
        n = len(self.sources)
        _require(
            all(0 <= pair.first < pair.second < n for pair in self.pairs),
            "a pair must refer to two sources",
        )
        _require(all(a < b for a, b in pairwise(self.bins)), "bins must ascend")


Point = tuple[float, float]


class Traced(Answer, frozen=True, kw_only=True):
    """The geometry of the next iteration, on the plane of the largest variance of its points.

    Theta is the origin, ``paths`` holds phi_1 to phi_k of each task, and ``update`` is where the
    outer step ends. ``explained`` is the share of the variance along each axis. In the space of all
    parameters: ``lengths`` of the tasks' paths and ``distances`` from their beginning to their end,
    ``update_norm`` that of the outer step. ``fomaml_reptile`` is the cosine of the two algorithms'
    directions at this theta, on these tasks and inner paths; ``successive`` that of this outer step
    and the next. A cosine is None where a direction has no length. Where the moments of the outer
    optimiser are not known, ``exact`` is False, and outer steps are those of plain SGD.
    """

    iteration: Iteration
    algorithm: str
    paths: tuple[tuple[Point, ...], ...]
    update: Point
    explained: Point
    lengths: tuple[float, ...]
    distances: tuple[float, ...]
    update_norm: float
    fomaml_reptile: Number
    successive: Number
    exact: bool

    def __post_init__(self) -> None:
        tasks = {len(self.paths), len(self.lengths), len(self.distances)}
        _require(len(tasks) == 1, "each task needs a path, its length and its distance")
        _require(all(self.paths), "each path needs a step")


class SavedTheta(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint ``name`` of a folder, and the reason for saving it, if known."""

    name: str
    iteration: Iteration
    kind: SaveKind | None = None


class PastEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A periodic evaluation of a run's log, with the loss before and after adaptation."""

    iteration: Iteration
    index: int
    parameters: tuple[float, ...]
    before: Number
    after: Number


class RunHistory(Answer, frozen=True, kw_only=True, tag="recalled"):
    """The readable checkpoints of ``folder`` and its periodic evaluations, oldest first.

    ``damaged`` counts checkpoints that cannot be read. Of very many, ``checkpoints`` and
    ``validations`` have the newest and ``evaluations`` every second, fourth, and so on. ``seed`` is
    that of the evaluations' tasks, if known.
    """

    folder: str
    checkpoints: tuple[SavedTheta, ...]
    damaged: int
    evaluations: tuple[PastEvaluation, ...]
    validations: tuple[Validation, ...] = ()
    seed: int | None = None


AnyAnswer = Cancelled | Adapted | BatteryResult | Traced | RunHistory


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise ValueError(rule)
