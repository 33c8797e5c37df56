"""How a study is written must not change what it finds: claims and figures of a stored small run are as they were."""

import json
import math
from itertools import zip_longest

import pytest

from deeptheory.studies import STUDIES
from oracles.stored_runs import FOLDER, measure


def alike(a, b, places: float) -> bool:
    """Equal, numbers to within a part in `places`."""
    if isinstance(a, list) and isinstance(b, list):
        return all(alike(u, v, places) for u, v in zip_longest(a, b, fillvalue=math.inf))
    if isinstance(a, float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=places, abs_tol=places)
    return a == b


SLOW = ("shwartz-ziv-tishby-2017", "chang-tsao-2017")  # they solve the bottleneck, and draw faces


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in STUDIES])
def test_claims_and_figures_of_a_stored_run_stay_as_they_are(name):
    before, now = json.loads((FOLDER / f"{name}.json").read_text()), json.loads(json.dumps(measure(name)))
    assert list(before["claims"]) == list(now["claims"])
    assert [c for c, v in before["claims"].items() if not alike(v, now["claims"][c], 1e-6)] == []
    assert set(before["figures"]) == set(now["figures"])
    for figure, was in before["figures"].items():
        found = now["figures"][figure]
        assert was["claims"] == found["claims"], figure
        assert list(was["table"]) == list(found["table"]), figure
        assert [c for c, v in was["table"].items() if not alike(v, found["table"][c], 1e-6)] == [], figure
        assert alike(was["drawn"], found["drawn"], 0.02), (figure, was["drawn"], found["drawn"])


def test_a_changed_number_is_seen():
    """The comparison can fail: a digit, an order, a missing point."""
    assert not alike([1.0, 2.0], [1.0, 2.001], 1e-6)
    assert not alike([3, 1.0], [2, 1.0], 0.02)
    assert not alike(["a", 1], ["a"], 0.02)
    assert alike(None, None, 0.02)
