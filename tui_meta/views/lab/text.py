"""The Lab in words: presets, settings, and what each theta has reached."""

from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len, set_cell_size

from core.analysis.answers import Adapted
from core.evaluation.few_shot_tasks import PRESETS
from core.events import save_word
from core.tasks.family import NO_CURVE
from tui_meta.views import numbers
from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.lab.pending_queries import Answers
from tui_meta.views.lab.settings import LabSettings, Origin, settings_of
from tui_meta.views.lab.state import INTERVALS, LabState, at_step
from tui_meta.views.numbers import whole
from tui_meta.views.run_status import sample
from tui_meta.views.short_names import brief_names
from tui_meta.views.text import Line, Span, cells, fit, line
from tui_meta.views.watch import layout

Shape = Literal["tiny", "small", "usual", "wide"]

_OF_ADAPTATION = 2
"""Settings that define the adaptation, the last ones; the others define the task."""

_NUMBER_CELLS, _THETA_CELLS = 10, 25

_MARKS = (1, 5, 10)
"""Gradient steps after which papers report a loss; wide tables show it."""


def shape(width: int, height: int) -> Shape:
    """Return the layout: no chart, one, two, or also one for each theta."""
    if width < layout.LEAST_WIDTH or height < layout.LEAST_HEIGHT:
        return "tiny"
    if width < 76 or height < 20:
        return "small"
    return "wide" if width >= 160 and height >= 44 else "usual"


def head_lines(
    settings: LabSettings, shape: Shape, width: int, key: KeyOf = usual_key
) -> list[Line]:
    """Return the task and the settings; a click selects a preset or a setting."""
    if shape == "tiny":
        return [()]  # the line of messages says what size it needs
    if shape == "small":
        return [fit(task_line(settings.lab), width), _rotated(settings, width)]
    count = len(settings_of(settings.lab))
    task = _scrolled(settings, count - _OF_ADAPTATION, width)
    how = _settings(settings, range(count - _OF_ADAPTATION, count))
    less, more = key("lab less"), key("lab change")
    hint = f"{key('lab setting')}: select · {less}/{more}: change · {key('lab type')}: type"
    return [
        fit(preset_line(settings.lab), width),
        fit(line(*task, "  ", Span(_number(settings.lab), "dim")), width),
        fit(line(*how, "  ", Span(hint, "dim")), width),
    ]


def loss_lines(
    settings: LabSettings, answers: Answers, shape: Shape, width: int, key: KeyOf = usual_key
) -> list[Line]:
    """Return the query loss of each theta before adaptation, at the current step and at the end."""
    if shape == "small":
        return [_short(settings.lab, answers, width)]
    freeze = key("lab freeze")
    follows = f"θ ({freeze}: unfreeze)" if settings.frozen else f"θ ({freeze}: freeze)"
    marks = [one for one in (_MARKS if shape == "wide" else ()) if one < settings.lab.updates]
    columns = (
        "before",
        *(f"after {whole(one)}" for one in marks),
        f"step {whole(settings.lab.step)}",
        f"after {whole(settings.lab.updates)}",
    )
    widest = width - _NUMBER_CELLS * len(columns) - _THETA_CELLS
    titles = brief_names([*answers], max(10, widest)) if answers else ()
    room = max([10, *map(cell_len, titles)]) + 3
    head = f"{'query loss':<{room}}" + "".join(f"{one:>{_NUMBER_CELLS}}" for one in columns)
    rows = [fit(line(Span(f"{head}  {follows}", "dim")), width)]
    for index, (title, answer) in enumerate(zip(titles, answers.values(), strict=True)):
        before, now, after = _losses(settings.lab, answer)
        middle = [loss_text(answer.losses[one]) if answer else "…" for one in marks]
        origin = settings.origins[index] if index < len(settings.origins) else None
        rows.append(
            fit(
                line(
                    sample(index),
                    set_cell_size(f" {title}", room - 2),
                    "".join(f"{one:>{_NUMBER_CELLS}}" for one in (before, *middle)),
                    Span(f"{now:>{_NUMBER_CELLS}}", "bold"),
                    f"{after:>{_NUMBER_CELLS}}  ",
                    _theta(settings, origin, index, answer),
                ),
                width,
            )
        )
    return rows


def task_line(lab: LabState) -> Line:
    """Return the task in one line."""
    return line(*wave_line(lab), f", {_origin(lab)}")


