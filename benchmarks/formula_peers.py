"""Runs in an environment of its own, with pykan and sympytorch: JSON in, JSON out, nothing of deeptheory.

In: a list of {"text", "low", "high", "rows"}. Out, for each: build and run times in seconds, the largest error, size.
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import sympy
import torch

torch.set_num_threads(1)


def median_time(function, rounds):
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def measured(make, call, names, problem):
    """Build time, run time and largest error against float64 numpy."""
    e = sympy.sympify(problem["text"], locals={n: sympy.Symbol(n) for n in names})
    x = np.random.default_rng(0).uniform(problem["low"], problem["high"], (problem["rows"], len(names)))
    truth = sympy.lambdify([sympy.Symbol(n) for n in names], e, "numpy")(*x.T)
    try:
        start = time.perf_counter()
        made = make([sympy.Symbol(n) for n in names], e)
        built = time.perf_counter() - start
        with torch.no_grad():
            t = torch.tensor(x, dtype=torch.float32)
            got = call(made, t).double().numpy()
            run = median_time(lambda: call(made, t), 9)
        size = sum(p.numel() for p in made.parameters())
        return {"build": built, "run": run, "error": float(np.abs(got - truth).max()), "size": size, "failed": ""}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {str(error)[:80]}"}


def kan(problem):
    from kan.compiler import kanpiler

    return measured(lambda s, e: kanpiler(s, e, grid=5), lambda m, t: m(t)[:, 0], problem["names"], problem)


def sympytorch(problem):
    import sympytorch as peer

    names = problem["names"]
    return measured(lambda s, e: peer.SymPyModule(expressions=[e]), lambda m, t: m(**{n: t[:, k] for k, n in enumerate(names)})[:, 0], names, problem)  # fmt: skip


if __name__ == "__main__":
    problems = json.load(sys.stdin)
    out = sys.stdout
    sys.stdout = sys.stderr  # pykan prints
    json.dump([{"kan": kan(p), "sympytorch": sympytorch(p)} for p in problems], out)
