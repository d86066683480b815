/* The reading child of a sandbox, inside the fuzzer: the linker puts functions here in
 * place of those that fork and lock (--wrap), so that coverage and sanitizers see what
 * the child does. */
#ifndef SPL_TEST_FUZZ_SANDBOX_H
#define SPL_TEST_FUZZ_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* Reads the file; in doing so it may call spl_sandbox_start any number of times. */
typedef void fuzz_reader(const char *path);

/* Let `read` take these bytes as an HDF5 file; behind a "!" they are what the child
 * answers instead, whatever the file holds. */
void fuzz_read(const uint8_t *data, size_t size, fuzz_reader *read);

#endif
