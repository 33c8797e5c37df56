"""Where data comes from: generated, bundled with a package, a folder of the user's, a checked and cached download.

`CATALOGUE` says of every source what it is, its licence, and how to cite it. Nothing heavier than numpy is loaded here;
each loader imports what it needs when it is called.
"""

from deeptheory.datasets.binary import BinaryTask
from deeptheory.datasets.catalogue import CATALOGUE, DataSource
from deeptheory.datasets.committee import committee
from deeptheory.datasets.digits import Images, digits
from deeptheory.datasets.icosahedron import icosahedron
from deeptheory.datasets.mnist import mnist
from deeptheory.datasets.places import data_folder

__all__ = [
    "CATALOGUE",
    "BinaryTask",
    "DataSource",
    "Images",
    "committee",
    "data_folder",
    "digits",
    "icosahedron",
    "mnist",
]
