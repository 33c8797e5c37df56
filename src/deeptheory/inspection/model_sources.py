"""The model that a text names: a factory in a file or module, an exported or scripted file,
or one of a model library by name.

`file.py:factory`, `package.module:factory` (called without arguments; a class or a module does as well),
`model.pt2`, a TorchScript file, `hf:NAME`, `timm:NAME`, `torchvision:NAME`. Nothing is downloaded unless asked for, and
no pickle is opened unless trusted.
"""

import contextlib
import importlib
import importlib.util
import logging
import os
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deeptheory.core.errors import InputError, MissingDependency
from deeptheory.inspection.twins import checkpoint_of
from deeptheory.inspection.weights import read_weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A model that was named. title: for the page. said: how its weights came. inputs, targets: where the factory
    brought a probe. batch: samples per pass, where the file allows only so many. shape: of one sample, where the file
    says it. tokenizer: of an hf: model, or None."""

    model: nn.Module
    title: str
    said: str
    inputs: Any = None
    targets: Any = None
    batch: int | None = None
    shape: tuple[int, ...] | None = None
    tokenizer: Callable[[list[str]], dict[str, torch.Tensor]] | None = None


class Scripted(nn.Module):
    """A TorchScript module inside a plain one: its output is seen, its inside is not."""

    def __init__(self, script: torch.jit.ScriptModule):
        super().__init__()
        self.script = script

    def forward(self, *args: Any) -> Any:
        """What the script gives."""
        return self.script(*args)


def read_model(target: str, weights: Path | None = None, *, trust: bool = False, download: bool = False) -> Source:
    """The model that `target` names, in eval mode, with the weights of a file where one is given.

    trust: pickles may be opened, which runs their code. download: weights may come from the network
    (hf:, timm:, torchvision:).
    InputError: nothing of that name, a factory that fails or gives no model, weights of another architecture,
    an untrusted pickle.
    MissingDependency: the library of hf:, timm: or torchvision: cannot be imported.
    """
    kind, _, name = target.partition(":")
    if kind in LIBRARIES and name:
        source = LIBRARIES[kind](name, download)
    elif Path(target).suffix.lower() in (
        ".pt2",
        ".pt",
        ".pth",
        ".ts",
        ".torchscript",
        ".jit",
        ".ckpt",
        ".safetensors",
        ".bin",
    ):
        source = _file(Path(target), trust)
    else:
        source = _factory(target)
    model, said = source.model, source.said
    if weights is not None:
        model = checkpoint_of(model, read_weights(Path(weights), trust), str(weights))
        said = f"weights of {Path(weights).name}"
    return Source(**{**vars(source), "model": model.eval() if _evaluable(model) else model, "said": said})


def load_object(text: str, what: str) -> Any:
    """What `file.py:NAME` or `package.module:NAME` names. InputError: no such file, module or name,
    or it fails when imported."""
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name:
        raise InputError(f"{what} is {text!r}; write file.py:NAME or package.module:NAME")
    path = Path(place)
    if path.suffix == ".py" and not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        module = _from_file(path) if path.suffix == ".py" else importlib.import_module(place)
    except ImportError as error:
        raise InputError(f"{what} {text!r}: {place} cannot be imported ({error})") from error
    except Exception as error:  # whatever the user's file raises
        raise InputError(f"{what} {text!r}: importing {place} raised {type(error).__name__}: {error}") from error
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            known = [
                n
                for n, v in vars(module).items()
                if callable(v) and not n.startswith("_") and getattr(v, "__module__", "") == module.__name__
            ]
            raise InputError(f"{place} has no {name!r}; it has: {', '.join(known[:8]) or 'nothing to call'}")
        value = getattr(value, part)
    return value


def called(value: Any, text: str, what: str) -> Any:
    """The value, called where it is a function or class. InputError: it wants arguments, or fails."""
    if isinstance(value, nn.Module) or not callable(value):
        return value
    try:
        return value()
    except Exception as error:  # whatever the user's function raises
        raise InputError(
            f"{what} {text!r} raised {type(error).__name__}: {error}; it is called without arguments"
        ) from error


def _from_file(path: Path) -> Any:
    folder, name = str(path.resolve().parent), f"_inspected_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look there
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def _factory(target: str) -> Source:
    made = called(load_object(target, "target"), target, "target")
    inputs = targets = None
    if isinstance(made, tuple) and made and isinstance(made[0], nn.Module):
        if len(made) > 3:
            raise InputError(
                f"{target} gave {len(made)} things; needed: a model, or (model, inputs), or (model, inputs, targets)"
            )
        made, inputs, targets = (*made, None, None)[:3]
    if isinstance(made, torch.export.ExportedProgram):
        return _exported(made, target)
    if not isinstance(made, nn.Module):
        raise InputError(
            f"{target} gave a {type(made).__name__}; needed: a torch.nn.Module, alone or with inputs and targets"
        )
    if isinstance(made, torch.jit.ScriptModule):
        made = Scripted(made)
    return Source(model=made, title=_title(target), said="as the factory made them", inputs=inputs, targets=targets)


def _title(target: str) -> str:
    place, _, name = target.rpartition(":")
    return f"{Path(place).name}:{name}" if place.endswith(".py") else target


def _file(path: Path, trust: bool) -> Source:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if path.suffix.lower() == ".pt2" or _holds(path, "archive_format"):
        try:
            with warnings.catch_warnings(), _only_weights(not trust), _quiet("torch.export"):
                warnings.simplefilter("ignore")  # of torch about its own formats
                program = torch.export.load(path)
        except Exception as error:  # a damaged archive raises whatever its bytes lead to
            raise InputError(
                f"{path} cannot be read as an exported program ({type(error).__name__}: {_first(error)})"
            ) from error
        return _exported(program, path.name)
    if _holds(path, "constants.pkl"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TorchScript is deprecated, and still what people have
                script = torch.jit.load(str(path), map_location="cpu")
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{path} cannot be read as TorchScript ({_first(error)})") from error
        return Source(model=Scripted(script), title=path.name, said="as in the file")
    if path.suffix.lower() == ".safetensors" or not trust:
        raise InputError(
            f"{path} holds no program: weights alone, or a pickled module. Name what builds the model and pass "
            f"--weights {path.name}; a pickled module is opened with --trust (trust=True), which runs its code"
        )
    try:
        made = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # unpickling raises whatever the classes in it raise
        raise InputError(f"{path} cannot be unpickled ({type(error).__name__}: {_first(error)})") from error
    if not isinstance(made, nn.Module):
        raise InputError(
            f"{path} holds a {type(made).__name__}; needed: a module. "
            f"Name what builds the model and pass --weights {path.name}"
        )
    return Source(model=made, title=path.name, said="as in the file, unpickled on trust")


def _exported(program: Any, name: str) -> Source:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module = program.module()
    size = None
    given = program.example_inputs
    first = next((v for v in (given[0] if given else ()) if isinstance(v, torch.Tensor) and v.ndim), None)
    if first is not None and not getattr(program, "range_constraints", None):
        size = len(first)
    shape = _fixed_shape(module)
    return Source(model=module, title=_title(name), said="as in the exported program", batch=size, shape=shape)


def _fixed_shape(module: Any) -> tuple[int, ...] | None:
    """Of one sample, where an exported program has a single input whose axes after the first are fixed."""
    inputs = [n.meta.get("val") for n in module.graph.nodes if n.op == "placeholder"]
    if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor) or inputs[0].ndim == 0:
        return None
    rest = inputs[0].shape[1:]
    return tuple(int(s) for s in rest) if all(isinstance(s, int) for s in rest) else None


@contextlib.contextmanager
def _only_weights(wanted: bool) -> Iterator[None]:
    """While open, torch opens no pickle of more than tensors, also where it asks for one itself: an archive of an
    exported program may hold some, and torch falls back to them."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    try:
        if wanted:
            os.environ[name] = "1"
        yield
    finally:
        os.environ.pop(name, None) if before is None else os.environ.__setitem__(name, before)


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """While open, the logger says nothing: what goes wrong is told in one line."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _holds(path: Path, ending: str) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.rpartition("/")[2] == ending for name in archive.namelist())


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _evaluable(model: nn.Module) -> bool:
    return "GraphModule" not in type(model).__name__  # an exported program refuses eval()


def _import(name: str, prefix: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a build for another torch fails in many ways
        raise MissingDependency(
            f"{prefix}: needs the package {name}, which cannot be imported here ({_first(error)})"
        ) from error


def _hf(name: str, download: bool) -> Source:
    transformers = _import("transformers", "hf")
    local: dict[str, Any] = {"local_files_only": not download}
    fix = "" if download else "; name a local folder, or allow the download (--download)"
    try:
        config = transformers.AutoConfig.from_pretrained(name, **local)
        built = next(
            (
                getattr(transformers, a)
                for a in getattr(config, "architectures", None) or ()
                if hasattr(transformers, a)
            ),
            transformers.AutoModel,
        )
        model = built.from_pretrained(name, **local)
    except (OSError, ValueError) as error:
        raise InputError(f"hf:{name} cannot be loaded ({_first(error)}){fix}") from error
    return Source(model=model, title=f"hf:{name}", said="pretrained", tokenizer=_tokenizer(transformers, name, local))


def _tokenizer(
    transformers: Any, name: str, local: dict[str, Any]
) -> Callable[[list[str]], dict[str, torch.Tensor]] | None:
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **local)
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    if getattr(tokenizer, "pad_token", None) is None and getattr(tokenizer, "eos_token", None) is not None:
        tokenizer.pad_token = tokenizer.eos_token

    def tokens(texts: list[str]) -> dict[str, torch.Tensor]:
        return dict(tokenizer(texts, padding=True, truncation=True, return_tensors="pt"))

    return tokens


def _timm(name: str, download: bool) -> Source:
    timm = _import("timm", "timm")
    try:
        model = timm.create_model(name, pretrained=download)
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(f"timm:{name} cannot be made ({_first(error)}); timm.list_models() lists its names") from error
    return Source(
        model=model, title=f"timm:{name}", said="pretrained" if download else "random: pass --weights, or --download"
    )


def _torchvision(name: str, download: bool) -> Source:
    models = _import("torchvision.models", "torchvision")
    try:
        model = models.get_model(name, weights="DEFAULT" if download else None)
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(
            f"torchvision:{name} cannot be made ({_first(error)}); torchvision.models.list_models() lists its names"
        ) from error
    return Source(
        model=model,
        title=f"torchvision:{name}",
        said="pretrained" if download else "random: pass --weights, or --download",
    )


LIBRARIES: dict[str, Callable[[str, bool], Source]] = {"hf": _hf, "timm": _timm, "torchvision": _torchvision}
