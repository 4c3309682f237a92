"""ANIL as native code: inner steps change the last layer alone.

The layers below it, the body, have the parameters theta for all tasks: their outputs, the features,
are computed for the support sets of all tasks at once, and for query points that tasks share only
once. Inner steps and their derivatives work on the features; what they find for the gradient by the
features goes back through the body, for all tasks at once again. For so many points, `ranges` is
faster than products.

With the features F of a support set, errors e and the parameters w of the last layer, a step is
w <- w - lr Fᵀ e, with the factor 2 / points. v = Fᵀ e of the query set goes back through it:
v <- v - lr Fᵀ e_dot with e_dot = F v, and the gradient by F is - lr (e_dot wᵀ + e vᵀ).

Conventions, and all that is not new here, are those of `kernel`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from core.engines.fused.kernel import (
    BIAS,
    BLOCK_SIZE,
    DELTA,
    ERRORS,
    MOMENT_1,
    N_INPUTS,
    N_LAYERS,
    OUTER,
    OUTPUT,
    THETA,
    UNITS,
    WEIGHT,
    WIDTH,
    ZEROS,
    activation,
    add,
    clear,
    compiled,
    exchange_all,
    hidden_layers,
    inlined,
    multiply,
    of,
    outer_step,
    through_layer,
    update_weights,
)
from core.engines.fused.layout import Place
from core.engines.fused.ranges import through_first_layer
from core.engines.fused.signatures import SGD
from core.engines.fused.simd import (
    WIDE,
    at,
    dots_of_row,
    lanes,
    load,
    load_like,
    pointer,
    splat,
    store,
    total,
    wide_zero,
)

VECTOR, PATH = int(Place.VECTOR), int(Place.PATH)
NONE = -1
"""In place of a block that is not given."""
KEPT_STEPS, KEPT_SIZE, POINTS = int(Place.KEPT), int(Place.KEPT_SIZE), int(Place.POINTS)


@inlined
def head_of(plan, block):
    """Return the places of the last layer's weight and bias in a block."""
    last = plan[N_LAYERS] - 1
    return block + of(plan, last, WEIGHT), block + of(plan, last, BIAS)


@compiled
def features_of(buf, plan, block, x, points, relu):
    """Compute the outputs of all hidden layers for points ``x``, with the features as the last."""
    hidden_layers(buf, plan, block, x, points, relu)
    layer = plan[N_LAYERS] - 2
    first, size = of(plan, layer, OUTPUT), points * of(plan, layer, WIDTH)
    for place in range(first, first + size, lanes(buf)):
        store(buf, place, activation(load(buf, place), relu))


@inlined
def outputs_of(buf, plan, features, block, outputs, points):
    """Write the last layer's outputs for ``features`` ``(points, width)``, in whole registers."""
    width, (weight, bias) = of(plan, plan[N_LAYERS] - 2, WIDTH), head_of(plan, block)
    for point in range(0, points, lanes(buf)):
        products = dots_of_row(buf, weight, features + point * width, width)
        store(buf, outputs + point, products + buf[bias])


@inlined
def through_head_units(buf, unit, zero, width, features, weights, errors, gradients, points):
    """`through_head` for the units of as many registers as ``zero`` has, from ``unit`` on."""
    source, target, weight, weight_dot = weights
    delta, init, init_row = gradients
    new = load_like(buf, source + unit, zero)
    if weight > NONE:
        w = load_like(buf, weight + unit, zero)
    if weight_dot > NONE:
        w_dot = load_like(buf, weight_dot + unit, zero)
    for point in range(points):
        row, error = point * width + unit, buf[errors + point]
        new = error * load_like(buf, features + row, zero) + new
        if weight > NONE:
            gradient = error * w + load_like(buf, init + point * init_row + unit, zero)
            if weight_dot > NONE:
                gradient = buf[errors - points + point] * w_dot + gradient
            store(buf, delta + row, gradient)
    store(buf, target + unit, new)


