"""The figure by depth: quantities as rows over one axis of layers, each with the model,
its twins and permuted labels as lines."""

from collections.abc import Iterable
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.theme import NEUTRAL, template

TRAINED, PERMUTED = "#0072B2", "#B26B00"
_OTHERS = ("#56B4E9", "#009E73", "#CC79A7", "#E69F00")


def by_depth(results: Iterable[Any], every: bool = False) -> Any:
    """A plotly figure of InstrumentResults. every: also quantities that are not shown by default. InputError:
    nothing was measured by layer."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    rows = [
        (r, q)
        for r in results
        for q in r.instrument.quantities
        if (q.shown or every) and any(j.layer for j in r.of(q.name))
    ]
    if not rows:
        raise InputError("nothing was measured by layer; .table() holds what was")
    figure = make_subplots(
        rows=len(rows),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=min(0.06, 0.5 / len(rows)),
        subplot_titles=[q.title for _, q in rows],
    )
    depth: dict[str, int] = {}
    for j in (j for r, _ in rows for j in r.rows if j.layer):
        depth[j.base] = min(j.depth, depth.get(j.base, j.depth))
    names = sorted(depth, key=lambda name: depth[name])
    told: set[str] = set()

    def line(k: int, name: str, xs: list, ys: list, color: str, **more: Any) -> None:
        figure.add_trace(
            go.Scatter(
                x=xs,
                y=ys,
                name=name,
                legendgroup=name,
                showlegend=name not in told,
                line={"color": color, **more.pop("line", {})},
                **more,
            ),
            row=k,
            col=1,
        )
        told.add(name)

    for k, (r, q) in enumerate(rows, start=1):
        for c, checkpoint in enumerate(r.checkpoints):
            last = c == len(r.checkpoints) - 1
            color = TRAINED if last else _OTHERS[(len(r.checkpoints) - 2 - c) % len(_OTHERS)]
            for part, found in _parts(r.of(q.name, checkpoint)).items():
                xs = [j.base for j in found]
                ends = f", {part}" if part else ""
                dash = {"dash": "dot"} if part else {}
                bars = {
                    "type": "data",
                    "symmetric": False,
                    "array": [j.high - j.value for j in found],
                    "arrayminus": [j.value - j.low for j in found],
                }
                line(
                    k,
                    f"{checkpoint or 'model'}{ends}",
                    xs,
                    [j.value for j in found],
                    color,
                    mode="lines+markers",
                    error_y=bars if last else None,
                    line=dash,
                )
                if last and any(j.twins for j in found):
                    line(
                        k,
                        f"{found[0].control}{ends}",
                        xs,
                        [j.twin_mean for j in found],
                        NEUTRAL,
                        mode="lines+markers",
                        line=dash,
                    )
                if last and not part and any(j.permuted for j in found):
                    line(k, "permuted labels", xs, [j.permuted_mean for j in found], PERMUTED, mode="lines+markers",
                        line={"dash": "dash"})  # fmt: skip
        seen = [v for j in r.rows if j.quantity == q.name for v in (j.value, *j.twins, *j.permuted) if v > 0]
        decades = {"dtick": 1} if seen and max(seen) >= 30 * min(seen) else {}  # those between would crowd a small row
        style: dict[str, Any] = {"type": "log", "exponentformat": "power", **decades} if q.log else {"type": "linear"}
        figure.update_yaxes(row=k, col=1, **style)
        if q.ends and not q.log:
            pad = 0.04 * (q.ends[1] - q.ends[0])
            figure.update_yaxes(range=[q.ends[0] - pad, q.ends[1] + pad], row=k, col=1)
    figure.update_xaxes(categoryorder="array", categoryarray=names)
    figure.update_layout(template=template(), height=170 * len(rows) + 120)
    return figure


def _parts(found: list[Any]) -> dict[str, list[Any]]:
    """The readings of whole layers, then those of their parts (class token, last step) as lines of their own."""
    out: dict[str, list[Any]] = {}
    for j in found:
        if j.layer:
            out.setdefault(j.part, []).append(j)
    return dict(sorted(out.items()))
