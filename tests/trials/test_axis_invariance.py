"""What must not matter to an axis code: units of measurement, order, names, kinds of array,
modes and defaults of torch."""

import numpy as np

import deeptheory as dt
from deeptheory import axis as ax
from trials.frame import Found, Row, all_of, near, quick, same

PLAIN = {"models": False, "permutations": 0}


def numbers_of(code):
    return [
        code.ramp.r,
        code.flatness.share,
        code.decoding.explained,
        code.axes.explained,
        code.axes.reliability,
        code.ramp.centers.ravel(),
        code.models.r2[:6].ravel(),
        np.unique(code.verdict, return_inverse=True)[1],
    ]


def scales(rng, draws):
    sim = ax.simulate({"axis": 0.5, "exemplar": 0.5}, n=200, d=4, units=6, seed=int(rng.integers(1e6)))
    codes = [
        numbers_of(dt.axis_code(sim.responses * a, sim.features * b, normalize="none", folds=3, permutations=19))
        for a, b in (
            *((1, 1), (1, 2.0**-17), (2.0**-60, 2.0**-60), (2.0**40, 2.0**60), (2.0**-200, 1), (2.0**200, 1)),
            *((2.0**270, 2.0**270), (2.0**-270, 2.0**-270)),
        )
    ]
    return all_of(*(same(v, 1e-4) for v in zip(*codes)))


def baselines(rng, draws):
    """Scale and offset of the responses, for every model; what is left of responses of deviation 1 on 1e8 is their last
    eight digits."""
    off: dict[str, list[float]] = {}
    same_names = True
    for _ in range(draws):
        sim = ax.simulate(
            dict.fromkeys(("axis", "exemplar", "energy", "norm x direction"), 0.25),
            n=240,
            d=5,
            units=12,
            reliability=0.6,
            seed=int(rng.integers(1e6)),
        )
        y = sim.responses / sim.responses.std()
        first, *others = [
            dt.axis_code(a * y + b, sim.features, folds=4, permutations=9).models
            for a, b in ((1, 0), (1, 1e4), (1, 1e8), (1, -1e8), (1e-6, 30), (1e6, 3e9), (3.7, 0))
        ]
        for m in others:
            same_names &= bool((m.verdict == first.verdict).all())
            for name in m.names:
                off.setdefault(name, []).append(float(np.abs(m.of(name) - first.of(name)).max()))
    return all_of(
        *(near(v, 0, 2e-3, f"{name}: ") for name, v in off.items()),
        Found(f"verdicts alike: {same_names}", "verdicts alike", same_names),
    )


def order_and_kind(rng, draws):
    import torch

    y, s = rng.standard_normal((60, 30)), rng.standard_normal((60, 3))
    turn = rng.permutation(30)
    a = dt.axis_code(y, s, **PLAIN)
    b = dt.axis_code(torch.as_tensor(y[:, turn]), torch.as_tensor(s), **PLAIN)
    rows = rng.permutation(60)
    c = dt.axis_code(y[rows], s[rows], **PLAIN)
    each = [near(b.ramp.r, a.ramp.r[turn], 1e-6), same([x.decoding.explained for x in (a, b, c)], 1e-9)]
    return all_of(*each, same([float(x.identification(10)) for x in (a, b, c)], 1e-9))


def ambient(rng, draws):
    """Default dtype, grad modes before and during, threads."""
    import torch

    y, s = torch.as_tensor(rng.standard_normal((90, 3, 8))), torch.as_tensor(rng.standard_normal((90, 3)))

    def found(y=y, s=s):
        code = dt.axis_code(y, s, folds=3, permutations=19)
        other = [
            float(code.identification(10)),
            code.attribute(np.arange(90) % 2).value,
            *code.reliability,
            *ax.bootstrap(y, 20)[0],
        ]
        return [*numbers_of(code), code.ramp.reversal, np.array(other), code.controversial(5, candidates=50)]

    out, threads = [found()], torch.get_num_threads()
    for dtype in (torch.float64, torch.bfloat16):
        torch.set_default_dtype(dtype)
        try:
            out.append(found())
        finally:
            torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        out.append(found())
        made = y.clone(), s.clone()
    with torch.no_grad():
        out.append(found(*made))
    torch.set_num_threads(2)
    try:
        out.append(found(y.clone().requires_grad_(), s))
    finally:
        torch.set_num_threads(threads)
    return all_of(*(same(v, 1e-9) for v in zip(*out)))


def label_names(rng, draws):
    code = dt.axis_code(rng.standard_normal((60, 30)), rng.standard_normal((60, 2)), **PLAIN)
    codes = rng.permutation(np.arange(60) % 3)
    named = [codes, codes * 7 - 3, np.array(["c", "a", "b"])[codes], np.array([9.5, -1.0, 3.0])[codes]]
    return same([code.attribute(v).value for v in named])


ROWS = [
    Row("axis_code", "invariance", "units of responses and features, 2^-270 to 2^270", scales),
    Row("axis.Models.of", "invariance", "scale and offset of responses, to a baseline of 1e8, every model", baselines,
        1, 12),
    Row("axis_code", "invariance", "order of units and rows, torch or numpy", order_and_kind),
    Row("axis_code", "invariance", "default dtype, inference mode before and during, threads", ambient),
    Row("axis.AxisCode.attribute", "invariance", "names and codes of labels", label_names),
]  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
