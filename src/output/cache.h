/* How much of a results file the system keeps in memory. */
#ifndef SPL_OUTPUT_CACHE_H
#define SPL_OUTPUT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* A virtual machine may have given the memory that nobody used back to its host, and gets
 * it again page by page: writing then takes ten times as long, whatever the program, for
 * as long as the file grows in memory. Where writes are that dear, what is already on the
 * disk is given back, so that the memory serves the next rows. Elsewhere all stays in
 * memory, from where it is read again sooner. Zero-initialise. */
typedef struct spl_cache {
    unsigned n_dear; /* large writes that were */
} spl_cache;

/* Bytes [from, to) of the file were written, which took `ns` nanoseconds of processor
 * time. They continue what begins at `first`. */
void spl_cache_wrote(
    spl_cache *cache, int fd, uint64_t first, uint64_t from, uint64_t to, int64_t ns);

/* Bytes [from, to) were read, and will not be so again soon. */
void spl_cache_was_read(const spl_cache *cache, int fd, uint64_t from, uint64_t to);

/* Whether what is on the disk is given back. */
bool spl_cache_gives_back(const spl_cache *cache);

#endif
