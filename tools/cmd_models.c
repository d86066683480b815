/* models - what a run can be made of: models, coupling functions, monitors, neuron
 * models, integrators. */
#include <string.h>

#include "json.h"
#include "talk.h"
#include "tool.h"

enum { NAME_COLUMN = 22 };

static void print_title(const char *name, const char *kind)
{
    printf("%s (%s)\n", name, kind);
}

static void print_field(const spl_field *field, bool with_default)
{
    char text[96];
    int column = printf("  %-10s", field->name);
    if (with_default) {
        column += printf(" %-10.7g", field->value);
    }
    column += printf(" %-5s", strcmp(field->unit, "1") == 0 ? "-" : field->unit);
    snprintf(text, sizeof text, "[%.6g, %.6g]", field->low, field->high);
    column += printf(" %-15s ", text);
    print_wrapped(stdout, (size_t)column, (size_t)column, field->meaning);
}

static void print_fields(const char *title, const spl_field *fields, size_t n)
{
    if (n == 0) {
        return;
    }
    printf("\n%s\n  %-10s %-10s %-5s %-15s meaning\n", title, "name", "default", "unit",
        "useful range");
    for (size_t i = 0; i < n; i++) {
        print_field(&fields[i], true);
    }
}

static void print_states(const spl_model *model)
{
    printf("\nStates\n  %-10s %-5s %-15s meaning\n", "name", "unit", "range");
    for (size_t i = 0; i < model->n_states; i++) {
        print_field(&model->states[i], false);
    }
    printf("  Sends %s by default; as a variable of monitors it is also called Q.\n",
        model->observable);
}

static void print_presets(const spl_model *model)
{
    printf("\nPresets (model.preset)\n");
    for (size_t i = 0; i < model->n_presets; i++) {
        const spl_preset *preset = &model->presets[i];
        printf("  %s\n", preset->name);
        print_wrapped(stdout, 6, 0, preset->source);
        print_wrapped(stdout, 6, 0, preset->note);
        for (const spl_setting *s = preset->settings; s->key != NULL; s++) {
            printf("      %s=%s\n", s->key, s->value);
        }
    }
}

static void print_starts(const spl_model *model)
{
    printf("\nStart rules (model.init)\n");
    for (size_t i = 0; i < model->n_starts; i++) {
        const spl_start *start = &model->starts[i];
        printf("  %s%s\n", start->name, i == 0 ? " (default)" : "");
        print_wrapped(stdout, 6, 0, start->note);
        for (size_t s = 0; s < model->n_states; s++) {
            printf("      %s in [%.6g, %.6g]\n", model->states[s].name, start->low[s],
                start->high[s]);
        }
    }
}

static void print_model(const spl_model *model)
{
    print_title(model->name, "model");
    printf("%s\n\n%s\n", model->summary, model->page);
    print_states(model);
    print_fields("Parameters (model.NAME)", model->params, model->n_params);
    if (model->n_presets > 0) {
        print_presets(model);
    }
    if (model->n_starts > 0) {
        print_starts(model);
    }
}

static void print_coupling(const spl_coupling *coupling)
{
    print_title(coupling->name, "coupling function");
    print_wrapped(stdout, 0, 0, coupling->summary);
    char text[240];
    snprintf(text, sizeof text,
        "Sends %s unless coupling.observable says otherwise; the sum is %s unless "
        "coupling.normalise does.",
        coupling->sends_observable ? "the model's observable" : "the model's first state",
        coupling->in_strength ? "divided by the in-strength" : "not divided");
    fputc('\n', stdout);
    print_wrapped(stdout, 0, 0, text);
    print_fields("Parameters (coupling.NAME)", coupling->params, coupling->n_params);
}

static void print_monitor(const spl_monitor_kind *kind)
{
    print_title(kind->name, "monitor");
    print_wrapped(stdout, 0, 0, kind->summary);
    if (kind->period_ms > 0.0) {
        printf("\nDefault period %.6g ms", kind->period_ms);
    } else {
        printf("\nA row at every step");
    }
    printf("; default variable: %s.\n", kind->variable == NULL ? "the first state"
                                        : strcmp(kind->variable, "observable") == 0
                                            ? "the model's observable"
                                            : "c, the coupling input");
    for (size_t i = 0; i < kind->n_choices; i++) {
        const spl_choice *choice = &kind->choices[i];
        printf("%s  %s: one of", i == 0 ? "\nChoices\n" : "", choice->name);
        for (const char *const *word = choice->words; *word != NULL; word++) {
            printf(" %s%s", *word, word == choice->words ? " (default)" : "");
        }
        fputc('\n', stdout);
        print_wrapped(stdout, 6, 0, choice->meaning);
    }
    print_fields("Options", kind->options, kind->n_options);
}

