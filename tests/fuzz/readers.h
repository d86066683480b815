/* Everything that reads HDF5 files of unknown origin, each by itself. A worker knows a
 * crash of ours by our library, so that they call it to complain. */
#ifndef SPL_TEST_FUZZ_READERS_H
#define SPL_TEST_FUZZ_READERS_H

#include "output/convert.h"

/* Reads the file; in doing so it may call spl_sandbox_start any number of times. */
typedef void fuzz_reader(const char *path);

/* Those of results files, of which those from FUZZ_N_PARSED on read slots and rows by
 * themselves, where HDF5 has found them; then those of connectomes and of lists of
 * connections. */
enum { FUZZ_DESCRIBE, FUZZ_TAKE_CONFIG, FUZZ_SURVEY, FUZZ_HASH, FUZZ_FIND_PLACES };
enum { FUZZ_N_PARSED = 6, FUZZ_N_RESULTS = 8, FUZZ_N_READERS = 10 };

extern fuzz_reader *const fuzz_readers[FUZZ_N_READERS];

/* Of a file like base/results/small, which is to be trimmed to 13 of its 20 rows. The
 * plan is good until the next call. */
const spl_convert_plan *fuzz_plan(const char *path);
/* Read what the plan says. */
void fuzz_read_planned(const char *path);

#endif
