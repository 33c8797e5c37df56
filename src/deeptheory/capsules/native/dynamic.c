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

/* Squash (`squashing.py` says why vectors are divided by their largest number): s [Q] -> v [Q]; and its backward, g -> gs. */
INLINE void shrink(const vec *s, long Q, vec *m, vec *n2) {
    vec top = all(1.0f), sum = all(0.0f);
    for (long q = 0; q < Q; q++) top = vmax(vabs(s[q]), top);
    *m = 1.0f / top;
    for (long q = 0; q < Q; q++) {
        vec t = s[q] * *m;
        sum += t * t;
    }
    *n2 = sum;
}

INLINE void squash(const vec *s, long Q, vec *v) {
    vec m, n2;
    shrink(s, Q, &m, &n2);
    vec factor = m * (n2 / (n2 + m * m) / vsqrt(n2 + 1e-12f * m * m));
    for (long q = 0; q < Q; q++) v[q] = s[q] * factor;
}

INLINE void squash_back(const vec *s, long Q, const vec *g, vec *gs) {
    vec m, n2, along = all(0.0f);
    shrink(s, Q, &m, &n2);
    vec m2 = m * m, root = 1.0f / vsqrt(n2 + 1e-12f * m2), share = n2 / (n2 + m2);
    for (long q = 0; q < Q; q++) along += s[q] * m * g[q];
    vec slope = 2.0f * root * (m2 / ((n2 + m2) * (n2 + m2)) - 0.5f * share * root * root) * along;
    for (long q = 0; q < Q; q++) gs[q] = m * (share * root * g[q] + slope * (s[q] * m));
}

/* All iterations. bias [J][Q] or NULL. sums [iterations][C][J][Q] vec: out, what is squashed. v, a [C][J][Q]: out, the last output,
   and work; work: (Q + 2) J vec. */
INLINE void whole(const layer *n, long I, long P, long iterations, const float *bias, vec *sums, vec *v, vec *a, vec *work) {
    long JQ = n->J * n->Q, all_of_them = n->C * JQ;
    float share = 1.0f / (n->J + n->leaky);
    memset(a, 0, all_of_them * sizeof(vec));
    for (long r = 0; r < iterations; r++) {
        vec *s = sums + r * all_of_them;
        memset(s, 0, all_of_them * sizeof(vec));
        forward(n, 0, I, P, r || n->prior ? a : 0, s, work, work + JQ);
        for (long e = 0; e < all_of_them; e++) {
            if (!r && !n->prior) s[e] *= share;
            if (bias) s[e] += bias[e % JQ];
        }
        for (long e = 0; e < all_of_them; e += n->Q) squash(s + e, n->Q, v + e);
        for (long e = 0; e < all_of_them; e++) a[e] += v[e];
    }
}

/* Its backward. g [C][J][Q]: of the output. detach: no gradient through couplings. couplings: work, 2 iterations [I][J][C]; sides:
   work, 2 iterations + 3 times [C][J][Q]; work: (C Q + 2) J vec. gu [I][P][C]: out. gw [I][J][Q][P], gbias [J][Q], gprior [I][J] or NULL: added to. */
INLINE void whole_back(const layer *n, long I, long P, long iterations, long detach, const vec *sums, const vec *g, vec *couplings, vec *sides, vec *gu, float *gw, float *gbias, float *gprior, vec *work) {
    long JQ = n->J * n->Q, size = n->C * JQ, each = I * n->J * n->C, terms = 0;
    float share = 1.0f / (n->J + n->leaky);
    const vec *factor[2 * iterations], *side[2 * iterations], *even = 0;
    vec *flowing = sides, *v = sides + size, *ga = sides + 2 * size, *next = sides + 3 * size;
    memcpy(flowing, g, size * sizeof(vec));
    for (long t = iterations - 1; t >= 0; t--) {
        vec *gs = next, *above = next + size;
        next += 2 * size;
        for (long e = 0; e < size; e += n->Q) squash_back(sums + t * size + e, n->Q, flowing + e, gs + e);
        if (t == iterations - 1) memset(flowing, 0, size * sizeof(vec));
        for (long e = 0; gbias && e < size; e++) gbias[e % JQ] += lane_sum(gs[e]);
        if (!t && !n->prior) {
            for (long e = 0; e < size; e++) gs[e] *= share;
            even = gs;
            break;
        }
        memset(above, 0, size * sizeof(vec));
        for (long r = 0; r < t; r++)
            for (long e = 0; e < size; e += n->Q) {
                squash(sums + r * size + e, n->Q, v);
                for (long q = 0; q < n->Q; q++) above[e + q] += v[q];
            }
        vec *coupling = couplings + 2 * t * each, *gb = coupling + each;
        memset(ga, 0, size * sizeof(vec));
        backward(n, 0, I, P, above, gs, coupling, gb, ga, work, work + JQ);
        factor[terms] = coupling, side[terms++] = gs;
        for (long e = 0; gprior && e < each; e++) gprior[e / n->C] += lane_sum(gb[e]);
        if (detach) break;
        if (t) factor[terms] = gb, side[terms++] = above;
        for (long e = 0; e < size; e++) flowing[e] += ga[e];
    }
    finish(n, 0, I, P, terms, factor, side, even, gu, gw, work);
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

void route_whole(const float *ut, const float *w, const float *prior, long J, long Q, long P_, long C, long leaky, long I, long iterations, const float *bias, float *sums, float *v, float *a, float *work) {
    layer n = {(const vec *)ut, w, prior, J, Q, P_, C, (int)leaky};
    BY_SIZE(whole(&n, I, P, iterations, bias, (vec *)sums, (vec *)v, (vec *)a, (vec *)work))
}

void route_whole_back(const float *ut, const float *w, const float *prior, long J, long Q, long P_, long C, long leaky, long I, long iterations, long detach, const float *sums, const float *g, float *couplings, float *sides, float *gu, float *gw, float *gbias, float *gprior, float *work) {
    layer n = {(const vec *)ut, w, prior, J, Q, P_, C, (int)leaky};
    BY_SIZE(whole_back(&n, I, P, iterations, detach, (const vec *)sums, (const vec *)g, (vec *)couplings, (vec *)sides, (vec *)gu, gw, gbias, gprior, (vec *)work))
}
