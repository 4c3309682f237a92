"""Whole meta-iterations as native code: the network, the steps of an algorithm, and two entries.

One source serves FOMAML and Reptile, float32 and float64, any depth and any widths; it reads from
top to bottom. All numbers live in one ``buf``, arranged by `fused_layout`: a vector or matrix is
the index of its first element, and nothing is allocated while training. ``plan`` holds those
indices.

Hidden units are the contiguous axis, padded to whole SIMD registers. Padded units have zero weights
and biases, hence output act(0) = 0, and every gradient that touches them has a factor zero: they
need no mask. Each hidden weight is kept twice, W for the backward product and its transpose for the
forward one, so that both read rows.

The functions below are compiled by numba and typed by it; arguments that do not say otherwise are
indices and counts. `fused_network` compiles the two entries, and is what other code calls.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.extending import overload

from core.engines.fused_layout import Column, Place
from core.engines.fused_simd import (
    TILE_COLUMNS,
    TILE_ROWS,
    at_least,
    at_most,
    broadcast,
    lanes,
    load,
    pointer,
    product_tile,
    splat,
    square_root,
    store,
    total,
    transpose_tile,
    where_positive,
)

# numba bakes plain integers into the code, which is all it knows of an enumeration.
N_LAYERS, BLOCK_SIZE = int(Place.N_LAYERS), int(Place.BLOCK_SIZE)
THETA, PHI, OUTER = int(Place.THETA), int(Place.PHI), int(Place.OUTER)
MOMENT_1, MOMENT_2 = int(Place.MOMENT_1), int(Place.MOMENT_2)
DELTA, ERRORS, TARGETS = int(Place.DELTA), int(Place.ERRORS), int(Place.TARGETS)
ONES, INPUTS, ZEROS = int(Place.ONES), int(Place.INPUTS), int(Place.ZEROS)
UNITS, WIDTH, OUTPUT = int(Column.UNITS), int(Column.WIDTH), int(Column.OUTPUT)
BIAS, WEIGHT, TRANSPOSE = int(Column.BIAS), int(Column.WEIGHT), int(Column.TRANSPOSE)
HEAD, ROW = len(Place), len(Column)

# Arguments of `multiply`. numba would compile it once more for every literal number it is given.
REPEAT, NEXT = np.int64(0), np.int64(1)
ONE_ROW, TWO_ROWS = np.int64(1), np.int64(2)

STRETCH = 128  # Steps of `multiply` at once.

SGD, MOMENTUM, ADAM = range(3)
ADAM_EPSILON = 1e-8

OPTIONS: Any = {"nogil": True, "error_model": "numpy"}
compiled = njit(**OPTIONS)
inlined = njit(**OPTIONS, forceinline=True)


@inlined
def of(plan, layer, column):
    """What ``plan`` says of a layer."""
    return plan[HEAD + layer * ROW + column]


# --- products ---------------------------------------------------------------------------------


@inlined
def tile_size(left, best):
    """The largest of the sizes ``best``, 2 and 1 that fits into what is ``left``."""
    if left >= best:
        return best
    return 2 if left >= 2 else 1


@compiled
def multiply(buf, c, init, init_row, a, a_row, a_step, b, rows, steps, width):
    """C = I + A B with C ``(rows, width)``, A ``(rows, steps)``, B ``(steps, width)``.

    Element (r, k) of A is at ``a + r * a_row + k * a_step``, row r of I at ``init + r * init_row``.
    C is cut into blocks whose sums fit into registers (`product_tile`), in strips of columns, and
    the steps into stretches: what a strip needs of B in one stretch, 32 KB, stays in the fastest
    cache for all rows. What is left below and to the right of whole blocks is done in smaller ones.
    I may be C itself, as a block is read before it is written.
    """
    lane = lanes(buf)
    for first in range(0, steps, STRETCH):
        stretch = min(steps - first, STRETCH)
        column = 0
        while column < width:
            columns = tile_size((width - column) // lane, TILE_COLUMNS)
            row = 0
            while row < rows:
                block_rows = tile_size(rows - row, TILE_ROWS)
                product_tile(
                    block_rows,
                    columns,
                    buf,
                    c + row * width + column,
                    init + row * init_row + column,
                    init_row,
                    a + row * a_row + first * a_step,
                    a_row,
                    a_step,
                    b + first * width + column,
                    stretch,
                    width,
                )
                row += block_rows
            column += columns * lane
        init, init_row = c, width


@compiled
def transpose_weights(buf, plan, block):
    """Bring the transposes of ``block`` up to date with its weights."""
    lane = lanes(buf)
    for layer in range(1, plan[N_LAYERS] - 1):
        rows, columns = of(plan, layer, WIDTH), of(plan, layer - 1, WIDTH)
        source, target = block + of(plan, layer, WEIGHT), block + of(plan, layer, TRANSPOSE)
        for row in range(0, rows, lane):
            for column in range(0, columns, lane):
                corner = source + row * columns + column
                transpose_tile(buf, corner, columns, target + column * rows + row, rows)


# --- activations ------------------------------------------------------------------------------


def tanh_fraction(register):
    """Numerator and denominator of tanh, lane by lane; NaN stays NaN."""
    raise NotImplementedError


@overload(tanh_fraction, jit_options=OPTIONS)
def _tanh_fraction(register):
    return _tanh_float32 if str(register.dtype) == "float32" else _tanh_float64


def _tanh_float32(register):
    """The fraction x P(x²) / Q(x²) of least relative error on [-7.9, 7.9]: 5e-7 with rounding."""
    x = at_least(at_most(register, 7.9), -7.9)
    z = x * x
    p = ((z * 1.1531847e-05 + 0.00296047417) * z + 0.129344184) * z + 0.999999869
    q = ((z * 2.49255018e-07 + 0.000240012167) * z + 0.0238540867) * z + 0.462676451
    return x * p, q * z + 1.0


def _tanh_float64(register):
    """Padé's approximant of tanh(x / 16), then four times tanh(2 y) = 2 tanh y / (1 + tanh² y).

    The doublings work on numerator and denominator, and damp errors. At the bound, tanh is short of
    1 by more than those.
    """
    y = at_least(at_most(register, 17.5), -17.5) * 0.0625
    z = y * y
    p = (z * 2.901963686277412e-08 + 2.8729440494146376e-05) * z + 0.00392156862745098
    p = ((p * z + 0.13725490196078433) * z + 1.0) * y
    q = (z * 1.3058836588248353e-06 + 0.00040221216691804925) * z + 0.027450980392156862
    q = (q * z + 0.47058823529411764) * z + 1.0
    for _ in range(4):
        p, q = (p + p) * q, q * q + p * p
    return p, q


@inlined
def activation(z, other_z, relu):
    """ReLU or tanh of two registers: two, because two quotients can share one slow division."""
    if relu:
        return at_least(z, 0.0), at_least(other_z, 0.0)
    p, q = tanh_fraction(z)
    other_p, other_q = tanh_fraction(other_z)
    reciprocal = 1.0 / (q * other_q)
    return p * (other_q * reciprocal), other_p * (q * reciprocal)


@inlined
def through_activation(gradient, output, relu):
    """Loss gradient by an activation's input, from that by its ``output``."""
    return where_positive(output, gradient) if relu else gradient * (1.0 - output * output)


