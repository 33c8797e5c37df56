"""What enters the bench: responses and features, checked, averaged over trials, normalized, and what was left out
counted.

Feature space matters: an axis, a norm and a distance all depend on how the features are scaled. "block" centers each
feature and divides each block by the root of its summed variance, then all by the root of the number of blocks (the
released analysis of Chang & Tsao 2017: total variance 1, an equal share a block, relative variances within it kept);
"dim" gives every feature unit variance; "none" only centers.
Inside, features are turned to their principal directions of non-zero variance, which changes no axis, norm or distance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch

from deeptheory.axis.bench.dependence import Rows, check_repeats, rows_of
from deeptheory.core.arrays import as_tensor, check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.shapes import labels_array, whole_numbers
from deeptheory.core.statistics import codes_of

Normalization = Literal["block", "dim", "none"]
NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
Blocks = dict[str, np.ndarray]
_SMALL = 0.011  # of the largest feature's deviation: below, verdicts begin to depend on it (at .01 of three features)


@dataclass(frozen=True, kw_only=True, eq=False)
class Entered:
    """y [n, u] float64: mean over trials of the units kept; trials [n, t, u] or None (NaN: no such trial).

    s [n, d] float64: features centered and divided by scale [d]; basis [d, r], its principal directions, so that z = s
    basis [n, r]; variances [r]. blocks: feature indices by name. units: indices of the units kept among `asked`. member
    [given]: the stimulus that each given row became, -1 where it was left out. dependence: which stimuli depend on each
    other. notes: what was left out.
    """

    y: torch.Tensor
    trials: torch.Tensor | None
    s: torch.Tensor
    center: torch.Tensor
    scale: torch.Tensor
    basis: torch.Tensor
    variances: torch.Tensor
    blocks: Blocks
    units: np.ndarray
    asked: int
    member: np.ndarray
    dead: int
    constant: int
    normalize: str
    dependence: Rows
    seen: np.ndarray | None
    notes: tuple[str, ...]

    @property
    def z(self) -> torch.Tensor:
        """[n, d]: features along the directions of `basis`."""
        return self.s @ self.basis

    @property
    def given(self) -> int:
        """Rows as they came in."""
        return len(self.member)

    @property
    def clusters(self) -> torch.Tensor | None:
        """[n]: the pieces that count as independent, None where every stimulus does."""
        codes = self.dependence.clusters()
        return None if codes is None else torch.as_tensor(codes, device=self.y.device)


def enter(
    responses: Any, features: Any, blocks: Any = None, normalize: Normalization = "block", groups: Any = None
) -> Entered:
    """See Entered. responses [n, units] or [n, trials, units]; features [n, d]; blocks: {name: slice or indices};
    groups [n].

    Groups within which features are constant are repeats: their rows become trials of one stimulus. Dropped and
    counted: trials with NaN, stimuli without any trial, units that never vary. InputError: other shapes, infinities,
    sizes beyond 1e-100 to 1e100, no unit left, repeats without groups, overlapping or empty blocks, features that hold
    NaN or do not vary.
    """
    paired = check_paired(responses=responses, features=features, groups=groups)
    y, features = as_tensor(responses), as_tensor(features)
    if y.ndim not in (2, 3) or 0 in y.shape:
        raise InputError(
            f"responses have shape {list(y.shape)}; needed: [n, units] or [n, trials, units], none of them 0"
        )
    if features.ndim != 2 or 0 in features.shape or len(features) != len(y):
        raise InputError(
            f"features have shape {list(features.shape)}, responses {len(y)} stimuli; needed: [{len(y)}, d]"
        )
    if normalize not in NORMALIZATIONS:
        raise InputError(unknown(normalize, NORMALIZATIONS, what="normalization"))
    if y.is_complex() or features.is_complex():
        raise InputError("responses or features are complex; give real numbers (their parts or sizes)")
    y, features = (x.clone() if x.is_inference() else x for x in (y, features))
    y, s = y.detach().to(torch.float64), features.detach().to(torch.float64).to(y.device)
    _check_values(y, s)
    notes: list[str] = list(paired)
    trials = y if y.ndim == 3 else y[:, None]
    codes = None if groups is None else _as_groups(groups, len(y))
    member = np.arange(len(y))
    if codes is None:
        notes += check_repeats(s.cpu().numpy())
    elif codes.max() + 1 < len(y) and _constant_within(s, codes):
        trials, s = _as_trials(trials, s, codes)
        most, member, codes = trials.shape[1], codes, None
        notes.append(f"{len(member)} rows are repeats of {len(s)} stimuli (groups=): up to {most} trials of each")
    gone = trials.isnan()
    if y.isnan().any():
        notes.append(f"{int(y.isnan().sum())} of {y.numel()} trials hold NaN and were left out")
    seen = (~gone).sum(1)  # [n, u]
    dead = (seen > 0).sum(0) < 0.5 * len(s)
    if bool(dead.all()):
        raise InputError(
            f"every unit lacks more than half of the {len(s)} stimuli ({int(gone.sum())} of {gone.numel()} "
            "trials hold NaN); "
            "give the stimuli that were shown to most units, or the units one by one"
        )
    if bool(dead.any()):
        notes.append(
            f"{count(int(dead.sum()), 'unit')} of {len(dead)} lack more than half of the stimuli and were left out"
        )
    rows = (seen[:, ~dead] > 0).all(1)
    own = bool(rows.double().mean() < 0.9)  # so few stimuli that all units saw: each is measured on its own
    if own:
        rows = (seen[:, ~dead] > 0).any(1)
        notes.append(
            f"units saw different stimuli ({int((seen[rows][:, ~dead] > 0).all(1).sum())} of {int(rows.sum())} "
            "were shown to all): each is "
            "measured on its own; readers of the population take a unit's mean where it saw nothing"
        )
    if not bool(rows.all()):
        notes.append(f"{int((~rows).sum())} of {len(rows)} stimuli have no trial in some unit and were left out")
    mean = trials[rows].nansum(1) / seen[rows].clamp_min(1)
    if len(mean) < 3:
        raise InputError(f"{len(mean)} stimuli are left of {len(s)}; needed: at least 3 with a trial in every unit")
    there = seen[rows] > 0
    mean = torch.where(there, mean, (mean * there).sum(0) / there.sum(0).clamp_min(1))
    size = mean.abs().amax(0).clamp_min(1e-300)
    still = ((mean - mean.mean(0)) / size).square().mean(0).sqrt() < _rounding(y)
    if bool((still & ~dead).any()):
        notes.append(f"{int((still & ~dead).sum())} of {y.shape[-1]} units never vary and were left out")
    dead |= still
    if bool(dead.all()):
        raise InputError(f"none of the {len(dead)} units varies over the stimuli; there is nothing to measure")
    each = ((mean - mean.mean(0)) / size).square()[:, ~dead]
    ruled = each.amax(0) > 0.5 * each.sum(0)
    if len(mean) >= 20 and bool(ruled.any()):
        notes.append(
            f"in {count(int(ruled.sum()), 'unit')} of {len(ruled)} one stimulus makes over half of the "
            "variance: an outlier, or a unit that answers little else; verdicts rest on it"
        )
    s = s[rows]
    place = np.where(rows.cpu().numpy(), np.cumsum(rows.cpu().numpy()) - 1, -1)
    named = as_blocks(blocks, s.shape[1])
    center, scale, constant = _scaling(s, named, normalize)
    if constant:
        notes.append(f"{constant} of {s.shape[1]} features are constant; nothing is measured along them")
    s = (s - center) / scale
    values, vectors = torch.linalg.eigh(s.mT @ s / len(s))
    values, vectors = values.flip(0), vectors.flip(1)
    rank = int((values > 1e-10 * values[0]).sum())
    notes += _span(s, rank, constant)
    keep = np.flatnonzero(~dead.cpu().numpy())
    y = mean[:, keep]
    basis = vectors[:, :rank]
    if codes is not None:
        codes = codes[rows.cpu().numpy()]
    told = codes if codes is not None or groups is None else np.arange(len(s))  # repeats became trials: no series
    dependence, said = rows_of((s @ basis).cpu().numpy(), y.cpu().numpy(), told)
    notes += said
    return Entered(
        y=y,
        trials=trials[rows][:, :, keep] if trials.shape[1] > 1 else None,
        s=s,
        center=center,
        scale=scale,
        basis=basis,
        variances=values[:rank],
        blocks=named,
        units=keep,
        asked=dead.shape[0],
        member=place[member],
        dead=int(dead.sum()),
        constant=constant,
        normalize=normalize,
        dependence=dependence,
        seen=there[:, keep].cpu().numpy() if own else None,
        notes=tuple(notes),
    )


def without_axis(e: Entered, sta: torch.Tensor) -> torch.Tensor:
    """[u]: whether a unit's response correlates with no feature but for rounding, so that its sta [d, u] has no
    direction: balanced designs with a response to a product of factors.
    """
    size = e.s.square().mean(0).sqrt()[:, None] * e.y.std(0, correction=0)
    return (sta.abs() <= 1e-12 * size).all(0)


def _span(s: torch.Tensor, rank: int, constant: int) -> list[str]:
    """What to say of scaled features [n, d] of so many principal directions."""
    out, d = [], s.shape[1]
    size = s.square().mean(0).sqrt()
    small = size[size > 0].min() / size.max()
    whole = rank
    if small < _SMALL:
        alike = s[:, size > 0] / size[size > 0]
        values = torch.linalg.eigvalsh(alike.mT @ alike / len(s))
        whole = max(rank, int((values > 1e-10 * values[-1]).sum()))  # what they would span in units of their own
        lost = f", {whole - rank} of them too little to be measured along at all" if whole > rank else ""
        out.append(
            f"the deviation of some features is {float(small):.1g} of the largest one's{lost}: tuning to them hardly "
            "moves the STA and the penalized axes; normalize='dim' counts all features alike"
        )
    if whole < d - constant:
        why = f"{len(s)} stimuli span" if whole == len(s) - 1 else "the features are collinear: they span"
        out.append(f"{why} {whole} of the {d} features' dimensions; whitened axes lie within them")
    return out


def count(n: int, what: str) -> str:
    """n of something, in words: 1 cell, 2 cells."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def _rounding(y: torch.Tensor) -> float:
    """Relative size of what is rounding in y [..., float64]: that of single precision where y came from it, of
    double else.
    """
    return 1e-7 if bool((y.float().double() == y).logical_or(y.isnan()).all()) else 1e-12


