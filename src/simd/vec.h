/* Vectors of numbers for kernels: the only file of theirs with intrinsics.
 * A kernel file is compiled once per target and precision, with -DSPL_TARGET=<scalar|v3|
 * v4> and -DSPL_LANES=<1|4|8>, in single precision -DSPL_SINGLE and twice as many lanes
 * (but one for scalar); all operations are exactly rounded, so every target gives the
 * same bits lane by lane. */
#ifndef SPL_SIMD_VEC_H
#define SPL_SIMD_VEC_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/tile.h"

#if SPL_LANES > 1
#include <immintrin.h>
#endif

#define SPL_PASTE2(a, b)   a##_##b
#define SPL_PASTE(a, b)    SPL_PASTE2(a, b)
#define SPL_TARGETED(name) SPL_PASTE(name, SPL_TARGET)

/* Before a short loop over vectors: keeps them in registers and interleaved, and lets go
 * of those nobody reads. Not in builds with sanitizers, whose checks gcc unrolls for many
 * minutes, and not for single numbers: the code is as fast without and made in half the
 * time. */
#if defined(SPL_SANITIZED) || SPL_LANES == 1
#define SPL_UNROLL
#elif defined(__clang__)
#define SPL_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SPL_UNROLL _Pragma("GCC unroll 16")
#endif

/* The compiler forgets what it has loaded: constants of the nodes are then read again
 * from L1, as operands, instead of being spilled to the stack (a 512-bit store costs two
 * cycles, a load none). */
#define SPL_RELOAD() __asm__ volatile("" ::: "memory")

/* An integer of the size of a number: its bits, and the sign of a comparison. */
#ifdef SPL_SINGLE
typedef uint32_t spl_bits;
typedef int32_t spl_mask;
#else
typedef uint64_t spl_bits;
typedef int64_t spl_mask;
#endif

#define VEC_BYTES (SPL_REAL_BYTES * SPL_LANES)

typedef spl_real vec __attribute__((vector_size(VEC_BYTES)));
/* A vector in memory, aligned as its elements; aliases spl_real and nothing else. */
typedef spl_real vec_memory
    __attribute__((vector_size(VEC_BYTES), aligned(SPL_REAL_BYTES)));
typedef spl_bits vec_uint __attribute__((vector_size(VEC_BYTES)));
typedef spl_mask vec_mask __attribute__((vector_size(VEC_BYTES)));

/* 64-bit words in a register of the same size, for the generator of random numbers. */
#define VEC_WORDS (VEC_BYTES < 8 ? 1 : VEC_BYTES / 8)
typedef uint64_t vec_u64 __attribute__((vector_size(8 * VEC_WORDS)));

#define VEC_INLINE static inline __attribute__((always_inline, unused))

/* A body compiled once for each set of constant arguments; in builds with sanitizers,
 * where that takes minutes, once for all. */
#if defined(SPL_SANITIZED)
#define VEC_SPECIALISED static __attribute__((noinline, unused))
#else
#define VEC_SPECIALISED VEC_INLINE
#endif

/* The same number, rounded to the precision, in every lane. */
VEC_INLINE vec vec_set(double x)
{
    return (spl_real)x - (vec){0};
}

VEC_INLINE vec vec_load(const spl_real *p)
{
    return *(const vec_memory *)p;
}

VEC_INLINE void vec_store(spl_real *p, vec x)
{
    *(vec_memory *)p = x;
}

/* The first `count` lanes, at most all, as floats. */
VEC_INLINE void vec_store_f4(float *p, vec x, size_t count)
{
    typedef float vec_f4 __attribute__((vector_size(4 * SPL_LANES), aligned(4)));
    const vec_f4 all = __builtin_convertvector(x, vec_f4);
    if (count >= SPL_LANES) {
        *(vec_f4 *)p = all;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        p[i] = all[i];
    }
}

/* Bring the cache lines of some bytes near, the first of which is in the first of them,
 * while the processor does other things. */
