"""Constants of EM routing: what no constant can be."""

import dataclasses

import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError

c = dt.capsules


@pytest.mark.parametrize(
    ("constants", "match"),
    [
        ({"damping": 2.0}, "damping is 2.0; needed: a number from 0 to 1"),
        ({"damping": float("nan")}, "damping is nan"),
        ({"logit_scale": float("inf")}, "logit_scale is inf; needed: a finite number"),
        ({"class_temperature": "high"}, "class_temperature is 'high'"),
        ({"variance_floor": -1.0}, "variance_floor is -1.0"),
        ({"mass_floor": -1e-7}, "mass_floor is -1e-07"),
        ({"relative_cost": -50.0}, "relative_cost is -50.0"),
        ({"coordinates": (3, 3)}, r"coordinates are \(3, 3\); needed: two different entries of a vote, 0 to 15"),
        ({"coordinates": (-1, 7)}, r"coordinates are \(-1, 7\)"),
        ({"coordinates": 3}, "coordinates are 3"),
        ({"init": "xavier"}, "unknown init 'xavier'"),
    ],
)
def test_constants_that_give_wrong_numbers_are_refused(constants, match):
    """Of two equal coordinates only the column was added, and damping of 2 turned means about."""
    with pytest.raises(InputError, match=match):
        c.Variant(**constants)
    with pytest.raises(InputError, match=match):
        dataclasses.replace(c.VARIANTS["paper"], **constants)
