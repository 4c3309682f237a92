"""Kernels with the arguments of those in ``core.engines.fused.kernel``, compiled in a moment."""


def advance(
    buf_array: object,
    plan_array: object,
    theta: object,
    moments: object,
    losses: object,
    x: object,
    y: object,
    query_x: object,
    query_y: object,
    sizes: object,
    rates: object,
    inner_steps: object,
    inner_lr: object,
    share: object,
    optimizer: object,
    decays: object,
    iteration: object,
    relu: object,
) -> None:
    """Train nothing."""


def adapt(
    buf_array: object,
    plan_array: object,
    theta: object,
    losses: object,
    predictions: object,
    x: object,
    y: object,
    query_x: object,
    query_y: object,
    sizes: object,
    reported_array: object,
    lr: object,
    relu: object,
) -> None:
    """Adapt nothing."""
