/* info - what a connectome holds; its numbers betray most mistakes in units and layout.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "json.h"
#include "talk.h"
#include "tool.h"

enum { MOST_LISTED = 16 };

/* A connectome as a run would take it. */
typedef struct connectome_page {
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

/* Neither input nor output: row and column are zero. */
static bool is_isolated(const spl_connectome *connectome, size_t node)
{
    const double *weights = spl_connectome_weights(connectome);
    size_t n = spl_connectome_n_nodes(connectome);
    for (size_t j = 0; j < n; j++) {
        if (weights[node * n + j] != 0.0 || weights[j * n + node] != 0.0) {
            return false;
        }
    }
    return true;
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
    printf("           max row sum %.6g; spectral radius %.6g", info->max_row_sum,
        info->spectral_radius);
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
        if (!is_isolated(page->connectome, i)) {
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

static void print_page(const connectome_page *page)
{
    print_text(stdout, page->info.source);
    printf(": %s; %s\n", page->info.form, page->info.members);
    print_nodes(&page->info);
    print_edges(&page->info);
    print_weights(&page->info);
    print_isolated(page);
    print_lengths(&page->info);
    print_delays(page);
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
        if (is_isolated(page->connectome, i)) {
            json_begin(json, NULL, '{');
            json_whole(json, "index", i);
            json_text(json, "label", spl_connectome_label(page->connectome, i));
            json_end(json, '}');
        }
    }
    json_end(json, ']');
}

static void write_page(const connectome_page *page)
{
    const spl_connectome_info *info = &page->info;
    json_writer json = {.file = stdout};
    json_begin(&json, NULL, '{');
    json_text(&json, "source", info->source);
    json_text(&json, "form", info->form);
    json_text(&json, "members", info->members);
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
    TOOL_TRY(input_configure(&config, arguments, file, true));
    TOOL_TRY(spl_config_connectome(config, &connectome));
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
    .summary = "what a connectome holds",
    .page =
        "Print size, weights, tract lengths and delays of a connectome as a run would "
        "use it: after the policies that --set connectome.KEY=VALUE chooses. Without a "
        "file, of the connectome shipped with the program. An edge is an entry with a "
        "weight other than 0, the diagonal included.",
    .examples = "  splenium info connectivity_76.zip\n"
                "  splenium info my_folder --speed '6 m/s' --set "
                "connectome.self_connections=drop\n"
                "  splenium info connectivity_76.zip --json",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
