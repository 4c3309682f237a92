"""The algorithms by name: a literal table, so that nothing is imported by discovery."""

from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm
from core.algorithms.cavia import Cavia
from core.algorithms.fomaml import Fomaml
from core.algorithms.joint import JointTraining
from core.algorithms.maml import Maml
from core.algorithms.metasgd import MetaSgd
from core.algorithms.oracle import Oracle
from core.algorithms.random import RandomInitialisation
from core.algorithms.reptile import Reptile
from core.errors import UnregisteredError
from core.validation import decode, require_table

ALGORITHMS: dict[str, type[Algorithm]] = {
    kind.name: kind
    for kind in (
        *(Fomaml, Reptile, Maml, Anil, MetaSgd, Cavia),
        *(JointTraining, RandomInitialisation, Oracle),
    )
}
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
