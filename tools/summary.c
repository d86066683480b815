#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"

/* The last rows are kept, as many as both bounds allow; in single precision, so that it
 * does not matter whether they come from the results file. */
enum { MOST_ROWS = 16384, MOST_BYTES = 32 << 20, LEAST_SEGMENT = 32 };

struct tool_summary {
    bool active;
    size_t monitor; /* index, as in frames */
    size_t variable;
    const char *monitor_name, *variable_name;
    double period_ms;
    size_t n_nodes;
    size_t capacity;  /* rows of the ring */
    uint64_t n_taken; /* rows so far; row r is in slot r mod capacity */
    float *rows;      /* [capacity][n_nodes] */
};

static bool find_monitor(tool_summary *summary, const spl_sim *sim)
{
    spl_sim_info run;
    spl_sim_describe(sim, &run);
    const spl_model *model = spl_model_find(run.model);
    for (size_t i = 0; model != NULL && i < spl_sim_monitor_count(sim); i++) {
        spl_sim_monitor monitor;
        spl_sim_monitor_at(sim, i, &monitor);
        if (monitor.width != run.n_nodes || monitor.transformed) {
            continue;
        }
        for (size_t v = 0; v < monitor.n_variables; v++) {
            if (strcmp(monitor.variables[v], model->states[0].name) == 0) {
                *summary = (struct tool_summary){.active = true,
                    .monitor = i,
                    .variable = v,
                    .monitor_name = monitor.name,
                    .variable_name = monitor.variables[v],
                    .period_ms = monitor.period_ms,
                    .n_nodes = run.n_nodes};
                return true;
            }
        }
    }
    return false;
}

/* Rows that are kept of a run, at least one. */
static size_t choose_capacity(const tool_summary *summary)
{
    const size_t fitting = MOST_BYTES / (summary->n_nodes * sizeof *summary->rows);
    const size_t capacity = fitting < MOST_ROWS ? fitting : MOST_ROWS;
    return capacity > 0 ? capacity : 1;
}

uint64_t summary_memory(const spl_sim *sim)
{
    tool_summary summary = {0};
    spl_sim_monitor monitor;
    if (!find_monitor(&summary, sim)) {
        return 0;
    }
    spl_sim_monitor_at(sim, summary.monitor, &monitor);
    const uint64_t capacity = choose_capacity(&summary);
    const uint64_t n_rows = monitor.n_rows < capacity ? monitor.n_rows : capacity;
    /* in the end also as series */
    return n_rows * summary.n_nodes * (sizeof *summary.rows + sizeof(double));
}

spl_status summary_create(tool_summary **out, const spl_sim *sim)
{
    tool_summary *summary = calloc(1, sizeof *summary);
    *out = summary;
    if (summary == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    if (find_monitor(summary, sim)) {
        summary->capacity = choose_capacity(summary);
        summary->rows =
            calloc(summary->capacity, summary->n_nodes * sizeof *summary->rows);
        if (summary->rows == NULL) {
            return SPL_ERR_NO_MEMORY;
        }
    }
    return SPL_OK;
}

void summary_free(tool_summary *summary)
{
    if (summary != NULL) {
        free(summary->rows);
        free(summary);
    }
}

static spl_status take_rows(void *user, const spl_frame *frame)
{
    tool_summary *summary = user;
    if (frame->monitor != summary->monitor) {
        return SPL_OK;
    }
    size_t n = summary->n_nodes;
    const double *values = frame->values + summary->variable * frame->n_rows * n;
    for (size_t row = 0; row < frame->n_rows; row++) {
        size_t slot = summary->n_taken % summary->capacity;
        for (size_t i = 0; i < n; i++) {
            summary->rows[slot * n + i] = (float)values[row * n + i];
        }
        summary->n_taken++;
    }
    return SPL_OK;
}

void summary_attach(tool_summary *summary, spl_sim *sim)
{
    spl_sim_info run;
    spl_sim_describe(sim, &run);
    if (!summary->active) {
        return;
    }
    if (*run.output != '\0') {
        spl_sim_set_last_rows(
            sim, summary->monitor, summary->capacity, take_rows, summary);
    } else {
        spl_sim_set_sink(sim, take_rows, summary);
        spl_sim_collect_rows(sim, true);
    }
}

/* The rows in the order of time, nodes apart: series[node][row]. */
static double *unroll(const tool_summary *summary, size_t n_rows)
{
    size_t n = summary->n_nodes;
    double *series = calloc(n * n_rows, sizeof *series);
    uint64_t first = summary->n_taken - n_rows;
    for (size_t t = 0; t < n_rows && series != NULL; t++) {
        const float *row = summary->rows + (first + t) % summary->capacity * n;
        for (size_t i = 0; i < n; i++) {
            series[i * n_rows + t] = (double)row[i];
        }
    }
    return series;
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++) {
        sum += x[t];
    }
    return sum / (double)n;
}

