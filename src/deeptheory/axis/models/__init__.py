"""Rival models of a unit: fitted for all units at once, scored on held-out stimuli, and what may be said of each
unit.
"""

from deeptheory.axis.models.result import Models, compare_models

__all__ = ["Models", "compare_models"]
