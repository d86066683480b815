/* Slicing by 8 (Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005): eight tables turn eight bytes at once. */
#include "base/crc32c.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

enum { SLICES = 8 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t tables[SLICES][256];

static void fill_tables(void)
{
    const uint32_t reflected = 0x82F63B78;
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

uint32_t spl_crc32c(uint32_t crc, const void *data, size_t bytes)
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
