/* A file for a reader, in memory if possible: all of an input, or a stored file with a
 * few bytes changed, which is a much smaller input. */
#ifndef SPL_TEST_FUZZ_PATCH_H
#define SPL_TEST_FUZZ_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place (two bytes, little-endian), a length (one), and as many bytes. */
typedef struct fuzz_patch {
    size_t at, bytes;
    bool is_empty; /* as the input says; `bytes` are those that it has */
    const uint8_t *data;
} fuzz_patch;

/* Take the next patch off an input. Result: false if there is none. */
static inline bool fuzz_next_patch(const uint8_t **data, size_t *size, fuzz_patch *patch)
{
    enum { HEAD = 3 };
    const uint8_t *head = *data;
    if (*size < HEAD) {
        return false;
    }
    const size_t left = *size - HEAD;
    const size_t bytes = head[2] < left ? head[2] : left;
    *patch =
        (fuzz_patch){head[0] | (size_t)head[1] << 8, bytes, head[2] == 0, head + HEAD};
    *data = head + HEAD + bytes;
    *size = left - bytes;
    return true;
}

/* Where it is made. It has a real name: HDF5 resolves links. */
const char *fuzz_file_path(void);
/* Is an input a whole file? */
bool fuzz_is_whole(const uint8_t *data, size_t size);
/* Make the file of an input.
 *   stored     names in tests/fuzz/base, NULL behind the last
 *   which      of them is changed
 *   *choice    receives which reader the input asks for
 * A whole file is taken as it is, for the reader that its last byte asks for. Anything
 * else begins with a byte from which the caller has found the stored file, and one for
 * the reader; patches follow. A length of 0 cuts the file off at the place.
 * Result: false if HDF5 would surely not come back from it. */
bool fuzz_file_make(const char *const *stored, size_t which, const uint8_t *data,
    size_t size, unsigned *choice);

#endif
