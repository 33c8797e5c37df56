"""A paper, as the source of claims: what all of its claims share is stated once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deeptheory.core.results import Estimate
from deeptheory.runs import Claim


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper that is run again.

    citation: authors and year. protocol: how its claims are measured, where a claim does not say. unit, setting, criterion: of claims that
    state none; {region} in a criterion is the claim's.
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
        """One claim. where: the place in the paper, "figure 2". measure: results -> what runs.Claim takes. more: further fields of
        runs.Claim, or others than the paper's own protocol, unit, setting and criterion. InputError: as of runs.Claim."""
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
