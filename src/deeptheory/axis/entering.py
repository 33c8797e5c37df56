"""The door of the bench: responses and features, checked, averaged over trials, normalised, and what was left out counted.

Feature space matters: an axis, a norm and a distance all depend on how the features are scaled. "block" centres each
feature and divides each block by the root of its summed variance, then all by the root of the number of blocks (the
released analysis of Chang & Tsao 2017: total variance 1, an equal share a block, relative variances within it kept);
"dim" gives every feature unit variance; "none" only centres.
Inside, features are turned to their principal directions of non-zero variance, which changes no axis, norm or distance.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.arrays import as_tensor
from deeptheory.errors import InputError
from deeptheory.names import unknown

NORMALISATIONS = ("block", "dim", "none")
Blocks = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entered:
    """y [n, u] float64: mean over trials of the units kept; trials [n, t, u] or None (NaN: no such trial).

    s [n, d] float64: features centred and divided by scale [d]; basis [d, r], its principal directions, so that z = s
    basis [n, r]; variances [r]. blocks: feature indices by name. units: indices of the units kept among `asked`.
    rows: indices of the stimuli kept among `given`. notes: what was left out.
    """

    y: torch.Tensor
    trials: torch.Tensor | None
    s: torch.Tensor
    centre: torch.Tensor
    scale: torch.Tensor
    basis: torch.Tensor
    variances: torch.Tensor
    blocks: Blocks
    units: np.ndarray
    asked: int
    rows: np.ndarray
    given: int
    dead: int
    constant: int
    normalize: str
    notes: tuple[str, ...]

    @property
    def z(self) -> torch.Tensor:
        return self.s @ self.basis


def enter(responses: Any, features: Any, blocks: Any = None, normalize: str = "block") -> Entered:
    """See Entered. responses [n, units] or [n, trials, units]; features [n, d]; blocks: {name: slice or indices}.

    Dropped and counted: trials with NaN, stimuli without any trial, units that never vary. InputError: other shapes,
    infinities, no unit left, overlapping or empty blocks, features that hold NaN or do not vary at all.
    """
    y, features = as_tensor(responses), as_tensor(features)
    if y.ndim not in (2, 3) or 0 in y.shape:
        raise InputError(
            f"responses have shape {list(y.shape)}; needed: [n, units] or [n, trials, units], none of them 0"
        )
    if features.ndim != 2 or 0 in features.shape or len(features) != len(y):
        raise InputError(
            f"features have shape {list(features.shape)}, responses {len(y)} stimuli; needed: [{len(y)}, d]"
        )
    if normalize not in NORMALISATIONS:
        raise InputError(unknown(normalize, NORMALISATIONS, what="normalisation"))
    y, s = y.detach().to(torch.float64), features.detach().to(torch.float64).to(y.device)
    if bool(y.isinf().any()) or not bool(s.isfinite().all()):
        which = "responses hold infinities" if bool(y.isinf().any()) else "features hold NaN or infinities"
        raise InputError(f"{which}; remove or replace them")
    notes: list[str] = []
    trials = y if y.ndim == 3 else y[:, None]
    gone = trials.isnan()
    if bool(gone.any()):
        notes.append(f"{int(gone.sum())} of {gone.numel()} trials hold NaN and were left out")
    seen = (~gone).sum(1)  # [n, u]
    dead = (seen > 0).sum(0) <= 0.9 * len(y)
    if bool(dead.any()):
        notes.append(f"{int(dead.sum())} units lack more than a tenth of the stimuli and were left out")
    rows = (seen[:, ~dead] > 0).all(1)
    if not bool(rows.all()):
        notes.append(f"{int((~rows).sum())} of {len(rows)} stimuli have no trial in some unit and were left out")
    mean = trials[rows].nansum(1) / seen[rows].clamp_min(1)
    if len(mean) < 3:
        raise InputError(f"{len(mean)} stimuli are left of {len(y)}; needed: at least 3 with a trial in every unit")
    size = mean.abs().amax(0).clamp_min(1e-300)
    still = ((mean - mean.mean(0)) / size).square().mean(0).sqrt() < 1e-7
    if bool((still & ~dead).any()):
        notes.append(f"{int((still & ~dead).sum())} of {y.shape[-1]} units never vary and were left out")
    dead |= still
    if bool(dead.all()):
        raise InputError(f"none of the {len(dead)} units varies over the stimuli; there is nothing to measure")
    s = s[rows]
    named = as_blocks(blocks, s.shape[1])
    centre, scale, constant = _scaling(s, named, normalize)
    if constant:
        notes.append(f"{constant} of {s.shape[1]} features are constant; nothing is measured along them")
    s = (s - centre) / scale
    values, vectors = torch.linalg.eigh(s.mT @ s / len(s))
    values, vectors = values.flip(0), vectors.flip(1)
    rank = int((values > 1e-10 * values[0]).sum())
    if rank < s.shape[1] - constant:
        notes.append(f"the features are collinear: {s.shape[1]} of rank {rank}; whitened axes lie within their span")
    keep = np.flatnonzero(~dead.cpu().numpy())
    return Entered(
        y=mean[:, keep],
        trials=trials[rows][:, :, keep] if trials.shape[1] > 1 else None,
        s=s,
        centre=centre,
        scale=scale,
        basis=vectors[:, :rank],
        variances=values[:rank],
        blocks=named,
        units=keep,
        asked=y.shape[-1],
        rows=np.flatnonzero(rows.cpu().numpy()),
        given=len(y),
        dead=int(dead.sum()),
        constant=constant,
        normalize=normalize,
        notes=tuple(notes),
    )


def as_blocks(blocks: Any, d: int) -> Blocks:
    """{name: indices}; None: all features, one block named "all". InputError: empty, overlapping, out of range."""
    if blocks is None:
        return {"all": np.arange(d)}
    out = {}
    for name, which in dict(blocks).items():
        if isinstance(which, slice):
            index = np.arange(d)[which] if (which.stop or 0) <= d else np.array([which.stop - 1])  # no silent cut
        else:
            index = np.asarray(which)
            index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        if len(index) == 0 or index.min() < 0 or index.max() >= d:
            raise InputError(
                f"block {name!r} holds {list(index[:5])} of {d} features; needed: indices from 0 to {d - 1}"
            )
        out[str(name)] = index
    together = np.concatenate(list(out.values())) if out else np.zeros(0)
    if len(together) == 0 or len(np.unique(together)) < len(together):
        raise InputError(
            f"blocks {', '.join(out) or '(none)'} overlap or are empty; each feature may stand in one block"
        )
    return out


def _scaling(s: torch.Tensor, blocks: Blocks, normalize: str) -> tuple[torch.Tensor, torch.Tensor, int]:
    centre = s.mean(0)
    variance = (s - centre).square().mean(0)
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
    return centre, scale, int(still.sum())
