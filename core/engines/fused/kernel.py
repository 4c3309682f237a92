"""Whole meta-iterations as native code: network, steps of an algorithm, and two entry points.

One source serves FOMAML and Reptile, float32 and float64, any depth and any widths; it reads from
top to bottom. All numbers live in one ``buf``, arranged by `layout`: a vector or matrix is
the index of its first element, and nothing is allocated while training. ``plan`` holds those
indices.

Hidden units are the contiguous axis, padded to whole SIMD registers. Padded units have zero weights
and biases, so their output is act(0) = 0, and every gradient that involves them has a factor zero:
they need no mask.

numba compiles the functions below and infers their types; arguments without a description are
indices and counts. `network` compiles the two entry points for other code.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from functools import partial

from numba.extending import overload

from core.engines.fused.compiler import PART, part
from core.engines.fused.layout import Column, Place
from core.engines.fused.signatures import MOMENTUM, SGD
from core.engines.fused.simd import (
    TILE_COLUMNS,
    WIDE,
    at,
    at_least,
    at_most,
    broadcast,
    dots,
    lanes,
    load,
    load_like,
    load_twice,
    multiply_add,
    pointer,
    product_strip,
    splat,
    square_root,
    store,
    store_halves,
    total,
    transpose_tile,
    where_positive,
    wide_zero,
)

# numba compiles plain integers to constants; members of an enumeration are not.
N_LAYERS, N_INPUTS = int(Place.N_LAYERS), int(Place.N_INPUTS)
BLOCK_SIZE = int(Place.BLOCK_SIZE)
THETA, PHI, OUTER = int(Place.THETA), int(Place.PHI), int(Place.OUTER)
MOMENT_1, MOMENT_2 = int(Place.MOMENT_1), int(Place.MOMENT_2)
DELTA, ERRORS = int(Place.DELTA), int(Place.ERRORS)
TRANSPOSE, ZEROS, TURNED = int(Place.TRANSPOSE), int(Place.ZEROS), int(Place.TURNED)
UNITS, WIDTH, OUTPUT = int(Column.UNITS), int(Column.WIDTH), int(Column.OUTPUT)
BIAS, WEIGHT = int(Column.BIAS), int(Column.WEIGHT)
HEAD, ROW = len(Place), len(Column)

STRETCH = 128  # Steps of `product` that are done at once.
FEW = 14  # Rows up to which `multiply_rows` costs less than a transpose; measured with 64 units.

ADAM_EPSILON = 1e-8

compiled = part
inlined = partial(part, forceinline=True)


@inlined
def of(plan, layer, column):
    """Read a column of a layer from ``plan``."""
    return plan[HEAD + layer * ROW + column]


# --- products ---------------------------------------------------------------------------------


@inlined
def strip_size(left):
    """Return the number of registers of the next strip, of ``left`` in the row."""
    if left == 3:
        return 3
    if left >= TILE_COLUMNS:
        return TILE_COLUMNS
    return 2 if left >= 2 else 1


@inlined
def product(buf, c, init, init_row, a, a_row, a_step, b, rows, steps, width):
    """C = I + A B with C ``(rows, width)``, A ``(rows, steps)``, B ``(steps, width)``.

    Element (r, k) of A is at ``a + r * a_row + k * a_step``, row r of I at ``init + r * init_row``.
    C is cut into strips of columns, those into blocks whose sums fit into registers
    (`product_strip`), and the steps into stretches: what a strip needs of B in one stretch, 32 KB,
    stays in the fastest cache for all rows. I may be C itself, as a block is read before it is
    written.
    """
    lane = lanes(buf)
    for first in range(0, steps, STRETCH):
        stretch = min(steps - first, STRETCH)
        column = 0
        while column < width:
            columns = strip_size((width - column) // lane)
            product_strip(
                columns,
                buf,
                c + column,
                init + column,
                init_row,
                a + first * a_step,
                a_row,
                a_step,
                b + first * width + column,
                rows,
                stretch,
                width,
            )
            column += columns * lane
        init, init_row = c, width


@compiled
def multiply(buf, c, bias, a, a_row, b, rows, steps, width):
    """C = A B with ``bias (width,)`` added to each row; sizes as in `product`."""
    product(buf, c, bias, 0, a, a_row, 1, b, rows, steps, width)


@inlined
def multiply_rows(buf, c, bias, a, b, rows, row, width):
    """C = A Bᵀ with ``bias (width,)`` added to each row; A ``(rows, row)``, B ``(width, row)``.

    Rows of both factors are multiplied, and the sums folded: dearer than `product` for each row of
    A, but B need not be transposed.
    """
    half = lanes(buf) // 2
    for column in range(0, width, half):
        biases, b_rows = load_twice(buf, bias + column), b + column * row
        for first in range(0, rows, 2):
            # Two rows at once; an odd last row is paired with itself.
            other = min(first + 1, rows - 1)
            sums = dots(buf, a + first * row, a + other * row, b_rows, row) + biases
            store_halves(buf, c + first * width + column, c + other * width + column, sums)


@inlined
def transpose(buf, source, target, rows, width):
    """Write the transpose of a matrix ``(rows, width)``."""
    for row in range(0, rows, lanes(buf)):
        for column in range(0, width, lanes(buf)):
            corner = source + row * width + column
            transpose_tile(buf, corner, width, target + column * rows + row, rows)


@compiled
def multiply_transposed(buf, plan, c, bias, a, a_row, b, rows, steps, width):
    """Compute `multiply_rows` in the cheaper way for this number of rows.

    Rows of A and B are ``a_row`` long, and zero from ``steps`` on.
    """
    if rows > FEW:
        transpose(buf, b, plan[TRANSPOSE], width, a_row)
        multiply(buf, c, bias, a, a_row, plan[TRANSPOSE], rows, steps, width)
    else:
        multiply_rows(buf, c, bias, a, b, rows, a_row, width)


@compiled
def turn(buf, plan):
    """Transpose theta's weights between hidden layers."""
    for layer in range(1, plan[N_LAYERS] - 1):
        weight, below_width = of(plan, layer, WEIGHT), of(plan, layer - 1, WIDTH)
        source, target = plan[THETA] + weight, plan[TURNED] + weight
        transpose(buf, source, target, of(plan, layer, WIDTH), below_width)


