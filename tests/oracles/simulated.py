"""Results that no network gave, in the form of a study's steps: a paper's statement is true in one, false in the other.

A table of cases is {claim id: (results where it is true, results where it is false)}. What a claim must not look at
(another layer, read-out, condition) holds the opposite, so that a wrong axis or name turns the verdict.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from deeptheory.core.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_JUDGED, NOT_RUN, PUBLISHED, REPRODUCED, in_words
from deeptheory.runs import Claim, decide

N = 18  # networks: a share of at least 0.8 needs 17
STEPS = [0, 10, 100, 1000, 4000]
Case = tuple[Mapping[str, Any], Mapping[str, Any]]


def around(values: Any, n: int = N, spread: float = 0.01) -> np.ndarray:
    """[n, ...]: the values times a number of each network, up to one per cent from 1, so that intervals have a
    width.
    """
    values = np.asarray(values, dtype=np.float64)
    return values * (1 + spread * np.sin(1.7 * np.arange(n))).reshape(n, *[1] * values.ndim)


def dataset(variables: Mapping[str, tuple], attrs: Mapping[str, Any] | None = None, **coords: Any) -> xr.Dataset:
    """A Dataset of (dims, values); a coordinate `seed` is added where one is missing."""
    made = xr.Dataset({k: (dims, np.asarray(v)) for k, (dims, v) in variables.items()}, coords=coords, attrs=attrs)
    return made.assign_coords(seed=np.arange(made.sizes["seed"])) if "seed" in made.dims else made


def falling(fall: float, top: float = 8.0, start: float = 2.0) -> list[float]:
    """I(X;T) over STEPS: from start up to top, then down by fall."""
    return [start, (start + top) / 2, top, top - fall / 2, top - fall]


def only(name: str, names: Sequence[str], here: Any, elsewhere: Any) -> list[Any]:
    """`here` at that name, `elsewhere` at the others."""
    return [here if other == name else elsewhere for other in names]


def check_missing(claims: Sequence[Claim], name: str, results: Mapping[str, Any], dim: str = "seed") -> None:
    """A network without numbers is none in which the claim fails: it is counted, and nothing is decided."""

    def without_first(data: xr.Dataset) -> xr.Dataset:
        there = xr.DataArray(np.arange(data.sizes[dim]) > 0, dims=dim)
        return data.map(lambda v: v.where(there) if dim in v.dims else v, keep_attrs=True).assign_attrs(data.attrs)

    claim = next(c for c in claims if c.id == name)
    found = decide([claim], {step: without_first(data) for step, data in results.items()}, scale="quick")[name]
    assert found.verdict == (in_words(INCONCLUSIVE, claim.setting or PUBLISHED) if claim.region else NOT_JUDGED), found
    assert "no value in" in found.note


def check(claims: Sequence[Claim], name: str, case: Case) -> None:
    """The claim is decided for the first results and against the second; one without a region differs in its value."""
    claim = next(c for c in claims if c.id == name)
    true, false = (decide([claim], results, scale="quick")[name] for results in case)
    if claim.region is None:
        assert {true.verdict, false.verdict} == {NOT_JUDGED}
        assert true.measured is not None
        assert false.measured is not None
        assert true.measured > false.measured
        return
    found = [f"{e.measured} [{e.low}, {e.high}] in {e.region}: {e.verdict}; {e.note}" for e in (true, false)]
    setting = claim.setting or PUBLISHED
    assert true.verdict == in_words(REPRODUCED, setting), found
    assert false.verdict == in_words(CONTRADICTED, setting), found
    networks = max((data.sizes.get("seed", 0) for data in case[0].values()), default=0)
    if true.seeds is not None:
        assert true.seeds >= networks // 2, "networks are left out"  # in pairs there are half as many


def check_complete(claims: Sequence[Claim], cases: Collection[str], never: Mapping[str, str]) -> None:
    """Every claim with a region is tried or listed with the reason why it has no verdict; what is listed is not run,
    whatever was found.
    """
    ids, judged = {c.id for c in claims}, {c.id for c in claims if c.region is not None}
    said = set(cases) | set(never)
    assert not set(cases) & set(never)
    assert judged <= said <= ids, (judged - said, said - ids)
    listed = [c for c in claims if c.id in never]
    for entry in decide(listed, {}, scale="quick"):
        assert entry.verdict == NOT_RUN, entry.id
        assert never[entry.id]
        assert entry.note
