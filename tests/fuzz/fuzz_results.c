/* Any bytes as a results file: described, taken as a configuration, surveyed, hashed,
 * resumed and read in whole. What is read without HDF5 is fuzz_check's. */
#include "fuzz.h"
#include "patch.h"
#include "readers.h"
#include "worker.h"

static bool read_results(const uint8_t *data, size_t size)
{
    static const char *const stored[] = {"results/small", "results/spiking", NULL};
    unsigned choice;
    const bool good = fuzz_file_make(stored, data, size, &choice);
    if (good) {
        fuzz_readers[choice % FUZZ_N_PARSED](fuzz_file_path());
    }
    return good;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_worker_start(read_results, fuzz_file_path());
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_worker_run(data, size);
    return 0;
}
