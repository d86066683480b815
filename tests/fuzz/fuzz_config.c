/* Any bytes as a configuration; what resolves must read back from its JSON unchanged. */
#include <string.h>

#include "config/config.h"
#include "fuzz.h"

/* Result: false if the text is refused. */
static bool resolve(const char *text, size_t length, const spl_connectome *regions,
    spl_settings *settings)
{
    spl_config *config = NULL;
    bool good = spl_config_from_text(&config, "fuzz", text, length) == SPL_OK &&
                spl_config_resolve(config, regions, settings) == SPL_OK;
    spl_config_free(config);
    return good;
}

static spl_connectome *make_regions(void)
{
    static const double weights[9] = {0, 1, 2, 1, 0, 1, 2, 1, 0};
    static const char *const labels[] = {"rA1", "lTeg.a", "lA1"};
    const spl_connectome_arrays arrays = {
        .n_nodes = 3, .weights = weights, .labels = labels};
    const spl_connectome_options accept = {.zero_length = SPL_ZERO_LENGTH_ACCEPT};
    spl_connectome *regions = NULL;
    if (spl_connectome_create(&regions, &arrays, &accept) != SPL_OK) {
        spl_bug_abort("connectome", __FILE__, __LINE__);
    }
    return regions;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static spl_connectome *regions;
    spl_settings first = {0};
    spl_settings again = {0};
    regions = regions != NULL ? regions : make_regions();
    if (resolve((const char *)data, size, regions, &first)) {
        const char *json = first.resolved_json;
        if (!resolve(json, strlen(json), regions, &again) ||
            strcmp(json, again.resolved_json) != 0) {
            spl_bug_abort("resolved configuration reads back", __FILE__, __LINE__);
        }
    }
    spl_settings_free(&first);
    spl_settings_free(&again);
    return 0;
}
