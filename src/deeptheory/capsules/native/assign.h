/* The E-step's softmax over the parents of each child of a convolutional layer, and its backward, both in place.

   x [P][N][J]: logits, which become couplings. Where r is given, x is the gradient of the couplings r and becomes that of the logits.
   N = KK * T children of a window. windows [HW][M]: p * KK + k, or -1. A child divides itself among its parents of all types at all
   positions (ALL), among positions for each type on its own (POSITIONS), or among types for each position on its own (TYPES). */
#ifndef DEEPTHEORY_ASSIGN_H
#define DEEPTHEORY_ASSIGN_H
#include "vectors.h"
enum { POSITIONS = 0, ALL = 1, TYPES = 2 };

/* One group of competitors: numbers g..g+width-1 of x at each of `heard` places. */
INLINE void divide(const long *at, long heard, long g, long width, const vec *r, vec *x) {
    vec top = all(-3.4e38f), total = all(0.0f);
    if (r) {
        for (long m = 0; m < heard; m++)
            for (long j = g; j < g + width; j++) total += r[at[m] + j] * x[at[m] + j];
        for (long m = 0; m < heard; m++)
            for (long j = g; j < g + width; j++) x[at[m] + j] = r[at[m] + j] * (x[at[m] + j] - total);
        return;
    }
    for (long m = 0; m < heard; m++)
        for (long j = g; j < g + width; j++) top = vmax(x[at[m] + j], top);
    for (long m = 0; m < heard; m++)
        for (long j = g; j < g + width; j++) total += x[at[m] + j] = vexp(x[at[m] + j] - top);
    total = 1.0f / total;
    for (long m = 0; m < heard; m++)
        for (long j = g; j < g + width; j++) x[at[m] + j] *= total;
}

static void assign(long HW, long M, long KK, long T, long J, const int64_t *windows, long among, const vec *r, vec *x) {
    for (long c = 0; c < HW; c++)
        for (long t = 0; t < T; t++) {
            long at[M], heard = 0;
            for (long m = 0; m < M; m++) {
                int64_t pk = windows[c * M + m];
                if (pk >= 0) at[heard++] = (pk / KK * KK * T + pk % KK * T + t) * J;
            }
            if (among == TYPES)
                for (long m = 0; m < heard; m++) divide(at + m, 1, 0, J, r, x);
            else if (among == ALL)
                divide(at, heard, 0, J, r, x);
            else
                for (long g = 0; g < J; g++) divide(at, heard, g, 1, r, x);
        }
}
#endif
