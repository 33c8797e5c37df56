"""Which operations are activations, which act on each entry alone, and which only move what is there.

Names are those of torch's functions without underscores: `relu_`, `Tensor.relu` and `aten.relu.default` are "relu".
"""

from typing import NamedTuple

from torch import nn

ACTIVATION_MODULES = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Tanh,
    nn.Sigmoid, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.Softplus, nn.Softsign, nn.Tanhshrink, nn.Softshrink,
    nn.Hardshrink, nn.LogSigmoid, nn.Threshold, nn.GLU, nn.RNNBase, nn.RNNCellBase,
)  # fmt: skip
CLIPS = frozenset({"clamp", "clamp_min", "clamp_max", "clip", "maximum", "minimum", "fmax", "fmin", "threshold"})
ACTIVATIONS = CLIPS | {
    "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "tanh", "sigmoid",
    "expit", "special_expit", "hardtanh", "hardsigmoid", "hardswish", "softplus", "softsign", "tanhshrink",
    "softshrink", "hardshrink", "logsigmoid", "log_sigmoid", "glu", "sin", "cos", "exp", "erf", "special_erf", "atan",
    "arctan", "sign", "heaviside",
}  # fmt: skip
_CURVED = ACTIVATIONS - {"glu"} | {
    "exp2", "expm1", "log", "log2", "log10", "log1p", "abs", "absolute", "square", "sqrt", "rsqrt", "pow",
    "float_power", "reciprocal", "erfc", "tan", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "atanh", "atan2",
    "sinc", "sgn", "round", "floor", "ceil", "trunc", "frac", "gt", "lt", "ge", "le", "eq", "ne", "greater", "less",
    "where", "logit", "logaddexp", "logical_not", "logical_and", "logical_or", "remainder", "fmod", "hypot",
    "special_log_ndtr", "special_ndtr",
}  # fmt: skip
_STRAIGHT = frozenset({
    "add", "sub", "subtract", "rsub", "mul", "multiply", "div", "divide", "true_divide", "neg", "negative", "positive",
    "addcmul", "addcdiv", "lerp", "to", "float", "double", "half", "bfloat16", "type", "type_as", "contiguous", "clone",
    "detach", "alias", "requires_grad", "dropout", "masked_fill", "nan_to_num", "copy_",
})  # fmt: skip
NONLINEAR = frozenset(_CURVED)
ELEMENTWISE = NONLINEAR | _STRAIGHT
ADDS = frozenset({"add"})


class Ignored(NamedTuple):
    """Kinds of operation that get no row in `dt.layers`, since they change no value of an activation."""

    views: frozenset[str] = frozenset({
        "view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "ravel", "transpose", "permute", "t",
        "adjoint", "swapaxes", "swapdims", "movedim", "moveaxis", "squeeze", "unsqueeze", "expand", "expand_as",
        "broadcast_to", "broadcast_tensors", "getitem", "select", "narrow", "chunk", "split", "split_with_sizes",
        "tensor_split", "unsafe_chunk", "unsafe_split", "unbind", "hsplit", "vsplit", "dsplit", "as_strided",
        "diagonal", "detach", "alias", "contiguous", "clone", "data", "T", "mT", "H", "mH", "real", "imag",
        "view_as_real", "view_as_complex", "atleast_1d", "atleast_2d", "atleast_3d", "meshgrid", "lift_fresh", "slice",
    })  # fmt: skip
    casts: frozenset[str] = frozenset({
        "to", "type", "type_as", "float", "double", "half", "bfloat16", "int", "long", "short", "bool", "byte", "char",
        "cpu", "cuda", "requires_grad", "set_", "pin_memory", "to_dense", "_assert_async", "_assert_tensor_metadata",
    })  # fmt: skip
    constants: frozenset[str] = frozenset({
        "tensor", "as_tensor", "from_numpy", "asarray", "zeros", "ones", "empty", "full", "eye", "arange", "range",
        "linspace", "logspace", "rand", "randn", "randint", "randperm", "zeros_like", "ones_like", "empty_like",
        "full_like", "rand_like", "randn_like", "randint_like", "new_zeros", "new_ones", "new_empty", "new_full",
        "new_tensor", "normal", "bernoulli", "tril_indices", "triu_indices", "empty_strided", "new_empty_strided",
        "scalar_tensor",
    })  # fmt: skip
    questions: frozenset[str] = frozenset({
        "size", "dim", "numel", "item", "tolist", "numpy", "stride", "is_floating_point", "shape", "len", "bool",
        "allclose", "equal", "is_contiguous", "storage_offset", "data_ptr", "get_device", "is_complex", "iter",
        "contains", "format", "repr", "nelement", "element_size", "index", "sym_size", "nonzero", "is_nonzero",
        "is_same_size", "result_type", "can_cast", "setitem",
    })  # fmt: skip


IGNORED = Ignored()
_NO_ROW = frozenset().union(*IGNORED)


def plain(func) -> str:
    """The name of a torch function as it stands above: `__iadd__`, `add_` and `add.Tensor` are all "add"."""
    name = getattr(func, "__name__", "") or ""
    if name in ("__get__", "__set__"):  # a property: x.T, x.shape
        return getattr(getattr(func, "__self__", None), "__name__", "shape")
    if name in _DUNDER:
        return _DUNDER[name]
    name = name.partition(".")[0] if not name.startswith("__") else name.strip("_")
    return name.rstrip("_") if name not in ("copy_", "set_") else name


def ignored(name: str) -> bool:
    """Whether the operation of this plain name gets no row."""
    return name in _NO_ROW or name.startswith(("is_", "_has")) or not name


_DUNDER = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add", "__sub__": "sub", "__rsub__": "rsub", "__isub__": "sub",
    "__mul__": "mul", "__rmul__": "mul", "__imul__": "mul", "__truediv__": "div", "__rtruediv__": "div",
    "__itruediv__": "div", "__rdiv__": "div", "__pow__": "pow", "__rpow__": "pow", "__ipow__": "pow",
    "__matmul__": "matmul", "__rmatmul__": "matmul", "__neg__": "neg", "__getitem__": "getitem", "__gt__": "gt",
    "__lt__": "lt", "__ge__": "ge", "__le__": "le", "__eq__": "eq", "__ne__": "ne", "__abs__": "abs",
    "__and__": "logical_and", "__or__": "logical_or", "__invert__": "logical_not", "__mod__": "remainder",
}  # fmt: skip
