/* Any tree of groups, datasets and attributes as what HDF5 tells of a file: a results
 * file is described, taken as a configuration, surveyed, hashed and resumed, a connectome
 * or a list of connections is read. The first byte chooses the tree, the second the
 * reader, patches of the tree follow. */
#include <stdbool.h>
#include <stdio.h>

#include "fuzz.h"
#include "readers.h"
#include "stand_in.h"
#include "worker.h"

/* The file itself is only looked at from outside. */
static const struct {
    const char *structure, *file;
    bool is_results;
} stored[] = {
    {"structure/small", "results/small", true},
    {"structure/spiking", "results/spiking", true},
    {"structure/tvb", "hdf5/tvb", false},
    {"structure/sparse", "hdf5/sparse", false},
    {"structure/results", "hdf5/results", false},
    {"structure/edges", "hdf5/edges", false},
};
enum { N_STORED = sizeof stored / sizeof *stored, N_OF_RESULTS = FUZZ_N_PARSED - 1 };

static bool read_tree(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return true;
    }
    const size_t which = data[0] % N_STORED;
    const size_t reader =
        stored[which].is_results
            ? data[1] % N_OF_RESULTS
            : FUZZ_N_RESULTS + data[1] % (FUZZ_N_READERS - FUZZ_N_RESULTS);
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", FUZZ_BASE, stored[which].file);
    fuzz_stand_in_show(which, data + 2, size - 2);
    fuzz_readers[reader](path);
    return true;
}

/* In a worker, for reading processes leave memory to the system. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < N_STORED; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", FUZZ_BASE, stored[i].structure);
        fuzz_stand_in_load(i, path);
    }
    fuzz_worker_start(read_tree, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_worker_run(data, size);
    return 0;
}