@compiled
def update_weights(buf, target, base, d, d_row, h, points, rows, width):
    """``target`` = ``base`` + Dᵀ H, all ``(rows, width)``; D, H ``(points, d_row or width)``."""
    product(buf, target, base, width, d, 1, d_row, h, rows, points, width)


# --- activations ------------------------------------------------------------------------------


def tanh(register):
    """Tanh lane by lane; NaN stays NaN."""
    raise NotImplementedError


@overload(tanh, jit_options=PART)
def _tanh(register):
    return _tanh_float32 if str(register.dtype) == "float32" else _tanh_float64


def _tanh_float32(register):
    """The fraction x P(x²) / Q(x²) of least relative error on [-7.9, 7.9]: 4e-7 with rounding.

    Q starts with 1 x⁸, as a sum costs less here than a product: the units that multiply are busy.
    """
    x = at_least(at_most(register, 7.9), -7.9)
    z = x * x
    p = ((z * 46.2652551 + 11877.2901) * z + 518923.089) * z + 4011954.81
    q = (((z + 962.918095) * z + 95701.5303) * z + 1856237.26) * z + 4011955.34
    return x * p / q


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
    p, q = (p + p) * q, multiply_add(q, q, p * p)
    for _ in range(3):
        p, q = (p + p) * q, multiply_add(p, p, q * q)
    return p / q


@inlined
def activation(z, relu):
    """ReLU or tanh."""
    return at_least(z, 0.0) if relu else tanh(z)


@inlined
def through_activation(gradient, output, relu):
    """Loss gradient by an activation's input, from that by its ``output``."""
    return where_positive(output, gradient) if relu else gradient * (1.0 - output * output)


# --- the network ------------------------------------------------------------------------------


