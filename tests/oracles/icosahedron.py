"""The icosahedron's graph as it was read off the published labels, and its automorphisms by search."""

NEIGHBORS = {
    0: (1, 3, 5, 10, 11),
    1: (0, 2, 3, 4, 11),
    2: (1, 3, 4, 8, 9),
    3: (0, 1, 2, 8, 10),
    4: (1, 2, 6, 9, 11),
    5: (0, 6, 7, 10, 11),
    6: (4, 5, 7, 9, 11),
    7: (5, 6, 8, 9, 10),
    8: (2, 3, 7, 9, 10),
    9: (2, 4, 6, 7, 8),
    10: (0, 3, 5, 7, 8),
    11: (0, 1, 4, 5, 6),
}
ANTIPODES = ((0, 9), (1, 7), (2, 5), (3, 6), (4, 10), (8, 11))


def automorphisms() -> list[tuple[int, ...]]:
    """Every permutation of the vertices that keeps the edges, by backtracking."""
    found = []

    def extend(image: tuple[int, ...]) -> None:
        k = len(image)
        if k == 12:
            found.append(image)
            return
        for candidate in range(12):
            if candidate not in image and all(
                (candidate in NEIGHBORS[image[i]]) == (k in NEIGHBORS[i]) for i in range(k)
            ):
                extend((*image, candidate))

    extend(())
    return found