def _check_values(y: torch.Tensor, s: torch.Tensor) -> None:
    if bool(y.isinf().any()):
        raise InputError(f"responses hold infinities ({int(y.isinf().sum())} of {y.numel()}); remove or replace them")
    if not bool(s.isfinite().all()):
        bad = (~s.isfinite()).any(1)
        raise InputError(
            f"features hold NaN or infinities in {int(bad.sum())} of {len(s)} rows, the first "
            f"{int(bad.nonzero()[0, 0])}; "
            "remove or replace them"
        )
    if bool(y.isnan().all()):
        raise InputError(f"all {y.numel()} responses are NaN; there is nothing to measure")
    for name, x in (("responses", y.nan_to_num(0)), ("features", s)):
        size = x.abs().flatten(0, -2).amax(0)
        wild = (size > 1e100) | ((size > 0) & (size < 1e-100))
        if bool(wild.any()):
            raise InputError(
                f"{name} reach {float(size[wild][0]):.1g}, whose square is no float64; give them in other units"
            )


def _as_groups(groups: Any, n: int) -> np.ndarray:
    given = labels_array("groups", groups)
    if given.shape != (n,):
        raise InputError(f"groups have shape {list(given.shape)}; needed: [{n}], one label per row")
    if given.dtype.kind == "f" and np.isnan(given).any():
        raise InputError(f"groups hold NaN in {int(np.isnan(given).sum())} of {n} rows; give each row a label")
    codes = codes_of(given)
    if codes.max() < 1:
        raise InputError(f"groups hold one label for all {n} rows; needed: two groups or more")
    return codes


