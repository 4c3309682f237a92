"""The protocols that all candidates follow: the default, which is the source's, and Finn's."""

from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.maml import Maml
from core.algorithms.metasgd import MetaSgd
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.models.settings import NetworkConfig

FOMAML, REPTILE = Fomaml(), Reptile()
ALGORITHMS: dict[str, Algorithm] = {"fomaml": FOMAML, "reptile": REPTILE}

UNITS = 64
"""Hidden layer sizes."""


def _finn(kind: type[Maml], inner_lr: float) -> RunConfig:
    """Return the training of Finn et al. (2017)."""
    algorithm = kind(
        inner_lr=inner_lr,
        tasks=25,
        query_points=10,
        query="random",
        reduction="mean",
        outer_optimizer="adam",
        outer_lr=0.001,
    )
    return RunConfig(algorithm=algorithm, network=NetworkConfig(hidden=(40, 40), activation="relu"))


SECOND_ORDER = {
    "maml": RunConfig(algorithm=Maml()),
    "anil": RunConfig(algorithm=Anil()),
    "metasgd": RunConfig(algorithm=MetaSgd()),
    "maml, finn2017": _finn(Maml, 0.01),
    "anil, finn2017": _finn(Anil, 0.01),
    "metasgd, finn2017": _finn(MetaSgd, 0.05),
}
"""Second-order algorithms under both protocols."""
