/* info - what a connectome holds; its numbers betray most mistakes in units and layout.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "json.h"
#include "state.h"
#include "talk.h"
#include "tool.h"

enum { MOST_LISTED = 16 };

/* A connectome as a run would take it, or took it. */
typedef struct connectome_page {
    spl_results_info *results; /* NULL: the file is no results file */
    const spl_connectome *connectome;
    spl_connectome_info info;
    spl_delay_info delays;
    double speed, dt;
    double delay; /* ms, one for all edges; NAN: from the lengths */
} connectome_page;

/* Largest difference that is rounding: lengths computed twice from the same centres. */
static bool is_rounding(double asymmetry, double largest)
{
    return asymmetry <= 1e-12 * largest;
}

static void print_nodes(const spl_connectome_info *info)
{
    printf("nodes      %zu; ", info->n_nodes);
    if (info->n_duplicate_labels == 0) {
        fputs("labels distinct; ", stdout);
    } else {
        printf("only %zu distinct labels; ", info->n_nodes - info->n_duplicate_labels);
    }
    if (info->n_right + info->n_left > 0) {
        printf("%zu right, %zu left (", info->n_right, info->n_left);
        print_text(stdout, info->hemisphere_rule);
        fputs(")\n", stdout);
    } else {
        fputs("hemispheres unknown\n", stdout);
    }
}

static void print_edges(const spl_connectome_info *info)
{
    printf("edges      %zu, density %.4f; off-diagonal %zu; diagonal %zu", info->n_edges,
        info->density, info->n_off_diagonal, info->n_diagonal);
    if (info->n_dropped_self > 0) {
        printf(" (%zu dropped)\n", info->n_dropped_self);
    } else {
        fputs(info->n_diagonal > 0 ? " (kept)\n" : "\n", stdout);
    }
}

static void print_weights(const spl_connectome_info *info)
{
    printf("weights    nonzero %.5g .. %.6g, median %.5g, sum %.6g; negative %zu; ",
        info->weight_min, info->weight_max, info->weight_median, info->weight_sum,
        info->n_negative);
    if (info->asymmetry == 0.0) {
        fputs("symmetric\n", stdout);
    } else {
        printf("not symmetric (max |w - wT| %.6g)\n", info->asymmetry);
    }
    printf("           max row sum %.6g; spectral radius ", info->max_row_sum);
    if (isnan(info->spectral_radius)) {
        fputs("not computed", stdout);
    } else {
        printf("%.6g", info->spectral_radius);
    }
    if (*info->normalisation != '\0' && strcmp(info->normalisation, "none") != 0) {
        fputs("; normalised: ", stdout);
        print_text(stdout, info->normalisation);
    }
    fputc('\n', stdout);
}

static void print_isolated(const connectome_page *page)
{
    const spl_connectome_info *info = &page->info;
    size_t n_listed = 0;
    if (info->n_isolated == 0) {
        fputs("isolated   none", stdout);
    } else {
        printf(
            "isolated   %zu node%s:", info->n_isolated, info->n_isolated == 1 ? "" : "s");
    }
    for (size_t i = 0; i < info->n_nodes && n_listed < info->n_isolated; i++) {
        if (!spl_connectome_is_isolated(page->connectome, i)) {
            continue;
        }
        if (n_listed == MOST_LISTED) {
            fputs(", ...", stdout);
            break;
        }
        printf("%s %zu ", n_listed > 0 ? "," : "", i);
        print_text(stdout, spl_connectome_label(page->connectome, i));
        n_listed++;
    }
    size_t silent_rows = info->n_zero_rows - info->n_isolated;
    size_t silent_columns = info->n_zero_columns - info->n_isolated;
    if (silent_rows + silent_columns > 0) {
        printf("; %zu more without input, %zu more without output", silent_rows,
            silent_columns);
    }
    fputc('\n', stdout);
}

static void print_lengths(const spl_connectome_info *info)
{
    printf("lengths    on edges %.5g .. %.6g mm, median %.5g; ", info->length_min,
        info->length_max, info->length_median);
    if (info->length_asymmetry == 0.0) {
        fputs("symmetric", stdout);
    } else if (is_rounding(info->length_asymmetry, info->length_max)) {
        printf("symmetric to %.2g", info->length_asymmetry);
    } else {
        printf("not symmetric (max difference %.6g)", info->length_asymmetry);
    }
    printf("; zero on %zu edges (%zu off-diagonal)\n", info->n_zero_length,
        info->n_zero_length_off_diagonal);
    if (!isnan(info->shorter_than_straight)) {
        printf(
            "           %.0f %% of off-diagonal edges shorter than 0.99 x the straight "
            "line\n",
            100.0 * info->shorter_than_straight);
    }
}

