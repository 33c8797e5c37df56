/* Dynamic routing in windows (Sabour, Frosst & Hinton 2017, procedure 1, with weights shared over positions), 16 examples in the
   lanes of a vector.

   A parent stands at one of P positions and is one of J types; it hears N = KK * T children, window offset times child type. Votes
   are made again in every pass and never kept; what is kept of a pass are couplings. Two passes serve forward and backward:
   `products` (votes . a: logits, and gradients of couplings) and `sums` (coupling times vote, and the gradient of a).

   u [HW][T][D] vec. at [P][KK]: child position. w [N][J][Q][D]. first [P][KK]: first couplings. a, sum [P][J][Q] vec;
   c, x [P][N][J] vec. Each function takes the windows first..last-1; gradients of u and w are of these alone. */
#include "assign.h"

typedef struct {
    const vec *u;
    const int64_t *at;
    const float *w, *first;
    long P, KK, T, J, Q, D;
} layer;

INLINE void load(const layer *n, long p, long k, long t, long D, vec *u) {
    const vec *from = n->u + (n->at[p * n->KK + k] * n->T + t) * D;
    for (long d = 0; d < D; d++) u[d] = from[d];
}

INLINE vec vote(const vec *u, const float *w, long D) {
    vec x = u[0] * w[0];
    for (long d = 1; d < D; d++) x += u[d] * w[d];
    return x;
}

INLINE void products(const layer *n, long first, long last, long D, const vec *a, vec *x) {
    long N = n->KK * n->T, J = n->J, Q = n->Q;
    for (long p = first; p < last; p++)
        for (long k = 0; k < n->KK; k++)
            for (long t = 0; t < n->T; t++) {
                long i = k * n->T + t;
                vec u[D];
                load(n, p, k, t, D, u);
                const float *w = n->w + i * J * Q * D;
                const vec *ap = a + p * J * Q;
                for (long j = 0; j < J; j++) {
                    vec sum = all(0.0f);
                    for (long q = 0; q < Q; q++, w += D, ap++) sum += vote(u, w, D) * *ap;
                    x[(p * N + i) * J + j] = sum;
                }
            }
}

INLINE void sums(const layer *n, long first, long last, long D, const vec *c, vec *sum) {
    long N = n->KK * n->T, J = n->J, Q = n->Q;
    for (long p = first; p < last; p++) {
        memset(sum + p * J * Q, 0, J * Q * sizeof(vec));
        for (long k = 0; k < n->KK; k++)
            for (long t = 0; t < n->T; t++) {
                long i = k * n->T + t;
                vec u[D], even = all(n->first[p * n->KK + k]);
                load(n, p, k, t, D, u);
                const float *w = n->w + i * J * Q * D;
                vec *s = sum + p * J * Q;
                for (long j = 0; j < J; j++) {
                    vec f = c ? c[(p * N + i) * J + j] : even;
                    for (long q = 0; q < Q; q++, w += D, s++) *s += f * vote(u, w, D);
                }
            }
    }
}

/* The gradient of the votes is a sum of outer products, factor [P][N][J] by side [P][J][Q], `terms` of them, and the first couplings
   by `even` or NULL; it goes straight into gu [HW][T][D] and gw [N][J][Q][D], both added to. gv: J * Q vec of work. */
INLINE void finish(const layer *n, long first, long last, long D, long terms, const vec *const *factor, const vec *const *side, const vec *even, vec *gu, float *gw, vec *gv) {
    long N = n->KK * n->T, J = n->J, Q = n->Q, JQ = J * Q;
    for (long p = first; p < last; p++)
        for (long k = 0; k < n->KK; k++)
            for (long t = 0; t < n->T; t++) {
                long i = k * n->T + t;
                vec u[D], g[D], f0 = all(even ? n->first[p * n->KK + k] : 0.0f);
                load(n, p, k, t, D, u);
                for (long e = 0; e < JQ; e++) gv[e] = even ? f0 * even[p * JQ + e] : all(0.0f);
                for (long m = 0; m < terms; m++)
                    for (long j = 0; j < J; j++) {
                        vec f = factor[m][(p * N + i) * J + j];
                        for (long q = 0; q < Q; q++) gv[j * Q + q] += f * side[m][p * JQ + j * Q + q];
                    }
                const float *w = n->w + i * JQ * D;
                for (long d = 0; d < D; d++) g[d] = all(0.0f);
                for (long e = 0; e < JQ; e++)
                    for (long d = 0; d < D; d++) g[d] += gv[e] * w[e * D + d];
                vec *to = gu + (n->at[p * n->KK + k] * n->T + t) * D;
                for (long d = 0; d < D; d++) to[d] += g[d];
                float *out = gw + i * JQ * D;
                for (long e0 = 0; e0 < JQ * D; e0 += LANES) {
                    vec rows[LANES];
                    for (long r = 0; r < LANES; r++) rows[r] = e0 + r < JQ * D ? gv[(e0 + r) / D] * u[(e0 + r) % D] : all(0.0f);
                    vec total = lane_sums(rows);
                    for (long r = 0; r < LANES && e0 + r < JQ * D; r++) out[e0 + r] += total[r];
                }
            }
}

#define BY_SIZE(call) \
    switch (n->D) { \
    case 4: { const long D = 4; call; break; } \
    case 8: { const long D = 8; call; break; } \
    case 16: { const long D = 16; call; break; } \
    default: { const long D = n->D; call; } \
    }

void windowed_products(const layer *n, long first, long last, const float *a, float *x) {
    BY_SIZE(products(n, first, last, D, (const vec *)a, (vec *)x))
}

void windowed_sums(const layer *n, long first, long last, const float *c, float *sum) {
    BY_SIZE(sums(n, first, last, D, (const vec *)c, (vec *)sum))
}

void windowed_finish(const layer *n, long first, long last, long terms, const float *const *factor, const float *const *side, const float *even, float *gu, float *gw, float *work) {
    BY_SIZE(finish(n, first, last, D, terms, (const vec *const *)factor, (const vec *const *)side, (const vec *)even, (vec *)gu, gw, (vec *)work))
}

void windowed_assign(const layer *n, long HW, long M, const int64_t *windows, long among, const float *r, float *x) {
    assign(HW, M, n->KK, n->T, n->J, windows, among, (const vec *)r, (vec *)x);
}