# --- the network ------------------------------------------------------------------------------


@inlined
def stage(buf, plan, x, x_first, y, y_first, points):
    """Copy ``points`` inputs and targets from pointers ``x`` and ``y`` into the buffer."""
    inputs, targets = plan[INPUTS], plan[TARGETS]
    for point in range(points):
        buf[inputs + point] = x[x_first + point]
        buf[targets + point] = y[y_first + point]


@compiled
def forward(buf, plan, block, points, relu):
    """Outputs ``(points, width)`` of every hidden layer for the staged inputs, and predictions."""
    lane, inputs, predictions = lanes(buf), plan[INPUTS], plan[ERRORS]
    output, width = of(plan, 0, OUTPUT), of(plan, 0, WIDTH)
    for unit in range(0, width, lane):
        weight = load(buf, block + of(plan, 0, WEIGHT) + unit)
        bias = load(buf, block + of(plan, 0, BIAS) + unit)
        for point in range(0, points, 2):
            # An odd point at the end is its own partner.
            other = min(point + 1, points - 1)
            z = weight * broadcast(buf, inputs + point) + bias
            other_z = weight * broadcast(buf, inputs + other) + bias
            h, other_h = activation(z, other_z, relu)
            store(buf, output + point * width + unit, h)
            store(buf, output + other * width + unit, other_h)

    last = plan[N_LAYERS] - 1
    for layer in range(1, last):
        below, below_width = output, width
        output, width = of(plan, layer, OUTPUT), of(plan, layer, WIDTH)
        bias, transposed = block + of(plan, layer, BIAS), block + of(plan, layer, TRANSPOSE)
        multiply(
            buf,
            output,
            bias,
            REPEAT,
            below,
            below_width,
            NEXT,
            transposed,
            points,
            below_width,
            width,
        )
        end = output + points * width
        for place in range(output, end, 2 * lane):
            other = min(place + lane, end - lane)
            h, other_h = activation(load(buf, place), load(buf, other), relu)
            store(buf, place, h)
            store(buf, other, other_h)

    weight = block + of(plan, last, WEIGHT)
    for point in range(points):
        products = splat(buf, 0.0)
        for unit in range(0, width, lane):
            h = load(buf, output + point * width + unit)
            products = h * load(buf, weight + unit) + products
        buf[predictions + point] = total(products) + buf[block + of(plan, last, BIAS)]


