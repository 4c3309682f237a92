"""Products with the Hessian of a loss, as native code.

Such a product is the derivative of the gradient along a direction, forward over reverse
(Pearlmutter 1994): whatever ends in ``_dot`` is a derivative along the direction. What the gradient
has computed on its way was kept, so nothing is computed again.

Conventions, and all that is not new here, are those of `kernel`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from core.engines.fused.kernel import (
    BIAS,
    DELTA,
    FEW,
    N_INPUTS,
    N_LAYERS,
    OUTPUT,
    THETA,
    TRANSPOSE,
    TURNED,
    UNITS,
    WEIGHT,
    WIDTH,
    ZEROS,
    add_other_inputs,
    compiled,
    inlined,
    multiply,
    of,
    product,
    through_activation,
    transpose,
    update_weights,
)
from core.engines.fused.layout import Column
from core.engines.fused.simd import (
    WIDE,
    broadcast,
    dots_of_both,
    lanes,
    load,
    load_like,
    load_twice,
    splat,
    store,
    store_halves,
    total,
    wide_zero,
)

KEPT = int(Column.KEPT)

H, H_DOT, D_DOT, D, Z_DOT = range(5)
"""What is kept of a layer: its outputs, the loss gradients by its inputs, and derivatives."""


# --- a product with the Hessian -----------------------------------------------------------------


@compiled
def product_onto(buf, c, a, a_row, b, rows, steps, width):
    """C += A B; sizes as in `kernel.product`."""
    product(buf, c, c, width, a, a_row, 1, b, rows, steps, width)


@inlined
def multiply_rows_dot(buf, c, bias, a, b, a_dot, b_dot, rows, row, width):
    """C = A_dot Bᵀ + A B_dotᵀ with ``bias`` added to each row, as `kernel.multiply_rows`."""
    half = lanes(buf) // 2
    for column in range(0, width, half):
        biases, place = load_twice(buf, bias + column), column * row
        for one in range(0, rows, 2):
            other = min(one + 1, rows - 1)
            first, second = one * row, other * row
            sums = dots_of_both(
                buf,
                a_dot + first,
                a_dot + second,
                b + place,
                a + first,
                a + second,
                b_dot + place,
                row,
            )
            store_halves(buf, c + one * width + column, c + other * width + column, sums + biases)


@compiled
def multiply_transposed_dot(
    buf, plan, c, bias, a, a_row, b, turned, a_dot, b_dot, rows, steps, width
):
    """Compute `multiply_rows_dot` in the cheaper way; sizes as in `kernel.multiply_transposed`.

    ``turned`` is the transpose of B, or 0.
    """
    if turned > 0 or rows > FEW:
        if turned == 0:
            turned = plan[TRANSPOSE]
            transpose(buf, b, turned, width, a_row)
        multiply(buf, c, bias, a_dot, a_row, turned, rows, steps, width)
        transpose(buf, b_dot, plan[TRANSPOSE], width, a_row)
        product_onto(buf, c, a, a_row, plan[TRANSPOSE], rows, steps, width)
    else:
        multiply_rows_dot(buf, c, bias, a, b, a_dot, b_dot, rows, a_row, width)


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
    width, inputs = of(plan, 0, WIDTH), plan[N_INPUTS]
    h, h_dot = kept_of(plan, kept, 0, H, points), kept_of(plan, kept, 0, H_DOT, points)
    z_dot = kept_of(plan, kept, 0, Z_DOT, points)
    for unit in range(0, width, lane):
        row = move + of(plan, 0, WEIGHT) + unit
        weight, bias = load(buf, row), load(buf, move + of(plan, 0, BIAS) + unit)
        for point in range(points):
            place = point * width + unit
            z = weight * broadcast(x, point * inputs) + bias
            for i in range(1, inputs):
                z = load(buf, row + i * width) * broadcast(x, point * inputs + i) + z
            store(buf, z_dot + place, z)
            store(buf, h_dot + place, through_activation(z, load(buf, h + place), relu))

    for layer in range(1, last):
        below, below_dot, below_width, units = h, h_dot, width, of(plan, layer - 1, UNITS)
        h, h_dot = kept_of(plan, kept, layer, H, points), kept_of(plan, kept, layer, H_DOT, points)
        z_dot, width = kept_of(plan, kept, layer, Z_DOT, points), of(plan, layer, WIDTH)
        weight, bias = of(plan, layer, WEIGHT), move + of(plan, layer, BIAS)
        turned = plan[TURNED] + weight if block == plan[THETA] else 0
        multiply_transposed_dot(
            buf,
            plan,
            z_dot,
            bias,
            below,
            below_width,
            block + weight,
            turned,
            below_dot,
            move + weight,
            points,
            units,
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
    out, inputs = of(plan, layer + 1, WEIGHT) + unit, plan[N_INPUTS]

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
            new_weight = x[point * inputs] * d_dot + new_weight
    store(buf, bias, new_bias)
    if layer == 0:
        store(buf, weight, new_weight)
        add_other_inputs(buf, plan, zero, weight, weight, d_dot_place, x, points)
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
        weight, width, units = (
            of(plan, layer, WEIGHT),
            of(plan, layer, WIDTH),
            of(plan, layer, UNITS),
        )
        delta, zeros, place = plan[DELTA], plan[ZEROS], target + weight
        layer -= 1
        h, h_width = kept_of(plan, kept, layer, H, points), of(plan, layer, WIDTH)
        multiply(buf, delta, zeros, d_dot, width, block + weight, points, units, h_width)
        product_onto(buf, delta, d, width, move + weight, points, units, h_width)
        update_weights(buf, place, place, d_dot, width, h, 2 * points, units, h_width)
        through_layer_dot(buf, plan, kept, layer, False, blocks, x, points, relu)
