/* Dynamic routing (Sabour, Frosst & Hinton 2017, procedure 1), 16 examples in the lanes of a vector, C such chunks.

   Votes are never kept: child by child, while its weights are in the fastest cache, they are made again for every pass over the
   children, of which an iteration needs one. Logits are votes . A with A the sum of all earlier parents' outputs.

   ut [I][P][C] vec: children's outputs. w [I][J][Q][P]: weights. a, g, sum [C][J][Q] vec. coupling, gb [I][J][C] vec.
   Each function takes the children first..last-1; sums are of these alone, so that threads may share them out. */
#include "vectors.h"

typedef struct {
    const vec *ut;
    const float *w, *prior; /* prior [I][J] or NULL */
    long J, Q, P, C;
    int leaky;
} layer;

INLINE void vote(const layer *n, long i, long c, long P, vec *restrict v) {
    vec u[P];
    for (long p = 0; p < P; p++) u[p] = n->ut[(i * P + p) * n->C + c];
    const float *w = n->w + i * n->J * n->Q * P;
    for (long k = 0; k < n->J * n->Q; k++) {
        vec x = u[0] * w[k * P];
        for (long p = 1; p < P; p++) x += u[p] * w[k * P + p];
        v[k] = x;
    }
}

/* Couplings of child i from its votes: softmax over parents of votes . a (+ prior); a zero logit beside them if leaky. */
INLINE void couple(const layer *n, long i, const vec *restrict v, const vec *restrict a, vec *restrict c) {
    vec top = all(n->leaky ? 0.0f : -3.4e38f);
    for (long j = 0; j < n->J; j++) {
        vec logit = all(n->prior ? n->prior[i * n->J + j] : 0.0f);
        for (long q = 0; q < n->Q; q++) logit += v[j * n->Q + q] * a[j * n->Q + q];
        c[j] = logit;
        top = vmax(logit, top);
    }
    vec total = n->leaky ? vexp(-top) : all(0.0f);
    for (long j = 0; j < n->J; j++) total += c[j] = vexp(c[j] - top);
    for (long j = 0; j < n->J; j++) c[j] /= total;
}

INLINE void forward(const layer *n, long first, long last, long P, const vec *a, vec *sum, vec *v, vec *c) {
    long JQ = n->J * n->Q;
    for (long i = first; i < last; i++)
        for (long k = 0; k < n->C; k++) {
            vote(n, i, k, P, v);
            vec *s = sum + k * JQ;
            if (!a) {
                for (long e = 0; e < JQ; e++) s[e] += v[e];
                continue;
            }
            couple(n, i, v, a + k * JQ, c);
            for (long j = 0; j < n->J; j++)
                for (long q = 0; q < n->Q; q++) s[j * n->Q + q] += c[j] * v[j * n->Q + q];
        }
}

INLINE void backward(const layer *n, long first, long last, long P, const vec *a, const vec *g, vec *coupling, vec *gb, vec *sum, vec *v, vec *c) {
    long JQ = n->J * n->Q;
    for (long i = first; i < last; i++)
        for (long k = 0; k < n->C; k++) {
            vote(n, i, k, P, v);
            couple(n, i, v, a + k * JQ, c);
            vec *gc = c + n->J, mean = all(0.0f);
            for (long j = 0; j < n->J; j++) {
                vec x = all(0.0f);
                for (long q = 0; q < n->Q; q++) x += v[j * n->Q + q] * g[k * JQ + j * n->Q + q];
                gc[j] = x;
                mean += c[j] * x;
            }
            vec *s = sum + k * JQ;
            for (long j = 0; j < n->J; j++) {
                vec x = c[j] * (gc[j] - mean);
                coupling[(i * n->J + j) * n->C + k] = c[j];
                gb[(i * n->J + j) * n->C + k] = x;
                for (long q = 0; q < n->Q; q++) s[j * n->Q + q] += x * v[j * n->Q + q];
            }
        }
}

/* The gradient of the votes is a sum of outer products, factor [I][J][C] by side [C][J][Q], `terms` of them, and `even` for
   every child; it goes straight into gu [I][P][C] and gw [I][J][Q][P]. */
INLINE void finish(const layer *n, long first, long last, long P, long terms, const vec *const *factor, const vec *const *side, const vec *even, vec *gu, float *gw, vec *gv) {
    long J = n->J, Q = n->Q, C = n->C, JQ = J * Q;
    for (long i = first; i < last; i++) {
        const float *w = n->w + i * JQ * P;
        for (long k = 0; k < C; k++) {
            vec *x = gv + k * JQ;
            if (even)
                memcpy(x, even + k * JQ, JQ * sizeof(vec));
            else
                memset(x, 0, JQ * sizeof(vec));
            for (long t = 0; t < terms; t++)
                for (long j = 0; j < J; j++) {
                    vec f = factor[t][(i * J + j) * C + k];
                    for (long q = 0; q < Q; q++) x[j * Q + q] += f * side[t][k * JQ + j * Q + q];
                }
            vec u[P];
            memset(u, 0, sizeof u);
            for (long e = 0; e < JQ; e++)
                for (long p = 0; p < P; p++) u[p] += x[e] * w[e * P + p];
            for (long p = 0; p < P; p++) gu[(i * P + p) * C + k] = u[p];
        }
        const vec *ut = n->ut + i * P * C;
        float *out = gw + i * JQ * P;
        for (long e0 = 0; e0 < JQ * P; e0 += LANES) {
            vec rows[LANES];
            for (long r = 0; r < LANES; r++) {
                rows[r] = all(0.0f);
                if (e0 + r >= JQ * P) continue;
                const vec *x = gv + (e0 + r) / P, *up = ut + (e0 + r) % P * C;
                for (long k = 0; k < C; k++) rows[r] += x[k * JQ] * up[k];
            }
            vec sums = lane_sums(rows);
            for (long r = 0; r < LANES && e0 + r < JQ * P; r++) out[e0 + r] += sums[r];
        }
    }
}

#define BY_SIZE(call) \
    switch (n.P) { \
    case 8: { const long P = 8; call; break; } \
    case 16: { const long P = 16; call; break; } \
    default: { const long P = n.P; call; } \
    }

void route_forward(const float *ut, const float *w, const float *prior, long J, long Q, long P_, long C, long leaky, long first, long last, const float *a, float *sum, float *work) {
    layer n = {(const vec *)ut, w, prior, J, Q, P_, C, (int)leaky};
    vec *v = (vec *)work;
    BY_SIZE(forward(&n, first, last, P, (const vec *)a, (vec *)sum, v, v + J * Q))
}

void route_backward(const float *ut, const float *w, const float *prior, long J, long Q, long P_, long C, long leaky, long first, long last, const float *a, const float *g, float *coupling, float *gb, float *sum, float *work) {
    layer n = {(const vec *)ut, w, prior, J, Q, P_, C, (int)leaky};
    vec *v = (vec *)work;
    BY_SIZE(backward(&n, first, last, P, (const vec *)a, (const vec *)g, (vec *)coupling, (vec *)gb, (vec *)sum, v, v + J * Q))
}

void route_finish(const float *ut, const float *w, long J, long Q, long P_, long C, long first, long last, long terms, const float *const *factor, const float *const *side, const float *even, float *gu, float *gw, float *work) {
    layer n = {(const vec *)ut, w, 0, J, Q, P_, C, 0};
    BY_SIZE(finish(&n, first, last, P, terms, (const vec *const *)factor, (const vec *const *)side, (const vec *)even, (vec *)gu, gw, (vec *)work))
}
