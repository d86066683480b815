/* The sandbox without its process: the linker puts functions here in place of those that
 * fork and lock (--wrap). What a child would do is done at once, in this process, or its
 * answers are given. */
#ifndef SPL_TEST_FUZZ_SANDBOX_H
#define SPL_TEST_FUZZ_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* These bytes are what the next children answer, one after the other, whatever files
 * hold. NULL: they do their work. */
void fuzz_answer(const uint8_t *data, size_t size);
/* What children answer a reader of this file, for fuzz_answer. The caller frees it. */
uint8_t *fuzz_record(void (*reader)(const char *path), const char *path, size_t *size);

#endif
