/* Any bytes as settings KEY=VALUE, one a line, on top of the defaults. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "fuzz.h"

static spl_connectome *make_regions(void)
{
    static const double weights[9] = {0, 1, 2, 1, 0, 1, 2, 1, 0};
    static const char *const labels[] = {"rA1", "lTeg.a", "lA1"};
    static const spl_connectome_options accept = {.zero_length = SPL_ZERO_LENGTH_ACCEPT};
    const spl_connectome_arrays arrays = {
        .n_nodes = 3, .weights = weights, .labels = labels};
    spl_connectome *regions = NULL;
    if (spl_connectome_create(&regions, &arrays, &accept) != SPL_OK) {
        abort();
    }
    return regions;
}

/* The defaults; without the monitor of BOLD, whose kernels take most of the time, unless
 * a setting is about it. */
static spl_status make_base(spl_config **config, const char *text)
{
    static const char base[] =
        "monitors: [{name: tavg, kind: temporal_average, period: 1}]";
    return strstr(text, "bold") != NULL
               ? spl_config_defaults(config)
               : spl_config_from_text(config, "fuzz", base, sizeof base - 1);
}

/* Result: false if a setting is refused. */
static bool set_all(spl_config *config, char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, '=');
        if (value != NULL) {
            *value++ = '\0';
            if (spl_config_set(config, line, value) != SPL_OK) {
                return false;
            }
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static spl_connectome *regions;
    spl_config *config = NULL;
    spl_settings settings = {0};
    char *text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    memcpy(text, data, size);
    text[size] = '\0';
    regions = regions != NULL ? regions : make_regions();
    if (make_base(&config, text) == SPL_OK && set_all(config, text) &&
        spl_config_resolve(config, regions, &settings) == SPL_OK &&
        settings.resolved_json == NULL) {
        abort();
    }
    spl_settings_free(&settings);
    spl_config_free(config);
    free(text);
    return 0;
}
