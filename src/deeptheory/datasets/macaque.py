"""Recordings from the temporal cortex of macaques that anybody may have: units one by one, and dissimilarities.

`it_neurons`: 132 units of inferior temporal cortex shown seven objects at three places (Zhang & Desimone; the data set
of the Neural Decoding Toolbox, Meyers 2013). Pitfall: the units were not recorded together, so trials of different
units are paired by what was shown and by nothing else (`pseudo_trials`).
`it_rdms`: dissimilarities of 92 pictures in monkey and human IT (Kriegeskorte et al. 2008).
Both are files of the user's data folder; nothing of them comes with deeptheory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.datasets.paths import in_data_folder

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Neurons(Result):
    """Trials of units that were recorded one after the other.

    rate: [trials, windows] floats as stored, spikes in each window per millisecond; windows: [windows, 2] float64,
    first and last ms from stimulus onset; object, position: [trials] names, what was shown and where; cell: [trials],
    the unit; source: where the arrays were read from, in words.
    """

    rate: np.ndarray
    windows: np.ndarray
    object: np.ndarray
    position: np.ndarray
    cell: np.ndarray
    source: str

    def __repr__(self) -> str:
        cells, objects = len(np.unique(self.cell)), len(np.unique(self.object))
        return f"Neurons({cells} units, {objects} objects, {len(self.rate)} trials, {len(self.windows)} windows)"

    def table(self) -> "pandas.DataFrame":
        """One row per unit: cell, trials, and rate, the mean over trials and windows in spikes per second."""
        import pandas as pd

        frame = pd.DataFrame({"cell": self.cell, "rate": 1000 * self.rate.mean(1)})
        return frame.groupby("cell").agg(trials=("rate", "size"), rate=("rate", "mean")).reset_index()

    def pseudo_trials(
        self, trials: int, seed: int = 0, by: Literal["object", "both"] = "object"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Responses [stimuli, trials, cells, windows] float32, as in rate, and the stimuli's names [stimuli], sorted.

        Units were not recorded together: for each unit `trials` of its own are drawn by seed without replacement, and
        what is paired across units has only the stimulus in common. by: "object", or "both" for every object at every
        position ("face/upper"). Cells are in the order of np.unique(cell).
        InputError: a unit that has fewer trials of some stimulus, trials no integer of 1 or more, another by.
        """
        check_whole(trials=(trials, 1), seed=(seed, 0))
        if trials > len(self.rate):
            raise InputError(f"trials is {trials}; there are {len(self.rate)} of all units and stimuli together")
        if by not in ("object", "both"):
            raise InputError(f"by is {by!r}; needed: object or both")
        shown = (
            self.object
            if by == "object"
            else np.char.add(np.char.add(self.object.astype(str), "/"), self.position.astype(str))
        )
        names, cells = np.unique(shown), np.unique(self.cell)
        rng = np.random.default_rng(seed)
        out = np.empty((len(names), trials, len(cells), self.rate.shape[1]), dtype=np.float32)
        for c, cell in enumerate(cells):
            mine = np.nonzero(self.cell == cell)[0]
            for s, name in enumerate(names):
                rows = mine[shown[mine] == name]
                if len(rows) < trials:
                    raise InputError(
                        f"unit {cell} has {len(rows)} trials of {name}; trials is {trials}, needed: 1 to that"
                    )
                out[s, :, c] = self.rate[rng.choice(rows, trials, replace=False)]
        return out, names


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dissimilarities(Result):
    """Dissimilarities of n images in monkey and human IT (Kriegeskorte et al. 2008).

    monkey_it, human_it: [n, n] floats, as published: 1 minus the correlation of response patterns, 0 on the diagonal;
    images: [n, H, W, 3] uint8; category: [n, c] bool, which of category_names [c] an image belongs to; source: where
    the arrays were read from, in words.
    """

    monkey_it: np.ndarray
    human_it: np.ndarray
    images: np.ndarray
    category: np.ndarray
    category_names: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        return (
            f"Dissimilarities({len(self.images)} pictures, monkey and human IT, {len(self.category_names)} categories)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per category: its number of images, the mean dissimilarity of pairs within it in monkey and human.

        NaN where it has no pair.
        """
        import pandas as pd

        rows = []
        for k, name in enumerate(self.category_names):
            at = np.nonzero(self.category[:, k])[0]
            pairs = at[np.stack(np.triu_indices(len(at), 1))]
            of = [m[tuple(pairs)].mean() if len(at) > 1 else np.nan for m in (self.monkey_it, self.human_it)]
            rows.append((name, len(at), *of))
        return pd.DataFrame(rows, columns=["category", "pictures", "monkey_it", "human_it"])


def it_neurons(path: str | Path | None = None) -> Neurons:
    """132 units of macaque IT (Zhang & Desimone, in Meyers 2013): it_neurons.npz in the data folder, or at path.

    Seven objects at three positions, rates in windows of 150 ms. Nothing is downloaded: the file is made by the user of
    rate, object, position, cell as in Neurons, and window_ms [windows], texts like "time.-150_0". StoreError: it is not
    there, other arrays, shapes that do not fit. InputError: DEEPTHEORY_DATA is not a folder.
    """
    z, source = _arrays("it_neurons.npz", path, ("rate", "window_ms", "object", "position", "cell"))
    n, windows = len(np.atleast_1d(z["rate"])), _windows(z["window_ms"])
    fits = z["rate"].shape == (n, len(windows)) and all(z[k].shape == (n,) for k in ("object", "position", "cell"))
    if not fits or z["rate"].dtype.kind not in "biuf":
        raise StoreError(
            f"it_neurons.npz holds rate {list(z['rate'].shape)} and {len(windows)} windows; they do not fit, or are no "
            "numbers"
        )
    return Neurons(
        rate=z["rate"], windows=windows, object=z["object"], position=z["position"], cell=z["cell"], source=source
    )


def it_rdms(path: str | Path | None = None) -> Dissimilarities:
    """Dissimilarities of 92 images in IT (Kriegeskorte et al. 2008): it_rdms.npz in the data folder, or at path.

    Nothing is downloaded. The file is made by the user, for instance from demos/92imageData of the repository
    rsagroup/rsatoolbox: monkey_it and human_it [n, n], images [n, H, W, 3], category [n, c] 0 or 1, category_labels
    [c] (any n). StoreError: it is not there, other arrays, shapes that do not fit. InputError: DEEPTHEORY_DATA is not
    a folder.
    """
    names = ("monkey_it", "human_it", "images", "category", "category_labels")
    z, source = _arrays("it_rdms.npz", path, names)
    n = len(np.atleast_1d(z["images"]))
    square = all(z[k].shape == (n, n) and z[k].dtype.kind in "biuf" for k in ("monkey_it", "human_it"))
    if not square or z["images"].ndim != 4 or z["category"].shape != (n, z["category_labels"].size):
        raise StoreError(
            f"it_rdms.npz holds {n} pictures and dissimilarities {z['monkey_it'].dtype} {list(z['monkey_it'].shape)}; "
            "they do not fit"
        )
    if not np.isin(z["category"], (0, 1)).all():
        raise StoreError("it_rdms.npz holds a category that is neither 0 nor 1")
    return Dissimilarities(
        monkey_it=z["monkey_it"],
        human_it=z["human_it"],
        images=z["images"],
        category=z["category"].astype(bool),
        category_names=tuple(str(c) for c in z["category_labels"]),
        source=source,
    )


def _windows(texts: np.ndarray) -> np.ndarray:
    """[windows, 2], ms. StoreError: a text that is not of two numbers."""
    try:
        pairs = [[float(v) for v in str(w).removeprefix("time.").split("_")] for w in texts.reshape(-1)]
    except ValueError as error:
        raise StoreError(f'it_neurons.npz has a window_ms that is not like "time.-150_0" ({error})') from error
    if any(len(pair) != 2 for pair in pairs):
        raise StoreError('it_neurons.npz has a window_ms that is not like "time.-150_0", two numbers')
    return np.array(pairs).reshape(-1, 2)


def where_neurons() -> str:
    """In words: where it_neurons would come from now."""
    return _where("it_neurons.npz")


def where_rdms() -> str:
    """In words: where it_rdms would come from now."""
    return _where("it_rdms.npz")


def _where(name: str) -> str:
    return "the data folder" if in_data_folder(name) else f"nowhere yet: set DEEPTHEORY_DATA to a folder with {name}"


def _arrays(name: str, path: str | Path | None, wanted: tuple[str, ...]) -> tuple[dict[str, np.ndarray], str]:
    found = in_data_folder(name) if path is None else Path(path)
    if found is None or not found.is_file():
        raise StoreError(f"{name} was not found: set DEEPTHEORY_DATA to a folder that holds it")
    try:
        with found.open("rb") as file, np.load(file) as z:
            return {k: np.asarray(z[k]) for k in wanted}, "the data folder" if path is None else found.name
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise StoreError(f"{found.name} cannot be read ({error}); needed: {', '.join(wanted)}") from error
