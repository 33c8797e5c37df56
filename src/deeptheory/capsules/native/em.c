/* EM routing (Hinton, Sabour & Frosst 2018, Procedure 1), 16 examples in the lanes of a vector.

   A parent stands at one of P positions and is one of J types; it hears N = KK * T children, window offset times child type. Its
   votes (N times 16 numbers) are made again at every visit and live in the second cache meanwhile; what is kept has the size of the
   assignments, a sixteenth of them. Moments are about the mean, in a second pass over the votes: no cancellation.

   pose [HW][T][16], a [HW][T]: children. at [P][KK]: child position. w [J][N][16], or [J][N][16][16] where a pose is a vector
   (full): weights, transposed for reading. where [N][16] or NULL: added to votes. shares: a parent's activation is its share of the
   mass at its position, and logit is the logarithm of it; else a cost decides. r, g [P][N][J]: assignments and gradients of logits. mean, var [P][J][16], mass, logit [P][J].
   All are vectors but at, w, where, first and the betas. */
#include "assign.h"
enum { H = 16 };

typedef struct {
    const vec *pose, *a;
    const int64_t *at;
    const float *w, *where, *first, *beta_u, *beta_a;
    long P, KK, T, J, full, shares;
    float lambda, damping, var_floor, mass_floor; /* lambda: with the variant's scale */
} layer;

INLINE long children(const layer *n) { return n->KK * n->T; }
INLINE long weights(const layer *n) { return n->full ? H * H : H; }

/* A vote from a pose of 4x4 numbers or of 16; four numbers of it at a time stay in registers. */
INLINE void product(const vec *restrict m, const float *restrict w, vec *restrict v) {
    for (int x = 0; x < 4; x++)
        for (int y = 0; y < 4; y++)
            v[4 * x + y] = m[4 * x] * w[y] + m[4 * x + 1] * w[4 + y] + m[4 * x + 2] * w[8 + y] + m[4 * x + 3] * w[12 + y];
}

INLINE void full_product(const vec *restrict m, const float *restrict w, vec *restrict v) {
    for (int y = 0; y < H; y += 4) {
        vec sum[4];
        for (int k = 0; k < 4; k++) sum[k] = m[0] * w[y + k];
        for (int x = 1; x < H; x++)
            for (int k = 0; k < 4; k++) sum[k] += m[x] * w[x * H + y + k];
        for (int k = 0; k < 4; k++) v[y + k] = sum[k];
    }
}

/* From x, the gradient of a vote: to gm that of the pose, to gw that of the weights, summed over examples. */
INLINE void product_back(const vec *restrict m, const float *restrict w, const vec *restrict x, vec *restrict gm, float *restrict gw) {
    vec rows[H];
    for (int a = 0; a < 4; a++)
        for (int z = 0; z < 4; z++) {
            gm[4 * a + z] += x[4 * a] * w[4 * z] + x[4 * a + 1] * w[4 * z + 1] + x[4 * a + 2] * w[4 * z + 2] + x[4 * a + 3] * w[4 * z + 3];
            rows[4 * a + z] = m[a] * x[z] + m[4 + a] * x[4 + z] + m[8 + a] * x[8 + z] + m[12 + a] * x[12 + z];
        }
    vec sums = lane_sums(rows);
    for (int e = 0; e < H; e++) gw[e] += sums[e];
}

INLINE void full_product_back(const vec *restrict m, const float *restrict w, const vec *restrict x, vec *restrict gm, float *restrict gw) {
    vec turned[LANES]; /* an example's gradient in the lanes, so that a row of the weights' gradient is a vector */
    for (int l = 0; l < LANES; l++)
        for (int y = 0; y < H; y++) turned[l][y] = x[y][l];
    for (int r = 0; r < H; r++) {
        vec sum = x[0] * w[r * H], row;
        for (int y = 1; y < H; y++) sum += x[y] * w[r * H + y];
        gm[r] += sum;
        memcpy(&row, gw + r * H, sizeof row);
        for (int l = 0; l < LANES; l++) row += turned[l] * m[r][l];
        memcpy(gw + r * H, &row, sizeof row);
    }
}