static void print_neuron(const spl_neuron_model *model)
{
    print_title(model->name, "neuron model");
    printf("%s\n", model->doc);
    printf("\nStates, with the default start\n  %-10s %-10s %-5s %-15s meaning\n", "name",
        "default", "unit", "usual range");
    for (size_t i = 0; i < model->n_states; i++) {
        print_field(&model->initial[i], true);
    }
    print_fields("Parameters (subnetworks.NAME.populations.NAME.PARAMETER)",
        model->params, model->n_params);
    for (size_t i = 0; i < model->n_presets; i++) {
        const spl_neuron_preset *preset = &model->presets[i];
        printf("%s  %s: %s\n",
            i == 0 ? "\nPresets (subnetworks.NAME.populations.NAME.preset)\n" : "",
            preset->name, preset->settings);
        print_wrapped(stdout, 6, 0, preset->source);
    }
}

static void print_integrator(const spl_integrator *integrator)
{
    print_title(integrator->name, "integrator");
    printf("Order %d.\n", integrator->order);
    print_wrapped(stdout, 0, 0, integrator->formula);
}

static void list_name(const char *name, const char *summary)
{
    int column = printf("  %s", name);
    print_wrapped(stdout, NAME_COLUMN, (size_t)column, summary);
}

/* The first line of its page. */
static void list_neuron(const spl_neuron_model *model)
{
    char summary[200];
    snprintf(summary, sizeof summary, "%.*s", (int)strcspn(model->doc, "\n"), model->doc);
    list_name(model->name, summary);
}

static void list_all(void)
{
    printf("Models (model.name)\n");
    for (size_t i = 0; i < spl_model_count(); i++) {
        list_name(spl_model_at(i)->name, spl_model_at(i)->summary);
    }
    printf("\nCoupling functions (coupling.function)\n");
    for (size_t i = 0; i < spl_coupling_count(); i++) {
        list_name(spl_coupling_at(i)->name, spl_coupling_at(i)->summary);
    }
    printf("\nMonitors (monitors.NAME.kind)\n");
    for (size_t i = 0; i < spl_monitor_count(); i++) {
        list_name(spl_monitor_at(i)->name, spl_monitor_at(i)->summary);
    }
    printf("\nNeuron models (subnetworks.NAME.model)\n");
    for (size_t i = 0; i < spl_neuron_model_count(); i++) {
        list_neuron(spl_neuron_model_at(i));
    }
    printf("\nIntegrators (simulation.integrator)\n");
    spl_integrator integrator;
    for (size_t i = 0; spl_integrator_at(i, &integrator); i++) {
        list_name(integrator.name, integrator.formula);
    }
    printf("\n'splenium models NAME' prints everything about one of them.\n");
}

