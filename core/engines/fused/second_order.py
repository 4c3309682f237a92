"""MAML and Meta-SGD as native code: the outer gradient goes back through the inner steps.

With phi_0 = theta and phi_i+1 = phi_i - R grad L_support(phi_i), where R is the diagonal of the
inner rates, the derivative by theta is followed back from v_k = grad L_query(phi_k):
v_i = v_i+1 - H(phi_i) R v_i+1, with the Hessian H of the support loss (Finn, Abbeel and Levine
2017, algorithm 1). That by the rates is the sum of - v_i+1 grad L_support(phi_i) (Li et al. 2017).

Conventions, and all that is not new here, are those of `kernel`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from core.engines.fused.hessian import D, H, backward_dot, forward_dot, keep
from core.engines.fused.kernel import (
    BLOCK_SIZE,
    ERRORS,
    MOMENT_1,
    N_INPUTS,
    OUTER,
    THETA,
    add,
    backward,
    clear,
    compiled,
    exchange_all,
    forward,
    mean_squared_error,
    outer_step,
    turn,
)
from core.engines.fused.layout import Place
from core.engines.fused.simd import at, lanes, load, pointer, store

VECTOR, DIRECTION = int(Place.VECTOR), int(Place.DIRECTION)
PATH, GRADIENTS = int(Place.PATH), int(Place.GRADIENTS)
KEPT_STEPS, KEPT_SIZE = int(Place.KEPT), int(Place.KEPT_SIZE)


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
    size, vector, outer, inputs = plan[BLOCK_SIZE], plan[VECTOR], plan[OUTER], plan[N_INPUTS]
    parts = 2 if learned else 1
    exchange_all(buf, plan, plan[THETA], pointer(theta), theta.size, parts, True)
    for moment in range(moments.shape[0]):
        block, flat = plan[MOMENT_1 + moment], pointer(moments[moment])
        exchange_all(buf, plan, block, flat, theta.size, parts, True)

    for i in range(losses.size):
        turn(buf, plan)
        clear(buf, outer, parts * size)
        loss = 0.0
        for task in range(i * n_tasks, (i + 1) * n_tasks):
            first = task * n_points
            some_x, some_y = at(x_data, first * inputs), at(y_data, first)
            phi = plan[THETA]
            for step in range(inner_steps):
                after, gradient = plan[PATH] + step * size, plan[GRADIENTS] + step * size
                blocks, kept = (phi, after, gradient), plan[KEPT_STEPS] + step * plan[KEPT_SIZE]
                inner_step(
                    buf, plan, blocks, kept, some_x, some_y, n_points, inner_lr, learned, relu
                )
                phi = after
            task_x = at(query_x_data, task * query_stride * inputs)
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
            add(buf, outer, vector, size)
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
    parts, inputs = 2 if learned else 1, plan[N_INPUTS]
    exchange_all(buf, plan, plan[THETA], pointer(theta), theta.size, parts, True)
    turn(buf, plan)
    for task in range(n_tasks):
        first = task * n_points
        some_x, some_y = at(x_data, first * inputs), at(y_data, first)
        block = plan[THETA]
        column = 0
        for step in range(reported[n_reported - 1] + 1):
            if step > 0:
                blocks, place = (block, plan[PATH], plan[GRADIENTS]), plan[KEPT_STEPS]
                inner_step(buf, plan, blocks, place, some_x, some_y, n_points, lr, learned, relu)
                block = plan[PATH]
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
