/* Sixteen floats at a time, in the vector extensions that gcc and clang share; the compiler splits them to what the machine has.
   Pitfall: no -ffast-math anywhere. NaN must stay NaN, and the rounding trick in vexp must not be simplified away. */
#ifndef DEEPTHEORY_VECTORS_H
#define DEEPTHEORY_VECTORS_H
#ifdef __FAST_MATH__
#error "these kernels need IEEE arithmetic: -ffast-math loses NaN"
#endif
#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(64)));
typedef int32_t ivec __attribute__((vector_size(64)));
enum { LANES = 16 };
#define INLINE static inline __attribute__((always_inline))

INLINE vec all(float x) { return (vec){0} + x; }
INLINE vec choose(ivec yes, vec a, vec b) { return (vec)(((ivec)a & yes) | ((ivec)b & ~yes)); }
INLINE vec vmax(vec a, vec b) { return choose(a > b, a, b); }

/* e^x for x <= 88; below -87 it is 0. Within 2 units of the last place. NaN in, NaN out. */
INLINE vec vexp(vec x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    vec shifted = x * 1.44269504088896f + magic;
    ivec n = (ivec)shifted - (ivec)all(magic);
    vec whole = shifted - magic;
    vec r = x - whole * 0.693145751953125f - whole * 1.42860682030941723212e-6f;
    vec p = all(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    vec y = (vec)((ivec)p + (n << 23));
    return choose(x < -87.0f, all(0.0f), y);
}

/* ln x for normal positive x, within 2 units of the last place. */
INLINE vec vlog(vec x) {
    ivec bits = (ivec)x, e = (bits >> 23) - 126;
    vec m = (vec)((bits & 0x007fffff) | 0x3f000000); /* [0.5, 1) */
    ivec low = m < 0.707106781186547524f;
    e += low; /* comparisons give -1 */
    m = m - 1.0f + choose(low, m, all(0.0f));
    vec z = m * m, y = all(7.0376836292e-2f);
    y = y * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    vec f = __builtin_convertvector(e, vec);
    y = y * m * z - 2.12194440e-4f * f - 0.5f * z;
    return m + y + 0.693359375f * f;
}

INLINE vec vabs(vec x) { return (vec)((ivec)x & 0x7fffffff); }

/* ln logistic(x) */
INLINE vec vlogsigmoid(vec x) { return -vmax(-x, all(0.0f)) - vlog(1.0f + vexp(-vabs(x))); }

#define MIX(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#if defined(__clang__)
#undef MIX
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#endif

/* Sums over the lanes of sixteen vectors, as one vector: lane k is the sum of rows[k]. */
INLINE vec lane_sums(const vec *rows) {
    vec a[8], b[4], c[2];
    for (int k = 0; k < 8; k++)
        a[k] = MIX(rows[2 * k], rows[2 * k + 1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
               MIX(rows[2 * k], rows[2 * k + 1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    for (int k = 0; k < 4; k++)
        b[k] = MIX(a[2 * k], a[2 * k + 1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
               MIX(a[2 * k], a[2 * k + 1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    for (int k = 0; k < 2; k++)
        c[k] = MIX(b[2 * k], b[2 * k + 1], 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
               MIX(b[2 * k], b[2 * k + 1], 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
    return MIX(c[0], c[1], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           MIX(c[0], c[1], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

INLINE vec vsqrt(vec x) {
    vec y;
    for (int k = 0; k < LANES; k++) y[k] = __builtin_sqrtf(x[k]);
    return y;
}

INLINE float lane_sum(vec x) {
    float total = 0;
    for (int k = 0; k < LANES; k++) total += x[k];
    return total;
}
#endif
