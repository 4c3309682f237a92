"""The wave to be learned, as a curve of a chart."""

from __future__ import annotations

import numpy as np

from core.tasks.sine_sampler import SineWave
from tui_meta.views.plot import Limits, Series, true_wave

_POINTS = 100


def wave_curve(amplitude: float, phase: float, x: Limits) -> Series:
    """``amplitude * sin(x + phase)`` all over the limits of x."""
    places = np.linspace(x.lower, x.upper, _POINTS)
    with np.errstate(all="ignore"):  # what another process tells may be no number
        values = SineWave(amplitude, phase)(places)
    return true_wave(places.tolist(), values.tolist())
