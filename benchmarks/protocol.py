"""The protocol that every candidate follows: the source's, which is also the default."""

from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile

FOMAML, REPTILE = Fomaml(), Reptile()
ALGORITHMS: dict[str, Algorithm] = {"fomaml": FOMAML, "reptile": REPTILE}

UNITS = 64
"""Hidden layer sizes."""
