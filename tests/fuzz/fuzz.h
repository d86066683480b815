/* The interface of libFuzzer, which the replay program uses as well. */
#ifndef SPL_TEST_FUZZ_H
#define SPL_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Called once before; a target need not have it. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

#endif
