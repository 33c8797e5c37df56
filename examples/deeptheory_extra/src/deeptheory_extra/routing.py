"""Does EM routing settle, if each mean keeps a part of the mean before it?

The released program's damping (0.1) is three times as strong here; all else is deeptheory's own "balanced".
"""

import dataclasses

from deeptheory.capsules import VARIANTS

DAMPED = dataclasses.replace(VARIANTS["balanced"], damping=0.3)