@inlined
def hidden_layers(buf, plan, block, x, points, relu):
    """Compute the outputs ``(points, width)`` of all hidden layers for points ``x``.

    The activation of the last one is left to a pass that has more to do with each output.
    """
    lane, last = lanes(buf), plan[N_LAYERS] - 1
    output, width, inputs = of(plan, 0, OUTPUT), of(plan, 0, WIDTH), plan[N_INPUTS]
    for unit in range(0, width, lane):
        row = block + of(plan, 0, WEIGHT) + unit
        weight, bias = load(buf, row), load(buf, block + of(plan, 0, BIAS) + unit)
        for point in range(points):
            z = weight * broadcast(x, point * inputs) + bias
            for i in range(1, inputs):
                z = load(buf, row + i * width) * broadcast(x, point * inputs + i) + z
            store(buf, output + point * width + unit, z if last == 1 else activation(z, relu))

    for layer in range(1, last):
        below, below_width, units = output, width, of(plan, layer - 1, UNITS)
        output, width = of(plan, layer, OUTPUT), of(plan, layer, WIDTH)
        bias, weight = block + of(plan, layer, BIAS), of(plan, layer, WEIGHT)
        if plan[TURNED] > 0 and block == plan[THETA]:
            turned = plan[TURNED] + weight
            multiply(buf, output, bias, below, below_width, turned, points, units, width)
        else:
            multiply_transposed(
                buf,
                plan,
                output,
                bias,
                below,
                below_width,
                block + weight,
                points,
                units,
                width,
            )
        if layer + 1 < last:
            for place in range(output, output + points * width, lane):
                store(buf, place, activation(load(buf, place), relu))


@compiled
def forward(buf, plan, block, x, points, relu):
    """Outputs ``(points, width)`` of every hidden layer for points ``x``, and predictions."""
    hidden_layers(buf, plan, block, x, points, relu)
    lane, last, predictions = lanes(buf), plan[N_LAYERS] - 1, plan[ERRORS]
    output, width = of(plan, last - 1, OUTPUT), of(plan, last - 1, WIDTH)
    weight = block + of(plan, last, WEIGHT)
    for point in range(points):
        products = splat(buf, 0.0)
        for unit in range(0, width, lane):
            place = output + point * width + unit
            h = activation(load(buf, place), relu)
            store(buf, place, h)
            products = h * load(buf, weight + unit) + products
        buf[predictions + point] = total(products) + buf[block + of(plan, last, BIAS)]


@compiled
def mean_squared_error(buf, plan, y, points):
    """Turn predictions of ``y`` into errors ``(points,)``, in place; their mean square, float64."""
    errors = plan[ERRORS]
    squares = 0.0
    for point in range(points):
        error = buf[errors + point] - y[point]
        buf[errors + point] = error
        squares += error * error
    return squares / points


@inlined
def add_other_inputs(buf, plan, zero, base, target, d, x, points):
    """Set the first layer's weights at ``target`` to those at ``base`` plus the sum of x D.

    For all inputs but the first, and the units of as many registers as ``zero`` has.
    """
    width, inputs = of(plan, 0, WIDTH), plan[N_INPUTS]
    for i in range(1, inputs):
        new_weight = load_like(buf, base + i * width, zero)
        for point in range(points):
            d_of_point = load_like(buf, d + point * width, zero)
            new_weight = x[point * inputs + i] * d_of_point + new_weight
        store(buf, target + i * width, new_weight)


@inlined
def through_units(buf, plan, layer, unit, zero, last, blocks, x, points, relu):
    """`through_layer` for the units of as many registers as ``zero`` has, from ``unit`` on."""
    source, base, target = blocks
    errors, delta = plan[ERRORS], plan[DELTA] + unit
    output, width = of(plan, layer, OUTPUT) + unit, of(plan, layer, WIDTH)
    bias, weight = of(plan, layer, BIAS) + unit, of(plan, layer, WEIGHT) + unit
    out, inputs = of(plan, layer + 1, WEIGHT) + unit, plan[N_INPUTS]

    new_bias = load_like(buf, base + bias, zero)
    new_weight = load_like(buf, base + weight, zero) if layer == 0 else zero
    if last:
        w_out = load_like(buf, source + out, zero)
        new_out = load_like(buf, base + out, zero)
    for point in range(points):
        h = load_like(buf, output + point * width, zero)
        if last:
            error = buf[errors + point]
            gradient = error * w_out
            new_out = error * h + new_out
        else:
            gradient = load_like(buf, delta + point * width, zero)
        d = through_activation(gradient, h, relu)
        store(buf, output + point * width, d)
        new_bias = new_bias + d
        if layer == 0:
            new_weight = x[point * inputs] * d + new_weight
    store(buf, target + bias, new_bias)
    if layer == 0:
        store(buf, target + weight, new_weight)
        add_other_inputs(buf, plan, zero, base + weight, target + weight, output, x, points)
    if last:
        store(buf, target + out, new_out)