static void print_delays(const connectome_page *page)
{
    const spl_delay_info *delays = &page->delays;
    if (!isnan(page->delay)) {
        printf("delays     %.6g ms on every edge, dt %.6g ms: %.0f steps\n", page->delay,
            page->dt, rint(page->delay / page->dt));
        return;
    }
    printf("delays     speed %.6g mm/ms, dt %.6g ms: %" PRIu32 " .. %" PRIu32 " steps, "
           "median %" PRIu32 ", %zu distinct; horizon %" PRIu32 " (all entries: %" PRIu32
           ")\n",
        page->speed, page->dt, delays->min, delays->max, delays->median,
        delays->n_distinct, delays->max + 1, delays->max_all + 1);
}

static void print_population(const spl_results_population *population)
{
    printf("population %s: %" PRIu64 " %s", population->name, population->size,
        population->excitatory ? "excitatory" : "inhibitory");
    if (*population->region != '\0') {
        printf(" in %s", population->region);
    }
    printf("; %" PRIu64 " spikes", population->n_spikes);
    if (!isnan(population->mean_rate_hz)) {
        printf(", %.4g Hz", population->mean_rate_hz);
    }
    printf("; %" PRIu64 " external events\n", population->n_events);
}

/* What every file of a spiking network has needs no line of its own. */
static bool is_worth_a_line(const spl_results_stream *stream)
{
    return strcmp(stream->kind, "populations") != 0 &&
           strcmp(stream->kind, "subnetworks") != 0;
}

static void print_stream(const spl_results_stream *stream)
{
    printf("monitor    %s: %s of %s; %" PRIu64 " of %" PRIu64
           " rows of %zu value%s, every "
           "%.6g ms from %.6g ms\n",
        stream->name, stream->kind, stream->variables, stream->n_durable, stream->n_rows,
        stream->width, stream->width == 1 ? "" : "s", stream->period_ms,
        stream->first_time_ms);
}

static void print_results(const spl_results_info *results)
{
    const char *state = state_of(results->status, results->live);
    printf("run        %s after %" PRIu64 " steps; %s, splenium %s, %s\n", state,
        results->step, *results->model != '\0' ? results->model : "no nodes",
        results->software_version, results->created);
    if (*results->message != '\0') {
        printf("           %s\n", results->message);
    }
    state_print_advice(results->path, state, results->copy);
    if (results->escaped_nodes > 0) {
        printf(
            "           %" PRIu64 " nodes left the attractor\n", results->escaped_nodes);
    }
    if (*results->title != '\0') {
        printf("title      %s\n", results->title);
    }
    if (*results->command_line != '\0') {
        printf("command    %s\n", results->command_line);
    }
    for (size_t i = 0; i < results->n_streams; i++) {
        if (is_worth_a_line(&results->streams[i])) {
            print_stream(&results->streams[i]);
        }
    }
    for (size_t p = 0; p < results->n_populations; p++) {
        print_population(&results->populations[p]);
    }
    if (results->n_populations > 0) {
        printf("spikes     %s\n", results->spikes_file);
    }
}

static void print_page(const connectome_page *page)
{
    print_text(stdout, page->info.source);
    printf(": %s; %s%s\n", page->info.form, page->info.members,
        page->info.sparse ? "; stored sparse" : "");
    print_nodes(&page->info);
    print_edges(&page->info);
    print_weights(&page->info);
    print_isolated(page);
    print_lengths(&page->info);
    print_delays(page);
    if (page->results != NULL) {
        print_results(page->results);
    }
}

static void write_weights(json_writer *json, const spl_connectome_info *info)
{
    json_begin(json, "weights", '{');
    json_real(json, "min", info->weight_min);
    json_real(json, "median", info->weight_median);
    json_real(json, "max", info->weight_max);
    json_real(json, "sum", info->weight_sum);
    json_whole(json, "negative", info->n_negative);
    json_real(json, "asymmetry", info->asymmetry);
    json_real(json, "max_row_sum", info->max_row_sum);
    json_real(json, "spectral_radius", info->spectral_radius);
    json_text(json, "normalisation", info->normalisation);
    json_end(json, '}');
}

