"""``tui-meta --check``: outer gradients beside autograd and central differences."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.algorithms.base import Derivative
from core.analysis.gradient_check import GradientCheck, check_gradient
from tui_meta.cli.settings import configure, read_settings
from tui_meta.console import Exit, print_note
from tui_meta.output import Output
from tui_meta.views.numbers import whole

_WORDS: Mapping[Derivative, str] = {
    "second": "second order, the derivative of the training loss through the inner steps",
    "first": "first order, the same with the gradients of the inner steps held constant",
    "displacement": "theta - phi, the mean over tasks",
    "zero": "zero",
}


def check_gradients(given: Mapping[str, Any], config: Path | None) -> int:
    """Check the first run of each group that the flags ``given`` and ``config`` describe."""
    file = read_settings(config)
    groups = {run.group: run.config for run in reversed(configure(given, file, config).runs)}
    output, agree, report = Output(), True, functools.cache(print_note)
    for group, run in reversed(groups.items()):
        found = check_gradient(run, report)
        agree = agree and found.agrees
        for line in check_lines(group, found):
            output.print_line(line)
    return Exit.DONE if agree else Exit.FAILED


def check_lines(name: str, found: GradientCheck) -> Iterator[str]:
    """Yield what was compared, and a line for each comparison."""
    yield f"{name}: outer gradient of iteration 1, {whole(found.size)} numbers, {found.engine}"
    far, words = found.autograd[found.expected], _WORDS[found.expected]
    if found.expected == "second" and not found.algorithm.steps:
        words = "the derivative of the training loss"
    if found.expected in found.proved:
        yield f"  autograd            equal    to within {far:.1g} of its largest number; {words}"
    else:
        equal = ", ".join(_WORDS[one].partition(",")[0] for one in found.proved)
        words += f"; it equals {equal}" if equal else ""
        yield f"  autograd            DIFFERS  by {far:.2g} of its largest number from {words}"
    if found.slopes is None:
        yield "  central difference  none     as it is not the derivative of a loss"
    elif found.slopes_agree:
        yield f"  central difference  equal    to within {found.slopes:.1g} of its length"
    else:
        yield f"  central difference  DIFFERS  by {found.slopes:.2g} of its length"
