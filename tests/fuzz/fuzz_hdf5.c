/* Any bytes as a connectome in HDF5, or as what the process that reads it answers. */
#include "fuzz.h"
#include "sandbox.h"
#include "splenium/connectome.h"

static void load(const char *path)
{
    const spl_connectome_options options = {.file = path,
        .max_nodes = 200,
        .max_member_bytes = 1 << 20,
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO,
        .normalise = SPL_NORMALISE_REGION};
    spl_connectome *c = NULL;
    spl_connectome_info info;
    if (spl_connectome_load(&c, &options) == SPL_OK &&
        spl_connectome_describe(c, false, &info) != SPL_OK) {
        __builtin_trap();
    }
    spl_connectome_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(data, size, load);
    return 0;
}
