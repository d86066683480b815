/* Seeds of named parts. */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "spiking/population.h"

/* A name as long as this is no name. */
#define MOST_BYTES 4096

uint64_t spl_named_seed(uint64_t seed, const char *name)
{
    unsigned char bytes[8 + MOST_BYTES];
    char hex[SPL_SHA256_HEX];
    const size_t length = strnlen(name, MOST_BYTES);
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(seed >> 8 * i);
    }
    memcpy(bytes + 8, name, length);
    spl_sha256_bytes(bytes, 8 + length, hex);
    /* the first eight bytes, little-endian */
    uint64_t result = 0;
    for (size_t i = 0; i < 8; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        result |= (uint64_t)strtoul(digits, NULL, 16) << 8 * i;
    }
    return result;
}
