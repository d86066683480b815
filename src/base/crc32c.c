/* Of long data, products of polynomials over GF(2) where the processor forms them by
 * vectors: a checksum is the remainder of all bytes as one polynomial, and stays the same
 * if the first bytes are replaced by their product with a power of x that carries them to
 * where later ones are (Gopal and others, "Fast CRC computation for generic polynomials
 * using PCLMULQDQ instruction", 2009). 0.06 us for 4 KB, where the next way takes 0.19.
 *
 * Of the rest, the instruction of SSE 4.2: writing every V of 76 regions, the tables took
 * a sixth of the run. One begins every cycle, but the next result is three cycles away:
 * three stretches of bytes take turns, 0.20 instead of 0.48 us for 4 KB. A checksum is
 * linear in the bits of what came before, so that stretches are put together by the
 * effect of as many zero bytes (as in Mark Adler's crc32c.c, 2013).
 *
 * Elsewhere slicing by 8 (Kounavis and Berry, "A systematic approach to building high
 * performance software-based CRC generators", 2005): eight tables turn eight bytes at
 * once. */
#include "base/crc32c.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SLICES = 8, STRETCH_BYTES = 1024, FOLD_VECTORS = 4 };

static const uint32_t reflected = 0x82F63B78;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t tables[SLICES][256];
/* A bit of zero behind the bytes so far: a polynomial times x, the highest power in the
 * lowest bit. */
static uint32_t times_x(uint32_t crc)
{
    return (crc >> 1) ^ ((crc & 1) != 0 ? reflected : 0);
}

#if defined(__x86_64__)
static spl_crc32c_way best; /* that the processor has */
enum { FOLD_BYTES = FOLD_VECTORS * sizeof(__m512i) };
/* What carries the first and the second half of 16 bytes by FOLD_BYTES. */
static uint64_t fold[2];
/* What a byte of the checksum, from the lowest on, becomes after a stretch of zeros. */
static uint32_t after_zeros[sizeof(uint32_t)][256];

static uint32_t power_of_x(size_t n)
{
    uint32_t power = (uint32_t)1 << 31;
    for (size_t i = 0; i < n; i++) {
        power = times_x(power);
    }
    return power;
}

/* Of the bits of 16 bytes, bit i stands for x^(127 - i). The product of its first half,
 * which stands for x^64 times as much, with a power p in the low half of a word appears
 * as x^33 p times what that half stood for. */
static void fill_fold(void)
{
    enum { LANE_SHIFT = 33, FOLD_BITS = 8 * FOLD_BYTES };
    fold[0] = power_of_x(FOLD_BITS + 64 - LANE_SHIFT);
    fold[1] = power_of_x(FOLD_BITS - LANE_SHIFT);
}

static void fill_after_zeros(void)
{
    for (size_t place = 0; place < sizeof(uint32_t); place++) {
        for (uint32_t byte = 1; byte < 256; byte++) {
            const uint32_t lowest = byte & -byte;
            if (byte != lowest) {
                after_zeros[place][byte] =
                    after_zeros[place][byte ^ lowest] ^ after_zeros[place][lowest];
                continue;
            }
            uint32_t crc = byte << (8 * place);
            for (size_t i = 0; i < STRETCH_BYTES; i++) {
                crc = (crc >> 8) ^ tables[0][crc & 0xFF];
            }
            after_zeros[place][byte] = crc;
        }
    }
}
#endif

static void fill_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = times_x(crc);
        }
        tables[0][byte] = crc;
    }
    for (size_t slice = 1; slice < SLICES; slice++) {
        for (size_t byte = 0; byte < 256; byte++) {
            const uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
#if defined(__x86_64__)
    fill_after_zeros();
    fill_fold();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq")) {
        best = SPL_CRC32C_FOLDING;
    } else if (__builtin_cpu_supports("sse4.2")) {
        best = SPL_CRC32C_INSTRUCTION;
    }
#endif
}

