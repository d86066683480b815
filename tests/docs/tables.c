/* The tables of the manual, as Markdown, from the library's own registries.
 *   tables keys | models | couplings | integrators | monitors | neurons
 * tools/make-docs puts them into docs/; a test compares. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "splenium/splenium.h"

/* Text of a table's cell: a bar would end it. */
static void print_cell(const char *text)
{
    for (; *text != '\0'; text++) {
        printf(*text == '|' ? "\\|" : "%c", *text);
    }
}

static const char *unit_of(const char *unit)
{
    return strcmp(unit, "1") == 0 ? "" : unit;
}

/* States have no default: the start rule decides. */
static void print_states(const spl_model *model)
{
    printf("\n| state | unit | usual range | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < model->n_states; i++) {
        const spl_field *f = &model->states[i];
        printf("| `%s` | %s | %.6g to %.6g | %s |\n", f->name, unit_of(f->unit), f->low,
            f->high, f->meaning);
    }
}

static void print_fields(const spl_field *fields, size_t n, const char *what)
{
    if (n == 0) {
        return;
    }
    printf("\n| %s | default | unit | usual range | meaning |\n|---|---|---|---|---|\n",
        what);
    for (size_t i = 0; i < n; i++) {
        const spl_field *f = &fields[i];
        const char *rule = f->rule == SPL_RULE_POSITIVE       ? "; must be > 0"
                           : f->rule == SPL_RULE_NOT_NEGATIVE ? "; must be >= 0"
                                                              : "";
        printf("| `%s` | %.6g | %s | %.6g to %.6g | ", f->name, f->value,
            unit_of(f->unit), f->low, f->high);
        print_cell(f->meaning);
        printf("%s |\n", rule);
    }
}

static void print_keys(void)
{
    printf("| key | type | default | unit | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < spl_config_key_count(); i++) {
        const spl_config_key *key = spl_config_key_at(i);
        const char *quote = *key->value != '\0' ? "`" : "";
        printf("| `%s` | ", key->key);
        print_cell(key->type);
        printf(" | %s", quote);
        print_cell(key->value);
        printf("%s | %s | ", quote, key->unit);
        print_cell(key->meaning);
        printf(" |\n");
    }
}

static void print_presets(const spl_model *model)
{
    for (size_t i = 0; i < model->n_presets; i++) {
        const spl_preset *preset = &model->presets[i];
        printf("\n**`%s`** - %s. %s\n\n```text\n", preset->name, preset->source,
            preset->note);
        for (const spl_setting *s = preset->settings; s->key != NULL; s++) {
            printf("%s=%s\n", s->key, s->value);
        }
        printf("```\n");
    }
}

static void print_models(void)
{
    for (size_t i = 0; i < spl_model_count(); i++) {
        const spl_model *model = spl_model_at(i);
        printf("%s## %s\n%s. Sends `%s` unless `coupling.observable` says otherwise.\n\n",
            i > 0 ? "\n" : "", model->name, model->summary, model->observable);
        printf("```text\n%s\n```\n", model->page);
        print_states(model);
        print_fields(model->params, model->n_params, "parameter");
        printf("\n### Start rules of %s\nFor `model.init`; the first is the default.\n\n",
            model->name);
        for (size_t s = 0; s < model->n_starts; s++) {
            printf("- `%s`: %s\n", model->starts[s].name, model->starts[s].note);
        }
        printf("\n### Presets of %s\nFor `model.preset`.\n", model->name);
        print_presets(model);
    }
}

static void print_couplings(void)
{
    for (size_t i = 0; i < spl_coupling_count(); i++) {
        const spl_coupling *coupling = spl_coupling_at(i);
        printf("%s### %s\n`%s`\n\nSends %s; sums are %s, both unless set otherwise.\n",
            i > 0 ? "\n" : "", coupling->name, coupling->summary,
            coupling->sends_observable ? "the model's observable"
                                       : "the model's first state",
            coupling->in_strength ? "divided by the in-strength" : "taken as they are");
        print_fields(coupling->params, coupling->n_params, "parameter");
    }
}

static void print_integrators(void)
{
    printf("| name | step | order |\n|---|---|---|\n");
    spl_integrator integrator;
    for (size_t i = 0; spl_integrator_at(i, &integrator); i++) {
        printf("| `%s` | %s | %d |\n", integrator.name, integrator.formula,
            integrator.order);
    }
}

static const char *variable_of(const spl_monitor_kind *kind)
{
    return kind->variable == NULL                      ? "the first state"
           : strcmp(kind->variable, "observable") == 0 ? "the model's observable"
                                                       : "`c`, and no other";
}

static void print_monitors(void)
{
    for (size_t i = 0; i < spl_monitor_count(); i++) {
        const spl_monitor_kind *kind = spl_monitor_at(i);
        printf("%s### %s\n%s.\n\nDefault variable: %s. ", i > 0 ? "\n" : "", kind->name,
            kind->summary, variable_of(kind));
        if (kind->period_ms > 0.0) {
            printf("Default period: %g ms.\n", kind->period_ms);
        } else {
            printf("Every step; takes no period.\n");
        }
        for (size_t c = 0; c < kind->n_choices; c++) {
            const spl_choice *choice = &kind->choices[c];
            printf("\n- `%s`: %s. One of", choice->name, choice->meaning);
            for (size_t w = 0; choice->words[w] != NULL; w++) {
                printf("%s `%s`", w > 0 ? "," : "", choice->words[w]);
            }
            printf("; the first is the default.");
            printf("\n");
        }
        print_fields(kind->options, kind->n_options, "option");
    }
}

static void print_neurons(void)
{
    for (size_t i = 0; i < spl_neuron_model_count(); i++) {
        const spl_neuron_model *model = spl_neuron_model_at(i);
        printf(
            "%s### %s\n```text\n%s\n```\n", i > 0 ? "\n" : "", model->name, model->doc);
        print_fields(model->initial, model->n_states, "state");
        print_fields(model->params, model->n_params, "parameter");
        for (size_t p = 0; p < model->n_presets; p++) {
            const spl_neuron_preset *preset = &model->presets[p];
            printf("%s- preset `%s`: `%s`. %s.\n", p == 0 ? "\n" : "", preset->name,
                preset->settings, preset->source);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {{"keys", print_keys}, {"models", print_models},
        {"couplings", print_couplings}, {"integrators", print_integrators},
        {"monitors", print_monitors}, {"neurons", print_neurons}};
    for (size_t i = 0; argc == 2 && i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(argv[1], tables[i].name) == 0) {
            tables[i].print();
            return 0;
        }
    }
    fprintf(stderr,
        "usage: tables keys | models | couplings | integrators | monitors | neurons\n");
    return 2;
}