/* Votes of all children of window p for type j. */
INLINE void vote(const layer *n, long p, long j, vec *restrict v) {
    const float *w = n->w + j * children(n) * weights(n);
    for (long k = 0; k < n->KK; k++) {
        const vec *m = n->pose + n->at[p * n->KK + k] * n->T * H;
        if (n->full)
            for (long t = 0; t < n->T; t++, m += H, w += H * H, v += H) full_product(m, w, v);
        else
            for (long t = 0; t < n->T; t++, m += H, w += H, v += H) product(m, w, v);
    }
    if (n->where) {
        v -= children(n) * H;
        for (long e = 0; e < children(n) * H; e++) v[e] += n->where[e];
    }
}

/* R_ij a_i of the children of window p for type j, and their sum; r == NULL: the first assignment. */
INLINE vec weigh(const layer *n, long p, long j, const vec *r, vec *restrict out) {
    vec total = all(0.0f);
    const vec *rp = r ? r + p * children(n) * n->J + j : 0;
    for (long k = 0; k < n->KK; k++) {
        const vec *a = n->a + n->at[p * n->KK + k] * n->T;
        for (long t = 0; t < n->T; t++, out++) {
            *out = a[t] * (r ? rp[(k * n->T + t) * n->J] : all(n->first[p * n->KK + k]));
            total += *out;
        }
    }
    return total;
}

INLINE vec sum_of(const vec *x, long n) {
    vec total = all(0.0f);
    for (long e = 0; e < n; e++) total += x[e];
    return total;
}

/* One iteration for the windows first..last-1. before: the previous mean, or NULL. out: logits of the next E-step, or NULL. */
static void iterate(const layer *n, long first, long last, const vec *r, const vec *before, vec *mean, vec *var, vec *mass, vec *logit, vec *out, vec *work) {
    long N = children(n);
    vec *v = work, *u = work + N * H;
    for (long p = first; p < last; p++)
        for (long j = 0; j < n->J; j++) {
            long s = p * n->J + j;
            vote(n, p, j, v);
            vec total = weigh(n, p, j, r, u) + n->mass_floor, m[H], q[H];
            for (int h = 0; h < H; h++) m[h] = q[h] = all(0.0f);
            for (long i = 0; i < N; i++)
                for (int h = 0; h < H; h++) m[h] += u[i] * v[i * H + h];
            for (int h = 0; h < H; h++) {
                m[h] = m[h] / total * (1 - n->damping);
                if (before) m[h] += before[s * H + h] * n->damping;
            }
            for (long i = 0; i < N; i++)
                for (int h = 0; h < H; h++) {
                    vec d = v[i * H + h] - m[h];
                    q[h] += u[i] * d * d;
                }
            vec logs = all(0.0f);
            for (int h = 0; h < H; h++) {
                q[h] = q[h] / total + n->var_floor;
                logs += vlog(q[h]);
                mean[s * H + h] = m[h];
                var[s * H + h] = q[h];
            }
            logs *= 0.5f;
            vec x = n->lambda * (n->beta_a[j] - (H * n->beta_u[j] + logs) * total);
            mass[s] = total;
            logit[s] = x;
            if (!out) continue;
            vec constant = (n->shares ? vlog(total) : vlogsigmoid(x)) - logs, half[H];
            for (int h = 0; h < H; h++) half[h] = -0.5f / q[h];
            for (long i = 0; i < N; i++) {
                vec l[4] = {constant, all(0.0f), all(0.0f), all(0.0f)};
                for (int h = 0; h < H; h++) {
                    vec d = v[i * H + h] - m[h];
                    l[h % 4] += half[h] * d * d;
                }
                out[(p * N + i) * n->J + j] = (l[0] + l[1]) + (l[2] + l[3]);
            }
        }
    if (!n->shares) return;
    for (long p = first; p < last; p++) {
        vec whole = vlog(sum_of(mass + p * n->J, n->J));
        for (long s = p * n->J; s < (p + 1) * n->J; s++) logit[s] = vlog(mass[s]) - whole;
        if (!out) continue;
        for (long e = p * N * n->J; e < (p + 1) * N * n->J; e++) out[e] -= whole;
    }
}