@compiled
def mean_squared_error(buf, plan, points):
    """Turn predictions into errors ``(points,)``, in place; the mean of their squares, float64."""
    errors, targets = plan[ERRORS], plan[TARGETS]
    squares = 0.0
    for point in range(points):
        error = buf[errors + point] - buf[targets + point]
        buf[errors + point] = error
        squares += error * error
    return squares / points


@compiled
def backward(buf, plan, source, base, target, points, scale, relu):
    """``target`` = ``base`` + ``scale`` times the gradient of the mean squared error at ``source``.

    All three are blocks. After `forward` and `mean_squared_error` the buffer holds the outputs H of
    each layer and the errors; the errors take the factor scale · 2 / points at once, so that sums
    over points are finished updates. Each H is replaced by D, the gradient by its layer's input:

        w_out += errorsᵀ H_last                  D_last = errors w_out · act'(H_last)
        W_l += D_lᵀ H_l-1,  b_l += 1ᵀ D_l        D_l-1 = D_l W_l · act'(H_l-1)

    ``target`` may be ``source``, so what is read there is read before it is written; w_out is set
    aside, as its update needs H_last and goes first.
    """
    lane, errors, delta, ones = lanes(buf), plan[ERRORS], plan[DELTA], plan[ONES]
    layer = plan[N_LAYERS] - 1
    bias, weight = of(plan, layer, BIAS), of(plan, layer, WEIGHT)
    factor = scale * 2.0 / points
    error_sum = 0.0
    for point in range(points):
        error = buf[errors + point] * factor
        buf[errors + point] = error
        error_sum += error

    layer -= 1
    output, width = of(plan, layer, OUTPUT), of(plan, layer, WIDTH)
    for unit in range(0, width, lane):
        store(buf, delta + unit, load(buf, source + weight + unit))
    multiply(
        buf,
        target + weight,
        base + weight,
        REPEAT,
        errors,
        REPEAT,
        NEXT,
        output,
        ONE_ROW,
        points,
        width,
    )
    for point in range(points):
        error = broadcast(buf, errors + point)
        for unit in range(0, width, lane):
            place = output + point * width + unit
            gradient = error * load(buf, delta + unit)
            store(buf, place, through_activation(gradient, load(buf, place), relu))
    buf[target + bias] = buf[base + bias] + error_sum

    while layer > 0:
        bias, weight = of(plan, layer, BIAS), of(plan, layer, WEIGHT)
        below, below_width = of(plan, layer - 1, OUTPUT), of(plan, layer - 1, WIDTH)
        multiply(
            buf,
            target + bias,
            base + bias,
            REPEAT,
            ones,
            REPEAT,
            NEXT,
            output,
            ONE_ROW,
            points,
            width,
        )
        multiply(
            buf,
            delta,
            plan[ZEROS],
            REPEAT,
            output,
            width,
            NEXT,
            source + weight,
            points,
            width,
            below_width,
        )
        multiply(
            buf,
            target + weight,
            base + weight,
            below_width,
            output,
            NEXT,
            width,
            below,
            width,
            points,
            below_width,
        )
        for i in range(0, points * below_width, lane):
            h = load(buf, below + i)
            store(buf, below + i, through_activation(load(buf, delta + i), h, relu))
        layer -= 1
        output, width = below, below_width

    # Bias and weight of the first layer are neighbours, and so are the ones and the inputs.
    bias = of(plan, 0, BIAS)
    multiply(
        buf,
        target + bias,
        base + bias,
        width,
        ones,
        plan[INPUTS] - ones,
        NEXT,
        output,
        TWO_ROWS,
        points,
        width,
    )


