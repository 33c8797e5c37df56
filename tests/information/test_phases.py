"""Gradient phases of Datasets that somebody else made."""

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import InputError
from deeptheory.information import gradient_phases

AXES = ("seed", "step", "layer")
NORMS = ("mean_norm", "std_norm", "weight_norm")


def gradients(**others):
    rng = np.random.default_rng(0)
    values = {name: (AXES, np.abs(rng.normal(size=(3, 3, 2)))) for name in NORMS} | others
    return xr.Dataset(values, coords={"seed": [0, 1, 2], "step": [0, 5, 9], "layer": ["a", "b"]})


@pytest.mark.parametrize("name", ["std_norm", "weight_norm"])
@pytest.mark.parametrize("axes", [("seed", "layer"), ("step", "layer"), ("layer",), ("layer", "seed"), ()], ids=str)
def test_a_norm_without_an_axis_is_filled_in_by_name(name, axes):
    """3 networks at 3 steps: by position the networks' norms were taken for those of the steps."""
    small = np.arange(1.0, 19).reshape(3, 3, 2)[: 3 if "seed" in axes else 1, : 3 if "step" in axes else 1]
    small = small[:, :, : 2 if "layer" in axes else 1]
    full = gradients(**{name: (AXES, np.broadcast_to(small, (3, 3, 2)))})
    part = full[name].isel({axis: 0 for axis in AXES if axis not in axes}).transpose(*axes)
    got, want = gradient_phases(full.assign({name: part})), gradient_phases(full)
    for what in ("mean", "std", "snr", "crossing"):
        np.testing.assert_array_equal(getattr(got, what), getattr(want, what))


@pytest.mark.parametrize("name", NORMS)
def test_axes_that_are_not_known_and_norms_below_0_are_refused(name):
    with pytest.raises(InputError, match=f"{name} has axes"):
        gradient_phases(gradients(**{name: ((*AXES, "batch"), np.ones((3, 3, 2, 4)))}))
    with pytest.raises(InputError, match=f"{name} holds -1"):
        gradient_phases(gradients(**{name: (AXES, -np.ones((3, 3, 2)))}))


@pytest.mark.parametrize("seeds", [["a", "b", "c"], [0.1, 0.5, 0.9]], ids=str)
def test_seeds_are_integers(seeds):
    """Three networks of .1, .5 and .9 were all named 0."""
    with pytest.raises(InputError, match="seeds are"):
        gradient_phases(gradients().assign_coords(seed=seeds))


def test_steps_are_no_dates():
    with pytest.raises(InputError, match="steps are datetime64"):
        gradient_phases(gradients().assign_coords(step=np.array(["2020", "2021", "2022"], dtype="datetime64[ns]")))


@pytest.mark.parametrize("batches", [np.nan, 0.0])
def test_a_number_of_minibatches_that_is_none_gives_no_floor(batches):
    assert "was not recorded" in gradient_phases(gradients(batches=((), batches))).notes[-1]