/* Backward of one iteration. gl: gradient of its logits, or NULL after the last. gmean [P][J][16]: in, the gradient of the mean;
   out, that of the previous mean. glogit [P][J]: gradient of the logit from above (the output's). coef [P][J][2][16]: out, alpha and
   gamma for `finish`. gr: out, gradient of the assignments, or NULL. ga [HW][T], gbu, gba [J]: added to. */
static void iterate_back(const layer *n, long first, long last, const vec *r, const vec *before, const vec *mean, const vec *var, const vec *mass, const vec *logit, const vec *gl, vec *gmean, const vec *glogit, vec *coef, vec *gr, vec *ga, vec *gbu, vec *gba, vec *work) {
    long N = children(n);
    vec *v = work, *u = work + N * H;
    for (long p = first; p < last; p++) {
        vec above = all(0.0f); /* shares: gradients of the logarithms of all of them, over the whole mass */
        if (n->shares) {
            if (glogit) above += sum_of(glogit + p * n->J, n->J);
            if (gl) above += sum_of(gl + p * N * n->J, N * n->J);
            above /= sum_of(mass + p * n->J, n->J);
        }
        for (long j = 0; j < n->J; j++) {
            long s = p * n->J + j;
            vote(n, p, j, v);
            weigh(n, p, j, r, u);
            const vec *m = mean + s * H, *q = var + s * H;
            vec total = mass[s], x = logit[s], logs = all(0.0f), gx = glogit ? glogit[s] : all(0.0f), glogs = all(0.0f);
            vec gm[H], gq[H], iv[H];
            for (int h = 0; h < H; h++) {
                iv[h] = 1.0f / q[h];
                logs += vlog(q[h]);
                gm[h] = gmean[s * H + h];
                gq[h] = all(0.0f);
            }
            logs *= 0.5f;
            if (gl) {
                vec s0 = all(0.0f), s1[H], s2[H];
                for (int h = 0; h < H; h++) s1[h] = s2[h] = all(0.0f);
                for (long i = 0; i < N; i++) {
                    vec g = gl[(p * N + i) * n->J + j];
                    s0 += g;
                    for (int h = 0; h < H; h++) {
                        vec d = v[i * H + h] - m[h], gd = g * d;
                        s1[h] += gd;
                        s2[h] += gd * d;
                    }
                }
                for (int h = 0; h < H; h++) {
                    gm[h] += iv[h] * s1[h];
                    gq[h] = 0.5f * iv[h] * iv[h] * s2[h];
                }
                glogs = -s0;
                gx += n->shares ? s0 : s0 / (1.0f + vexp(x)); /* s0 * logistic(-x) */
            }
            vec gcost = n->shares ? all(0.0f) : -n->lambda * gx, S = all(0.0f);
            vec gmass = n->shares ? gx / total - above : gcost * (H * n->beta_u[j] + logs);
            gba[j] -= gcost;
            gbu[j] += gcost * total * (float)H;
            glogs += gcost * total;
            vec shares = 1.0f - n->mass_floor / total, per = 1.0f / total, alpha[H], gamma[H];
            for (int h = 0; h < H; h++) {
                gq[h] += 0.5f * glogs * iv[h];
                vec old = before ? before[s * H + h] * n->damping : all(0.0f);
                vec weighted = (m[h] - old) / (1 - n->damping);
                gm[h] -= 2.0f * gq[h] * (weighted - m[h] * shares);
                gmean[s * H + h] = gm[h] * n->damping;
                gm[h] *= 1 - n->damping;
                S += gq[h] * (q[h] - n->var_floor) + gm[h] * weighted;
                alpha[h] = 2.0f * gq[h] * per;
                gamma[h] = gm[h] * per;
                coef[(s * 2) * H + h] = alpha[h];
                coef[(s * 2 + 1) * H + h] = gamma[h];
            }
            gmass -= S * per;
            for (long k = 0; k < n->KK; k++) {
                long child = n->at[p * n->KK + k] * n->T;
                for (long t = 0; t < n->T; t++) {
                    long i = k * n->T + t;
                    vec l[4] = {gmass, all(0.0f), all(0.0f), all(0.0f)};
                    for (int h = 0; h < H; h++) {
                        vec d = v[i * H + h] - m[h];
                        l[h % 4] += 0.5f * alpha[h] * d * d + gamma[h] * v[i * H + h];
                    }
                    vec gw = (l[0] + l[1]) + (l[2] + l[3]);
                    long e = (p * N + i) * n->J + j;
                    ga[child + t] += gw * (r ? r[e] : all(n->first[p * n->KK + k]));
                    if (gr) gr[e] = gw * n->a[child + t];
                }
            }
        }
    }
}

