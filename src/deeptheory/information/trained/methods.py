"""The trained estimators of mutual information: networks learn what x and y share, and say it on rows they never saw.

Each is a function (x, y, **options) -> Estimate in bits, a name of MUTUAL_INFORMATION. What they have in common:
columns become normal scores, labels (words, or one column of few integers) one column per label (coordinates.py);
`folds` networks, trained at once as one population, each on its part of the rows, stopped early by others, measured on
its own fold (splits.py, training.py); so every row counts once, for a network that neither learned nor was chosen by
it. The interval holds sampling error and the spread over networks, and no bias (outcome.py).
Pitfalls: they cost seconds to minutes where counts cost a tenth of a second; they learn in so many steps what they
learn, and a dependence that is not learned is not seen; the same seed gives the same bits on one machine and device.
"""

from typing import Any, Literal, Unpack

from deeptheory.core.results import Estimate
from deeptheory.information.trained.settings import Options, Settings

_Critic = Literal["separable", "joint"]


def infonce(x: Any, y: Any, *, critic: _Critic = "separable", **options: Unpack[Options]) -> Estimate:
    """InfoNCE: mean_i f(x_i, y_i) - log mean_j e^f(x_i, y_j), in bits; a lower bound, at most log2 of the rows that are
    scored with each other (a fold's, at most 1,024; 128 with critic="joint"), which a note says when it comes near.

    Source: van den Oord, Li & Vinyals 2018; Poole et al. 2019. x: [n, dx]; y: [n, dy] or [n]. critic: "separable",
    <g(x), h(y)> and terms of each alone, or "joint", a network of both, slower. Both hold a quadratic part. options:
    folds, steps, patience, batch, lr, seconds, device, progress, seed (trained.settings.Settings says what they are).
    InputError: unpaired, NaN, too few rows, groups or blocks for the folds, an unknown critic, options out of range.
    """
    from deeptheory.information.trained.contrast import contrasted

    return contrasted(x, y, "infonce", critic, Settings(**options))


def nwj(x: Any, y: Any, *, critic: _Critic = "separable", **options: Unpack[Options]) -> Estimate:
    """Nguyen, Wainwright & Jordan's bound: 1 + mean f(x_i, y_i) - mean e^f(x_i, y_j), in bits; a lower bound.

    Source: Nguyen, Wainwright & Jordan 2010; Poole et al. 2019. A constant found on the rows that decide when to
    stop is taken off f first, which any constant may. Its error grows as e^information; a note says where it comes near
    what the rows can show. The rest as for `infonce`.
    """
    from deeptheory.information.trained.contrast import contrasted

    return contrasted(x, y, "nwj", critic, Settings(**options))


def dv(x: Any, y: Any, *, critic: _Critic = "separable", **options: Unpack[Options]) -> Estimate:
    """Donsker & Varadhan's bound: mean f(x_i, y_i) - log mean e^f(x_i, y_j), in bits; trained by the gradient of MINE.

    Source: Donsker & Varadhan 1983; Belghazi et al. 2018 (the mean in the gradient's denominator runs over steps). A
    lower bound in the limit of many rows; of few the logarithm is biased upwards, and a note says by how much. The rest
    as for `infonce`.
    """
    from deeptheory.information.trained.contrast import contrasted

    return contrasted(x, y, "dv", critic, Settings(**options))


def smile(x: Any, y: Any, *, critic: _Critic = "separable", clip: float = 5.0, **options: Unpack[Options]) -> Estimate:
    """SMILE: Donsker & Varadhan's value with the density ratio cut to [e^-clip, e^clip], in bits; neither bound.

    Source: Song & Ermon 2020; the critic maximizes the Jensen-Shannon bound. clip: in nats, above 0; smaller is
    steadier and more biased. The rest as for `infonce`.
    """
    from deeptheory.information.trained.contrast import contrasted
    from deeptheory.information.trained.settings import check_positive

    check_positive("clip", clip)
    return contrasted(x, y, "smile", critic, Settings(**options), float(clip))


def doe(x: Any, y: Any, **options: Unpack[Options]) -> Estimate:
    """DoE, a difference of entropies: the cross-entropy of a trained q(y) less that of a trained q(y|x), in bits;
    neither bound.

    Source: McAllester & Stratos 2020. y's side has the densities (mixtures of normals, or a label's
    probabilities), so that x and y are not alike: a label is best as y. Options and InputError as for `infonce`.
    """
    from deeptheory.information.trained.densities import entropies

    return entropies(x, y, Settings(**options))


def lmi(x: Any, y: Any, *, dims: int | None = None, k: int = 5, **options: Unpack[Options]) -> Estimate:
    """LMI: Kraskov's estimator on learned codes of `dims` numbers, which tell most of both variables, in bits; neither
    bound.

    Source: Gowri, Lun, Klein & Yin 2024. dims: numbers per code, at most the columns; None: as many as canonical
    correlations exceed noise, 2 to 8. k: neighbors. folds is 2: each half's codes are learned on the
    other. The rest as for `infonce`.
    """
    from deeptheory.information.trained.latents import coded

    return coded(x, y, dims, k, Settings(**{"folds": 2, **options}))


def flow(x: Any, y: Any, **options: Unpack[Options]) -> Estimate:
    """Normalizing flows of x and of y that make the pair normal, then the information of that normal pair, in bits;
    neither bound.

    Source: Butakov et al. 2024 (flows), with a diagonal correlation. Columns of numbers alone; two or more of them are
    bent, one is left as its normal scores. Options and InputError as for `infonce`, and a side of labels.
    """
    from deeptheory.information.trained.flows import normalized

    return normalized(x, y, Settings(**options))