#if defined(__x86_64__)
static uint32_t skip_stretch(uint32_t crc)
{
    return after_zeros[0][crc & 0xFF] ^ after_zeros[1][(crc >> 8) & 0xFF] ^
           after_zeros[2][(crc >> 16) & 0xFF] ^ after_zeros[3][crc >> 24];
}

static uint64_t word_at(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Of three stretches, without the inversion at either end. */
__attribute__((target("sse4.2"))) static uint32_t by_stretches(
    uint32_t crc, const unsigned char *at)
{
    uint64_t a = crc;
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < STRETCH_BYTES; i += sizeof(uint64_t)) {
        a = __builtin_ia32_crc32di(a, word_at(at + i));
        b = __builtin_ia32_crc32di(b, word_at(at + STRETCH_BYTES + i));
        c = __builtin_ia32_crc32di(c, word_at(at + 2 * STRETCH_BYTES + i));
    }
    return skip_stretch(skip_stretch((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(
    uint32_t crc, const unsigned char *at, size_t bytes)
{
    const size_t together = 3 * STRETCH_BYTES;
    crc = ~crc;
    for (; bytes >= together; bytes -= together, at += together) {
        crc = by_stretches(crc, at);
    }
    uint64_t value = crc;
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        value = __builtin_ia32_crc32di(value, word_at(at));
    }
    for (; bytes > 0; bytes--, at++) {
        value = __builtin_ia32_crc32qi((uint32_t)value, *at);
    }
    return ~(uint32_t)value;
}

/* Of whole FOLD_BYTES, two at least, without the inversion at either end. */
__attribute__((target("avx512f,vpclmulqdq,sse4.2"))) static uint32_t by_folding(
    uint32_t crc, const unsigned char *at, size_t bytes)
{
    const __m512i by = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)fold));
    __m512i sum[FOLD_VECTORS];
    unsigned char left[FOLD_BYTES];
    memcpy(sum, at, sizeof sum);
    sum[0] =
        _mm512_xor_si512(sum[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc)));
    for (size_t i = FOLD_BYTES; i < bytes; i += FOLD_BYTES) {
        /* in registers */
#pragma GCC unroll 4
        for (size_t v = 0; v < FOLD_VECTORS; v++) {
            const __m512i next = _mm512_loadu_si512(at + i + v * sizeof next);
            const __m512i first = _mm512_clmulepi64_epi128(sum[v], by, 0x00);
            const __m512i second = _mm512_clmulepi64_epi128(sum[v], by, 0x11);
            sum[v] = _mm512_xor_si512(_mm512_xor_si512(first, second), next);
        }
    }
    memcpy(left, sum, sizeof left);
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof left; i += sizeof(uint64_t)) {
        value = __builtin_ia32_crc32di(value, word_at(left + i));
    }
    return (uint32_t)value;
}
#endif

static uint32_t by_tables(uint32_t crc, const unsigned char *at, size_t bytes)
{
    crc = ~crc;
    for (; bytes >= SLICES; bytes -= SLICES, at += SLICES) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word) ^ crc;
        crc = 0;
        for (size_t slice = 0; slice < SLICES; slice++) {
            crc ^= tables[SLICES - 1 - slice][(word >> (8 * slice)) & 0xFF];
        }
    }
    for (; bytes > 0; bytes--, at++) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xFF];
    }
    return ~crc;
}

uint32_t spl_crc32c_by(spl_crc32c_way way, uint32_t crc, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    pthread_once(&once, fill_tables);
#if defined(__x86_64__)
    way = way < best ? way : best;
    if (way == SPL_CRC32C_FOLDING && bytes >= 2 * FOLD_BYTES) {
        const size_t whole = bytes / FOLD_BYTES * FOLD_BYTES;
        crc = ~by_folding(~crc, at, whole);
        at += whole;
        bytes -= whole;
    }
    if (way >= SPL_CRC32C_INSTRUCTION) {
        return by_instruction(crc, at, bytes);
    }
#endif
    (void)way;
    return by_tables(crc, at, bytes);
}

uint32_t spl_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    return spl_crc32c_by(SPL_CRC32C_FOLDING, crc, data, bytes);
}
