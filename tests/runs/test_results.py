"""What a step returns comes back as it was, or is refused before it is written."""

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import InputError
from deeptheory.runs.results import read_unit, write_unit


def of(values, **attrs):
    return xr.Dataset({"v": ("x", values, attrs)})


def undefined(n, dtype):
    """What a processor makes of 0 / 0: a NaN with a sign."""
    with np.errstate(invalid="ignore"):
        return np.zeros(n, dtype) / np.zeros(n, dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 3, 5000])
def test_a_result_without_any_value_can_be_read(tmp_path, n, dtype):
    write_unit(of(undefined(n, dtype)), tmp_path / "s" / "u")
    back = read_unit(tmp_path / "s" / "u")["v"]
    assert back.dtype == dtype
    assert np.isnan(back).all()
    assert back.size == n


def test_values_next_to_undefined_ones_keep_their_bits(tmp_path):
    values = np.array([-0.0, 5e-324, np.inf, *undefined(1, float), 1 / 3])
    given = of(values.copy())
    write_unit(given, tmp_path / "s" / "u")
    back = read_unit(tmp_path / "s" / "u")["v"].values
    defined = [0, 1, 2, 4]
    assert back[defined].tobytes() == values[defined].tobytes()
    assert np.isnan(back[3])
    assert given["v"].values.tobytes() == values.tobytes()  # the caller's own stay as they are


@pytest.mark.parametrize(
    "values",
    [
        *(np.array([5], kind) for kind in ("m8[s]", "M8[s]")),
        *(np.array([b"ab"]), np.array([1 / 3], np.longdouble), np.array([1j], np.clongdouble)),
    ],
)
def test_a_type_that_would_come_back_as_another_is_refused(tmp_path, values):
    with pytest.raises(InputError, match="variable v of unit s/u is of .* not stored as it is"):
        write_unit(of(values), tmp_path / "s" / "u")
    assert not (tmp_path / "s" / "u").exists()


@pytest.mark.parametrize("name", ["_FillValue", "missing_value", "scale_factor", "_Unsigned", "_Encoding"])
def test_an_attribute_that_would_change_values_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="unit s/u has the attribute 'coordinates'"):
        write_unit(of(np.array([0.0, 1.0])).assign_attrs(coordinates="v"), tmp_path / "s" / "u")
    with pytest.raises(InputError, match=f"variable v of unit s/u has the attribute '{name}'"):
        write_unit(of(np.array([0.0, 1.0]), **{name: 1}), tmp_path / "s" / "u")
    assert not (tmp_path / "s" / "u").exists()