@compiled
def descend(buf, plan, source, points, lr, relu):
    """Set phi = source - lr · gradient at source, for the staged points; the loss before the step.

    ``source`` is the block of theta for the first step of a task and of phi for the others. The
    transposes of phi are left to the caller: after Reptile's last step nobody needs them.
    """
    forward(buf, plan, source, points, relu)
    loss = mean_squared_error(buf, plan, points)
    backward(buf, plan, source, source, plan[PHI], points, -lr, relu)
    return loss


# --- the outer optimiser ----------------------------------------------------------------------


@inlined
def clear(buf, plan, block):
    """Zeros in a block."""
    for i in range(block, block + plan[BLOCK_SIZE], lanes(buf)):
        store(buf, i, splat(buf, 0.0))


@inlined
def add_displacement(buf, plan, theta, base, target, scale):
    """Set block ``target`` = ``base`` + ``scale`` (theta - phi)."""
    phi = plan[PHI]
    for i in range(0, plan[BLOCK_SIZE], lanes(buf)):
        displacement = load(buf, theta + i) - load(buf, phi + i)
        store(buf, target + i, displacement * scale + load(buf, base + i))


@inlined
def outer_step(buf, plan, theta, gradient, optimizer, rate, decays, step):
    """Momentum or Adam with the block ``gradient``; ``step`` counts meta-iterations from 1.

    Momentum: v = mu v + g. Adam: Kingma and Ba 2015, algorithm 1, with bias correction.
    """
    first, second = plan[MOMENT_1], plan[MOMENT_2]
    size, lane = plan[BLOCK_SIZE], lanes(buf)
    if optimizer == MOMENTUM:
        for i in range(0, size, lane):
            velocity = load(buf, first + i) * decays[0] + load(buf, gradient + i)
            store(buf, first + i, velocity)
            store(buf, theta + i, load(buf, theta + i) - velocity * rate)
    else:
        unbias_1 = 1.0 / (1.0 - decays[0] ** float(step))
        unbias_2 = 1.0 / (1.0 - decays[1] ** float(step))
        for i in range(0, size, lane):
            g = load(buf, gradient + i)
            mean = load(buf, first + i) * decays[0] + g * (1.0 - decays[0])
            square = load(buf, second + i) * decays[1] + g * g * (1.0 - decays[1])
            store(buf, first + i, mean)
            store(buf, second + i, square)
            change = mean * unbias_1 / (square_root(square * unbias_2) + ADAM_EPSILON)
            store(buf, theta + i, load(buf, theta + i) - change * rate)


# --- between the flat vectors outside and the padded blocks inside ----------------------------


@compiled
def exchange(buf, plan, block, flat, inwards):
    """Copy the flat parameters at pointer ``flat`` into a block, or the other way round."""
    place, below, below_width = 0, 1, 1
    for layer in range(plan[N_LAYERS]):
        units = of(plan, layer, UNITS)
        weight, bias = block + of(plan, layer, WEIGHT), block + of(plan, layer, BIAS)
        for row in range(units + 1):
            # The biases follow the rows of the weight, and are one row more.
            start = weight + row * below_width if row < units else bias
            size = below if row < units else units
            for i in range(size):
                if inwards:
                    buf[start + i] = flat[place + i]
                else:
                    flat[place + i] = buf[start + i]
            place += size
        below, below_width = units, of(plan, layer, WIDTH)


@inlined
def begin(buf, plan, theta, points):
    """Lay theta and the ones out in a zeroed buffer."""
    exchange(buf, plan, plan[THETA], theta, True)
    transpose_weights(buf, plan, plan[THETA])
    for point in range(points):
        buf[plan[ONES] + point] = 1.0


# --- entries ----------------------------------------------------------------------------------


