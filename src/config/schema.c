#include "config/schema.h"

#include <string.h>

#include "config/spiking_keys.h"

/* clang-format off */
#define TYPE_TEXT_COUNT(words)  "whole number"
#define TYPE_TEXT_TEXT(words)   "text"
#define TYPE_TEXT_PATH(words)   "path"
#define TYPE_TEXT_NAME(words)   "name of a " words
#define TYPE_TEXT_WORD(words)   "one of: " words
#define TYPE_TEXT_FLAG(words)   "true or false"
#define TYPE_TEXT_NUMBER(words) "number" words
#define TYPE_TEXT_TIME(words)   "time" words
#define TYPE_TEXT_SPEED(words)  "speed" words
#define TYPE_TEXT_RATE(words)   "rate" words
#define TYPE_TEXT_TREE(words)   words

#define ROW_OF(id, prefix, name, kind, preset, base, rule_, words_, meaning_)               \
    [SPL_##id] = {                                                                          \
        {.key = prefix name, .type = TYPE_TEXT_##kind(words_), .value = preset, .unit = base,      \
            .meaning = meaning_},                                                           \
        SPL_TYPE_##kind, SPL_RULE_##rule_, words_},

#define ROW(id, ...)            ROW_OF(KEY_##id, "", __VA_ARGS__)
#define SUBNETWORK_ROW(id, ...) ROW_OF(id, "subnetworks.NAME.", __VA_ARGS__)
#define RECEPTOR_ROW(id, ...)   ROW_OF(id, "subnetworks.NAME.receptors.NAME.", __VA_ARGS__)
#define POPULATION_ROW(id, ...) ROW_OF(id, "subnetworks.NAME.populations.NAME.", __VA_ARGS__)
#define BACKGROUND_ROW(id, ...) ROW_OF(id, "subnetworks.NAME.populations.NAME.background.", __VA_ARGS__)
#define PROJECTION_ROW(id, ...) ROW_OF(id, "subnetworks.NAME.projections.NAME.", __VA_ARGS__)

const spl_schema_row spl_schema[SPL_N_KEYS] = {SPL_CONFIG_KEYS(ROW)};
const spl_schema_row spl_subnetwork_rows[] = {SPL_SUBNETWORK_KEYS(SUBNETWORK_ROW)};
const spl_schema_row spl_receptor_rows[] = {SPL_RECEPTOR_KEYS(RECEPTOR_ROW)};
const spl_schema_row spl_population_rows[] = {SPL_POPULATION_KEYS(POPULATION_ROW)};
const spl_schema_row spl_background_rows[] = {SPL_BACKGROUND_KEYS(BACKGROUND_ROW)};
const spl_schema_row spl_projection_rows[] = {SPL_PROJECTION_KEYS(PROJECTION_ROW)};
/* clang-format on */

/* Keys whose names belong to components, for help texts. */
static const spl_config_key component_keys[] = {
    {"model.PARAMETER", "per region", "of the model", "",
        "a number, a list of N, {file: F} or {default: x, LABEL: y}"},
    {"coupling.PARAMETER", "number", "of the function", "",
        "parameter of the coupling function"},
    {"monitors.NAME.kind", "name of a kind of monitor", "", "", "what the monitor does"},
    {"monitors.NAME.period", "time", "of the kind", "ms", "time between two rows"},
    {"monitors.NAME.variables", "list of variables", "of the kind", "",
        "states, the model's observable (also Q), or c, the coupling input"},
    {"monitors.NAME.dtype", "one of: f4 | f8", "f4", "", "number format of the rows"},
    {"monitors.NAME.OPTION", "number or word", "of the kind", "",
        "option of the kind of monitor"},
    {"subnetworks.NAME.populations.NAME.PARAMETER", "number or distribution",
        "of the neuron model", "",
        "a number, {uniform: [low, high]}, {normal: [mean, sd], low: x, high: y}, "
        "{lognormal: {log_mean: m, log_sd: s}}, {file: F} or {values: [...]}"},
};
enum { N_COMPONENT_KEYS = sizeof component_keys / sizeof *component_keys };

static const struct {
    const spl_schema_row *rows;
    size_t n;
} tables[] = {
    {spl_schema, SPL_N_KEYS},
    {spl_subnetwork_rows, SPL_N_SUBNETWORK_KEYS},
    {spl_receptor_rows, SPL_N_RECEPTOR_KEYS},
    {spl_population_rows, SPL_N_POPULATION_KEYS},
    {spl_background_rows, SPL_N_BACKGROUND_KEYS},
    {spl_projection_rows, SPL_N_PROJECTION_KEYS},
};
enum { N_TABLES = sizeof tables / sizeof *tables };

size_t spl_config_key_count(void)
{
    size_t n = N_COMPONENT_KEYS;
    for (size_t t = 0; t < N_TABLES; t++) {
        n += tables[t].n;
    }
    return n;
}

const spl_config_key *spl_config_key_at(size_t i)
{
    for (size_t t = 0; t < N_TABLES; t++) {
        if (i < tables[t].n) {
            return &tables[t].rows[i].key;
        }
        i -= tables[t].n;
    }
    return i < N_COMPONENT_KEYS ? &component_keys[i] : NULL;
}

const spl_schema_row *spl_schema_find(const char *section, const char *name)
{
    size_t length = strlen(section);
    for (size_t i = 0; i < SPL_N_KEYS; i++) {
        const char *key = spl_schema[i].key.key;
        if (length > 0) {
            if (strncmp(key, section, length) != 0 || key[length] != '.') {
                continue;
            }
            key += length + 1;
        }
        if (strcmp(key, name) == 0) {
            return &spl_schema[i];
        }
    }
    return NULL;
}

void spl_schema_word(const char *words, size_t index, char word[32])
{
    for (; index > 0; index--) {
        words = strstr(words, " | ") + 3;
    }
    const char *end = strstr(words, " | ");
    size_t length = end != NULL ? (size_t)(end - words) : strlen(words);
    memcpy(word, words, length);
    word[length] = '\0';
}