def _constant_within(s: torch.Tensor, codes: np.ndarray) -> bool:
    _, first = np.unique(codes, return_index=True)
    return bool((s == s[torch.as_tensor(first[codes])]).all())


def _as_trials(trials: torch.Tensor, s: torch.Tensor, codes: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of one group as trials of one stimulus, in their order: [g, most * t, u], NaN where a group has fewer."""
    sizes = np.bincount(codes)
    order = np.argsort(codes, kind="stable")
    within = np.empty(len(codes), dtype=np.int64)
    within[order] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    t, u = trials.shape[1:]
    out = torch.full((len(sizes), int(sizes.max()), t, u), torch.nan, dtype=trials.dtype, device=trials.device)
    out[torch.as_tensor(codes), torch.as_tensor(within)] = trials
    _, first = np.unique(codes, return_index=True)
    return out.flatten(1, 2), s[torch.as_tensor(first)]


def as_blocks(blocks: Any, d: int) -> Blocks:
    """{name: indices}; None: all features, one block named "all". InputError: empty, overlapping, out of range."""
    if blocks is None:
        return {"all": np.arange(d)}
    if not isinstance(blocks, Mapping):
        raise InputError(
            f"blocks is {str(blocks)[:60]!r}; needed: a dict of slices or indices, such as {{'shape': slice(0, 25)}}"
        )
    out = {}
    for name, which in blocks.items():
        if isinstance(which, slice):
            try:
                index = np.arange(d)[which] if (which.stop or 0) <= d else np.array([which.stop - 1])  # no silent cut
            except (TypeError, ValueError) as error:
                raise InputError(f"block {name!r} is {which}; needed: a slice of integers ({error})") from error
        else:
            index = np.asarray(which)
            index = (
                np.flatnonzero(index)
                if index.dtype == bool and index.shape == (d,)
                else whole_numbers(f"block {name!r}", which)
            )
        if len(index) == 0 or index.min() < 0 or index.max() >= d:
            raise InputError(
                f"block {name!r} holds {list(index[:5])} of {d} features; needed: indices from 0 to {d - 1}"
            )
        if str(name) in out:
            raise InputError(f"two blocks are named {name}, as text; give each block a name of its own")
        out[str(name)] = index
    together = np.concatenate(list(out.values())) if out else np.zeros(0)
    if len(together) == 0 or len(np.unique(together)) < len(together):
        raise InputError(
            f"blocks {', '.join(out) or '(none)'} overlap or are empty; each feature may stand in one block"
        )
    return out


def _scaling(s: torch.Tensor, blocks: Blocks, normalize: str) -> tuple[torch.Tensor, torch.Tensor, int]:
    center = s.mean(0)
    variance = (s - center).square().mean(0)
    size = s.abs().amax(0).clamp_min(1e-300)
    still = variance.sqrt() < 1e-10 * size
    if bool(still.all()):
        raise InputError(f"none of the {s.shape[1]} features varies over the stimuli; there is nothing to measure")
    scale = torch.ones_like(variance)
    if normalize == "dim":
        scale = variance.sqrt()
    elif normalize == "block":
        covered = np.concatenate(list(blocks.values()))
        rest = np.setdiff1d(np.arange(s.shape[1]), covered)
        groups = [*blocks.values(), *([rest] if len(rest) else [])]
        for index in groups:
            total = variance[index][~still[index]].sum()
            scale[index] = (total * len(groups)).sqrt() if float(total) > 0 else 1.0
    scale = torch.where(still, torch.full_like(scale, torch.inf), scale)
    return center, scale, int(still.sum())
