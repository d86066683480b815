/* Any bytes as a results file, described and taken as a configuration, or as what the
 * process that reads it answers. */
#include <stdlib.h>

#include "fuzz.h"
#include "output/results.h"
#include "sandbox.h"
#include "splenium/results.h"

static void describe(const char *path)
{
    char *json = NULL;
    char sha256[SPL_SHA256_HEX];
    spl_results_info *info = NULL;
    if (spl_results_describe(path, &info) == SPL_OK && info->status == NULL) {
        __builtin_trap();
    }
    spl_results_free(info);
    if (spl_results_config(path, &json, sha256) == SPL_OK) {
        free(json);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(data, size, describe);
    return 0;
}
