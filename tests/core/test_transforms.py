import re
from pathlib import Path

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

import deeptheory as dt
from deeptheory.core.transforms import many_in_one, transforming, unwrapped, wrapped

SOURCE = Path(dt.__file__).parent


def test_private_names_that_ask_about_transforms_are_asked_for_in_one_place():
    asking = re.compile(r"_functorch|_is_tracing|_len_torch_dispatch_stack|forward_ad\._")
    found = {p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*.py") if asking.search(p.read_text())}
    assert found == {"core/transforms.py"}


def seen(transform) -> list[tuple]:
    """What is said of x inside a transform of a function."""
    said = []

    def watched(x):
        said.append((transforming(), wrapped(x), many_in_one(x), unwrapped(x)))
        return (x**2).sum()

    transform(watched)
    return said


x = torch.arange(3.0)


@pytest.mark.parametrize(
    ("transform", "at_work", "is_wrapped", "inside"),
    [
        (lambda f: f(x), False, False, True),
        (lambda f: torch.func.grad(f)(x), True, True, True),
        (lambda f: torch.func.jvp(f, (x,), (x,)), True, True, True),
        (lambda f: torch.func.vmap(f)(x[None]), True, True, False),
        (lambda f: torch.func.vmap(torch.func.grad(f))(x[None]), True, True, False),
        (lambda f: make_fx(f)(x), True, False, True),
        (lambda f: torch.jit.trace(f, x, check_trace=False), True, False, True),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_every_transform_is_seen(transform, at_work, is_wrapped, inside):
    (said,) = seen(transform)
    assert said[:3] == (at_work, is_wrapped, False)
    assert (said[3] is not None) == inside
    assert not transforming()


def test_a_gradient_that_stands_for_many_is_seen():
    said = []
    y = x.clone().requires_grad_()
    out = y * 2
    out.register_hook(lambda g: said.append((many_in_one(g), unwrapped(g))))
    torch.autograd.grad(out, y, torch.eye(3), is_grads_batched=True)
    assert said == [(True, None)]
