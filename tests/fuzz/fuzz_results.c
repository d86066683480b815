/* Any bytes as a results file, described and taken as a configuration, or as what the
 * process that reads it answers. */
#include <stdlib.h>

#include "fuzz.h"
#include "output/results.h"
#include "sandbox.h"
#include "splenium/results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *json = NULL;
    char sha256[SPL_SHA256_HEX];
    spl_results_info *info = NULL;
    const bool is_answer = size > 0 && data[0] == '!';
    fuzz_answer(is_answer ? data + 1 : NULL, is_answer ? size - 1 : 0);
    const char *path = fuzz_file(data, size);
    if (spl_results_describe(path, &info) == SPL_OK && info->status == NULL) {
        __builtin_trap();
    }
    spl_results_free(info);
    if (spl_results_config(path, &json, sha256) == SPL_OK) {
        free(json);
    }
    return 0;
}