static void write_lengths(json_writer *json, const spl_connectome_info *info)
{
    json_begin(json, "lengths_mm", '{');
    json_real(json, "min", info->length_min);
    json_real(json, "median", info->length_median);
    json_real(json, "max", info->length_max);
    json_real(json, "asymmetry", info->length_asymmetry);
    json_whole(json, "zero", info->n_zero_length);
    json_whole(json, "zero_off_diagonal", info->n_zero_length_off_diagonal);
    json_real(json, "shorter_than_straight", info->shorter_than_straight);
    json_end(json, '}');
}

static void write_delays(json_writer *json, const connectome_page *page)
{
    json_begin(json, "delays", '{');
    json_real(json, "speed_mm_per_ms", page->speed);
    json_real(json, "dt_ms", page->dt);
    json_real(json, "delay_ms", page->delay);
    json_whole(json, "min", page->delays.min);
    json_whole(json, "median", page->delays.median);
    json_whole(json, "max", page->delays.max);
    json_whole(json, "sum", page->delays.sum);
    json_whole(json, "distinct", page->delays.n_distinct);
    json_whole(json, "horizon", (uint64_t)page->delays.max + 1);
    json_whole(json, "horizon_all_entries", (uint64_t)page->delays.max_all + 1);
    json_end(json, '}');
}

static void write_nodes(json_writer *json, const connectome_page *page)
{
    const spl_connectome_info *info = &page->info;
    json_whole(json, "nodes", info->n_nodes);
    json_whole(json, "duplicate_labels", info->n_duplicate_labels);
    json_whole(json, "right", info->n_right);
    json_whole(json, "left", info->n_left);
    json_text(json, "hemisphere_rule", info->hemisphere_rule);
    json_whole(json, "zero_rows", info->n_zero_rows);
    json_whole(json, "zero_columns", info->n_zero_columns);
    json_begin(json, "isolated", '[');
    for (size_t i = 0; i < info->n_nodes && info->n_isolated > 0; i++) {
        if (spl_connectome_is_isolated(page->connectome, i)) {
            json_begin(json, NULL, '{');
            json_whole(json, "index", i);
            json_text(json, "label", spl_connectome_label(page->connectome, i));
            json_end(json, '}');
        }
    }
    json_end(json, ']');
}