def wave_line(lab: LabState) -> Line:
    """Return the wave and the number of support points."""
    if not lab.drawable:
        return line(Span(NO_CURVE, "bold"))
    n = len(lab.task.support_x)
    return line(Span(lab.function.label, "bold"), ", 1 point" if n == 1 else f", {n} points")


def preset_line(lab: LabState) -> Line:
    """Return the presets with their keys, the current one marked; a click selects one."""
    spans: list[Span | str] = []
    for index, name in enumerate(PRESETS):
        action = f"preset('{name}')"
        style = "reverse" if name == lab.preset else ""
        spans += [
            "  " if index else "",
            Span(str(index + 1), "bold", action),
            Span(" ", "", action),
        ]
        spans.append(Span(name.replace("-", " "), style, action))
    return line(*spans)


def _settings(settings: LabSettings, which: Sequence[int]) -> Line:
    spans: list[Span | str] = []
    known = settings_of(settings.lab)
    for index in which:
        setting, chosen = known[index], index == settings.chosen
        action = f"choose({index})"
        mark, style = ("▸", "reverse") if chosen else (" ", "")
        spans += [Span(f"{mark}{setting.name} ", style or "dim", action)]
        spans += [Span(setting.value(settings.lab), style or "bold", action), " "]
    return line(*spans)


def _scrolled(settings: LabSettings, count: int, width: int) -> Line:
    """Return the first ``count`` settings, without the first ones where the chosen one is cut."""
    first, chosen = 0, settings.chosen
    while first < chosen < count and cells(_settings(settings, range(first, chosen + 1))) > width:
        first += 1
    return _settings(settings, range(first, count))


def _rotated(settings: LabSettings, width: int) -> Line:
    """Return the selected setting first, then as many others as fit."""
    origin = settings.selected
    if origin:
        return fit(line(Span(f"▸θ of {origin.title} {_place(origin)}", "reverse")), width)
    count = len(settings_of(settings.lab))
    order = [(settings.chosen + step) % count for step in range(count)]
    shown = count
    while shown > 1 and cells(_settings(settings, order[:shown])) > width:
        shown -= 1
    return fit(_settings(settings, order[:shown]), width)


def _short(lab: LabState, answers: Answers, width: int) -> Line:
    spans: list[Span | str] = [Span(f"step {whole(lab.step)}/{whole(lab.updates)}", "dim")]
    for title, answer in answers.items():
        spans += [f"  {title} ", Span(_losses(lab, answer)[1], "bold")]
    return fit(line(*spans), width)


def _losses(lab: LabState, answer: Adapted | None) -> tuple[str, str, str]:
    if answer is None:
        return ("…",) * 3
    now = at_step(lab, answer.losses)
    return loss_text(answer.losses[0]), loss_text(now), loss_text(answer.losses[-1])


def loss_text(loss: float | None) -> str:
    """Return a loss of an answer in words; None means that adaptation diverged."""
    return "diverged" if loss is None else numbers.loss(loss)


def _theta(
    settings: LabSettings, origin: Origin | None, index: int, answer: Adapted | None
) -> Span:
    if origin is None:
        return Span(" untrained", "dim")
    mark = "▸" if settings.origin == index else " "
    following = origin.live and origin.held is None
    style = "reverse" if settings.origin == index else ""
    live = f"iteration {whole(answer.iteration)} (live)" if answer else "live"
    action = f"choose({len(settings_of(settings.lab)) + index})"
    return Span(f"{mark}{live if following else _place(origin)}", style, action)


def _place(origin: Origin) -> str:
    if origin.live or origin.machine is None:
        return "live" if origin.held is None else f"frozen {whole(origin.held)}"
    one = origin.machine.past.checkpoints[origin.machine.place]
    return f"checkpoint {whole(one.iteration)} {save_word(one.kind)}".rstrip()


def _number(lab: LabState) -> str:
    return "edited" if lab.by_hand else f"task {whole(lab.index + 1)}"


def _origin(lab: LabState) -> str:
    if lab.preset:
        return f"{lab.preset.replace('-', ' ')}, task {whole(lab.index + 1)}"
    if lab.by_hand:
        return "edited"
    noise = f", noise {lab.noise:g}" if lab.noise else ""
    return f"drawn from {INTERVALS[lab.interval]}{noise}"
