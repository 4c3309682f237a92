"""The algorithms by name: a literal table, so that nothing is imported by discovery."""

from core.algorithms.base import Algorithm
from core.errors import UnregisteredError
from core.registry import Registry
from core.validation import decode, require_table

ALGORITHMS = Registry[Algorithm](
    {
        "fomaml": "core.algorithms.fomaml:Fomaml",
        "reptile": "core.algorithms.reptile:Reptile",
        "maml": "core.algorithms.maml:Maml",
        "anil": "core.algorithms.anil:Anil",
        "metasgd": "core.algorithms.metasgd:MetaSgd",
        "cavia": "core.algorithms.cavia:Cavia",
        "joint": "core.algorithms.joint:JointTraining",
        "random": "core.algorithms.random:RandomInitialisation",
        "oracle": "core.algorithms.oracle:Oracle",
    }
)
"""Algorithm classes by name."""

DEFAULT_ALGORITHMS = ("fomaml", "reptile")
"""The algorithms that are trained if none is named."""


def decode_algorithm(plain: object, where: str) -> Algorithm:
    """Return the algorithm that the table ``plain``, found at ``where``, names and configures.

    Raises ``ConfigError``, also ``UnregisteredError``, and ``UnknownSettingError``.
    """
    table = dict(require_table(plain, where))
    name = table.pop("name", None)
    if not isinstance(name, str) or name not in ALGORITHMS:
        raise UnregisteredError(f"{where}.name", name)
    return decode(ALGORITHMS[name], table, where)
