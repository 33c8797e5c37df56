"""Runs in an environment of its own, with pykan and sympytorch: a line of JSON in, a line of JSON out, nothing of
deeptheory.

In: {"text", "names", "low", "high", "rows"}, a formula and the box of its variables. Out, for each peer: build and run
time in seconds, the largest error against float64 numpy, number of parameters; or why it failed.
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


def measured(make, call, problem):
    symbols = [sympy.Symbol(n) for n in problem["names"]]
    e = sympy.sympify(problem["text"], locals=dict(zip(problem["names"], symbols)))
    x = np.random.default_rng(0).uniform(problem["low"], problem["high"], (problem["rows"], len(symbols)))
    truth = sympy.lambdify(symbols, e, "numpy")(*x.T)
    try:
        start = time.perf_counter()
        made = make(symbols, e)
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

    return measured(lambda s, e: kanpiler(s, e, grid=5), lambda m, t: m(t)[:, 0], problem)


def sympytorch(problem):
    import sympytorch as peer

    names = problem["names"]
    return measured(
        lambda s, e: peer.SymPyModule(expressions=[e]),
        lambda m, t: m(**{n: t[:, k] for k, n in enumerate(names)})[:, 0],
        problem,
    )


if __name__ == "__main__":
    out = sys.stdout
    sys.stdout = sys.stderr  # pykan prints
    for line in sys.stdin:
        problem = json.loads(line)
        print(json.dumps({"kan": kan(problem), "sympytorch": sympytorch(problem)}), file=out, flush=True)