@inlined
def through_layer(buf, plan, layer, last, blocks, x, points, relu):
    """Replace the outputs H of a hidden layer by D, the loss gradient by the layer's input.

    The gradient by H is errors w_out for the ``last`` hidden layer, and in ``delta`` for others.
    Sums over points of D, errors or H alone are computed on the way: the updates of the
    layer's bias, of the first layer's weight and of w_out. Several registers side by side, because
    each sum waits for its last addition.
    """
    width, lane, wide = of(plan, layer, WIDTH), lanes(buf), WIDE * lanes(buf)
    unit = 0
    while unit + wide <= width:
        through_units(buf, plan, layer, unit, wide_zero(buf), last, blocks, x, points, relu)
        unit += wide
    while unit < width:
        through_units(buf, plan, layer, unit, splat(buf, 0.0), last, blocks, x, points, relu)
        unit += lane


@compiled
def backward(buf, plan, source, base, target, x, points, scale, relu):
    """``target`` = ``base`` + ``scale`` times the gradient of the mean squared error at ``source``.

    All three are blocks. After `forward` and `mean_squared_error` the buffer holds the outputs H of
    each layer and the errors; the errors take the factor scale · 2 / points at once, so that sums
    over points are finished updates. Each H is replaced by D, the gradient by its layer's input:

        w_out += errorsᵀ H_last                  D_last = errors w_out · act'(H_last)
        W_l += D_lᵀ H_l-1,  b_l += 1ᵀ D_l        D_l-1 = D_l W_l · act'(H_l-1)

    ``target`` may be ``source`` or ``base``: what is read there is read before it is written.
    """
    errors, blocks = plan[ERRORS], (source, base, target)
    layer = plan[N_LAYERS] - 1
    factor = scale * 2.0 / points
    error_sum = 0.0
    for point in range(points):
        error = buf[errors + point] * factor
        buf[errors + point] = error
        error_sum += error
    bias = of(plan, layer, BIAS)
    buf[target + bias] = buf[base + bias] + error_sum

    layer -= 1
    through_layer(buf, plan, layer, True, blocks, x, points, relu)
    while layer > 0:
        d, width, units = of(plan, layer, OUTPUT), of(plan, layer, WIDTH), of(plan, layer, UNITS)
        weight, zeros = of(plan, layer, WEIGHT), plan[ZEROS]
        layer -= 1
        h, h_width = of(plan, layer, OUTPUT), of(plan, layer, WIDTH)
        multiply(buf, plan[DELTA], zeros, d, width, source + weight, points, units, h_width)
        new, old = target + weight, base + weight
        update_weights(buf, new, old, d, width, h, points, units, h_width)
        through_layer(buf, plan, layer, False, blocks, x, points, relu)


@compiled
def descend(buf, plan, source, x, y, points, lr, relu):
    """Set phi = source - lr · gradient at source, for ``points`` points; the loss before the step.

    ``source`` is the block of theta for the first step of a task and of phi for the others.
    """
    forward(buf, plan, source, x, points, relu)
    loss = mean_squared_error(buf, plan, y, points)
    backward(buf, plan, source, source, plan[PHI], x, points, -lr, relu)
    return loss


# --- the outer optimiser ----------------------------------------------------------------------


@inlined
def clear(buf, start, size):
    """Write ``size`` zeros."""
    for i in range(start, start + size, lanes(buf)):
        store(buf, i, splat(buf, 0.0))


@inlined
def add(buf, target, source, size):
    """Add ``size`` numbers to others."""
    for i in range(0, size, lanes(buf)):
        store(buf, target + i, load(buf, target + i) + load(buf, source + i))


@inlined
def copy(buf, plan, source, target):
    """Copy a block."""
    if source != target:
        for i in range(0, plan[BLOCK_SIZE], lanes(buf)):
            store(buf, target + i, load(buf, source + i))


