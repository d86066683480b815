/* A stand-in for HDF5, several times as fast: its functions, as far as readers of files
 * call them, tell of a tree of groups, datasets and attributes that lies in memory, of
 * which an input changes some bytes. They answer whatever these say, also what HDF5
 * itself would not. A program that is linked with it has these functions in place of the
 * library's. */
#ifndef SPL_TEST_FUZZ_STAND_IN_H
#define SPL_TEST_FUZZ_STAND_IN_H

#include <stddef.h>
#include <stdint.h>

/* Take the tree of a file of tests/fuzz/base/structure; ends the program if it cannot be
 * read. */
void fuzz_stand_in_load(size_t tree, const char *path);

/* From now on HDF5 tells of tree `tree`, changed by the patches of an input (patch.h). */
void fuzz_stand_in_show(size_t tree, const uint8_t *patches, size_t size);

enum { FUZZ_MAX_TREES = 8 };

#endif