@inlined
def through_head(buf, plan, features, blocks, errors, gradients, points):
    """Set the last layer of block ``target`` to that of ``source`` plus the sum of errors F.

    ``gradients`` are delta, init and the distance between rows of init. With a third of the
    ``blocks``, delta, the gradients by F, is set to init + errors wᵀ; with a fourth one, to
    init + errors wᵀ + e w_dotᵀ, where e lie before ``errors``. Several registers side by side,
    because each sum waits for its last addition.
    """
    last = plan[N_LAYERS] - 1
    place, width = of(plan, last, WEIGHT), of(plan, last - 1, WIDTH)
    source, target, block, block_dot = blocks
    weight = block + place if block > NONE else NONE
    weight_dot = block_dot + place if block_dot > NONE else NONE
    weights = source + place, target + place, weight, weight_dot
    lane, wide, unit = lanes(buf), WIDE * lanes(buf), 0
    while unit + wide <= width:
        zero = wide_zero(buf)
        through_head_units(buf, unit, zero, width, features, weights, errors, gradients, points)
        unit += wide
    while unit < width:
        zero = splat(buf, 0.0)
        through_head_units(buf, unit, zero, width, features, weights, errors, gradients, points)
        unit += lane
    sums, error_sum, bias = splat(buf, 0.0), 0.0, of(plan, last, BIAS)
    whole = points - points % lane
    for point in range(0, whole, lane):
        sums = sums + load(buf, errors + point)
    for point in range(whole, points):
        error_sum += buf[errors + point]
    buf[target + bias] = buf[source + bias] + total(sums) + error_sum


@inlined
def scaled_errors(buf, outputs, y, points, factor):
    """Turn outputs into errors times ``factor`` in place; return the errors' mean square."""
    sums, squares, whole = splat(buf, 0.0), 0.0, points - points % lanes(buf)
    for point in range(0, whole, lanes(buf)):
        error = load(buf, outputs + point) - load(y, point)
        store(buf, outputs + point, error * factor)
        sums = error * error + sums
    for point in range(whole, points):
        error = buf[outputs + point] - y[point]
        buf[outputs + point] = error * factor
        squares += error * error
    return (squares + total(sums)) / points


@compiled
def head_step(buf, plan, features, source, target, errors, y, points, lr):
    """Set the last layer of ``target`` to that after a step from ``source``.

    ``errors`` have the factor -2 lr / points afterwards.
    """
    outputs_of(buf, plan, features, source, errors, points)
    scaled_errors(buf, errors, y, points, -lr * 2.0 / points)
    through_head(buf, plan, features, (source, target, NONE, NONE), errors, (0, 0, 0), points)


@compiled
def query_gradient(buf, plan, features, block, gradients, y, points, share):
    """Return the query loss, set v to its gradient by the last layer, and set that by F."""
    errors, vector, width = plan[ERRORS], plan[VECTOR], of(plan, plan[N_LAYERS] - 2, WIDTH)
    outputs_of(buf, plan, features, block, errors, points)
    loss = scaled_errors(buf, errors, y, points, share * 2.0 / points)
    weight, bias = head_of(plan, vector)
    clear(buf, weight, width)
    buf[bias] = 0.0
    blocks = vector, vector, block, NONE
    through_head(buf, plan, features, blocks, errors, gradients, points)
    return loss


@compiled
def head_step_back(buf, plan, features, block, errors, gradients, points, lr):
    """Replace v by its value before the step from ``block``, and set the gradient by F."""
    vector, errors_dot = plan[VECTOR], errors + points
    outputs_of(buf, plan, features, vector, errors_dot, points)
    factor = -lr * 2.0 / points
    for point in range(points):
        buf[errors_dot + point] *= factor
    blocks = vector, vector, block, vector
    through_head(buf, plan, features, blocks, errors_dot, gradients, points)


