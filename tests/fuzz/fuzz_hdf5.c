/* Any bytes as a connectome in HDF5, or as what the process that reads it answers. */
#include "fuzz.h"
#include "sandbox.h"
#include "splenium/connectome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t signature[] = "\x89HDF\r\n\x1a\n";
    spl_connectome *c = NULL;
    spl_connectome_info info;
    spl_connectome_options options = {.max_nodes = 200,
        .max_member_bytes = 1 << 20,
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO,
        .normalise = SPL_NORMALISE_REGION};
    const bool is_answer = size > 0 && data[0] == '!';
    fuzz_answer(is_answer ? data + 1 : NULL, is_answer ? size - 1 : 0);
    options.file =
        is_answer ? fuzz_file(signature, sizeof signature - 1) : fuzz_file(data, size);
    if (spl_connectome_load(&c, &options) == SPL_OK &&
        spl_connectome_describe(c, false, &info) != SPL_OK) {
        __builtin_trap();
    }
    spl_connectome_free(c);
    return 0;
}
