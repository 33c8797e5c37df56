"""A paper, as the source of claims: what all of its claims share is stated once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.results import Estimate
from deeptheory.runs import Claim, NotRun, Region, Sample
from deeptheory.runs.intervals import sample_of

LEAST_LOOKS = 5  # logged epochs: a rise, a turn and a decrease between two ends, and the fewest pairs to correlate


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper that is run again.

    citation: authors and year. protocol: how its claims are measured, where a claim does not say. unit, setting,
    criterion: of claims that state none; {region} in a criterion is the claim's.
    """

    citation: str
    protocol: str
    unit: str = "1"
    setting: str | None = None
    criterion: str = "95 % interval over networks within {region}"

    def claim(
        self,
        id: str,
        where: str,
        statement: str,
        quantity: str,
        region: str | None,
        measure: Callable[[Any], Any],
        **more: Any,
    ) -> Claim:
        """One claim. where: the place in the paper, "figure 2". measure: results -> what runs.Claim takes. more:
        further fields of runs.Claim, or others than the paper's own protocol, unit, setting and criterion.
        InputError: as of runs.Claim."""
        shared: dict[str, Any] = {
            "figure": where,
            "source": f"{self.citation}, {where}",
            "protocol": self.protocol,
            "unit": self.unit,
            "setting": self.setting,
            "criterion": self.criterion if region else "listed without a verdict",
        }
        said = {**shared, **more}
        said["criterion"] = said["criterion"].format(region=region)
        return Claim(id=id, statement=statement, quantity=quantity, region=region, measure=measure, **said)


def exact(value: float, method: str, unit: str = "1", **more: Any) -> Estimate:
    """A number that was counted or computed and not estimated; more: low, high, notes."""
    return Estimate(value=float(value), unit=unit, method=method, direction="exact", **more)


def ratio(a: Any, b: Any) -> Sample:
    """Mean of a over mean of b, [network] both, paired."""
    return Sample(np.stack([a, b], axis=1), "ratio")


def along(
    measure: Callable[[Any], Any], *steps: str, dim: str = "step", least: int = LEAST_LOOKS, what: str = "logged epochs"
) -> Callable[[Any], Any]:
    """The measure of a claim about the course of training, which decides nothing where one of these steps of the study
    logged fewer epochs than `least`: between two of them nothing can fall and come back. dim, what: of the course, and
    what it is made of, where it is not epochs."""

    def measured(results: Any) -> Any:
        found = measure(results)
        if isinstance(found, NotRun):
            return found
        sample = found if isinstance(found, Sample) else sample_of(found)
        looks = min(results[step].sizes[dim] for step in steps)
        return sample if looks >= least else replace(sample, undecided=f"{looks} {what}; needs {least} or more")

    return measured


def same(results: Any, name: str, *steps: str) -> NotRun | None:
    """NotRun where two steps of the study gave the same numbers: the settings made them one experiment, and nothing is
    compared."""
    one, other = (results[step][name].values for step in steps)
    if one.shape == other.shape and np.array_equal(one, other, equal_nan=True):
        return NotRun(f"{' and '.join(steps)} are the same networks with these settings: nothing is compared")
    return None


def stated(claims: Sequence[Claim], name: str) -> tuple[float, float]:
    """The ends of the region that a claim states, to be drawn where its quantity is. InputError: no such claim, or
    none stated."""
    for claim in claims:
        if claim.id == name and claim.region is not None:
            region = Region.parse(claim.region, claim.published)
            return region.low, region.high
    raise InputError(unknown(name, [c.id for c in claims if c.region is not None], what="claim with a region"))


def printed(claims: Sequence[Claim], name: str) -> str:
    """The number that the paper prints, as its claim holds it: "5.2 %", "66 % (unverified)". InputError: no such claim,
    or one without a published number."""
    for claim in claims:
        if claim.id == name and claim.published is not None:
            number = claim.published if isinstance(claim.published, str) else f"{claim.published:g}"
            doubt = " (unverified)" if "unverified" in claim.published_trust else ""
            return f"{number}{' %' if claim.unit == '%' else ''}{doubt}"
    raise InputError(unknown(name, [c.id for c in claims if c.published is not None], what="claim with a number"))


def printed_rows(claims: Sequence[Claim], names: Mapping[str, str]) -> str:
    """Rows of a table in one sentence: "one iteration 0.34 %, three 0.35 %", of {what it is called: claim id}."""
    return ", ".join(f"{said} {printed(claims, name)}" for said, name in names.items())


def place(data: Any, layer: str, kind: str = "") -> int:
    """Where the layer stands among those of the networks. InputError: they have none of that name;
    the claim is not run then."""
    names = data["layer"].values.tolist()
    if layer not in names:
        raise InputError(f"these networks have no {kind}{layer}")
    return names.index(layer)
