"""Evaluation protocols draw the tasks that saved runs and logs refer to by number."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.protocols import (
    PRESETS,
    PROBES,
    EvaluationProtocol,
    draw_many,
    draw_task,
    many_tasks_protocol,
)
from core.tasks.sine import SineTasks

WAVES = SineTasks(amplitude=(0.5, 3.0), phase=(0.25, 2.0), x=(-4.0, 6.0))

# Amplitude, phase, first x and last x of task number 3 of seed 7, as version 0.1 drew them.
DRAWN = {
    "validation": (1.704065057294412, 1.2326311733397266, 1.6275192494266282, -3.036949480845635),
    "random": (1.9147882161743899, 0.7534463577478296, -0.26039207519238783, 1.5914444432124224),
    "standard": (4.0, 1.0, 0.49643365680969254, 4.878886453054308),
    "half-range": (4.0, 1.0, 3.887167078531745, 3.022956703091724),
    "compare": (4.0, 1.0, 3.887167078531745, 3.022956703091724),
    "beyond-range": (4.623542030697548, 1.4424846594619554, 3.297128483103715, -0.6305511010603011),
    "noisy": (2.286695107493226, 0.3476666561578652, -2.351665060500321, 4.189028302601011),
    "one-point": (2.61907093379448, 0.4634999674757237, 4.301440928141545, 4.301440928141545),
    "contradictory": (
        0.5715259104081358,
        0.9033221939339361,
        5.790628826371641,
        0.06294584989042118,
    ),
}

# The same of task number 2 of many, by ``right_half``.
DRAWN_OF_MANY = {
    False: (1.1511177801787342, 0.5601869755592059, 1.491881365382155, 0.9699450122690623),
    True: (2.53841420183065, 1.68058718360444, 4.459880162007072, 2.5892994368814737),
}


@pytest.mark.parametrize(("name", "protocol"), list({**PROBES, **PRESETS}.items()))
def test_a_task_number_keeps_its_task(name: str, protocol: EvaluationProtocol) -> None:
    task = draw_task(WAVES, 7, protocol, 3)
    first, last = task.support_x[[0, -1]]
    assert (task.wave.amplitude, task.wave.phase, first, last) == DRAWN[name]


def test_noise_keeps_its_draws() -> None:
    task = draw_task(WAVES, 7, PRESETS["noisy"], 3)
    noise = task.support_y - task.wave(task.support_x)
    # Logarithm and cosine may differ in the last digit between machines.
    assert noise[0] == pytest.approx(-0.6832907104269843, rel=1e-12)


@pytest.mark.parametrize("right_half", [False, True])
def test_many_tasks_keep_their_draws(right_half: bool) -> None:
    drawn = draw_many(WAVES, 7, 3, many_tasks_protocol(right_half=right_half))
    first, last = drawn.sets.support_x[2, [0, -1]]
    assert (drawn.amplitude[2], drawn.phase[2], first, last) == DRAWN_OF_MANY[right_half]


def test_shots_and_steps_can_be_chosen() -> None:
    protocol = many_tasks_protocol(right_half=False, shots=3, steps=7)
    assert (protocol.shots, protocol.steps) == (3, 7)
    assert draw_many(WAVES, 0, 2, protocol).sets.support_x.shape == (2, 3)
    assert not np.array_equal(
        draw_many(WAVES, 0, 2).sets.support_x[:, :3],
        draw_many(WAVES, 0, 2, protocol).sets.support_x,
    )