@inlined
def add_displacement(buf, plan, theta, base, target, scale):
    """Set block ``target`` = ``base`` + ``scale`` (theta - phi)."""
    phi = plan[PHI]
    for i in range(0, plan[BLOCK_SIZE], lanes(buf)):
        displacement = load(buf, theta + i) - load(buf, phi + i)
        store(buf, target + i, displacement * scale + load(buf, base + i))


@inlined
def outer_step(buf, plan, size, optimizer, rate, decays, step):
    """Change ``size`` meta-parameters by their gradient at OUTER.

    Momentum: v = mu v + g. Adam: Kingma and Ba 2015, algorithm 1, with bias correction; ``step``
    counts meta-iterations from 1.
    """
    theta, gradient, lane = plan[THETA], plan[OUTER], lanes(buf)
    first, second = plan[MOMENT_1], plan[MOMENT_2]
    if optimizer == SGD:
        for i in range(0, size, lane):
            g = load(buf, gradient + i)
            store(buf, theta + i, load(buf, theta + i) - g * rate)
    elif optimizer == MOMENTUM:
        for i in range(0, size, lane):
            velocity = load(buf, first + i) * decays[0] + load(buf, gradient + i)
            store(buf, first + i, velocity)
            store(buf, theta + i, load(buf, theta + i) - velocity * rate)
    else:
        unbias_1 = 1.0 / (1.0 - decays[0] ** float(step))
        unbias_2 = 1.0 / (1.0 - decays[1] ** float(step))
        for i in range(0, size, lane):
            g = load(buf, gradient + i)
            mean = multiply_add(g, 1.0 - decays[0], load(buf, first + i) * decays[0])
            square = multiply_add(g * g, 1.0 - decays[1], load(buf, second + i) * decays[1])
            store(buf, first + i, mean)
            store(buf, second + i, square)
            change = mean * unbias_1 / (square_root(square * unbias_2) + ADAM_EPSILON)
            store(buf, theta + i, load(buf, theta + i) - change * rate)


# --- between the flat vectors outside and the padded blocks inside ----------------------------


@compiled
def exchange(buf, plan, block, flat, inwards):
    """Copy the flat parameters at pointer ``flat`` into a block, or the other way round."""
    place, below, row_stride = 0, plan[N_INPUTS], 1
    for layer in range(plan[N_LAYERS]):
        units, width = of(plan, layer, UNITS), of(plan, layer, WIDTH)
        weight, bias = block + of(plan, layer, WEIGHT), block + of(plan, layer, BIAS)
        for row in range(units + 1):
            # The biases follow the rows of the weight, and are one row more.
            start = weight + row * row_stride if row < units else bias
            stride = width if layer == 0 and row < units else 1
            size = below if row < units else units
            for i in range(size):
                if inwards:
                    buf[start + i * stride] = flat[place + i]
                else:
                    flat[place + i] = buf[start + i * stride]
            place += size
        below, row_stride = units, width


