/* CRC32C (Castagnoli): the checksum of everything we write and read again. */
#ifndef SPL_BASE_CRC32C_H
#define SPL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue the checksum `crc` of the bytes so far, 0 at the start. Polynomial 0x1EDC6F41
 * (reflected 0x82F63B78), start and final xor 0xFFFFFFFF: "123456789" gives 0xE3069283.
 */
uint32_t spl_crc32c(uint32_t crc, const void *data, size_t bytes);
/* The same without the processor's instruction for it. */
uint32_t spl_crc32c_by_tables(uint32_t crc, const void *data, size_t bytes);

#endif
