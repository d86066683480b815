/* The reading child of a sandbox, inside the fuzzer: the linker puts the functions here
 * in place of those that fork and lock (--wrap), so that coverage and sanitizers see what
 * the child does. */
#ifndef SPL_TEST_FUZZ_SANDBOX_H
#define SPL_TEST_FUZZ_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* Path of a file with these bytes; static, of the last call. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* From now on the child answers with these bytes, whatever the file holds; NULL: with
 * what it reads. */
void fuzz_answer(const uint8_t *data, size_t size);

#endif