@inlined
def exchange_all(buf, plan, block, flat, size, parts, inwards):
    """`exchange` for ``parts`` blocks and as many vectors, ``size`` numbers in all."""
    for i in range(parts):
        vector = at(flat, i * (size // parts))
        exchange(buf, plan, block + i * plan[BLOCK_SIZE], vector, inwards)


@inlined
def begin(buf, plan, theta, start):
    """Lay theta out in a zeroed buffer, and in the block ``start`` too."""
    exchange(buf, plan, plan[THETA], theta, True)
    copy(buf, plan, plan[THETA], start)


# --- entry points -----------------------------------------------------------------------------


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
    ``(n,)``. ``sizes`` are n_tasks, n_minibatches, n_points, n_query and the points of ``query_x``
    between tasks; ``y`` is ``(n, n_tasks, n_minibatches, n_points)``, ``x`` has an axis of inputs
    behind these, and inner step s takes minibatch s modulo their number.

    With a query set, ``query_y (n, n_tasks, n_query)`` and ``query_x``, which is
    ``(n_query, inputs)`` for all tasks where the stride is 0 and ``(n, n_tasks, n_query, inputs)``
    where it is n_query, the outer gradient of a task is that of the query loss at phi, and the
    training loss is that loss. Without one it is theta - phi, and the training loss the mean over
    inner steps of the loss before each.
    The outer gradient is ``share`` times the sum over tasks. Adam's step count starts after
    ``iteration``.
    """
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, n_minibatches, n_points, n_query, query_stride = sizes
    inputs = plan[N_INPUTS]
    theta_block, phi, outer = plan[THETA], plan[PHI], plan[OUTER]
    # A task starts from theta. A single task starts from a copy of it in phi: inner steps then
    # touch a third less memory, which stays in the fastest cache.
    start = phi if n_tasks == 1 else theta_block
    begin(buf, plan, pointer(theta), start)
    for moment in range(moments.shape[0]):
        block = plan[MOMENT_1 + moment]
        exchange(buf, plan, block, pointer(moments[moment]), True)

    for i in range(losses.size):
        # The tasks' parts are summed in ``outer``: from zero to the outer gradient, or under SGD
        # from theta to the next theta, which saves two passes over all parameters. The last
        # task's sum then goes to theta's own place.
        if optimizer == SGD:
            base, scale = theta_block, -rates[i] * share
        else:
            clear(buf, outer, plan[BLOCK_SIZE])
            base, scale = outer, share
        loss = 0.0
        for task in range(i * n_tasks, (i + 1) * n_tasks):
            source = start
            met = 0.0
            is_last = task + 1 == (i + 1) * n_tasks
            target = theta_block if optimizer == SGD and is_last else outer
            for step in range(inner_steps):
                first = (task * n_minibatches + step % n_minibatches) * n_points
                some_x, some_y = at(x_data, first * inputs), at(y_data, first)
                met += descend(buf, plan, source, some_x, some_y, n_points, inner_lr, relu)
                source = phi
            if n_query > 0:
                task_x = at(query_x_data, task * query_stride * inputs)
                forward(buf, plan, phi, task_x, n_query, relu)
                loss += mean_squared_error(buf, plan, at(query_y_data, task * n_query), n_query)
                backward(buf, plan, phi, base, target, task_x, n_query, scale, relu)
            else:
                loss += met / inner_steps
                add_displacement(buf, plan, theta_block, base, target, scale)
            base = outer
        if optimizer != SGD:
            step = iteration + i + 1
            outer_step(buf, plan, plan[BLOCK_SIZE], optimizer, rates[i], decays, step)
        copy(buf, plan, theta_block, start)
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
    reported_array,
    lr,
    relu,
):
    """Fine-tune from ``theta`` on each support set by full-batch SGD, with steps of ``lr``.

    ``reported`` are the steps after which the query loss is computed, increasing, 0 for before any;
    ``sizes`` are n_tasks, n_points, n_query, the stride of ``query_x`` as in `advance`, and kept;
    ``x (n_tasks, n_points, inputs)``, ``y (n_tasks, n_points)``, ``query_y (n_tasks, n_query)``.
    Writes ``losses (n_tasks, n_reported)``, and ``predictions (n_tasks * kept, n_query)``: those of
    the first ``kept - 1`` losses, and of the last one.
    """
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, n_points, n_query, query_stride, kept = sizes
    inputs = plan[N_INPUTS]
    reported, n_reported = pointer(reported_array), len(reported_array)
    begin(buf, plan, pointer(theta), plan[THETA])
    for task in range(n_tasks):
        block = plan[THETA]
        column = 0
        for step in range(reported[n_reported - 1] + 1):
            if step > 0:
                first = task * n_points
                some_x, some_y = at(x_data, first * inputs), at(y_data, first)
                descend(buf, plan, block, some_x, some_y, n_points, lr, relu)
                block = plan[PHI]
            if step != reported[column]:
                continue
            task_x = at(query_x_data, task * query_stride * inputs)
            forward(buf, plan, block, task_x, n_query, relu)
            row = task * kept + min(column, kept - 1)
            for point in range(n_query):
                predictions[row, point] = buf[plan[ERRORS] + point]
            y_of_task = at(query_y_data, task * n_query)
            losses[task, column] = mean_squared_error(buf, plan, y_of_task, n_query)
            column += 1
