/* HDF5 1.10 does crash on damaged files, which is what the sandbox is for. So a process
 * of its own, the worker, reads them; a new one takes the place of one that died. The
 * fuzzer learns from it which code was reached. */
#ifndef SPL_TEST_FUZZ_WORKER_H
#define SPL_TEST_FUZZ_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_MAX_BYTES = 1 << 20 };

/* Result: false if the input was passed over. */
typedef bool fuzz_work(const uint8_t *data, size_t size);

/* Start it, before anything else.
 *   scratch   a file that is deleted at the end; NULL: none */
void fuzz_worker_start(fuzz_work *work, const char *scratch);
/* Let the worker work on an input. If it dies in HDF5, the input is passed over; in our
 * code, that is a finding. */
void fuzz_worker_run(const uint8_t *data, size_t size);

#endif
