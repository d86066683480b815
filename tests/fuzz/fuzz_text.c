/* Any bytes as weights, as centres, as flags and as labels: a status or a table, no harm.
 */
#include <stdlib.h>

#include "connectome/connectome.h"
#include "fuzz.h"

static void parse_as(spl_member member, const spl_blob *blob, const spl_limits *limits)
{
    spl_table table = {0};
    if (spl_table_parse(&table, member, "fuzz", blob, limits) == SPL_OK) {
        spl_table_deinit(&table);
    } else if (table.data != NULL) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const spl_limits limits = {.max_nodes = 200, .max_member_bytes = 1 << 20};
    spl_blob blob = {0};
    char *labels = NULL;
    size_t n_labels;
    if (spl_blob_append(&blob, data, size, "fuzz", size, true, &limits) == SPL_OK &&
        spl_blob_inflate(&blob, "fuzz", true, &limits) == SPL_OK) {
        parse_as(SPL_MEMBER_WEIGHTS, &blob, &limits);
        parse_as(SPL_MEMBER_CENTRES, &blob, &limits);
        parse_as(SPL_MEMBER_CORTICAL, &blob, &limits);
        if (spl_text_labels(&labels, &n_labels, "fuzz", &blob, &limits) == SPL_OK) {
            free(labels);
        }
    }
    spl_blob_deinit(&blob);
    return 0;
}
