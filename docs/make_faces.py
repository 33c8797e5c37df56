"""Draw the picture of docs/faces.md: python docs/make_faces.py docs/images/faces.png"""

import sys

import numpy as np
from PIL import Image

import deeptheory as dt

faces = dt.faces.ProceduralFaces(96, colour=True)
turned = np.array([[yaw, 0, 0, 0, 0, 1] for yaw in np.linspace(-90, 90, 8)])
rows = [
    faces.sample(16, 0),
    faces.sample(1, 3, pictures=8, light="any"),
    faces.render(np.zeros((8, 25)), np.zeros((8, 25)), pose=turned),
]
Image.fromarray(dt.faces.montage(np.concatenate([r.images for r in rows]), 8)).save(sys.argv[1], optimize=True)
