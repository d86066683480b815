/* Places and numbers of the spike journal's bytes, see journal.h. */
#ifndef SPL_OUTPUT_JOURNAL_FORMAT_H
#define SPL_OUTPUT_JOURNAL_FORMAT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* "SPLSPIKE" and "SPKF" as text */
#define SPL_JOURNAL_MAGIC       UINT64_C(0x454B4950534C5053)
#define SPL_JOURNAL_FRAME_MAGIC UINT32_C(0x464B5053)

enum {
    SPL_JOURNAL_VERSION = 1,
    SPL_JOURNAL_FIXED_BYTES = 80,      /* of the header, up to the populations */
    SPL_JOURNAL_POPULATION_BYTES = 16, /* before its name */
    SPL_JOURNAL_FRAME_BYTES = 32,
    SPL_JOURNAL_SUMMED_BYTES = 24, /* of those, in front of the checksum */
    SPL_JOURNAL_SPIKE_BYTES = 12
};

static inline void spl_put_u32(unsigned char *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static inline void spl_put_u64(unsigned char *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static inline void spl_put_f64(unsigned char *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    spl_put_u64(at, bits);
}

static inline uint32_t spl_get_u32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static inline uint64_t spl_get_u64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static inline double spl_get_f64(const unsigned char *at)
{
    const uint64_t bits = spl_get_u64(at);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
