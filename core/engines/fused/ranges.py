"""The gradient by a first layer of ReLU units, for many points, from sums over ranges of inputs.

Such a unit is w x + b on one side of its threshold -b / w, and 0 on the other side. With D, the
gradients by the inputs of the layer above, the gradients by the unit and by the weights above it
are sums of x D and of D over the points of one side. Each point lies in a range between two sorted
thresholds: one pass over the points sums the ranges, one over the ranges sums the sides. That takes
the place of two products, which take points times the units of both layers.

A point within rounding of a threshold, where the unit is 0, may count to either side.

Conventions are those of `kernel`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from math import inf

from core.engines.fused.kernel import (
    BIAS,
    OUTPUT,
    TRANSPOSE,
    WEIGHT,
    WIDTH,
    add,
    clear,
    compiled,
    inlined,
    of,
    transpose,
)
from core.engines.fused.layout import Place
from core.engines.fused.simd import lanes, load, splat, store, total, where_positive

RANGES, ORDER = int(Place.RANGES), int(Place.ORDER)
SUMS, SIDE, PRODUCTS = int(Place.SUMS), int(Place.SIDE), int(Place.PRODUCTS)


@compiled
def sort_thresholds(buf, plan, source):
    """Sort the units by their thresholds."""
    thresholds, order, width = plan[RANGES], plan[ORDER], of(plan, 0, WIDTH)
    weight, bias = source + of(plan, 0, WEIGHT), source + of(plan, 0, BIAS)
    for unit in range(width):
        w, b = buf[weight + unit], buf[bias + unit]
        # Without a slope a unit is on everywhere, as if above the lowest threshold, or nowhere.
        threshold = -b / w if w != 0.0 else -inf if b > 0.0 else inf
        place = unit
        while place > 0 and buf[thresholds + place - 1] > threshold:
            buf[thresholds + place] = buf[thresholds + place - 1]
            buf[order + place] = buf[order + place - 1]
            place -= 1
        buf[thresholds + place] = threshold
        buf[order + place] = float(unit)


@compiled
def sum_ranges(buf, plan, x, points):
    """Sum x D and D of the points in each range: those above as many thresholds."""
    lane, width, above = lanes(buf), of(plan, 0, WIDTH), of(plan, 1, WIDTH)
    d, one = of(plan, 1, OUTPUT), splat(buf, 1.0)
    clear(buf, plan[SUMS], 2 * (width + 1) * above)
    for point in range(points):
        lower = splat(buf, 0.0)
        for place in range(plan[RANGES], plan[RANGES] + width, lane):
            lower = lower + where_positive(x[point] - load(buf, place), one)
        row = plan[SUMS] + 2 * above * int(total(lower))
        for unit in range(0, above, lane):
            gradient = load(buf, d + point * above + unit)
            store(buf, row + unit, x[point] * gradient + load(buf, row + unit))
            store(buf, row + above + unit, gradient + load(buf, row + above + unit))


@inlined
def unit_gradient(buf, plan, source, target, unit):
    """Add the gradient by a unit, and write that by the weights above it, from its side's sums."""
    above, weight, bias = of(plan, 1, WIDTH), of(plan, 0, WEIGHT) + unit, of(plan, 0, BIAS) + unit
    w, b = buf[source + weight], buf[source + bias]
    by_weight, by_bias = splat(buf, 0.0), splat(buf, 0.0)
    for i in range(0, above, lanes(buf)):
        x_d, d = load(buf, plan[SIDE] + i), load(buf, plan[SIDE] + above + i)
        w_above = load(buf, plan[TRANSPOSE] + unit * above + i)
        by_weight, by_bias = w_above * x_d + by_weight, w_above * d + by_bias
        store(buf, plan[PRODUCTS] + unit * above + i, w * x_d + b * d)
    buf[target + weight] += total(by_weight)
    buf[target + bias] += total(by_bias)


@compiled
def through_first_layer(buf, plan, source, target, x, points):
    """Add the gradients by the first layer and by the weights of the second to ``target``.

    D is in the outputs of the second layer.
    """
    width, above = of(plan, 0, WIDTH), of(plan, 1, WIDTH)
    row, upper = 2 * above, of(plan, 1, WEIGHT)
    transpose(buf, source + upper, plan[TRANSPOSE], above, width)
    sort_thresholds(buf, plan, source)
    sum_ranges(buf, plan, x, points)
    for rising in range(2):
        clear(buf, plan[SIDE], row)
        for i in range(width):
            place = width - 1 - i if rising else i
            add(buf, plan[SIDE], plan[SUMS] + (place + rising) * row, row)
            unit = int(buf[plan[ORDER] + place])
            if (buf[source + of(plan, 0, WEIGHT) + unit] >= 0.0) == (rising == 1):
                unit_gradient(buf, plan, source, target, unit)
    transpose(buf, plan[PRODUCTS], plan[TRANSPOSE], width, above)
    add(buf, target + upper, plan[TRANSPOSE], above * width)