/* Gradients of poses and weights from all iterations: that of a vote is sum_t (V - mean)(alpha w - g / var) + gamma w. */
typedef struct { const vec *r, *gl, *mean, *var, *coef; } iteration;

static void finish(const layer *n, long first, long last, long terms, const iteration *it, vec *gpose, float *gw, vec *work) {
    long N = children(n);
    vec *v = work, *u = work + N * H, *gv = u + N;
    for (long p = first; p < last; p++)
        for (long j = 0; j < n->J; j++) {
            long s = p * n->J + j;
            vote(n, p, j, v);
            for (long t = 0; t < terms; t++) {
                const vec *m = it[t].mean + s * H, *alpha = it[t].coef + s * 2 * H, *gamma = alpha + H;
                vec iv[H];
                for (int h = 0; h < H; h++) iv[h] = 1.0f / it[t].var[s * H + h];
                weigh(n, p, j, it[t].r, u);
                for (long i = 0; i < N; i++) {
                    vec g = it[t].gl ? it[t].gl[(p * N + i) * n->J + j] : all(0.0f);
                    for (int h = 0; h < H; h++) {
                        vec x = (v[i * H + h] - m[h]) * (alpha[h] * u[i] - g * iv[h]) + gamma[h] * u[i];
                        gv[i * H + h] = t ? gv[i * H + h] + x : x;
                    }
                }
            }
            const float *w = n->w + j * N * weights(n);
            for (long k = 0; k < n->KK; k++) {
                long child = n->at[p * n->KK + k] * n->T;
                for (long t = 0; t < n->T; t++) {
                    long i = k * n->T + t;
                    long e = i * weights(n);
                    const vec *m = n->pose + (child + t) * H, *x = gv + i * H;
                    vec *gm = gpose + (child + t) * H;
                    float *out = gw + j * N * weights(n) + e;
                    if (n->full) full_product_back(m, w + e, x, gm, out);
                    else product_back(m, w + e, x, gm, out);
                }
            }
        }
}

void em_iterate(const layer *n, const float *r, const float *before, float *mean, float *var, float *mass, float *logit, float *out, float *work) {
    iterate(n, 0, n->P, (const vec *)r, (const vec *)before, (vec *)mean, (vec *)var, (vec *)mass, (vec *)logit, (vec *)out, (vec *)work);
}

void em_iterate_back(const layer *n, const float *r, const float *before, const float *mean, const float *var, const float *mass, const float *logit, const float *gl, float *gmean, const float *glogit, float *coef, float *gr, float *ga, float *gbu, float *gba, float *work) {
    iterate_back(n, 0, n->P, (const vec *)r, (const vec *)before, (const vec *)mean, (const vec *)var, (const vec *)mass, (const vec *)logit, (const vec *)gl, (vec *)gmean, (const vec *)glogit, (vec *)coef, (vec *)gr, (vec *)ga, (vec *)gbu, (vec *)gba, (vec *)work);
}

void em_finish(const layer *n, long terms, const iteration *it, float *gpose, float *gw, float *work) {
    finish(n, 0, n->P, terms, it, (vec *)gpose, gw, (vec *)work);
}

void em_assign(const layer *n, long HW, long M, const int64_t *windows, long together, const float *r, float *x) {
    assign(HW, M, n->KK, n->T, n->J, windows, together ? ALL : POSITIONS, (const vec *)r, (vec *)x);
}
