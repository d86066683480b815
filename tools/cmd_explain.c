/* explain - one configuration key: type, default, unit, meaning. */
#include <string.h>

#include "talk.h"
#include "tool.h"

static void print_key(const spl_config_key *key)
{
    printf("%s\n  %s\n  type     %s\n  default  %s\n", key->key, key->meaning, key->type,
        *key->value != '\0' ? key->value : "-");
    if (*key->unit != '\0') {
        printf("  unit     %s, of a bare number\n", key->unit);
    }
}

static void print_field(
    const char *key, const char *type, const char *owner, const spl_field *field)
{
    printf("%s (%s)\n  %s\n  type     %s\n  default  %.6g\n", key, owner, field->meaning,
        type, field->value);
    if (strcmp(field->unit, "1") != 0) {
        printf("  unit     %s\n", field->unit);
    }
    printf("  useful   %.6g to %.6g\n", field->low, field->high);
}

static const spl_field *find_field(const spl_field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static const char *after_prefix(const char *key, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(key, prefix, length) == 0 ? key + length : NULL;
}

/* Parameters of models and coupling functions, options of monitors: every component that
 * has one of that name. */
static bool explain_components(const char *key)
{
    bool found = false;
    const char *name = after_prefix(key, "model.");
    for (size_t i = 0; name != NULL && i < spl_model_count(); i++) {
        const spl_model *model = spl_model_at(i);
        const spl_field *field = find_field(model->params, model->n_params, name);
        if (field != NULL) {
            print_field(key, "number, per region", model->name, field);
            found = true;
        }
    }
    name = after_prefix(key, "coupling.");
    for (size_t i = 0; name != NULL && i < spl_coupling_count(); i++) {
        const spl_coupling *coupling = spl_coupling_at(i);
        const spl_field *field = find_field(coupling->params, coupling->n_params, name);
        if (field != NULL) {
            print_field(key, "number", coupling->name, field);
            found = true;
        }
    }
    name = after_prefix(key, "monitors.") != NULL ? strrchr(key, '.') + 1 : NULL;
    for (size_t i = 0; name != NULL && i < spl_monitor_count(); i++) {
        const spl_monitor_kind *kind = spl_monitor_at(i);
        const spl_field *field = find_field(kind->options, kind->n_options, name);
        if (field != NULL) {
            print_field(key, "number", kind->name, field);
            found = true;
        }
    }
    name = after_prefix(key, "subnetworks.");
    name = name != NULL && strstr(name, ".populations.") != NULL ? strrchr(name, '.') + 1
                                                                 : NULL;
    for (size_t i = 0; name != NULL && i < spl_neuron_model_count(); i++) {
        const spl_neuron_model *model = spl_neuron_model_at(i);
        const spl_field *field = find_field(model->params, model->n_params, name);
        if (field != NULL) {
            print_field(key, "number or distribution", model->name, field);
            found = true;
        }
    }
    return found;
}

/* "monitors.bold.period" is "monitors.NAME.period": NAME stands for any name. */
static bool is_named_key(const char *key, const char *asked)
{
    for (;;) {
        const size_t length = strcspn(key, ".");
        const size_t asked_length = strcspn(asked, ".");
        const bool name = length == 4 && memcmp(key, "NAME", 4) == 0 && asked_length > 0;
        if (!name && (length != asked_length || memcmp(key, asked, length) != 0)) {
            return false;
        }
        if (key[length] == '\0' || asked[asked_length] == '\0') {
            return key[length] == asked[asked_length];
        }
        key += length + 1;
        asked += asked_length + 1;
    }
}

static int run(const tool_arguments *arguments)
{
    enum { MOST_KEYS = 255 };
    const char *names[MOST_KEYS + 1] = {NULL};
    if (arguments->n_operands == 0) {
        print_keys(stdout);
        return EXIT_DONE;
    }
    const char *asked = arguments->operands[0];
    for (size_t i = 0; i < spl_config_key_count() && i < MOST_KEYS; i++) {
        const spl_config_key *key = spl_config_key_at(i);
        names[i] = key->key;
        if (strcmp(key->key, asked) == 0 || is_named_key(key->key, asked)) {
            print_key(key);
            return EXIT_DONE;
        }
    }
    if (explain_components(asked)) {
        return EXIT_DONE;
    }
    const char *closest = closest_name(asked, names);
    if (closest != NULL) {
        talk_error("unknown key '%s'; did you mean '%s'?", asked, closest);
    } else {
        talk_error("unknown key '%s'; 'splenium explain' lists all keys", asked);
    }
    return EXIT_USAGE;
}

static const tool_option options[] = {OPTION_HELP};

const tool_verb verb_explain = {
    .name = "explain",
    .operands = "[KEY]",
    .n_operands = 1,
    .summary = "what a configuration key means",
    .page = "Print type, default, unit and meaning of a configuration key, or of every "
            "key. Parameters of models and coupling functions and options of monitors "
            "are keys as well.",
    .examples = "  splenium explain connectome.speed\n"
                "  splenium explain model.d_V\n"
                "  splenium explain subnetworks.thal.populations.E.a",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
