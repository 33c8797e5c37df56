"""Arguments of everything public: few by position, and one name for one thing in all packages."""

import inspect
from collections.abc import Iterator
from types import FunctionType, ModuleType

import deeptheory as dt

MOST = 3  # by position; what follows is keyword-only
BOTH_SIDES = "the sizes of both sides, as in torch.nn.Bilinear"
MORE = {  # reasons to take more
    "axis.axis_code_by_layer": "model, layers, and the two arrays that are compared",
    "axis_code_of": "model, layer, and the two arrays that are compared",
    "capsules.Capsules": BOTH_SIDES,
    "capsules.ConvCapsules": BOTH_SIDES,
    "capsules.InvertedDotProduct": BOTH_SIDES,
    "capsules.SelfRouting": BOTH_SIDES,
    "capsules.em_routing": "the four operands of Hinton et al. 2018, Procedure 1",
    "gaussian_bottleneck": "the three covariances of a joint Gaussian, and beta",
}
GONE = {  # name -> what the same thing is called everywhere else
    "begin": "init",
    "checkpoint_seconds": "checkpoint=Checkpoint(folder, seconds)",
    "count": "n",
    "cov": "cov_x",
    "image_size": "image_shape",
    "learn": "train_fraction",
    "least_fall": "min_decrease",
    "looks": "steps",
    "n_bins": "bins",
    "n_samples": "n",
    "people": "classes",
    "picture": "image",
    "pictures": "images",
    "rng": "seed",
    "seen": "observed",
    "share": "fraction",
    "verbose": "progress",
    "w": "weight",
    "workers": "jobs",
}
FIELDS = {  # of results, where the word means another thing
    "axis.Flatness(share)": "of the variance, per unit",
    "axis.Ramp(count)": "rows in each bin of the curve",
    "cheap.PolynomialApproximation(seen)": "largest error met, beside the bound",
    "studies.Study(count)": "the setting that says how many networks there are",
}


def public() -> Iterator[tuple[str, object]]:
    """Every function, class and method that a user can name, by its name without `dt.`."""
    done: set[int] = set()
    waiting: list[tuple[str, ModuleType]] = [("", dt)]
    while waiting:
        prefix, home = waiting.pop()
        for name in dir(home):
            thing = getattr(home, name)
            if name.startswith("_") or id(thing) in done:
                continue
            if isinstance(thing, ModuleType):
                done.add(id(thing))
                waiting.append((f"{prefix}{name}.", thing))
            elif str(getattr(thing, "__module__", "")).startswith("deeptheory") and callable(thing):
                done.add(id(thing))
                yield f"{prefix}{name}", thing
                if isinstance(thing, type):
                    yield from methods(f"{prefix}{name}", thing)


def methods(name: str, kind: type) -> Iterator[tuple[str, FunctionType]]:
    """Those that the class itself defines, `__init__` left out: it is the class's own call."""
    for key, value in vars(kind).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if isinstance(function, FunctionType) and (not key.startswith("_") or key == "__call__"):
            yield f"{name}.{key}", function


def parameters(thing: object) -> list[inspect.Parameter]:
    if isinstance(thing, type) and (thing.__init__ is object.__init__ or issubclass(thing, Exception)):
        return []
    return [p for p in inspect.signature(thing).parameters.values() if p.name not in ("self", "cls")]  # type: ignore[arg-type]  # callable


CALLS = {name: parameters(thing) for name, thing in public()}


def test_few_arguments_go_by_position():
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    by_position = {name: [p.name for p in ps if p.kind in positional] for name, ps in CALLS.items()}
    many = {name: names for name, names in by_position.items() if len(names) > MOST}
    assert many.keys() == MORE.keys(), many


def test_one_thing_has_one_name():
    assert len(CALLS) > 400
    assert {f"{name}({p.name})" for name, ps in CALLS.items() for p in ps if p.name in GONE} == FIELDS.keys()