@inlined
def through_task(buf, plan, rows, counts, ys, inner_steps, factors, fresh, second):
    """Return the query loss after a task's steps from theta, and set v to the gradient there.

    The first support and query points of the task are at ``rows``; ``counts`` and ``ys`` are
    theirs too, and ``factors`` the inner rate and that of the gradient. The gradients by features
    are written, or for query points that are not ``fresh`` added to those of other tasks.
    """
    layer, zeros, block, size = plan[N_LAYERS] - 2, plan[ZEROS], plan[THETA], plan[BLOCK_SIZE]
    width, (row, query_row), (n_points, n_query) = of(plan, layer, WIDTH), rows, counts
    inner_lr, scale = factors
    features, delta = of(plan, layer, OUTPUT) + row * width, plan[DELTA] + row * width
    phi = block
    for step in range(inner_steps):
        errors, after = plan[KEPT_STEPS] + step * plan[KEPT_SIZE], plan[PATH] + step * size
        head_step(buf, plan, features, phi, after, errors, ys[0], n_points, inner_lr)
        phi = after
    query_features = of(plan, layer, OUTPUT) + query_row * width
    query_delta = plan[DELTA] + query_row * width
    gradients = query_delta, zeros if fresh else query_delta, 0 if fresh else width
    loss = query_gradient(buf, plan, query_features, phi, gradients, ys[1], n_query, scale)
    if not second:
        clear(buf, delta, n_points * width)
        return loss
    gradients = delta, zeros, 0
    for step in range(inner_steps - 1, -1, -1):
        errors = plan[KEPT_STEPS] + step * plan[KEPT_SIZE]
        before = plan[PATH] + (step - 1) * size if step > 0 else block
        head_step_back(buf, plan, features, before, errors, gradients, n_points, inner_lr)
        gradients = delta, delta, width
    return loss


@compiled
def body_backward(buf, plan, source, target, x, points, relu):
    """Add the gradient by the body to ``target``, from that by the features in DELTA."""
    blocks = source, target, target
    layer, ranges = plan[N_LAYERS] - 2, relu and plan[N_INPUTS] == 1
    through_layer(buf, plan, layer, False, blocks, x, points, relu)
    while layer > (1 if ranges else 0):
        d, width, units = of(plan, layer, OUTPUT), of(plan, layer, WIDTH), of(plan, layer, UNITS)
        weight, zeros = of(plan, layer, WEIGHT), plan[ZEROS]
        layer -= 1
        h, h_width = of(plan, layer, OUTPUT), of(plan, layer, WIDTH)
        multiply(buf, plan[DELTA], zeros, d, width, source + weight, points, units, h_width)
        place = target + weight
        update_weights(buf, place, place, d, width, h, points, units, h_width)
        through_layer(buf, plan, layer, False, blocks, x, points, relu)
    if layer == 1:
        through_first_layer(buf, plan, source, target, x, points)


