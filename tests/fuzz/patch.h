/* A file for a reader, in memory if possible: all of an input, or a stored file with a
 * few bytes changed, which is a much smaller input. */
#ifndef SPL_TEST_FUZZ_PATCH_H
#define SPL_TEST_FUZZ_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where it is made. It has a real name: HDF5 resolves links. */
const char *fuzz_file_path(void);
/* Make the file of an input.
 *   stored     names in tests/fuzz/base, NULL behind the last
 *   *choice    receives which reader the input asks for
 * An HDF5 file is taken as it is, for the reader that its last byte asks for. Anything
 * else begins with a byte each for the stored file and the reader; patches follow: a
 * place (two bytes, little-endian), a length (one) and as many bytes. A length of 0 cuts
 * the file off at the place.
 * Result: false if HDF5 would surely not come back from it. */
bool fuzz_file_make(
    const char *const *stored, const uint8_t *data, size_t size, unsigned *choice);

#endif