/* Segments as long as a power of two can be with three of them, half overlapping. */
static spl_status find_peak(
    const double *series, size_t n_nodes, size_t n_rows, summary_values *values)
{
    size_t segment = LEAST_SEGMENT;
    values->frequency_hz = values->resolution_hz = NAN;
    if (n_rows < 2 * LEAST_SEGMENT) {
        return SPL_OK;
    }
    while (4 * segment <= n_rows) {
        segment *= 2;
    }
    double *power = calloc(segment / 2 + 1 + welch_scratch(segment), sizeof *power);
    if (power == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < n_nodes; i++) {
        welch_add(series + i * n_rows, n_rows, segment, power + segment / 2 + 1, power);
    }
    size_t peak = 1;
    for (size_t k = 2; k <= segment / 2; k++) {
        peak = power[k] > power[peak] ? k : peak;
    }
    if (power[peak] > 0.0 && isfinite(power[peak])) {
        double period_s = values->span_ms / (double)n_rows / 1000.0;
        values->resolution_hz = 1.0 / ((double)segment * period_s);
        values->frequency_hz = (double)peak * values->resolution_hz;
    }
    free(power);
    return SPL_OK;
}

/* Mean correlation of all pairs without a matrix of pairs: with series z_i of mean 0 and
 * variance 1, the time average of (sum_i z_i)^2 is N + the sum of r_ij over i != j. Nodes
 * that stand still have no correlation and are left out. Overwrites the series. */
static double mean_correlation(double *series, size_t n_nodes, size_t n_rows)
{
    size_t n = 0;
    for (size_t i = 0; i < n_nodes; i++) {
        double *x = series + i * n_rows;
        double mean = mean_of(x, n_rows);
        double square = 0.0;
        for (size_t t = 0; t < n_rows; t++) {
            x[t] -= mean;
            square += x[t] * x[t];
        }
        double deviation = sqrt(square / (double)n_rows);
        bool moves = deviation > 1e-12 * fabs(mean);
        for (size_t t = 0; t < n_rows; t++) {
            x[t] = moves ? x[t] / deviation : 0.0;
        }
        n += moves;
    }
    double power = 0.0;
    for (size_t t = 0; t < n_rows; t++) {
        double sum = 0.0;
        for (size_t i = 0; i < n_nodes; i++) {
            sum += series[i * n_rows + t];
        }
        power += sum * sum;
    }
    double pairs = (double)n * ((double)n - 1.0);
    return n < 2 ? NAN : (power / (double)n_rows - (double)n) / pairs;
}

spl_status summary_compute(const tool_summary *summary, summary_values *values)
{
    size_t n_rows = summary->n_taken < summary->capacity ? (size_t)summary->n_taken
                                                         : summary->capacity;
    *values = (summary_values){.monitor = summary->monitor_name,
        .variable = summary->variable_name,
        .n_rows = n_rows,
        .span_ms = (double)n_rows * summary->period_ms,
        .mean = NAN,
        .frequency_hz = NAN,
        .resolution_hz = NAN,
        .mean_fc = NAN};
    if (!summary->active || n_rows < 2) {
        return SPL_OK;
    }
    double *series = unroll(summary, n_rows);
    if (series == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    values->mean = mean_of(series, summary->n_nodes * n_rows);
    spl_status status = find_peak(series, summary->n_nodes, n_rows, values);
    values->mean_fc = mean_correlation(series, summary->n_nodes, n_rows);
    free(series);
    return status;
}
