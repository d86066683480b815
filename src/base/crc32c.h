/* CRC32C (Castagnoli): the checksum of everything we write and read again. */
#ifndef SPL_BASE_CRC32C_H
#define SPL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue the checksum `crc` of the bytes so far, 0 at the start. Polynomial 0x1EDC6F41
 * (reflected 0x82F63B78), start and final xor 0xFFFFFFFF: "123456789" gives 0xE3069283.
 */
uint32_t spl_crc32c(uint32_t crc, const void *data, size_t bytes);

/* How it is formed, the slowest first; of those that the processor has, by the last. */
typedef enum spl_crc32c_way {
    SPL_CRC32C_TABLES,
    SPL_CRC32C_INSTRUCTION,
    SPL_CRC32C_FOLDING,
} spl_crc32c_way;

/* The same, by no faster way than this one. */
uint32_t spl_crc32c_by(spl_crc32c_way way, uint32_t crc, const void *data, size_t bytes);

#endif
