"""
How much do spikes tell, and which series drives which?
=======================================================

Two questions of a laboratory, on data whose answer is known. First spike counts: how many bits does the count of a cell
give about the stimulus, when trials are few and neighboring trials are alike? Then two chaotic series, one of which
drives the other: how much does the past of one add about the next value of the other, and in which direction?
"""

import numpy as np
from scipy.stats import poisson

import deeptheory as dt

rng = np.random.default_rng(0)

# %%
# A cell that answers to eight directions of movement with a Poisson count, tuned around one of them. With directions
# shown equally often, I(direction; count) is a sum over all counts: the truth.
directions = np.arange(8)
rates = 1 + 9 * np.exp(2 * (np.cos(2 * np.pi * directions / 8) - 1))
p = poisson.pmf(np.arange(60), rates[:, None])  # [direction, count]
truth = float((p * np.log2(np.maximum(p, 1e-300) / p.mean(0))).sum() / 8)
print(f"the truth: {truth:.3f} bits of the {np.log2(8):.0f} that the direction has")

# %%
# Twenty trials of each direction. Counts as they are say too much, since each of the cells of an 8 x 20 table is seen
# in few trials: what y permuted shows is nearly all bias. Each correction says what it took off, and the interval says
# what is not known.
shown = np.repeat(directions, 20)
count = rng.poisson(rates[shown])
for correct in (False, True, "chao-shen", "nsb"):
    got = dt.mutual_information(shown, count, "plugin", correct=correct, permutations=39)
    print(f"correct={correct!s:10}", got, f"y permuted {got.null_mean:.2f} bits")
plain = dt.mutual_information(shown, count, "plugin", permutations=39)
auto = dt.mutual_information(shown, count)
print("auto:", auto)
assert plain.value - truth > 0.1  # biased upwards, as its note says
assert any("bias upwards" in note for note in plain.notes)
assert plain.null_mean > 0.1
assert plain.p <= 0.03
assert auto.low <= truth <= auto.high

# %%
# Would more trials change the number? The value at fewer of them shows: the counts' bias falls as 1 / n.
more = np.repeat(directions, 200)
many = dt.mutual_information(more, rng.poisson(rates[more]), "plugin")
curve = many.convergence()
print(curve)
assert curve.change < 0
assert abs(many.value - truth) < 0.05
curve.figure()

# %%
# A cell that knows nothing of the direction, in an animal whose attention drifts, shown each direction for 15 trials in
# a row: now direction and count are both series. Rows taken one by one see information where none is; whole blocks
# tell. The note comes by itself.
drift = np.zeros(2400)
for t in range(1, 2400):
    drift[t] = 0.97 * drift[t - 1] + 0.24 * rng.normal()
turns = np.repeat(rng.integers(0, 8, 160), 15)
idle = rng.poisson(6 * np.exp(0.5 * drift))
naive = dt.mutual_information(turns, idle, permutations=39)
whole = dt.mutual_information(turns, idle, groups=np.arange(2400) // 15, permutations=39)
print("rows one by one:    ", naive, *naive.notes, sep="\n  ")
print("whole runs of 15:   ", whole)
assert naive.p <= 0.03  # of nothing
assert any("look like series" in note for note in naive.notes)
assert whole.p > 0.03
assert whole.low <= 0

# %%
# A driven map. x is the logistic map at 4, in the coordinate in which it is a tent and its density uniform; y follows
# it by one step, blurred by a quarter turn: y_t+1 = x_t + u / 4 mod 1, u uniform. So I(x_t; y_t+1) = log2 4 = 2 bits.
# Part of that is in y's own past: what x adds is h(y_t+1 | y_t) + 2 bits, by quadrature, since given y_t the driver
# was uniform on a quarter.
n = 3000
z = np.empty(n)
z[0] = rng.random()
for t in range(1, n):
    z[t] = 4 * z[t - 1] * (1 - z[t - 1])
x = 2 / np.pi * np.arcsin(np.sqrt(z))
y = np.r_[rng.random(), (x[:-1] + rng.random(n - 1) / 4) % 1]

grid = (np.arange(1024) + 0.5) / 1024
entropies = []
for now in grid[::8]:
    was = (now - grid[:256]) % 1  # where the driver may have been, 256 places of a quarter turn
    density = np.bincount(np.floor(1024 * np.where(was < 0.5, 2 * was, 2 - 2 * was)).astype(int), minlength=1024)
    blurred = np.sum([np.roll(density, k) for k in range(256)], axis=0) / 256**2 * 1024
    entropies.append(-(blurred[blurred > 0] * np.log2(blurred[blurred > 0])).sum() / 1024)
adds = float(np.mean(entropies)) + 2
print(f"x about the next y: 2 bits; beyond y's own past: {adds:.3f}")

# %%
# Lags first. Information begins where y is one row later. The driver is deterministic, so the truth is 2 bits at every
# later row as well; neighbor counts see less of it the more often the map has folded in between.
lags = dt.information.lagged_information(x, y, range(-2, 5), method="ksg")
print(lags.table()[["lag", "value", "low", "high"]].round(3))
values = [e.value for e in lags.estimates]
assert lags.lag[lags.best] == 1
assert abs(max(values) - 2) < 0.1
assert values[0] < 0.2
assert values[-1] > 1.5
lags.figure()

# %%
# Then what is beyond y's past, and the other way round, where nothing is: x needs no y to be known. Counts with a
# condition are biased towards 0 and, where the rest is deterministic, below it. The intervals are of sampling error
# only, as the method says; the bias shows in the value at fewer rows, and a whole interval below 0 is noted.
there = dt.information.transfer_entropy(x, y, method="ksg")
back = dt.information.transfer_entropy(y, x, method="ksg")
rising = there.convergence()
print("x to y:", there, "truth", round(adds, 3))
print("y to x:", back, *back.notes)
print(rising)
assert "sampling error only" in there.method
assert abs(there.value - adds) < 0.2
assert rising.change > 0
assert back.value < 0
assert any("biased downwards" in note for note in back.notes)
rising.figure()

# %%
# A third series can fool both: z drives v and w alike, v one row earlier. Given z, nothing is left.
drive, v, w = rng.normal(size=(3, 2000))
for t in range(2, 2000):
    v[t] += 0.8 * drive[t - 1]
    w[t] += 0.8 * drive[t - 2]
fooled = dt.information.transfer_entropy(v, w, method="gaussian", shifts=39)
given = dt.information.transfer_entropy(v, w, method="gaussian", given=drive, history=2)
print("v to w:         ", fooled)
print("the same given z:", given)
assert fooled.p <= 0.03
assert abs(fooled.value - 0.5 * np.log2(1.64 / (1.64 - 0.64**2 / 1.64))) < 0.05  # the closed form of two noisy copies
assert given.low <= 0
