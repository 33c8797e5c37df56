"""Every public function and method that returns a number or a verdict has its trials,
or an exemption with its reason."""

import inspect
import sys
from importlib import import_module
from pathlib import Path

import deeptheory as dt
import deeptheory.information.bottleneck.variational  # its class is reached by its module

HERE = Path(__file__).parent
MODULES = (
    "datasets", "networks", "recording", "runs", "information", "cheap", "capsules", "faces", "axis", "inspection",
    "statistics",
)  # fmt: skip
NUMBERS = ("float", "int", "ndarray", "Tensor", "Estimate", "Array", "Interval", "tuple[", "dict[str, float")
DRAWN = {
    "figure",
    "table",
    "dataset",
    "scalars",
    "rows",
    "write",
    "save",
    "load",
    "forward",
}  # of results already tried


def tables():
    for path in sorted(HERE.glob("test_*.py")):
        if path.name != Path(__file__).name:
            module = import_module(f"trials.{path.stem}")
            yield path.stem.removeprefix("test_"), getattr(module, "ROWS", []), getattr(module, "EXEMPT", {})


def _module(name: str):
    return import_module(f"deeptheory.core.{name}" if name == "statistics" else f"deeptheory.{name}")


def resolve(name: str):
    """The object under deeptheory; of a class its method, or the name of its field."""
    at, parts = dt, name.split(".")
    if parts[0] in MODULES:
        at, parts = _module(parts[0]), parts[1:]
    for k in range(len(parts) - 1, 1, -1):  # a module may share its name with a function: information.bottleneck
        inner = f"{at.__name__}.{'.'.join(parts[:k])}"
        if inner in sys.modules:
            at, parts = sys.modules[inner], parts[k:]
            break
    for part in parts:
        if not inspect.isclass(at):
            at = getattr(at, part)
        elif part in getattr(at, "__dataclass_fields__", ()):
            return f"{at.__qualname__}.{part}"
        else:
            at = inspect.getattr_static(at, part)
    return at


def public() -> dict[str, object]:
    """Name -> object: functions of the modules, and methods of their classes whose annotation promises numbers."""
    out: dict[str, object] = {}
    for module in MODULES:
        held = _module(module)
        for name in getattr(held, "__all__", None) or [n for n in vars(held) if not n.startswith("_")]:
            value = getattr(held, name)
            if not getattr(value, "__module__", "").startswith("deeptheory"):
                continue
            if inspect.isfunction(value):
                out.setdefault(f"{module}.{name}", value)
            elif inspect.isclass(value):
                for method, found in vars(value).items():
                    inner = getattr(found, "fget", None) or getattr(found, "__func__", found)
                    if method.startswith("_") or method in DRAWN or not inspect.isfunction(inner):
                        continue
                    said = str(inspect.signature(inner).return_annotation)
                    if any(n in said for n in NUMBERS):
                        out.setdefault(f"{module}.{name}.{method}", found)
    return out


def _owner(name: str) -> int:
    """The class of a method: where a row tries the class as a whole (its fields, one beside the other),
    it tries them."""
    return id(resolve(name.rpartition(".")[0])) if name.count(".") == 2 else 0


def test_every_public_number_has_its_trials():
    tried, exempt = set(), set()
    for _, rows, free in tables():
        tried |= {id(resolve(row.number)) for row in rows}
        exempt |= {id(resolve(name)) for name in free}
        assert all(len(reason) > 10 for reason in free.values())
    known = public()
    missing = sorted(n for n, v in known.items() if not {id(v), _owner(n)} & (tried | exempt))
    assert not missing, f"{len(missing)} of {len(known)} public numbers have no trial: {', '.join(missing)}"


def test_every_table_names_what_exists_and_no_row_twice():
    rows = {
        id(row): row.name for _, table, _ in tables() for row in table
    }  # a science may gather rows of several tables
    assert len(set(rows.values())) == len(rows)
    for _, rows, free in tables():
        for name in [*(row.number for row in rows), *free]:
            resolve(name)
