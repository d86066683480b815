/* Any bytes behind the signature of a .npy file, as weights and as flags. */
#include <stdlib.h>
#include <string.h>

#include "connectome/connectome.h"
#include "fuzz.h"

static void parse_as(spl_member member, const spl_blob *blob)
{
    static const spl_limits limits = {.max_nodes = 200, .max_member_bytes = 1 << 20};
    spl_table table = {0};
    if (spl_table_parse(&table, member, "fuzz", blob, &limits) == SPL_OK) {
        spl_table_deinit(&table);
    } else if (table.data != NULL) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char signature[] = "\x93NUMPY";
    static const spl_limits limits = {.max_nodes = 200, .max_member_bytes = 1 << 20};
    const size_t length = sizeof signature - 1;
    spl_blob blob = {0};
    if (size > length && memcmp(data, signature, length) == 0) {
        data += length;
        size -= length;
    }
    if (spl_blob_append(&blob, signature, length, "fuzz", length, true, &limits) ==
            SPL_OK &&
        spl_blob_append(&blob, data, size, "fuzz", size, true, &limits) == SPL_OK) {
        parse_as(SPL_MEMBER_WEIGHTS, &blob);
        parse_as(SPL_MEMBER_CENTRES, &blob);
        parse_as(SPL_MEMBER_CORTICAL, &blob);
    }
    spl_blob_deinit(&blob);
    return 0;
}
