"""Numbers as text for tables: short, aligned, with units."""

import math

from core.evaluation.seed_interval import SeedInterval


def whole(value: int) -> str:
    """A count with thousands marked: ``12,300``."""
    return f"{value:,}"


def loss(value: float | None) -> str:
    """A loss in at most six cells, up to three digits of it; a dash where there is none yet."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size >= 99_995 or 0 < size < 0.0001:
        short = size < 1e-9 or size >= 1e10
        mantissa, _, exponent = f"{value:.{0 if short else 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    return f"{value:.{decimals + (0 < size < 0.09995)}f}"


def interval(mean: float, margin: float) -> str:
    """A mean with half the width of its interval: ``0.0612 ± 0.008``."""
    short = f"{margin:#.2g}" if 0.0001 <= margin < 10 else loss(margin)
    return f"{loss(mean)} ± {short}"


def seeds_mean(seeds: SeedInterval | None) -> str:
    """A mean over seeds with its margin, if there are several; a dash where there is none."""
    if seeds is None or seeds.n < 2:
        return loss(seeds.mean if seeds else None)
    return interval(seeds.mean, seeds.margin)


def rate(per_second: float) -> str:
    """Iterations per second: ``3,912 it/s``."""
    digits = 0 if per_second >= 9.95 else 1
    return f"{per_second:,.{digits}f} it/s"


def pace(wanted: float | None) -> str:
    """A wanted rate: ``full speed`` or ``300 it/s``."""
    return "full speed" if wanted is None else f"{wanted:,g} it/s"


def duration(seconds: float) -> str:
    """``0:03``, ``12:05``, ``1:02:03``, ``3 days 4 h``."""
    if not math.isfinite(seconds):
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 72:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(part: int, of: int) -> str:
    """Rounded down, so that 100% means done."""
    return f"{100 * part // of if of else 100}%"


def bar(part: int, of: int, cells: int) -> tuple[str, str]:
    """A progress bar of ``cells`` cells as its done and its open piece, in steps of half a cell."""
    halves = 2 * cells * part // of if of else 2 * cells
    done, half = divmod(min(halves, 2 * cells), 2)
    return "━" * done + "╸" * half, "─" * (cells - done - half)


def iterations(count: int) -> str:
    """Return a number of iterations in words: ``one iteration``, ``10 iterations``."""
    return "one iteration" if count == 1 else f"{whole(count)} iterations"
