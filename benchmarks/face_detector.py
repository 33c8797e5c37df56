"""Runs in an environment of its own, with OpenCV: pictures in, which of them hold a face out; nothing of deeptheory.

In: the name of a .npy file of pictures [n, H, W] uint8. Out: a JSON list of n numbers, faces found in each by the
frontal Haar cascade that OpenCV ships, at its usual settings.
"""

import json
import sys

import cv2
import numpy as np

cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
pictures = np.load(sys.argv[1])
print(json.dumps([len(cascade.detectMultiScale(p, scaleFactor=1.1, minNeighbors=3)) for p in pictures]))