@inlined
def gather(buf, start, x, n):
    """Copy ``n`` numbers into the buffer."""
    for i in range(n):
        buf[start + i] = x[i]


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
    together,
    second,
):
    """Run n meta-iterations as `kernel.advance` does, with a query set and one support set.

    ``together`` tasks are computed at once. Without ``second`` no derivative goes back through the
    inner steps.
    """
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, _, n_points, n_query, query_stride = sizes
    block, size, outer = plan[THETA], plan[BLOCK_SIZE], plan[OUTER]
    points, inputs = plan[POINTS], plan[N_INPUTS]
    feature_layer = plan[N_LAYERS] - 2
    width = of(plan, feature_layer, WIDTH)
    exchange_all(buf, plan, block, pointer(theta), theta.size, 1, True)
    for moment in range(moments.shape[0]):
        flat = pointer(moments[moment])
        exchange_all(buf, plan, plan[MOMENT_1 + moment], flat, theta.size, 1, True)

    # The bias of the last layer, padded to a register, lies before the weight.
    head, head_size = of(plan, plan[N_LAYERS] - 1, BIAS), lanes(buf) + width
    # Under SGD theta takes the gradients at once, except that tasks adapt its last layer, and that
    # `through_first_layer` reads of a unit what it has written.
    in_place = optimizer == SGD and together >= n_tasks and not relu
    target = block if in_place else outer
    for i in range(losses.size):
        clear(buf, outer + head if in_place else outer, head_size if in_place else size)
        scale = -rates[i] * share if in_place else share
        loss = 0.0
        for first in range(i * n_tasks, (i + 1) * n_tasks, together):
            n_some = min(together, (i + 1) * n_tasks - first)
            support = n_some * n_points
            n_all = support + (n_some * n_query if query_stride > 0 else n_query)
            gather(buf, points, at(x_data, first * n_points * inputs), support * inputs)
            some_query_x = at(query_x_data, first * query_stride * inputs)
            gather(buf, points + support * inputs, some_query_x, (n_all - support) * inputs)
            features_of(buf, plan, block, at(buf, points), n_all, relu)
            for index in range(n_some):
                task, counts = first + index, (n_points, n_query)
                rows = index * n_points, support + index * query_stride
                ys = at(y_data, task * n_points), at(query_y_data, task * n_query)
                # Tasks that share query points add to each other's gradients by them.
                fresh = index == 0 or query_stride > 0
                factors = inner_lr, scale
                loss += through_task(
                    buf, plan, rows, counts, ys, inner_steps, factors, fresh, second
                )
                add(buf, outer + head, plan[VECTOR] + head, head_size)
            body_backward(buf, plan, block, target, at(buf, points), n_all, relu)
        if in_place:
            add(buf, block + head, outer + head, head_size)
        else:
            outer_step(buf, plan, size, optimizer, rates[i], decays, iteration + i + 1)
        losses[i] = loss / n_tasks

    exchange_all(buf, plan, block, pointer(theta), theta.size, 1, False)
    for moment in range(moments.shape[0]):
        flat = pointer(moments[moment])
        exchange_all(buf, plan, plan[MOMENT_1 + moment], flat, theta.size, 1, False)


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
    """Fine-tune the last layer as `kernel.adapt` does the network."""
    buf, plan = pointer(buf_array), pointer(plan_array)
    x_data, y_data = pointer(x), pointer(y)
    query_x_data, query_y_data = pointer(query_x), pointer(query_y)
    n_tasks, n_points, n_query, query_stride, kept = sizes
    reported, n_reported = pointer(reported_array), len(reported_array)
    feature_layer, points, inputs = plan[N_LAYERS] - 2, plan[POINTS], plan[N_INPUTS]
    width, features = of(plan, feature_layer, WIDTH), of(plan, feature_layer, OUTPUT)
    query_features = features + n_points * width
    exchange_all(buf, plan, plan[THETA], pointer(theta), theta.size, 1, True)
    for task in range(n_tasks):
        gather(buf, points, at(x_data, task * n_points * inputs), n_points * inputs)
        task_x = at(query_x_data, task * query_stride * inputs)
        gather(buf, points + n_points * inputs, task_x, n_query * inputs)
        features_of(buf, plan, plan[THETA], at(buf, points), n_points + n_query, relu)
        task_y, task_query_y = at(y_data, task * n_points), at(query_y_data, task * n_query)
        block = plan[THETA]
        column = 0
        for step in range(reported[n_reported - 1] + 1):
            if step > 0:
                errors = plan[KEPT_STEPS]
                head_step(buf, plan, features, block, plan[PATH], errors, task_y, n_points, lr)
                block = plan[PATH]
            if step != reported[column]:
                continue
            outputs_of(buf, plan, query_features, block, plan[ERRORS], n_query)
            row = task * kept + min(column, kept - 1)
            for point in range(n_query):
                predictions[row, point] = buf[plan[ERRORS] + point]
            losses[task, column] = scaled_errors(buf, plan[ERRORS], task_query_y, n_query, 1.0)
            column += 1