def advance(
    buf_array,
    plan_array,
    theta,
    moments,
    losses,
    x,
    y,
    query_x,
    query_y,
    sizes,
    rates,
    inner_steps,
    inner_lr,
    share,
    optimizer,
    decays,
    iteration,
    relu,
):
    """Run n meta-iterations; ``theta``, ``moments`` and ``losses`` are written in place.

    ``buf_array`` is zeroed and ``plan_array`` is a `Layout.plan`. ``theta`` is ``(n_parameters,)``,
    ``moments`` ``(0 to 2, n_parameters)``, ``losses`` and ``rates`` (outer learning rates)
    ``(n,)``. ``sizes`` are n_tasks, n_minibatches, n_points and n_query; ``x`` and ``y``
    ``(n, n_tasks, n_minibatches, n_points)``, and inner step s takes minibatch s modulo their
    number.

    With a query set, ``query_x (n_query,)`` and ``query_y (n, n_tasks, n_query)``, the outer
    gradient of a task is that of the query loss at phi, and the training loss is that loss. Without
    one it is theta - phi, and the training loss the mean over inner steps of the loss before each.
    The outer gradient is ``share`` times the sum over tasks. Adam's step count starts after
    ``iteration``.
    """
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, n_minibatches, n_points, n_query = sizes
    theta_block, phi, outer = plan[THETA], plan[PHI], plan[OUTER]
    begin(buf, plan, pointer(theta), max(n_points, n_query))
    for moment in range(moments.shape[0]):
        block = plan[MOMENT_1 + moment]
        exchange(buf, plan, block, pointer(moments[moment]), True)

    for i in range(losses.size):
        # What the tasks give is added up in ``outer``: from zero to the outer gradient, or under
        # SGD from theta to the next theta, which saves two passes over all parameters.
        if optimizer == SGD:
            base, scale = theta_block, -rates[i] * share
        else:
            clear(buf, plan, outer)
            base, scale = outer, share
        loss = 0.0
        for task in range(i * n_tasks, (i + 1) * n_tasks):
            source = theta_block
            met = 0.0
            for step in range(inner_steps):
                first = (task * n_minibatches + step % n_minibatches) * n_points
                stage(buf, plan, x_data, first, y_data, first, n_points)
                met += descend(buf, plan, source, n_points, inner_lr, relu)
                if step + 1 < inner_steps or n_query > 0:
                    transpose_weights(buf, plan, phi)
                source = phi
            if n_query > 0:
                stage(buf, plan, query_x_data, 0, query_y_data, task * n_query, n_query)
                forward(buf, plan, phi, n_query, relu)
                loss += mean_squared_error(buf, plan, n_query)
                backward(buf, plan, phi, base, outer, n_query, scale, relu)
            else:
                loss += met / inner_steps
                add_displacement(buf, plan, theta_block, base, outer, scale)
            base = outer
        if optimizer == SGD:
            theta_block, outer = outer, theta_block
        else:
            step = iteration + i + 1
            outer_step(buf, plan, theta_block, outer, optimizer, rates[i], decays, step)
        transpose_weights(buf, plan, theta_block)
        losses[i] = loss / n_tasks

    exchange(buf, plan, theta_block, pointer(theta), False)
    for moment in range(moments.shape[0]):
        block = plan[MOMENT_1 + moment]
        exchange(buf, plan, block, pointer(moments[moment]), False)


def adapt(
    buf_array,
    plan_array,
    theta,
    losses,
    predictions,
    x,
    y,
    query_x,
    query_y,
    sizes,
    updates,
    lr,
    relu,
):
    """Fine-tune from ``theta`` on each support set by full-batch SGD, ``updates`` steps of ``lr``.

    ``sizes`` are n_tasks, n_points, n_query and kept; ``x`` and ``y`` ``(n_tasks, n_points)``,
    ``query_x (n_query,)`` and ``query_y`` ``(n_tasks, n_query)``. Writes ``losses``
    ``(n_tasks, updates + 1)``, the query loss before any step and after each, and ``predictions``
    ``(n_tasks * kept, n_query)``: those of the first ``kept - 1`` losses, and of the last one.
    """
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, n_points, n_query, kept = sizes
    begin(buf, plan, pointer(theta), max(n_points, n_query))
    for task in range(n_tasks):
        block = plan[THETA]
        for update in range(updates + 1):
            if update > 0:
                first = task * n_points
                stage(buf, plan, x_data, first, y_data, first, n_points)
                descend(buf, plan, block, n_points, lr, relu)
                block = plan[PHI]
                transpose_weights(buf, plan, block)
            stage(buf, plan, query_x_data, 0, query_y_data, task * n_query, n_query)
            forward(buf, plan, block, n_query, relu)
            row = task * kept + min(update, kept - 1)
            for point in range(n_query):
                predictions[row, point] = buf[plan[ERRORS] + point]
            losses[task, update] = mean_squared_error(buf, plan, n_query)
