/* Any bytes where a results file has slots, rows, checksums and states, read without HDF5
 * at the places that it has found before: checked and followed. */
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "patch.h"
#include "readers.h"
#include "sandbox.h"

enum { N_READERS = FUZZ_N_RESULTS - FUZZ_N_PARSED, N_STORED = 2 };

static const char *const stored[N_STORED + 1] = {
    "results/small", "results/spiking", NULL};

static struct {
    uint8_t *data;
    size_t size;
} answers[N_STORED][N_READERS];

static void delete_file(void)
{
    unlink(fuzz_file_path());
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (uint8_t i = 0; i < N_STORED; i++) {
        for (uint8_t r = 0; r < N_READERS; r++) {
            const uint8_t whole[] = {i, r};
            unsigned choice;
            fuzz_file_make(stored, i, whole, sizeof whole, &choice);
            answers[i][r].data = fuzz_record(
                fuzz_readers[FUZZ_N_PARSED + r], fuzz_file_path(), &answers[i][r].size);
        }
    }
    atexit(delete_file);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t which = size > 0 ? data[0] % N_STORED : 0;
    unsigned choice;
    fuzz_file_make(stored, which, data, size, &choice);
    const size_t reader = choice % N_READERS;
    fuzz_answer(answers[which][reader].data, answers[which][reader].size);
    fuzz_readers[FUZZ_N_PARSED + reader](fuzz_file_path());
    return 0;
}
