"""Where data comes from: generated, bundled with a package, a folder of the user's, a checked and cached download.

`CATALOGUE` says of every source what it is, its licence, and how to cite it. Nothing heavier than numpy is loaded here;
each loader imports what it needs when it is called.
"""

from deeptheory.datasets.catalogue import CATALOGUE, DataSource
from deeptheory.datasets.images.affnist import affnist
from deeptheory.datasets.images.cifar10 import cifar10
from deeptheory.datasets.images.coil20 import coil20
from deeptheory.datasets.images.digits import Images, digits
from deeptheory.datasets.images.face_folder import FaceImages, face_folder, faces
from deeptheory.datasets.images.fashion_mnist import fashion_mnist
from deeptheory.datasets.images.landmark_files import read_landmarks
from deeptheory.datasets.images.mnist import mnist
from deeptheory.datasets.images.small_norb import small_norb
from deeptheory.datasets.images.svhn import svhn
from deeptheory.datasets.images.views import Views
from deeptheory.datasets.macaque import Dissimilarities, Neurons, it_neurons, it_rdms
from deeptheory.datasets.paths import data_folder
from deeptheory.datasets.rendered.multiview import multiview
from deeptheory.datasets.tasks.binary import BinaryTask
from deeptheory.datasets.tasks.committee import committee
from deeptheory.datasets.tasks.ground_truth import GroundTruth, ground_truth, ground_truths
from deeptheory.datasets.tasks.icosahedron import icosahedron
from deeptheory.datasets.tasks.paired_images import PairedImages, paired_images
from deeptheory.datasets.tasks.student_teacher import StudentTeacher, student_teacher
from deeptheory.datasets.transforms import Overlaid, affine, cropped, overlaid, relit, scaled, shifted

__all__ = [
    "CATALOGUE",
    "BinaryTask",
    "DataSource",
    "Dissimilarities",
    "FaceImages",
    "GroundTruth",
    "Images",
    "Neurons",
    "Overlaid",
    "PairedImages",
    "StudentTeacher",
    "Views",
    "affine",
    "affnist",
    "cifar10",
    "coil20",
    "committee",
    "cropped",
    "data_folder",
    "digits",
    "face_folder",
    "faces",
    "fashion_mnist",
    "ground_truth",
    "ground_truths",
    "icosahedron",
    "it_neurons",
    "it_rdms",
    "mnist",
    "multiview",
    "overlaid",
    "paired_images",
    "read_landmarks",
    "relit",
    "scaled",
    "shifted",
    "small_norb",
    "student_teacher",
    "svhn",
]


def __dir__() -> list[str]:
    return sorted(__all__)
