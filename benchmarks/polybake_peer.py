"""Runs in an environment of its own, with PolyBake: a line of JSON in, a line of JSON out, nothing of deeptheory.

In: {"text", "names", "low", "high", "rows", "tolerance"}. Out: build and run time in seconds, the largest error against
float64, the bound that it certifies (0 where it calls itself exact), its nodes; or why it failed.
PolyBake 0.1.0 declares Python 3.14. All that it needs of it is that annotations are evaluated late, which 3.13 does on
request: its sources are compiled here with that request. Whole powers are written as products, the form that it takes.
"""

import __future__

import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path


class Late(importlib.machinery.SourceFileLoader):
    """Compiles with annotations deferred."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return compile(self.get_data(path), path, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        spec = (
            importlib.machinery.PathFinder.find_spec(fullname, path) if fullname.split(".")[0] == "polybake" else None
        )
        if spec and spec.origin and spec.origin.endswith(".py"):
            spec.loader = Late(fullname, spec.origin)
        return spec


if sys.version_info < (3, 14):
    sys.meta_path.insert(0, Finder())

import numpy as np  # noqa: E402
import sympy  # noqa: E402
from polybake import Baker, RestrictionPolicy, TensorSpec  # noqa: E402
from sympy.printing.pycode import PythonCodePrinter  # noqa: E402


class Printer(PythonCodePrinter):
    def _print_Pow(self, expr, rational=False):
        if expr.exp.is_Integer:
            product = "*".join([f"({self._print(expr.base)})"] * abs(int(expr.exp)))
            return f"({product})" if expr.exp > 0 else f"(1/({product}))"
        return f"sqrt({self._print(expr.base)})" if expr.exp == sympy.Rational(1, 2) else super()._print_Pow(expr)

    def _print_Pi(self, expr):
        return repr(float(sympy.pi))


def function(problem):
    """The formula as a function in a file of its own: its source is what PolyBake reads."""
    symbols = {n: sympy.Symbol(n) for n in problem["names"]}
    body = Printer({"fully_qualified_modules": False}).doprint(sympy.sympify(problem["text"], locals=symbols))
    text = f"from math import cos, exp, sin, sqrt\n\n\ndef f({', '.join(problem['names'])}):\n    return {body}\n"
    file = Path(tempfile.mkdtemp()) / "formula.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("formula", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f


def measured(problem):
    f = function(problem)
    names, rows = problem["names"], problem["rows"]
    box = list(zip(problem["low"], problem["high"]))
    x = np.random.default_rng(0).uniform(problem["low"], problem["high"], (rows, len(names)))
    truth = np.array([f(*map(float, row)) for row in x])
    columns = [np.ascontiguousarray(c, dtype=np.float32) for c in x.T]
    try:
        start = time.perf_counter()
        baker = Baker()
        baker.collect()(f)
        specs = [TensorSpec(shape=(rows,), dtype="float32")] * len(names)
        made = baker.bake(inputs=specs, domain=box, error=problem["tolerance"], policy=RestrictionPolicy.poc_v2())
        built = time.perf_counter() - start
        got = np.asarray(made(*columns), dtype=float)
        times = []
        for _ in range(9):
            start = time.perf_counter()
            made(*columns)
            times.append(time.perf_counter() - start)
        bound = max(float(b.value) for b in made.error_certificate.bounds.values())
        return {
            "build": built,
            "run": sorted(times)[4],
            "error": float(np.abs(got - truth).max()),
            "bound": bound,
            "size": made.statistics.node_count,
            "failed": "",
        }
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {str(error)[:120]}"}


if __name__ == "__main__":
    out = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        print(json.dumps({"polybake": measured(json.loads(line))}, default=str), file=out, flush=True)
