/* A small connectome and shorthands of the configuration tests. */
#ifndef SPL_TEST_CONFIG_SUPPORT_H
#define SPL_TEST_CONFIG_SUPPORT_H

#include <string.h>

#include "config/config.h"
#include "support/test_main.h"

/* Four regions; one label holds a dot and a comma, two are the same. */
static inline spl_connectome *make_regions(bool ambiguous)
{
    static const double weights[16] = {0, 1, 2, 1, 1, 0, 1, 0, 2, 1, 0, 1, 1, 0, 1, 0};
    static const char *const labels[] = {"rA1", "lTeg.a", "area_3a,_nose", "lA1"};
    static const char *const twins[] = {"rA1", "lA1", "unk", "unk"};
    const spl_connectome_arrays arrays = {
        .n_nodes = 4, .weights = weights, .labels = ambiguous ? twins : labels};
    const spl_connectome_options accept = {.zero_length = SPL_ZERO_LENGTH_ACCEPT};
    spl_connectome *connectome = NULL;
    ck_assert_int_eq(spl_connectome_create(&connectome, &arrays, &accept), SPL_OK);
    return connectome;
}

static inline spl_config *read_text(const char *yaml)
{
    spl_config *config = NULL;
    spl_status status = spl_config_from_text(&config, "t.yaml", yaml, strlen(yaml));
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    return config;
}

static inline void resolve(
    const spl_config *config, const spl_connectome *connectome, spl_settings *settings)
{
    *settings = (spl_settings){0};
    spl_status status = spl_config_resolve(config, connectome, settings);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
}

static inline void set(spl_config *config, const char *key, const char *value)
{
    ck_assert_msg(spl_config_set(config, key, value) == SPL_OK, "%s", spl_last_error());
}

/* Index of a parameter of the resolved model. */
static inline const double *param(const spl_settings *settings, const char *name)
{
    for (size_t p = 0; p < settings->model->n_params; p++) {
        if (strcmp(settings->model->params[p].name, name) == 0) {
            return settings->params + p * settings->n_nodes;
        }
    }
    ck_abort_msg("no parameter %s", name);
    return NULL;
}

#endif
