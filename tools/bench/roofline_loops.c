/* Loops for the roofline, compiled once per SIMD target with -DSPL_LANES, -DSPL_TARGET
 * and -ffp-contract=fast, which makes a * b + c one instruction where there is one. */
#include "roofline.h"

#include <stdint.h>

#if SPL_LANES > 1
#include <immintrin.h>
#endif

#define PASTE2(a, b) a##_##b
#define PASTE(a, b)  PASTE2(a, b)
#define TEXT2(a)     #a
#define TEXT(a)      TEXT2(a)

/* The compiler must believe that somebody else changes, or reads, the value. */
#define OPAQUE(x) __asm__ volatile("" : "+m"(x)::)

typedef double vec __attribute__((vector_size(8 * SPL_LANES)));
typedef double vec_memory
    __attribute__((vector_size(8 * SPL_LANES), aligned(8), may_alias));
typedef uint64_t vec_u64 __attribute__((vector_size(8 * SPL_LANES)));

static void multiply(long count)
{
    vec chain[LOOP_CHAINS];
    vec half = (vec){0} + 0.5;
    for (int i = 0; i < LOOP_CHAINS; i++) {
        chain[i] = (vec){0} + i;
    }
    OPAQUE(half);
    for (long k = 0; k < count; k++) {
        UNROLL
        for (int i = 0; i < LOOP_CHAINS; i++) {
            chain[i] = chain[i] * half + half;
        }
    }
    OPAQUE(chain);
}

static vec larger(vec a, vec b)
{
#if SPL_LANES == 8
    return (vec)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif SPL_LANES == 4
    return (vec)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    return (vec){a[0] > b[0] ? a[0] : b[0]};
#endif
}

/* Of fourteen operations five are fused multiply-adds, four sums, three products, one a
 * clamp, one a shift of exponents: the mix of the node kernel. */
static void operate(long count)
{
    vec chain[LOOP_CHAINS];
    vec half = (vec){0} + 0.5;
    vec_u64 bit = (vec_u64){0} + 1;
    for (int i = 0; i < LOOP_CHAINS; i++) {
        chain[i] = (vec){0} + i;
    }
    OPAQUE(half);
    OPAQUE(bit);
    for (long k = 0; k < count; k++) {
#define EACH_CHAIN UNROLL for (int i = 0; i < LOOP_CHAINS; i++)
        UNROLL
        for (int round = 0; round < 7; round++) {
            if (round < 5) {
                EACH_CHAIN chain[i] = chain[i] * half + half;
            } else {
                EACH_CHAIN chain[i] = chain[i] + half;
            }
            if (round < 3) {
                EACH_CHAIN chain[i] = chain[i] * half;
            } else if (round < 5) {
                EACH_CHAIN chain[i] = chain[i] + half;
            } else if (round == 5) {
                EACH_CHAIN chain[i] = larger(chain[i], half);
            } else {
                EACH_CHAIN chain[i] = (vec)((vec_u64)chain[i] + bit);
            }
        }
#undef EACH_CHAIN
    }
    OPAQUE(chain);
}

static void divide(long count)
{
    vec chain[LOOP_CHAINS];
    vec number = (vec){0} + 1.7;
    for (int i = 0; i < LOOP_CHAINS; i++) {
        chain[i] = (vec){0} + 1.0 + i;
    }
    OPAQUE(number);
    for (long k = 0; k < count; k++) {
        UNROLL
        for (int i = 0; i < LOOP_CHAINS; i++) {
            chain[i] = number / chain[i];
        }
    }
    OPAQUE(chain);
}

static void load(long count, const double *values, size_t n)
{
    vec sum[8] = {0};
    for (long k = 0; k < count; k++) {
        for (size_t j = 0; j + 8 * SPL_LANES < n; j += 8 * SPL_LANES) {
            UNROLL
            for (size_t i = 0; i < 8; i++) {
                sum[i] += *(const vec_memory *)(values + 1 + j + i * SPL_LANES);
            }
        }
    }
    OPAQUE(sum);
}

static vec_u64 multiply_low(vec_u64 a, vec_u64 b)
{
#if SPL_LANES == 8
    return (vec_u64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif SPL_LANES == 4
    return (vec_u64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/* Philox4x32-10 (Salmon et al. 2011) of counters that are side by side. */
static void philox(long count)
{
    const vec_u64 multiplier0 = (vec_u64){0} + 0xD2511F53u;
    const vec_u64 multiplier1 = (vec_u64){0} + 0xCD9E8D57u;
    vec_u64 c[PHILOX_BLOCKS][4];
    for (long k = 0; k < count; k++) {
        uint32_t key0 = 1;
        uint32_t key1 = 2;
        for (int i = 0; i < PHILOX_BLOCKS; i++) {
            for (int word = 0; word < 4; word++) {
                c[i][word] = (vec_u64){0} + (uint64_t)(k + i + word);
            }
        }
        UNROLL
        for (int round = 0; round < 10; round++) {
            UNROLL
            for (int i = 0; i < PHILOX_BLOCKS; i++) {
                const vec_u64 product0 = multiply_low(multiplier0, c[i][0]);
                const vec_u64 product1 = multiply_low(multiplier1, c[i][2]);
                c[i][0] = (product1 >> 32) ^ c[i][1] ^ key0;
                c[i][2] = (product0 >> 32) ^ c[i][3] ^ key1;
                c[i][1] = product1;
                c[i][3] = product0;
            }
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        OPAQUE(c);
    }
}

extern const bench_loops PASTE(bench_loops, SPL_TARGET);
const bench_loops PASTE(bench_loops, SPL_TARGET) = {
    .target = TEXT(SPL_TARGET),
    .lanes = SPL_LANES,
    .multiply = multiply,
    .operate = operate,
    .divide = divide,
    .load = load,
    .philox = philox,
};
