"""What callers of other libraries write, answered by what it is called here: options and methods by name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown

_HERE = {
    "unit": "unit='bits' or unit='nats'",
    "k": "k=",
    "seed": "seed=",
    "permutations": "permutations=",
    "standardize": "standardize=",
    "ranks": "ranks=True (normal scores)",
    "correct": "correct= with method='plugin' (True, 'grassberger', 'chao-shen', 'shrink', 'nsb')",
    "alphabet": "alphabet= with method='plugin' and correct='nsb' or 'shrink'",
    "bandwidth": "bandwidth= with method='kde-bounds'",
    "variant": "variant= with method='ksg' (1, 2) or 'mixed' ('gao', 'mesner-shalizi')",
    "method": "method=",
    "metric": "nothing: distances are the largest difference over columns (the max-norm)",
    "noise": "nothing: ties are broken where there are any, and the method says so",
    "tree": "nothing: trees or scans are chosen by the number of columns",
    "clip": "nothing: values below 0 are legal and stay",
    "labels": "labels as integers or words; method= overrules what they are taken for",
    "bins": "binned columns: bin them, then method='plugin'",
    "level": "nothing: intervals are at 95 %",
    "lag": "shifted rows: x[:-1], y[1:] (SMILE's tau is clip=)",
    "steps": "steps= with a trained method ('infonce', 'nwj', 'dv', 'smile', 'doe', 'lmi', 'flow')",
    "batch": "batch= with a trained method",
    "lr": "lr= with a trained method",
    "folds": "folds= with a trained method",
    "seconds": "seconds= with a trained method",
    "progress": "progress= with a trained method: a function of (step, steps), or False",
    "jobs": "nothing: it runs on one thread; use processes for many pairs",
    "given": "dt.conditional_mutual_information(x, y, z)",
    "normalized": "the estimate's .normalized(by='min entropy'), or another of its forms",
    "local": "the estimate's .local",
}
_SAID = {
    "unit": ("base", "units", "log_base", "nats"),
    "k": ("n_neighbors", "n_neighbours", "neighbors", "neighbours", "nn", "kth", "n_neighb"),
    "seed": ("random_state", "rng", "random_seed", "rand"),
    "permutations": ("n_permutations", "n_perm", "n_perms", "n_shuffles", "n_surrogates", "num_permutations",
        "surrogates"),
    "standardize": ("normalize", "normalise", "scale", "standardise", "preprocess", "standardized"),
    "ranks": ("rank", "copula", "copnorm", "normal_scores"),
    "correct": ("correct", "correction", "bias_correction", "biascorrect", "miller_madow"),
    "alphabet": ("alphabet_size", "n_symbols", "support", "num_states", "n_states", "cardinality"),
    "bandwidth": ("bandwidth", "bw", "sigma", "kernel_width", "h"),
    "variant": ("version", "ksg_version", "ksg_id", "algorithm", "alg", "variant"),
    "method": ("estimator", "approach", "mode", "measure", "kind"),
    "metric": ("metric", "norm", "distance", "minkowski_p", "p_norm"),
    "noise": ("noise", "noise_level", "add_noise", "jitter", "intens", "noise_type"),
    "tree": ("leaf_size", "leafsize", "tree", "use_tree"),
    "clip": ("clip", "clamp", "non_negative", "nonnegative"),
    "local": ("local", "local_values", "pointwise", "local_mi", "avg"),
    "labels": ("discrete_features", "discrete_target", "discrete", "discrete_x", "discrete_y"),
    "bins": ("bins", "n_bins", "nbins", "bin_size"),
    "level": ("level", "confidence", "alpha", "ci", "confidence_level"),
    "lag": ("lag", "lags", "max_lag", "delay", "tau"),
    "jobs": ("n_jobs", "workers", "max_threads", "threads"),
    "steps": ("epochs", "n_epochs", "max_epochs", "iterations", "n_iter", "max_n_steps", "n_steps", "num_steps"),
    "batch": ("batch_size", "minibatch"),
    "lr": ("learning_rate", "eta"),
    "folds": ("n_folds", "cv", "n_splits", "train_test_split", "test_size"),
    "seconds": ("timeout", "time_limit", "max_seconds"),
    "progress": ("verbose", "progress_bar"),
    "given": ("z", "cond", "condition", "conditional", "given"),
    "normalized": ("normalized", "normalised"),
}  # fmt: skip
ALIASES = {said: _HERE[key] for key, names in _SAID.items() for said in names}

_BOUNDS = "of the bounds that are trained, 'infonce', 'nwj', 'dv' and 'smile' are here"
_OTHER = "another quantity than Shannon's information, not to be put on one axis with it"
_METHODS = {
    **dict.fromkeys(("mine", "donsker-varadhan", "donsker_varadhan", "mi_ne"), "use 'dv' (MINE's gradient is in it)"),
    **dict.fromkeys(("info_nce", "info-nce", "nce", "cpc"), "use 'infonce'"),
    **dict.fromkeys(("f-gan", "fgan", "mine-f"), "use 'nwj'"),
    **dict.fromkeys(("difference_of_entropies", "ba", "barber-agakov"), "use 'doe'"),
    **dict.fromkeys(("mienf", "normalizing_flow", "normalizing-flow", "flows"), "use 'flow'"),
    **dict.fromkeys(("latent", "latentmi", "latent_mi"), "use 'lmi'"),
    **dict.fromkeys(("js", "club", "tuba", "flo", "l1out", "minde", "fmmi"), _BOUNDS),
    **dict.fromkeys(("kraskov", "ksg1", "knn", "nearest", "npeet"), "use 'ksg'"),
    **dict.fromkeys(("ksg2", "kraskov2", "ksg-2", "ksg_2"), "use 'ksg' with variant=2"),
    **dict.fromkeys(("kozachenko", "kozachenko_leonenko", "3h", "kl_entropy"), "use 'kl'"),
    **dict.fromkeys(("ross", "classif", "class"), "use 'labels'"),
    **dict.fromkeys(("gao", "mixture"), "use 'mixed'"),
    **dict.fromkeys(("mesner", "mesner_shalizi", "mesner-shalizi"), "use 'mixed' with variant='mesner-shalizi'"),
    **dict.fromkeys(("cca", "linear", "pearson", "canonical"), "use 'gaussian'"),
    **dict.fromkeys(("gcmi", "gccmi", "gaussian_copula", "gaussian-copula"), "use 'copula'"),
    **dict.fromkeys(("lnn", "local_nonuniformity", "mi_lnc"), "use 'lnc'"),
    **dict.fromkeys(("discrete", "counts", "naive", "ml", "mle"), "use 'plugin'"),
    **dict.fromkeys(("miller_madow", "miller-madow", "mm"), "use 'plugin' with correct=True"),
    **{m: f"use 'plugin' with correct={m.replace('_', '-')!r}"
        for m in ("grassberger", "chao-shen", "chao_shen", "shrink", "nsb")},
    **dict.fromkeys(("james-stein", "james_stein"), "use 'plugin' with correct='shrink'"),
    **dict.fromkeys(("hist", "histogram", "binning", "bins", "binned"), "bin the columns yourself, then 'plugin'"),
    **dict.fromkeys(("kde", "kernel", "parzen", "kde_bounds", "pairwise"),
        "use 'ksg', or 'kde-bounds' for samples in clusters; for noise of known size, the readout GaussianNoise"),
    **dict.fromkeys(("hsic", "cka", "nhsic"), f"a norm of a kernel's cross-covariance, in no bits: {_OTHER}"),
    **dict.fromkeys(("renyi", "matrix_renyi", "tsallis"),
        f"entropies of another order obey neither the chain rule nor the data-processing inequality: {_OTHER}"),
    **dict.fromkeys(("sliced", "smi", "k-smi", "ksmi", "max_sliced", "sliced_mi"),
        f"the mean over projections, which can rise under processing: {_OTHER}"),
    **dict.fromkeys(("dcor", "distance_correlation", "mic", "dse", "dsmi"), _OTHER),
}  # fmt: skip


def method_named(registry: Mapping[str, Callable], name: Any, what: str) -> Callable:
    """registry[name]. InputError: what is there instead, near names, all names."""
    if isinstance(name, str) and name in registry:
        return registry[name]
    known = ", ".join(["auto", *registry])
    if not isinstance(name, str):
        raise InputError(f"method is {name!r}; needed: a function or one of {known}")
    if name.lower() in registry:
        return registry[name.lower()]
    said = _METHODS.get(name.lower().replace(" ", "_"))
    if said is not None:
        raise InputError(f"{what} {name!r} is not there: {said}. Known: {known}")
    raise InputError(unknown(name, ["auto", *registry], what=what))


def check_known(function: Callable, options: Mapping[str, Any], entry: tuple[str, ...]) -> None:
    """InputError: an option that neither `function` nor its entry takes, with its name here."""
    takes = inspect.signature(function).parameters
    several = [p.annotation for p in takes.values() if p.kind is p.VAR_KEYWORD]
    of_all = [name for kind in several for typed in get_args(kind) for name in get_type_hints(typed)]
    if several and not of_all:
        return
    own = [n for n, p in takes.items() if p.kind is p.KEYWORD_ONLY and n != "spread"]
    own += [n for n in of_all if n not in entry]
    for name in options:
        if name not in own:
            if name in ALIASES:
                raise InputError(f"{name}= is not an option here; use {ALIASES[name]}")
            raise InputError(unknown(name, dict.fromkeys([*own, *entry]), what="option"))
        if name in takes and not (name == "correct" and takes[name].annotation is bool):  # which says what there is
            check_switch(name, options[name], takes[name].annotation)


def check_switch(name: str, value: Any, annotation: Any) -> None:
    """InputError: a switch (of the type bool, or bool | None) that is set to a word, say: any word is true."""
    kinds = get_args(annotation) or (annotation,)
    if bool not in kinds or not set(kinds) <= {bool, type(None)} or (value is None and type(None) in kinds):
        return
    if not (isinstance(value, bool | np.bool_) or (isinstance(value, int | np.integer) and value in (0, 1))):
        also = ", None" if type(None) in kinds else ""
        raise InputError(f"{name} is {value!r:.60}; needed: True or False{also}")