static void write_populations(json_writer *json, const spl_results_info *results)
{
    json_begin(json, "populations", '[');
    for (size_t p = 0; p < results->n_populations; p++) {
        const spl_results_population *population = &results->populations[p];
        json_begin(json, NULL, '{');
        json_text(json, "name", population->name);
        json_text(json, "region", population->region);
        json_whole(json, "size", population->size);
        json_flag(json, "excitatory", population->excitatory);
        json_whole(json, "spikes", population->n_spikes);
        json_whole(json, "external_events", population->n_events);
        json_real(json, "mean_rate_hz", population->mean_rate_hz);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_text(json, "spikes_file", results->spikes_file);
}

static void write_results(json_writer *json, const spl_results_info *results)
{
    json_begin(json, "results", '{');
    json_text(json, "state", state_of(results->status, results->live));
    json_text(json, "message", results->message);
    json_flag(json, "live", results->live);
    json_text(json, "copy", results->copy);
    json_whole(json, "step", results->step);
    json_whole(json, "escaped_nodes", results->escaped_nodes);
    json_text(json, "title", results->title);
    json_text(json, "created", results->created);
    json_text(json, "software_version", results->software_version);
    json_text(json, "uuid", results->uuid);
    json_text(json, "command_line", results->command_line);
    json_text(json, "model", results->model);
    json_begin(json, "monitors", '[');
    for (size_t i = 0; i < results->n_streams; i++) {
        const spl_results_stream *stream = &results->streams[i];
        json_begin(json, NULL, '{');
        json_text(json, "name", stream->name);
        json_text(json, "kind", stream->kind);
        json_text(json, "variables", stream->variables);
        json_whole(json, "rows", stream->n_rows);
        json_whole(json, "durable_rows", stream->n_durable);
        json_whole(json, "width", stream->width);
        json_real(json, "first_time_ms", stream->first_time_ms);
        json_real(json, "period_ms", stream->period_ms);
        json_end(json, '}');
    }
    json_end(json, ']');
    write_populations(json, results);
    json_end(json, '}');
}

static void write_page(const connectome_page *page)
{
    const spl_connectome_info *info = &page->info;
    json_writer json = {.file = stdout};
    json_begin(&json, NULL, '{');
    json_text(&json, "source", info->source);
    json_text(&json, "form", info->form);
    json_text(&json, "members", info->members);
    json_flag(&json, "sparse", info->sparse);
    json_text(&json, "sha256", info->sha256);
    json_text(&json, "info", info->info);
    write_nodes(&json, page);
    json_whole(&json, "edges", info->n_edges);
    json_real(&json, "density", info->density);
    json_whole(&json, "off_diagonal", info->n_off_diagonal);
    json_whole(&json, "diagonal", info->n_diagonal);
    json_whole(&json, "dropped_self", info->n_dropped_self);
    write_weights(&json, info);
    write_lengths(&json, info);
    write_delays(&json, page);
    if (page->results != NULL) {
        write_results(&json, page->results);
    }
    json_end(&json, '}');
}

static spl_status describe(connectome_page *page, const spl_config *config)
{
    spl_status status = SPL_OK;
    double with_delays = 1.0;
    TOOL_TRY(spl_connectome_describe(page->connectome, true, &page->info));
    TOOL_TRY(spl_config_number(config, "connectome.speed", &page->speed));
    TOOL_TRY(spl_config_number(config, "connectome.delay", &page->delay));
    TOOL_TRY(spl_config_number(config, "connectome.delays", &with_delays));
    TOOL_TRY(spl_config_number(config, "simulation.dt", &page->dt));
    if (with_delays == 0.0) {
        page->speed = INFINITY;
        page->delay = NAN;
    }
    TOOL_TRY(
        spl_connectome_delays(page->connectome, page->speed, page->dt, &page->delays));
out:
    return status;
}

/* A results file shows the matrices that it holds, as they were used; the configuration
 * inside may lead to the file they came from. */
static spl_status load_connectome(spl_connectome **connectome,
    const connectome_page *page, const spl_config *config, const char *file)
{
    spl_status status = SPL_OK;
    spl_config *stored = NULL;
    if (page->results == NULL) {
        return spl_config_connectome(config, connectome);
    }
    TOOL_TRY(spl_config_defaults(&stored));
    TOOL_TRY(spl_config_set(stored, "connectome.file", file));
    TOOL_TRY(spl_config_connectome(stored, connectome));
out:
    spl_config_free(stored);
    return status;
}

/* Results of populations without nodes: there is no connectome to show. */
static void show_alone(const spl_results_info *results, bool as_json)
{
    json_writer json = {.file = stdout};
    if (!as_json) {
        print_text(stdout, results->path);
        fputs(": results of spiking populations alone\n", stdout);
        print_results(results);
        return;
    }
    json_begin(&json, NULL, '{');
    json_text(&json, "source", results->path);
    write_results(&json, results);
    json_end(&json, '}');
}

static int run(const tool_arguments *arguments)
{
    const char *file = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    connectome_page page = {0};
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    TOOL_TRY(input_configure(&config, &page.results, arguments, file, true));
    if (page.results != NULL && page.results->n_nodes == 0) {
        show_alone(page.results, argument_of(arguments, "json") != NULL);
        goto out;
    }
    TOOL_TRY(load_connectome(&connectome, &page, config, file));
    page.connectome = connectome;
    TOOL_TRY(describe(&page, config));
    if (argument_of(arguments, "json") != NULL) {
        write_page(&page);
    } else {
        print_page(&page);
    }
out:
    if (status != SPL_OK) {
        report_error(status);
    }
    spl_results_free(page.results);
    spl_connectome_free(connectome);
    spl_config_free(config);
    return exit_code_of(status);
}

static const tool_option options[] = {
    {"speed", 0, "SPEED", "connectome.speed",
        "conduction speed for the delays; inf: no delays"},
    {"dt", 0, "TIME", "simulation.dt", "time step for the delays"},
    OPTION_SET,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_HELP,
};

const tool_verb verb_info = {
    .name = "info",
    .operands = "[CONNECTOME | RESULTS.h5]",
    .n_operands = 1,
    .summary = "what a connectome or a results file holds",
    .page =
        "Print size, weights, tract lengths and delays of a connectome as a run would "
        "use it: after the policies that --set connectome.KEY=VALUE chooses. Without a "
        "file, of the connectome shipped with the program. An edge is an entry with a "
        "weight other than 0, the diagonal included. Sparse matrices, as SciPy saves "
        "them or as groups in HDF5, may have up to 2^24 nodes.\n"
        "\n"
        "Of a results file, also how its run went: its state (running, complete, "
        "interrupted, diverged, failed; killed if it says running and nobody writes "
        "it), how many rows of each monitor are there, and the spikes and mean rate of "
        "each population of neurons.",
    .examples = "  splenium info connectivity_76.zip\n"
                "  splenium info my_folder --speed '6 m/s' --set "
                "connectome.self_connections=drop\n"
                "  splenium info connectivity_76.zip --json",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
