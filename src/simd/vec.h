/* Vectors of doubles for kernels: the only file with intrinsics.
 * A kernel file is compiled once per target with -DSPL_TARGET=<scalar|v3|v4> and
 * -DSPL_LANES=<1|4|8>; all operations are exactly rounded, so every target gives the same
 * bits lane by lane. */
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
 * minutes. */
#if defined(SPL_SANITIZED)
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

typedef spl_real vec __attribute__((vector_size(8 * SPL_LANES)));
/* A vector in memory, aligned as its elements; aliases spl_real and nothing else. */
typedef spl_real vec_memory __attribute__((vector_size(8 * SPL_LANES), aligned(8)));
typedef uint64_t vec_u64 __attribute__((vector_size(8 * SPL_LANES)));
typedef int64_t vec_mask __attribute__((vector_size(8 * SPL_LANES)));

#define VEC_INLINE static inline __attribute__((always_inline, unused))

VEC_INLINE vec vec_set(spl_real x)
{
    return x - (vec){0};
}

VEC_INLINE vec vec_load(const spl_real *p)
{
    return *(const vec_memory *)p;
}

VEC_INLINE void vec_store(spl_real *p, vec x)
{
    *(vec_memory *)p = x;
}

VEC_INLINE vec_u64 vec_bits(vec x)
{
    return (vec_u64)x;
}

VEC_INLINE vec vec_from_bits(vec_u64 x)
{
    return (vec)x;
}

VEC_INLINE vec vec_select(vec_mask mask, vec a, vec b)
{
    return (vec)(((vec_u64)mask & (vec_u64)a) | (~(vec_u64)mask & (vec_u64)b));
}

#if SPL_LANES == 8
#define VEC_OPERATION(name) _mm512_##name
#elif SPL_LANES == 4
#define VEC_OPERATION(name) _mm256_##name
#endif

/* Which lanes of a load are read: the first `count`. */
#if SPL_LANES == 8
typedef __mmask8 vec_lanes;
#else
typedef vec_mask vec_lanes;
#endif

VEC_INLINE vec_lanes vec_first_lanes(size_t count)
{
#if SPL_LANES == 8
    return (__mmask8)(count >= 8 ? 0xffu : (1u << count) - 1u);
#elif SPL_LANES == 4
    const vec_mask lane = {0, 1, 2, 3};
    return lane < (int64_t)count;
#else
    return (vec_mask){count > 0 ? -1 : 0};
#endif
}

/* The doubles at p, zero in the other lanes, which are not read. */
VEC_INLINE vec vec_load_lanes(const spl_real *p, vec_lanes lanes)
{
#if SPL_LANES == 8
    return (vec)_mm512_maskz_loadu_pd(lanes, p);
#elif SPL_LANES == 4
    return (vec)_mm256_maskload_pd(p, (__m256i)lanes);
#else
    return (vec){lanes[0] != 0 ? *p : 0.0};
#endif
}

/* The first `count` doubles at p, zero in the other lanes, which are not read. */
VEC_INLINE vec vec_load_first(const spl_real *p, size_t count)
{
    return vec_load_lanes(p, vec_first_lanes(count));
}

/* a * b + c with one rounding */
VEC_INLINE vec vec_fma(vec a, vec b, vec c)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(fmadd_pd)(a, b, c);
#else
    return (vec){fma(a[0], b[0], c[0])};
#endif
}

/* c - a * b with one rounding */
VEC_INLINE vec vec_fnma(vec a, vec b, vec c)
{
    return vec_fma(-a, b, c);
}

VEC_INLINE vec vec_abs(vec x)
{
    return (vec)((vec_u64)x & ~(vec_u64)vec_set(-0.0));
}

/* The smaller of both; b if either is NaN: vec_min(limit, x) lets a NaN in x through. */
VEC_INLINE vec vec_min(vec a, vec b)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(min_pd)(a, b);
#else
    return (vec){a[0] < b[0] ? a[0] : b[0]};
#endif
}

/* The larger of both; b if either is NaN: vec_max(limit, x) lets a NaN in x through. */
VEC_INLINE vec vec_max(vec a, vec b)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(max_pd)(a, b);
#else
    return (vec){a[0] > b[0] ? a[0] : b[0]};
#endif
}

VEC_INLINE vec vec_sqrt(vec x)
{
#if SPL_LANES > 1
    return (vec)VEC_OPERATION(sqrt_pd)(x);
#else
    return (vec){sqrt(x[0])};
#endif
}

/* Transpose SPL_LANES rows of SPL_LANES in place. */
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
#elif SPL_LANES == 4
    const __m256d a = _mm256_unpacklo_pd((__m256d)row[0], (__m256d)row[1]);
    const __m256d b = _mm256_unpackhi_pd((__m256d)row[0], (__m256d)row[1]);
    const __m256d c = _mm256_unpacklo_pd((__m256d)row[2], (__m256d)row[3]);
    const __m256d d = _mm256_unpackhi_pd((__m256d)row[2], (__m256d)row[3]);
    row[0] = (vec)_mm256_permute2f128_pd(a, c, 0x20);
    row[1] = (vec)_mm256_permute2f128_pd(b, d, 0x20);
    row[2] = (vec)_mm256_permute2f128_pd(a, c, 0x31);
    row[3] = (vec)_mm256_permute2f128_pd(b, d, 0x31);
#else
    (void)row;
#endif
}

/* Product of the low 32 bits of each lane, all 64 bits of it. */
VEC_INLINE vec_u64 vec_mul_u32(vec_u64 a, vec_u64 b)
{
#if SPL_LANES == 8
    return (vec_u64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif SPL_LANES == 4
    return (vec_u64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/* Integers below 2^52 to doubles, exactly. */
VEC_INLINE vec vec_from_u52(vec_u64 x)
{
    const vec_u64 magic = (vec_u64)vec_set(0x1p52);
    return (vec)(x | magic) - 0x1p52;
}

#endif
