/* Any bytes as a connectome or as a list of connections in HDF5. */
#include "fuzz.h"
#include "patch.h"
#include "readers.h"
#include "worker.h"

static bool read_connectome(const uint8_t *data, size_t size)
{
    static const char *const stored[] = {
        "hdf5/tvb", "hdf5/sparse", "hdf5/results", "hdf5/edges", NULL};
    const size_t which = size > 0 ? data[0] % (sizeof stored / sizeof *stored - 1) : 0;
    unsigned choice;
    const bool good = fuzz_file_make(stored, which, data, size, &choice);
    if (good) {
        fuzz_readers[FUZZ_N_RESULTS + choice % (FUZZ_N_READERS - FUZZ_N_RESULTS)](
            fuzz_file_path());
    }
    return good;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_worker_start(read_connectome, fuzz_file_path());
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_worker_run(data, size);
    return 0;
}
