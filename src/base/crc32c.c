/* The instruction of SSE 4.2 where the processor has it: writing every V of 76 regions,
 * the tables took a sixth of the run. Elsewhere slicing by 8 (Kounavis and Berry, "A
 * systematic approach to building high performance software-based CRC generators", 2005):
 * eight tables turn eight bytes at once. */
#include "base/crc32c.h"

#include <endian.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { SLICES = 8 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t tables[SLICES][256];
static bool has_instruction;

static void fill_tables(void)
{
    const uint32_t reflected = 0x82F63B78;
#if defined(__x86_64__)
    has_instruction = __builtin_cpu_supports("sse4.2");
#endif
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? reflected : 0);
        }
        tables[0][byte] = crc;
    }
    for (size_t slice = 1; slice < SLICES; slice++) {
        for (size_t byte = 0; byte < 256; byte++) {
            const uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(
    uint32_t crc, const unsigned char *at, size_t bytes)
{
    uint64_t value = ~crc;
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        value = __builtin_ia32_crc32di(value, word);
    }
    for (; bytes > 0; bytes--, at++) {
        value = __builtin_ia32_crc32qi((uint32_t)value, *at);
    }
    return ~(uint32_t)value;
}
#endif

uint32_t spl_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    pthread_once(&once, fill_tables);
#if defined(__x86_64__)
    if (has_instruction) {
        return by_instruction(crc, data, bytes);
    }
#endif
    return spl_crc32c_by_tables(crc, data, bytes);
}

uint32_t spl_crc32c_by_tables(uint32_t crc, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    pthread_once(&once, fill_tables);
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
