/* Any bytes as a results file: described, taken as a configuration, surveyed, hashed,
 * resumed and read in whole. What is read without HDF5 is fuzz_check's. */
#include "fuzz.h"
#include "patch.h"
#include "readers.h"
#include "worker.h"

/* HDF5 takes milliseconds for a whole file, one for few objects, which are as good to
 * those readers that walk through whatever is there. */
enum { SMALL, SPIKING, BARE, ROWS, N_STORED };
static const char *const stored[N_STORED + 1] = {
    "results/small", "results/spiking", "results/bare", "results/rows", NULL};

static fuzz_reader *reader_of(size_t base, unsigned choice)
{
    static const unsigned of_parts[] = {
        FUZZ_DESCRIBE, FUZZ_TAKE_CONFIG, FUZZ_FIND_PLACES};
    static const unsigned of_bare[] = {FUZZ_DESCRIBE, FUZZ_TAKE_CONFIG, FUZZ_HASH};
    switch (base) {
    case BARE:
        return fuzz_readers[of_bare[choice % 3]];
    case ROWS:
        return choice % 2 == 0 ? fuzz_readers[FUZZ_SURVEY] : fuzz_read_planned;
    default:
        return fuzz_readers[of_parts[choice % 3]];
    }
}

static bool read_results(const uint8_t *data, size_t size)
{
    const size_t base = size > 0 ? data[0] % N_STORED : 0;
    unsigned choice;
    const bool good = fuzz_file_make(stored, base, data, size, &choice);
    if (good && fuzz_is_whole(data, size)) {
        fuzz_readers[choice % FUZZ_N_PARSED](fuzz_file_path());
    } else if (good) {
        reader_of(base, choice)(fuzz_file_path());
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