VEC_INLINE void vec_fetch(const void *first, size_t bytes)
{
    enum { LINE = 64 };
    for (size_t at = 0; at < bytes; at += LINE) {
        __builtin_prefetch((const char *)first + at);
    }
}

VEC_INLINE vec_uint vec_bits(vec x)
{
    return (vec_uint)x;
}

VEC_INLINE vec vec_from_bits(vec_uint x)
{
    return (vec)x;
}

/* Intrinsics on numbers and on 64-bit integers. */
#if VEC_BYTES == 64
#define VEC_PREFIX(name) _mm512_##name
#elif VEC_BYTES == 32
#define VEC_PREFIX(name) _mm256_##name
#endif
#ifdef SPL_SINGLE
#define VEC_OPERATION(name) VEC_PREFIX(name##_ps)
#else
#define VEC_OPERATION(name) VEC_PREFIX(name##_pd)
#endif

/* a where the mask is -1, b where it is 0. */
VEC_INLINE vec vec_select(vec_mask mask, vec a, vec b)
{
#if VEC_BYTES == 32
    return (vec)VEC_OPERATION(blendv)(b, a, (vec)mask);
#else
    return (vec)(((vec_uint)mask & (vec_uint)a) | (~(vec_uint)mask & (vec_uint)b));
#endif
}

/* The lanes where the mask is -1, as bits, lane 0 lowest. */
VEC_INLINE unsigned vec_mask_bits(vec_mask mask)
{
#if SPL_LANES == 16
    return (unsigned)_mm512_movepi32_mask((__m512i)mask);
#elif VEC_BYTES == 64
    return (unsigned)_mm512_movepi64_mask((__m512i)mask);
#elif VEC_BYTES == 32
    return (unsigned)VEC_OPERATION(movemask)((vec)mask);
#else
    return mask[0] != 0 ? 1u : 0u;
#endif
}

VEC_INLINE int vec_any(vec_mask mask)
{
    return vec_mask_bits(mask) != 0;
}

/* Which lanes are read or written: the first `count`. */
#if SPL_LANES == 16
typedef __mmask16 vec_lanes;
#elif VEC_BYTES == 64
typedef __mmask8 vec_lanes;
#else
typedef vec_mask vec_lanes;
#endif

VEC_INLINE vec_lanes vec_first_lanes(size_t count)
{
#if VEC_BYTES == 64
    return (vec_lanes)(count >= SPL_LANES ? (1u << SPL_LANES) - 1u : (1u << count) - 1u);
#elif SPL_LANES > 1
    vec_mask lane;
    for (int i = 0; i < SPL_LANES; i++) {
        lane[i] = i;
    }
    return lane < (spl_mask)count;
#else
    return (vec_mask){count > 0 ? -1 : 0};
#endif
}

/* The numbers at p, zero in the other lanes, which are not read. */
VEC_INLINE vec vec_load_lanes(const spl_real *p, vec_lanes lanes)
{
#if VEC_BYTES == 64
    return (vec)VEC_OPERATION(maskz_loadu)(lanes, p);
#elif SPL_LANES > 1
    return (vec)VEC_OPERATION(maskload)(p, (__m256i)lanes);
#else
    return (vec){lanes[0] != 0 ? *p : 0};
#endif
}

/* The first `count` numbers at p, zero in the other lanes, which are not read. */
VEC_INLINE vec vec_load_first(const spl_real *p, size_t count)
{
    return vec_load_lanes(p, vec_first_lanes(count));
}

/* Write some lanes; what lies in the place of the others stays and is not touched. */
VEC_INLINE void vec_store_lanes(spl_real *p, vec x, vec_lanes lanes)
{
#if VEC_BYTES == 64
    VEC_OPERATION(mask_storeu)(p, lanes, x);
#elif SPL_LANES > 1
    VEC_OPERATION(maskstore)(p, (__m256i)lanes, x);
#else
    if (lanes[0] != 0) {
        *p = x[0];
    }
#endif
}

/* a * b + c with one rounding */
VEC_INLINE vec vec_fma(vec a, vec b, vec c)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(fmadd)(a, b, c);
#else
    return (vec){spl_fma(a[0], b[0], c[0])};
