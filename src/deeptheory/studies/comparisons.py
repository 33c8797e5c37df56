"""What each side of the debate says to the same question, by claim: the pages and the docs set them beside each other.

A claim of one study that is another's objection is linked in both reports.
Ids may belong to studies that are not there.
"""

from dataclasses import dataclass

from deeptheory.runs import Link

SZT, SAXE, GOLDFELD = "shwartz-ziv-tishby-2017", "saxe-2018", "goldfeld-2019"
TZ = "tishby-zaslavsky-2015"


@dataclass(frozen=True)
class Question:
    """What is asked, and the claims that answer it: (study, claim id)."""

    text: str
    answers: tuple[tuple[str, str], ...]


QUESTIONS = (
    Question(
        "Do hidden layers compress?",
        (
            (SZT, "fit-then-compress/layer5"),
            (SAXE, "tanh-compresses/layer5"),
            (SAXE, "relu-does-not/layer5"),
            (SAXE, "rebin-removes"),
            (GOLDFELD, "quantised-last-layers-compress"),
            (GOLDFELD, "noisy-compresses/layer5"),
            (SAXE, "mnist-noise-readout"),
            (SAXE, "mnist-noise-readout/relu"),
            (GOLDFELD, "quantised-last-layers-compress/mnist"),
        ),
    ),
    Question(
        "Do the first layers keep everything?",
        (
            (SZT, "first-layer-flat"),
            (SAXE, "full-precision-flat"),
            (GOLDFELD, "quantised-early-layers-stay"),
            (GOLDFELD, "quantised-early-layers-stay/mnist"),
        ),
    ),
    Question(
        "Is I(X;T) a property of the network?",
        (
            (SZT, "full-information"),
            (SAXE, "reparametrisation-changes-information"),
            (SAXE, "one-neuron-tanh-returns-to-1-bit"),
            (GOLDFELD, "deterministic-is-constant"),
            (GOLDFELD, "binned-entropy-depends-on-bin"),
        ),
    ),
    Question(
        "What drives compression?",
        (
            (SZT, "noise-drives-compression"),
            (SAXE, "full-batch-compresses"),
            (GOLDFELD, "noisy-compression-tracks-clusters/layer5"),
            (GOLDFELD, "orthonormal-stops-compression"),
            (GOLDFELD, "mnist-cnn-clusters"),
        ),
    ),
    Question(
        "Do the phases of the gradients tell of compression?",
        (
            (SZT, "snr-transition/layer5"),
            (SAXE, "snr-transition-without-compression"),
            (SAXE, "snr-transition-without-compression/linear"),
            (SAXE, "snr-transition-without-compression/relu"),
        ),
    ),
    Question(
        "Do layers come to lie on the bottleneck bound?",
        (
            (TZ, "bound-above-layers"),
            (TZ, "gaps"),
            (TZ, "layers-after-bifurcations"),
            (SZT, "on-the-bound/layer5"),
            (SZT, "beta-falls-with-depth"),
        ),
    ),
    Question(
        "Does compression go with generalization?",
        (
            (SZT, "small-data-loses/5"),
            (SAXE, "all-four-cells"),
            (SAXE, "overtrained-no-compression"),
            (SAXE, "small-data-compresses-and-overfits"),
            (SAXE, "irrelevant-compresses-while-total-rises"),
            (GOLDFELD, "orthonormal-no-harm"),
        ),
    ),
)


def links(study: str) -> tuple[Link, ...]:
    """For the page of a study: every question that it answers, with the claims of all sides."""
    return tuple(
        Link(question=q.text, claims=q.answers) for q in QUESTIONS if any(name == study for name, _ in q.answers)
    )
