"""MAML and Meta-SGD as native code: the outer gradient goes back through the inner steps.

With phi_0 = theta and phi_i+1 = phi_i - R grad L_support(phi_i), where R is the diagonal of the
inner rates, the derivative by theta is followed back from v_k = grad L_query(phi_k):
v_i = v_i+1 - H(phi_i) R v_i+1, with the Hessian H of the support loss (Finn, Abbeel and Levine
2017, algorithm 1). That by the rates is the sum of - v_i+1 grad L_support(phi_i) (Li et al. 2017).

A product with H is the derivative of the gradient along a direction, forward over reverse
(Pearlmutter 1994): whatever ends in ``_dot`` is a derivative along the direction. Inner steps keep
what their products need: on the way back nothing is computed again.

Conventions, and all that is not new here, are those of `kernel`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from core.engines.fused.kernel import (
    BIAS,
    BLOCK_SIZE,
    DELTA,
    ERRORS,
    FEW,
    MOMENT_1,
    N_LAYERS,
    OUTER,
    OUTPUT,
    THETA,
    TRANSPOSE,
    WEIGHT,
    WIDTH,
    ZEROS,
    backward,
    clear,
    compiled,
    exchange_all,
    forward,
    inlined,
    mean_squared_error,
    multiply,
    of,
    outer_step,
    product,
    through_activation,
    transpose,
    update_weights,
)
from core.engines.fused.layout import Column, Place
from core.engines.fused.simd import (
    WIDE,
    at,
    broadcast,
    dots_of_both,
    lanes,
    load,
    load_like,
    load_twice,
    pointer,
    splat,
    store,
    store_halves,
    total,
    wide_zero,
)

VECTOR, DIRECTION = int(Place.VECTOR), int(Place.DIRECTION)
PATH, GRADIENTS = int(Place.PATH), int(Place.GRADIENTS)
KEPT_STEPS, KEPT_SIZE, KEPT = int(Place.KEPT), int(Place.KEPT_SIZE), int(Column.KEPT)

H, H_DOT, D_DOT, D, Z_DOT = range(5)
"""What is kept of a layer: its outputs, the loss gradients by its inputs, and derivatives."""


# --- a product with the Hessian -----------------------------------------------------------------


@compiled
def product_onto(buf, c, a, b, rows, steps, width):
    """C += A B; sizes as in `kernel.product`."""
    product(buf, c, c, width, a, steps, 1, b, rows, steps, width)


@inlined
def multiply_rows_dot(buf, c, bias, a, b, a_dot, b_dot, rows, steps, width):
    """C = A_dot Bᵀ + A B_dotᵀ with ``bias`` added to each row, as `kernel.multiply_rows`."""
    half = lanes(buf) // 2
    for column in range(0, width, half):
        biases, place = load_twice(buf, bias + column), column * steps
        for row in range(0, rows, 2):
            other = min(row + 1, rows - 1)
            first, second = row * steps, other * steps
            sums = dots_of_both(
                buf,
                a_dot + first,
                a_dot + second,
                b + place,
                a + first,
                a + second,
                b_dot + place,
                steps,
            )
            store_halves(buf, c + row * width + column, c + other * width + column, sums + biases)


@compiled
def multiply_transposed_dot(buf, plan, c, bias, a, b, a_dot, b_dot, rows, steps, width):
    """Compute `multiply_rows_dot` in the cheaper way for this number of rows."""
    if rows > FEW:
        turned = plan[TRANSPOSE]
        transpose(buf, b, turned, width, steps)
        multiply(buf, c, bias, a_dot, turned, rows, steps, width)
        transpose(buf, b_dot, turned, width, steps)
        product_onto(buf, c, a, turned, rows, steps, width)
    else:
        multiply_rows_dot(buf, c, bias, a, b, a_dot, b_dot, rows, steps, width)


@inlined
def kept_of(plan, kept, layer, which, points):
    """Return the start of a matrix of a layer in ``kept``, which holds those of an inner step."""
    return kept + of(plan, layer, KEPT) + which * points * of(plan, layer, WIDTH)


@inlined
def keep(buf, plan, kept, which, points):
    """Copy the outputs of all hidden layers."""
    for layer in range(plan[N_LAYERS] - 1):
        source, target = of(plan, layer, OUTPUT), kept_of(plan, kept, layer, which, points)
        for place in range(0, points * of(plan, layer, WIDTH), lanes(buf)):
            store(buf, target + place, load(buf, source + place))


@compiled
def forward_dot(buf, plan, kept, block, move, x, points, relu):
    """Derivatives of what `forward` computed with ``block``, along the block ``move``."""
    lane, last = lanes(buf), plan[N_LAYERS] - 1
    width = of(plan, 0, WIDTH)
    h, h_dot = kept_of(plan, kept, 0, H, points), kept_of(plan, kept, 0, H_DOT, points)
    z_dot = kept_of(plan, kept, 0, Z_DOT, points)
    for unit in range(0, width, lane):
        weight = load(buf, move + of(plan, 0, WEIGHT) + unit)
        bias = load(buf, move + of(plan, 0, BIAS) + unit)
        for point in range(points):
            place = point * width + unit
            z = weight * broadcast(x, point) + bias
            store(buf, z_dot + place, z)
            store(buf, h_dot + place, through_activation(z, load(buf, h + place), relu))

    for layer in range(1, last):
        below, below_dot, below_width = h, h_dot, width
        h, h_dot = kept_of(plan, kept, layer, H, points), kept_of(plan, kept, layer, H_DOT, points)
        z_dot, width = kept_of(plan, kept, layer, Z_DOT, points), of(plan, layer, WIDTH)
        weight, bias = of(plan, layer, WEIGHT), move + of(plan, layer, BIAS)
        multiply_transposed_dot(
            buf,
            plan,
            z_dot,
            bias,
            below,
            block + weight,
            below_dot,
            move + weight,
            points,
            below_width,
            width,
        )
        for place in range(0, points * width, lane):
            z = load(buf, z_dot + place)
            store(buf, h_dot + place, through_activation(z, load(buf, h + place), relu))

    weight, bias = of(plan, last, WEIGHT), of(plan, last, BIAS)
    for point in range(points):
        products = splat(buf, 0.0)
        for unit in range(0, width, lane):
            place = point * width + unit
            products = load(buf, h + place) * load(buf, move + weight + unit) + products
            products = load(buf, h_dot + place) * load(buf, block + weight + unit) + products
        buf[kept + points + point] = total(products) + buf[move + bias]


@inlined
def through_units_dot(buf, plan, kept, layer, unit, zero, last, blocks, x, points, relu):
    """`through_layer_dot` for the units of as many registers as ``zero`` has, from ``unit`` on."""
    block, move, target = blocks
    width = of(plan, layer, WIDTH)
    h_place = kept_of(plan, kept, layer, H, points) + unit
    h_dot_place = kept_of(plan, kept, layer, H_DOT, points) + unit
    d_place = kept_of(plan, kept, layer, D, points) + unit
    d_dot_place = kept_of(plan, kept, layer, D_DOT, points) + unit
    z_dot_place = kept_of(plan, kept, layer, Z_DOT, points) + unit
    bias, weight = target + of(plan, layer, BIAS) + unit, target + of(plan, layer, WEIGHT) + unit
    out = of(plan, layer + 1, WEIGHT) + unit

    new_bias = load_like(buf, bias, zero)
    new_weight = load_like(buf, weight, zero) if layer == 0 else zero
    if last:
        w_out = load_like(buf, block + out, zero)
        w_out_dot = load_like(buf, move + out, zero)
        new_out = load_like(buf, target + out, zero)
    for point in range(points):
        row = point * width
        h = load_like(buf, h_place + row, zero)
        if last:
            error, error_dot = buf[kept + point], buf[kept + points + point]
            back_dot = error * w_out_dot + error_dot * w_out
            new_out = error * load_like(buf, h_dot_place + row, zero) + new_out
            new_out = error_dot * h + new_out
        else:
            back_dot = load_like(buf, plan[DELTA] + unit + row, zero)
        d_dot = through_activation(back_dot, h, relu)
        if not relu:
            d, z_dot = load_like(buf, d_place + row, zero), load_like(buf, z_dot_place + row, zero)
            d_dot = d_dot - d * (2.0 * h * z_dot)
        store(buf, d_dot_place + row, d_dot)
        new_bias = new_bias + d_dot
        if layer == 0:
            new_weight = x[point] * d_dot + new_weight
    store(buf, bias, new_bias)
    if layer == 0:
        store(buf, weight, new_weight)
    if last:
        store(buf, target + out, new_out)


@inlined
def through_layer_dot(buf, plan, kept, layer, last, blocks, x, points, relu):
    """Compute D_dot of a layer, and the sums over points, as `kernel.through_layer`.

    With tanh, D = (1 - H²) back has the derivative (1 - H²) back_dot - 2 H D Z_dot.
    """
    width, lane, wide = of(plan, layer, WIDTH), lanes(buf), WIDE * lanes(buf)
    unit = 0
    while unit + wide <= width:
        zero = wide_zero(buf)
        through_units_dot(buf, plan, kept, layer, unit, zero, last, blocks, x, points, relu)
        unit += wide
    while unit < width:
        zero = splat(buf, 0.0)
        through_units_dot(buf, plan, kept, layer, unit, zero, last, blocks, x, points, relu)
        unit += lane


@compiled
def backward_dot(buf, plan, kept, block, move, target, x, points, scale, relu):
    """Add ``scale`` times H(``block``) ``move`` to the block ``target``, which may be ``move``.

    After `forward_dot`. Where `backward` has D_lᵀ H_l-1, its derivative is D_dotᵀ H + Dᵀ H_dot: one
    product over twice the points, of matrices that are kept one behind the other. The derivative of
    D_l W_l is D_dot W_l + D W_dot.
    """
    blocks = block, move, target
    layer = plan[N_LAYERS] - 1
    factor = scale * 2.0 / points
    sum_dot = 0.0
    for point in range(points):
        buf[kept + point] *= factor
        error_dot = buf[kept + points + point] * factor
        buf[kept + points + point] = error_dot
        sum_dot += error_dot
    buf[target + of(plan, layer, BIAS)] += sum_dot

    layer -= 1
    through_layer_dot(buf, plan, kept, layer, True, blocks, x, points, relu)
    while layer > 0:
        d_dot, d = kept_of(plan, kept, layer, D_DOT, points), kept_of(plan, kept, layer, D, points)
        weight, width, delta = of(plan, layer, WEIGHT), of(plan, layer, WIDTH), plan[DELTA]
        layer -= 1
        below, below_width = kept_of(plan, kept, layer, H, points), of(plan, layer, WIDTH)
        multiply(buf, delta, plan[ZEROS], d_dot, block + weight, points, width, below_width)
        product_onto(buf, delta, d, move + weight, points, width, below_width)
        place = target + weight
        update_weights(buf, place, place, d_dot, below, 2 * points, width, below_width)
        through_layer_dot(buf, plan, kept, layer, False, blocks, x, points, relu)


# --- inner steps --------------------------------------------------------------------------------


@compiled
def inner_step(buf, plan, blocks, kept, x, y, points, lr, learned, relu):
    """Set the second of ``blocks`` to the parameters after a step from the first.

    Errors, H and D go to ``kept``. With ``learned`` rates, the third block holds the negative
    gradient at the first one afterwards.
    """
    source, target, gradient = blocks
    forward(buf, plan, source, x, points, relu)
    mean_squared_error(buf, plan, y, points)
    for point in range(points):
        buf[kept + point] = buf[plan[ERRORS] + point]
    keep(buf, plan, kept, H, points)
    if learned:
        clear(buf, gradient, plan[BLOCK_SIZE])
        backward(buf, plan, source, gradient, gradient, x, points, -1.0, relu)
        rates = plan[THETA] + plan[BLOCK_SIZE]
        for i in range(0, plan[BLOCK_SIZE], lanes(buf)):
            change = load(buf, rates + i) * load(buf, gradient + i)
            store(buf, target + i, load(buf, source + i) + change)
    else:
        backward(buf, plan, source, source, target, x, points, -lr, relu)
    keep(buf, plan, kept, D, points)


@inlined
def add(buf, plan, source, target):
    """Add the block ``source`` to ``target``."""
    for i in range(0, plan[BLOCK_SIZE], lanes(buf)):
        store(buf, target + i, load(buf, target + i) + load(buf, source + i))


@compiled
def step_back(buf, plan, blocks, kept, x, points, lr, learned, second, relu):
    """Replace v in the block VECTOR by its value before an inner step.

    ``blocks`` are the parameters before the step and the negative gradient there; ``kept`` is what
    `inner_step` kept. With ``learned`` rates, their derivative is added to the second block at
    OUTER. Without ``second``, H is left out.
    """
    phi, gradient = blocks
    vector, move, scale = plan[VECTOR], plan[VECTOR], -lr
    if learned:
        size, move, scale = plan[BLOCK_SIZE], plan[DIRECTION], -1.0
        rates, by_rates = plan[THETA] + size, plan[OUTER] + size
        for i in range(0, size, lanes(buf)):
            v = load(buf, vector + i)
            store(buf, move + i, v * load(buf, rates + i))
            store(buf, by_rates + i, v * load(buf, gradient + i) + load(buf, by_rates + i))
    if second:
        forward_dot(buf, plan, kept, phi, move, x, points, relu)
        backward_dot(buf, plan, kept, phi, move, vector, x, points, scale, relu)


# --- entry points -------------------------------------------------------------------------------


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
    learned,
    second,
):
    """Run n meta-iterations as `kernel.advance` does, with a query set and one support set.

    ``theta`` and ``moments`` have the network's parameters, and with learned rates as many rates
    behind them.
    """
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, _, n_points, n_query, query_stride = sizes
    size, vector, outer = plan[BLOCK_SIZE], plan[VECTOR], plan[OUTER]
    parts = 2 if learned else 1
    exchange_all(buf, plan, plan[THETA], pointer(theta), theta.size, parts, True)
    for moment in range(moments.shape[0]):
        block, flat = plan[MOMENT_1 + moment], pointer(moments[moment])
        exchange_all(buf, plan, block, flat, theta.size, parts, True)

    for i in range(losses.size):
        clear(buf, outer, parts * size)
        loss = 0.0
        for task in range(i * n_tasks, (i + 1) * n_tasks):
            some_x, some_y = at(x_data, task * n_points), at(y_data, task * n_points)
            phi = plan[THETA]
            for step in range(inner_steps):
                after, gradient = plan[PATH] + step * size, plan[GRADIENTS] + step * size
                blocks, kept = (phi, after, gradient), plan[KEPT_STEPS] + step * plan[KEPT_SIZE]
                inner_step(
                    buf, plan, blocks, kept, some_x, some_y, n_points, inner_lr, learned, relu
                )
                phi = after
            task_x = at(query_x_data, task * query_stride)
            forward(buf, plan, phi, task_x, n_query, relu)
            loss += mean_squared_error(buf, plan, at(query_y_data, task * n_query), n_query)
            clear(buf, vector, size)
            backward(buf, plan, phi, vector, vector, task_x, n_query, share, relu)
            for step in range(inner_steps - 1, -1, -1):
                before = plan[PATH] + (step - 1) * size if step > 0 else plan[THETA]
                at_step = before, plan[GRADIENTS] + step * size
                kept = plan[KEPT_STEPS] + step * plan[KEPT_SIZE]
                step_back(
                    buf, plan, at_step, kept, some_x, n_points, inner_lr, learned, second, relu
                )
            add(buf, plan, vector, outer)
        step = iteration + i + 1
        outer_step(buf, plan, parts * size, optimizer, rates[i], decays, step)
        losses[i] = loss / n_tasks

    exchange_all(buf, plan, plan[THETA], pointer(theta), theta.size, parts, False)
    for moment in range(moments.shape[0]):
        block, flat = plan[MOMENT_1 + moment], pointer(moments[moment])
        exchange_all(buf, plan, block, flat, theta.size, parts, False)


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
    learned,
):
    """Fine-tune as `kernel.adapt` does, with the inner steps of `advance`."""
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, n_points, n_query, query_stride, kept = sizes
    reported, n_reported = pointer(reported_array), len(reported_array)
    parts = 2 if learned else 1
    exchange_all(buf, plan, plan[THETA], pointer(theta), theta.size, parts, True)
    for task in range(n_tasks):
        some_x, some_y = at(x_data, task * n_points), at(y_data, task * n_points)
        block = plan[THETA]
        column = 0
        for step in range(reported[n_reported - 1] + 1):
            if step > 0:
                blocks, place = (block, plan[PATH], plan[GRADIENTS]), plan[KEPT_STEPS]
                inner_step(buf, plan, blocks, place, some_x, some_y, n_points, lr, learned, relu)
                block = plan[PATH]
            if step != reported[column]:
                continue
            forward(buf, plan, block, at(query_x_data, task * query_stride), n_query, relu)
            row = task * kept + min(column, kept - 1)
            for point in range(n_query):
                predictions[row, point] = buf[plan[ERRORS] + point]
            y_of_task = at(query_y_data, task * n_query)
            losses[task, column] = mean_squared_error(buf, plan, y_of_task, n_query)
            column += 1
