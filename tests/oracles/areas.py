"""Loops over stimuli, units and labels: what the small measures of areas mean, written as their sentences say."""

import math


def distractor_ratio(predicted, actual):
    """Distance to the true stimulus over that to the nearest other, one by one."""
    out = []
    for i, p in enumerate(predicted):
        distances = [math.dist(p, a) for a in actual]
        out.append(distances[i] / min(d for j, d in enumerate(distances) if j != i))
    return out


def nearest_mean_accuracy(trials, learn):
    """Share of test trials [label][trial][unit] whose nearest training mean, in training deviations, is their own."""
    labels, count, units = len(trials), len(trials[0]), len(trials[0][0])
    known = int(count * learn)
    deviation = []
    for u in range(units):
        values = [trials[k][t][u] for k in range(labels) for t in range(known)]
        mean = sum(values) / len(values)
        deviation.append(math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)))
    centers = [[sum(trials[k][t][u] for t in range(known)) / known for u in range(units)] for k in range(labels)]
    right = 0
    for k in range(labels):
        for t in range(known, count):
            far = []
            for center in centers:
                parts = [((trials[k][t][u] - center[u]) / d) ** 2 for u, d in enumerate(deviation) if d > 0]
                far.append(sum(parts))
            right += far.index(min(far)) == k
    return right / (labels * (count - known))


def correlation(a, b):
    """Pearson's."""
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    top = sum((x - ma) * (y - mb) for x, y in zip(a, b))
    return top / math.sqrt(sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b))


def rank_agreement(a, b, rows):
    """Spearman's over pairs of rows, where no two dissimilarities are equal."""
    pairs = [(i, j) for n, i in enumerate(rows) for j in rows[n + 1 :]]
    first, second = ([m[i][j] for i, j in pairs] for m in (a, b))
    ranks = [[sorted(values).index(v) for v in values] for values in (first, second)]
    return correlation(*ranks)


def cross_validated_distance(a, b):
    """Mean over ordered pairs of different trials of the product of their differences, [trial][unit], per unit."""
    trials, units = len(a), len(a[0])
    total, count = 0.0, 0
    for m in range(trials):
        for k in range(trials):
            if m != k:
                total += sum((a[m][u] - b[m][u]) * (a[k][u] - b[k][u]) for u in range(units)) / units
                count += 1
    return total / count
