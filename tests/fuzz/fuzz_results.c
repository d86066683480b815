/* Any bytes as a results file: described, taken as a configuration, surveyed, hashed,
 * resumed and read in whole. What is read without HDF5 is fuzz_check's. */
#include "fuzz.h"
#include "patch.h"
#include "readers.h"
#include "worker.h"

/* HDF5 takes milliseconds for a whole file. So most inputs change one of few objects,
 * which is as good as the whole to some readers. */
enum { SMALL, SPIKING, BARE, ROWS, N_STORED };
static const char *const stored[N_STORED + 1] = {
    "results/small", "results/spiking", "results/bare", "results/rows", NULL};

/* The whole ones have letters that are not found by chance. */
static size_t base_of(const uint8_t *data, size_t size)
{
    const uint8_t first = size > 0 && !fuzz_is_whole(data, size) ? data[0] : 'S';
    return first == 'S' ? SMALL : first == 'P' ? SPIKING : first % 2 == 0 ? BARE : ROWS;
}

static void read_with(size_t base, unsigned choice, const char *path)
{
    static const unsigned of_bare[] = {FUZZ_DESCRIBE, FUZZ_TAKE_CONFIG, FUZZ_HASH};
    if (base < BARE) {
        fuzz_readers[choice % FUZZ_N_PARSED](path);
    } else if (base == BARE) {
        fuzz_readers[of_bare[choice % 3]](path);
    } else if (choice % 2 == 0) {
        fuzz_readers[FUZZ_SURVEY](path);
    } else {
        fuzz_read_planned(path);
    }
}

static bool read_results(const uint8_t *data, size_t size)
{
    const size_t base = base_of(data, size);
    unsigned choice;
    const bool good = fuzz_file_make(stored, base, data, size, &choice);
    if (good) {
        read_with(base, choice, fuzz_file_path());
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