static void write_fields(json_writer *json, const char *key, const spl_field *fields,
    size_t n, bool with_default)
{
    static const char *const rules[] = {"finite", "positive", "not negative"};
    json_begin(json, key, '[');
    for (size_t i = 0; i < n; i++) {
        const spl_field *field = &fields[i];
        json_begin(json, NULL, '{');
        json_text(json, "name", field->name);
        if (with_default) {
            json_real(json, "default", field->value);
        }
        json_text(json, "unit", field->unit);
        json_real(json, "low", field->low);
        json_real(json, "high", field->high);
        json_text(json, "rule", rules[field->rule]);
        json_text(json, "meaning", field->meaning);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_presets(json_writer *json, const spl_model *model)
{
    json_begin(json, "presets", '[');
    for (size_t i = 0; i < model->n_presets; i++) {
        const spl_preset *preset = &model->presets[i];
        json_begin(json, NULL, '{');
        json_text(json, "name", preset->name);
        json_text(json, "source", preset->source);
        json_text(json, "note", preset->note);
        json_begin(json, "settings", '{');
        for (const spl_setting *s = preset->settings; s->key != NULL; s++) {
            json_text(json, s->key, s->value);
        }
        json_end(json, '}');
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_starts(json_writer *json, const spl_model *model)
{
    json_begin(json, "starts", '[');
    for (size_t i = 0; i < model->n_starts; i++) {
        const spl_start *start = &model->starts[i];
        json_begin(json, NULL, '{');
        json_text(json, "name", start->name);
        json_text(json, "note", start->note);
        json_flag(json, "shared", start->shared);
        json_begin(json, "range", '{');
        for (size_t s = 0; s < model->n_states; s++) {
            json_begin(json, model->states[s].name, '[');
            json_real(json, NULL, start->low[s]);
            json_real(json, NULL, start->high[s]);
            json_end(json, ']');
        }
        json_end(json, '}');
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_model(json_writer *json, const spl_model *model)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", model->name);
    json_text(json, "summary", model->summary);
    json_text(json, "page", model->page);
    json_text(json, "observable", model->observable);
    write_fields(json, "states", model->states, model->n_states, false);
    write_fields(json, "parameters", model->params, model->n_params, true);
    write_presets(json, model);
    write_starts(json, model);
    json_end(json, '}');
}

static void write_coupling(json_writer *json, const spl_coupling *coupling)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", coupling->name);
    json_text(json, "summary", coupling->summary);
    json_flag(json, "sends_observable", coupling->sends_observable);
    json_flag(json, "in_strength", coupling->in_strength);
    write_fields(json, "parameters", coupling->params, coupling->n_params, true);
    json_end(json, '}');
}

static void write_monitor(json_writer *json, const spl_monitor_kind *kind)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", kind->name);
    json_text(json, "summary", kind->summary);
    json_real(json, "period_ms", kind->period_ms);
    json_begin(json, "choices", '{');
    for (size_t i = 0; i < kind->n_choices; i++) {
        json_begin(json, kind->choices[i].name, '[');
        for (const char *const *word = kind->choices[i].words; *word != NULL; word++) {
            json_text(json, NULL, *word);
        }
        json_end(json, ']');
    }
    json_end(json, '}');
    write_fields(json, "options", kind->options, kind->n_options, true);
    json_end(json, '}');
}

static void write_neuron(json_writer *json, const spl_neuron_model *model)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", model->name);
    json_text(json, "page", model->doc);
    write_fields(json, "states", model->initial, model->n_states, true);
    write_fields(json, "parameters", model->params, model->n_params, true);
    json_begin(json, "presets", '[');
    for (size_t i = 0; i < model->n_presets; i++) {
        json_begin(json, NULL, '{');
        json_text(json, "name", model->presets[i].name);
        json_text(json, "source", model->presets[i].source);
        json_text(json, "settings", model->presets[i].settings);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

static void write_integrator(json_writer *json, const spl_integrator *integrator)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", integrator->name);
    json_text(json, "formula", integrator->formula);
    json_whole(json, "order", (uint64_t)integrator->order);
    json_end(json, '}');
}

static bool wanted(const char *name, const char *asked)
{
    return asked == NULL || strcmp(name, asked) == 0;
}

/* Everything, or what is called `asked`. */
static void write_json(const char *asked)
{
    json_writer json = {.file = stdout};
    json_begin(&json, NULL, '{');
    json_begin(&json, "models", '[');
    for (size_t i = 0; i < spl_model_count(); i++) {
        if (wanted(spl_model_at(i)->name, asked)) {
            write_model(&json, spl_model_at(i));
        }
    }
    json_end(&json, ']');
    json_begin(&json, "coupling_functions", '[');
    for (size_t i = 0; i < spl_coupling_count(); i++) {
        if (wanted(spl_coupling_at(i)->name, asked)) {
            write_coupling(&json, spl_coupling_at(i));
        }
    }
    json_end(&json, ']');
    json_begin(&json, "monitors", '[');
    for (size_t i = 0; i < spl_monitor_count(); i++) {
        if (wanted(spl_monitor_at(i)->name, asked)) {
            write_monitor(&json, spl_monitor_at(i));
        }
    }
    json_end(&json, ']');
    json_begin(&json, "neuron_models", '[');
    for (size_t i = 0; i < spl_neuron_model_count(); i++) {
        if (wanted(spl_neuron_model_at(i)->name, asked)) {
            write_neuron(&json, spl_neuron_model_at(i));
        }
    }
    json_end(&json, ']');
    json_begin(&json, "integrators", '[');
    spl_integrator integrator;
    for (size_t i = 0; spl_integrator_at(i, &integrator); i++) {
        if (wanted(integrator.name, asked)) {
            write_integrator(&json, &integrator);
        }
    }
    json_end(&json, ']');
    json_end(&json, '}');
}

/* A name may belong to several registries: there is a model and a coupling "linear". */
static void print_pages(const char *name)
{
    bool first = true;
    for (size_t i = 0; i < spl_model_count(); i++) {
        if (wanted(spl_model_at(i)->name, name)) {
            print_model(spl_model_at(i));
            first = false;
        }
    }
    for (size_t i = 0; i < spl_coupling_count(); i++) {
        if (wanted(spl_coupling_at(i)->name, name)) {
            fputs(first ? "" : "\n", stdout);
            print_coupling(spl_coupling_at(i));
            first = false;
        }
    }
    for (size_t i = 0; i < spl_monitor_count(); i++) {
        if (wanted(spl_monitor_at(i)->name, name)) {
            fputs(first ? "" : "\n", stdout);
            print_monitor(spl_monitor_at(i));
            first = false;
        }
    }
    for (size_t i = 0; i < spl_neuron_model_count(); i++) {
        if (wanted(spl_neuron_model_at(i)->name, name)) {
            fputs(first ? "" : "\n", stdout);
            print_neuron(spl_neuron_model_at(i));
            first = false;
        }
    }
    spl_integrator integrator;
    for (size_t i = 0; spl_integrator_at(i, &integrator); i++) {
        if (wanted(integrator.name, name)) {
            fputs(first ? "" : "\n", stdout);
            print_integrator(&integrator);
            first = false;
        }
    }
}

static int check_name(const char *name)
{
    enum { MOST_NAMES = 255 };
    const char *names[MOST_NAMES + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < spl_model_count() && n < MOST_NAMES; i++) {
        names[n++] = spl_model_at(i)->name;
    }
    for (size_t i = 0; i < spl_coupling_count() && n < MOST_NAMES; i++) {
        names[n++] = spl_coupling_at(i)->name;
    }
    for (size_t i = 0; i < spl_monitor_count() && n < MOST_NAMES; i++) {
        names[n++] = spl_monitor_at(i)->name;
    }
    for (size_t i = 0; i < spl_neuron_model_count() && n < MOST_NAMES; i++) {
        names[n++] = spl_neuron_model_at(i)->name;
    }
    spl_integrator integrator;
    for (size_t i = 0; spl_integrator_at(i, &integrator) && n < MOST_NAMES; i++) {
        names[n++] = integrator.name;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return EXIT_DONE;
        }
    }
    const char *closest = closest_name(name, names);
    if (closest != NULL) {
        talk_error("nothing is called '%s'; did you mean '%s'?", name, closest);
    } else {
        talk_error("nothing is called '%s'; 'splenium models' lists all names", name);
    }
    return EXIT_USAGE;
}

static int run(const tool_arguments *arguments)
{
    const char *name = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
    if (name != NULL) {
        int code = check_name(name);
        if (code != EXIT_DONE) {
            return code;
        }
    }
    if (argument_of(arguments, "json") != NULL) {
        write_json(name);
    } else if (name == NULL) {
        list_all();
    } else {
        print_pages(name);
    }
    return EXIT_DONE;
}

static const tool_option options[] = {OPTION_JSON, OPTION_HELP};

const tool_verb verb_models = {
    .name = "models",
    .operands = "[NAME]",
    .n_operands = 1,
    .summary = "list models, coupling functions, monitors, neuron models, integrators; "
               "or print a page",
    .page = "Without NAME, list everything a run can be made of: node models, coupling "
            "functions, monitors, neuron models and integrators. With NAME, print its "
            "page: equations "
            "and sources, states, parameters with default, unit and useful range, "
            "presets with their settings, start rules.",
    .examples = "  splenium models larter_breakspear\n"
                "  splenium models bold\n"
                "  splenium models --json",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
