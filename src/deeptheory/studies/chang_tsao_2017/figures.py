"""The page: which figures, what to see in them, and how far to trust them."""

from deeptheory.studies.chang_tsao_2017 import plates_layers as on_layers
from deeptheory.studies.chang_tsao_2017 import plates_outside as outside
from deeptheory.studies.chang_tsao_2017 import plates_population as on_population
from deeptheory.studies.pages import Part

TITLE = "The code for facial identity, asked of networks"


def notices(settings: dict) -> list[str]:
    """What stands at the top of the page."""
    return [
        "The faces are procedural (58 landmarks of their own, not the paper's 58 on photographs), and the cells are units of networks."
    ]


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    return (
        f"{settings['networks']} networks, each trained to tell {settings['people']} people of its own apart "
        f"({settings['steps']} steps), are shown {settings['stimuli']} faces drawn from a face space of {settings['shape']} shape "
        f"and {settings['appearance']} appearance coordinates. Up to {settings['cells']} units a layer are recorded like cells: "
        f"{settings['rate']:g} spikes a second on average, counted in {1000 * settings['window']:g} ms, {settings['trials']} "
        f"trials a face. Scale “{scale}”. The same network before training and plain pixels stand beside."
    )


SECTIONS: tuple[Part, ...] = (
    ("The faces and the axes (figure 1)", "A face space of shape and shape-free appearance, from which independent Gaussians are drawn.", (on_layers.shown, on_layers.stimuli, on_layers.ramps, on_layers.axes)),
    ("Shape and appearance (figure 2, supplement)", "Layers stand for areas.", (on_layers.histogram, on_layers.preference)),
    ("Reading faces (figure 3)", "Leave-one-out over all faces.", (on_population.decoding, on_population.identification, on_population.cells_needed, on_population.reconstructions)),
    ("Axes against exemplars (figure 4)", "Along the axis, orthogonal to it, and against a code by distances.", (on_layers.flat_curves, on_layers.flatness, on_layers.models, on_layers.verdicts, on_layers.eigenface)),
    ("Null planes (figure 5)", "What is orthogonal is each cell's null plane, not the cells' axes to each other.", (on_population.metamers, on_population.null_changes)),
    ("Views (figure 6)", "The same latents, in front and from the side.", (on_population.views, on_population.ladder)),
    ("What it is good for (figure 7)", "Simulated cells, read by the same readers.", (on_population.readers,)),
    ("Elsewhere", "Only where the data folder has them.", (outside.published_faces, outside.published, outside.published_flatness, outside.neurons, outside.dissimilarities)),
)  # fmt: skip