#endif
}

/* c - a * b with one rounding */
VEC_INLINE vec vec_fnma(vec a, vec b, vec c)
{
    return vec_fma(-a, b, c);
}

VEC_INLINE vec vec_abs(vec x)
{
    return (vec)((vec_uint)x & ~(vec_uint)vec_set(-0.0));
}

/* The smaller of both; b if either is NaN: vec_min(limit, x) lets a NaN in x through. */
VEC_INLINE vec vec_min(vec a, vec b)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(min)(a, b);
#else
    return (vec){a[0] < b[0] ? a[0] : b[0]};
#endif
}

/* The larger of both; b if either is NaN: vec_max(limit, x) lets a NaN in x through. */
VEC_INLINE vec vec_max(vec a, vec b)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(max)(a, b);
#else
    return (vec){a[0] > b[0] ? a[0] : b[0]};
#endif
}

/* x - nearest, `nearest` the integer next to x, ties to even: one operation where a
 * processor knows it, which then has no use for `nearest`. A zero has either sign. */
VEC_INLINE vec vec_from_nearest(vec x, vec nearest)
{
#if VEC_BYTES == 64
    (void)nearest;
    return (vec)VEC_OPERATION(reduce)(x, _MM_FROUND_TO_NEAREST_INT);
#else
    return x - nearest;
#endif
}

/* max(a, |x|) for a >= 0, a for a NaN x on some targets. */
VEC_INLINE vec vec_further(vec a, vec x)
{
#if VEC_BYTES == 64
    enum { LARGER_SIZE = 3, SIGN_CLEAR = 2 << 2 };
    return (vec)VEC_OPERATION(range)(a, x, LARGER_SIZE | SIGN_CLEAR);
#else
    return vec_max(a, vec_abs(x));
#endif
}

VEC_INLINE vec vec_sqrt(vec x)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(sqrt)(x);
#elif defined(SPL_SINGLE)
    return (vec){sqrtf(x[0])};
#else
    return (vec){sqrt(x[0])};
#endif
}

