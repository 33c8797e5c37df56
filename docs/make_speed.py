"""Write what `deeptheory bench --json` measured as a page: python docs/make_speed.py bench.json docs/speed.md"""

import json
import sys
from pathlib import Path

HEAD = """# Speed

Measured by `make bench` (`deeptheory bench --json`), {processor}, one thread for both sides, rounds interleaved; medians,
and of the ratio the least and largest round. Both sides compute the same thing: the largest difference stands beside it.
Numbers of another machine differ; the ratios less so.

| what | ours | the other | its time | ratio | agree to | |
|---|---|---|---|---|---|---|
"""
TAIL = """
## How it is done, and what holds it back

- **The plane.** A row of cells becomes one 64-bit key, keys are counted in a hash table, equal keys are compared in full, and
  labels are counted in the same pass: no sorting, no temporary of the size of the input. H(T|X) = 0 is known and not
  computed. What is left is arithmetic for the cell of each value and unpredictable memory access.
- **Populations.** A hand-written forward and backward pass, networks one after the other over a minibatch small enough for
  the cache, the batch innermost so that every loop is over contiguous numbers; one flat parameter vector and one fused
  update a network. What is left is mostly tanh and exp.
- **The recorder.** Tensors are kept, not copied, unless something rewrites them later; the fixed cost is about 0.3 ms a
  snapshot (hooks, random states, train flags).

The plane grows a little faster than its work once the hash table leaves the fastest cache, and training grows in proportion
to the number of networks.
"""


def page(measured: dict) -> str:
    """Rows as Markdown."""
    lines = []
    for r in measured["rows"]:
        agree = "" if r["error"] is None else f"{r['error']:.0e} {r['error_of']}"
        ratio = f"{r['ratio']:.3g}"
        if r["least"] != r["largest"]:
            ratio += f" [{r['least']:.3g}, {r['largest']:.3g}]"
        lines.append(f"| {r['name']} | {r['ours_ms']:.2f} ms | {r['theirs']} | {r['theirs_ms']:.2f} ms | {ratio} | {agree} | {r['note']} |")  # fmt: skip
    return HEAD.format(processor=measured["machine"]["processor"]) + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page(json.loads(Path(sys.argv[1]).read_text())), encoding="utf-8")
