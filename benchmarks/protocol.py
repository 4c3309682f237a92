"""The source's protocol, which every candidate follows: the defaults of the configurations."""

from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile

FOMAML, REPTILE = Fomaml(), Reptile()
ALGORITHMS: dict[str, Algorithm] = {"fomaml": FOMAML, "reptile": REPTILE}

UNITS = 64
"""Of both hidden layers."""
