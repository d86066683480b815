/* Any bytes as what the process that reads a file answers, which the file may have taken
 * over. The first byte chooses the reader. */
#include "fuzz.h"
#include "readers.h"
#include "sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const unsigned reader = data[0] % FUZZ_N_READERS;
    fuzz_answer(data + 1, size - 1);
    fuzz_readers[reader](
        reader < FUZZ_N_RESULTS ? FUZZ_BASE "/results/small" : FUZZ_BASE "/hdf5/tvb");
    return 0;
}