/* Transpose SPL_LANES rows of SPL_LANES in place. */
#if SPL_LANES == 1
VEC_INLINE void vec_transpose(vec row[SPL_LANES])
{
    (void)row;
}
#elif defined(SPL_SINGLE)
VEC_INLINE void vec_transpose(vec row[SPL_LANES])
{
#if SPL_LANES == 16
    typedef __m512 part4;
    typedef __m512d part8;
#else
    typedef __m256 part4;
    typedef __m256d part8;
#endif
#define VEC_UNPACK4(half, a, b) \
    (vec) VEC_PREFIX(unpack##half##_ps)((part4)(a), (part4)(b))
#define VEC_UNPACK8(half, a, b) \
    (vec) VEC_PREFIX(unpack##half##_pd)((part8)(a), (part8)(b))
    /* in groups of four rows: part q of row 4 k + e becomes column 4 q + e of the rows of
     * group k */
    SPL_UNROLL
    for (int k = 0; k < SPL_LANES; k += 4) {
        const vec low0 = VEC_UNPACK4(lo, row[k], row[k + 1]);
        const vec high0 = VEC_UNPACK4(hi, row[k], row[k + 1]);
        const vec low1 = VEC_UNPACK4(lo, row[k + 2], row[k + 3]);
        const vec high1 = VEC_UNPACK4(hi, row[k + 2], row[k + 3]);
        row[k] = VEC_UNPACK8(lo, low0, low1);
        row[k + 1] = VEC_UNPACK8(hi, low0, low1);
        row[k + 2] = VEC_UNPACK8(lo, high0, high1);
        row[k + 3] = VEC_UNPACK8(hi, high0, high1);
    }
#undef VEC_UNPACK4
#undef VEC_UNPACK8
    /* then parts of 128 bits move between the groups */
    SPL_UNROLL
    for (int e = 0; e < 4; e++) {
#if SPL_LANES == 16
        const __m512 even0 =
            _mm512_shuffle_f32x4((__m512)row[e], (__m512)row[e + 4], 0x88);
        const __m512 even1 =
            _mm512_shuffle_f32x4((__m512)row[e + 8], (__m512)row[e + 12], 0x88);
        const __m512 odd0 =
            _mm512_shuffle_f32x4((__m512)row[e], (__m512)row[e + 4], 0xdd);
        const __m512 odd1 =
            _mm512_shuffle_f32x4((__m512)row[e + 8], (__m512)row[e + 12], 0xdd);
        row[e] = (vec)_mm512_shuffle_f32x4(even0, even1, 0x88);
        row[e + 4] = (vec)_mm512_shuffle_f32x4(odd0, odd1, 0x88);
        row[e + 8] = (vec)_mm512_shuffle_f32x4(even0, even1, 0xdd);
        row[e + 12] = (vec)_mm512_shuffle_f32x4(odd0, odd1, 0xdd);
#else
        const __m256 a = (__m256)row[e];
        const __m256 b = (__m256)row[e + 4];
        row[e] = (vec)_mm256_permute2f128_ps(a, b, 0x20);
        row[e + 4] = (vec)_mm256_permute2f128_ps(a, b, 0x31);
#endif
    }
}
#else
VEC_INLINE void vec_transpose(vec row[SPL_LANES])
{
#if SPL_LANES == 8
    __m512d pair[8]; /* lanes 2 k, 2 k + 1 of two rows */
    __m512d quad[8]; /* two lanes of four rows */
    SPL_UNROLL
    for (int k = 0; k < 8; k += 2) {
        pair[k] = _mm512_unpacklo_pd((__m512d)row[k], (__m512d)row[k + 1]);
        pair[k + 1] = _mm512_unpackhi_pd((__m512d)row[k], (__m512d)row[k + 1]);
    }
    SPL_UNROLL
    for (int k = 0; k < 2; k++) {
        quad[k] = _mm512_shuffle_f64x2(pair[k], pair[k + 2], 0x88);
        quad[k + 2] = _mm512_shuffle_f64x2(pair[k], pair[k + 2], 0xdd);
        quad[k + 4] = _mm512_shuffle_f64x2(pair[k + 4], pair[k + 6], 0x88);
        quad[k + 6] = _mm512_shuffle_f64x2(pair[k + 4], pair[k + 6], 0xdd);
    }
    SPL_UNROLL
    for (int k = 0; k < 4; k++) {
        row[k] = (vec)_mm512_shuffle_f64x2(quad[k], quad[k + 4], 0x88);
        row[k + 4] = (vec)_mm512_shuffle_f64x2(quad[k], quad[k + 4], 0xdd);
    }
#else
    const __m256d a = _mm256_unpacklo_pd((__m256d)row[0], (__m256d)row[1]);
    const __m256d b = _mm256_unpackhi_pd((__m256d)row[0], (__m256d)row[1]);
    const __m256d c = _mm256_unpacklo_pd((__m256d)row[2], (__m256d)row[3]);
    const __m256d d = _mm256_unpackhi_pd((__m256d)row[2], (__m256d)row[3]);
    row[0] = (vec)_mm256_permute2f128_pd(a, c, 0x20);
    row[1] = (vec)_mm256_permute2f128_pd(b, d, 0x20);
    row[2] = (vec)_mm256_permute2f128_pd(a, c, 0x31);
    row[3] = (vec)_mm256_permute2f128_pd(b, d, 0x31);
#endif
}
#endif

/* Product of the low 32 bits of each lane, all 64 bits of it. */
VEC_INLINE vec_u64 vec_mul_u32(vec_u64 a, vec_u64 b)
{
#if VEC_BYTES == 64
    return (vec_u64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif VEC_BYTES == 32
    return (vec_u64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/* Integers that the mantissa holds, below 2^52 (2^23), exactly. */
VEC_INLINE vec vec_from_integer(vec_uint x)
{
    const vec magic = vec_set(SPL_REAL_BYTES == 8 ? 0x1p52 : 0x1p23);
    return (vec)(x | (vec_uint)magic) - magic;
}

#endif
