#include "connectome/connectome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static int compare_steps(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort in place; the median of an even number is the mean of the middle two. */
static void summarise(double *values, size_t n, double *min, double *median, double *max)
{
    *min = *median = *max = 0.0;
    if (n > 0) {
        qsort(values, n, sizeof *values, compare_doubles);
        *min = values[0];
        *median = 0.5 * (values[(n - 1) / 2] + values[n / 2]);
        *max = values[n - 1];
    }
}

static double asymmetry(const double *matrix, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            largest = fmax(largest, fabs(matrix[i * n + j] - matrix[j * n + i]));
        }
    }
    return largest;
}

static void count_edges(const spl_connectome *c, spl_connectome_info *info)
{
    size_t n = c->n_nodes;
    for (size_t i = 0; i < n; i++) {
        bool row = false;
        bool column = false;
        for (size_t j = 0; j < n; j++) {
            double w = c->weights[i * n + j];
            row = row || w != 0.0;
            column = column || c->weights[j * n + i] != 0.0;
            if (w == 0.0) {
                continue;
            }
            bool zero = c->tract_lengths[i * n + j] == 0.0;
            info->n_edges++;
            info->n_diagonal += i == j;
            info->n_negative += w < 0.0;
            info->weight_sum += w;
            info->n_zero_length += zero;
            info->n_zero_length_off_diagonal += zero && i != j;
        }
        info->n_zero_rows += !row;
        info->n_zero_columns += !column;
        info->n_isolated += !row && !column;
    }
    info->n_off_diagonal = info->n_edges - info->n_diagonal;
    info->density = (double)info->n_edges / ((double)n * (double)n);
}

static spl_status describe_edges(const spl_connectome *c, spl_connectome_info *info)
{
    size_t n = c->n_nodes;
    size_t n_values = 0;
    double *values = calloc(info->n_edges + 1, sizeof *values);
    if (values == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for %zu edges", info->n_edges);
    }
    for (size_t k = 0; k < n * n; k++) {
        if (c->weights[k] != 0.0) {
            values[n_values++] = c->weights[k];
        }
    }
    summarise(
        values, n_values, &info->weight_min, &info->weight_median, &info->weight_max);
    n_values = 0;
    for (size_t k = 0; k < n * n; k++) {
        if (c->weights[k] != 0.0) {
            values[n_values++] = c->tract_lengths[k];
        }
    }
    summarise(
        values, n_values, &info->length_min, &info->length_median, &info->length_max);
    free(values);
    return SPL_OK;
}

static double distance(const double *centres, size_t i, size_t j)
{
    const double *a = centres + 3 * i;
    const double *b = centres + 3 * j;
    return hypot(hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]);
}

/* A tract cannot be shorter than the straight line, yet 24 to 76 % of those of the
 * standard sets are; 1 % is left to rounding. Edges of length 0 are counted elsewhere. */
static double share_too_short(const spl_connectome *c)
{
    size_t n = c->n_nodes;
    size_t n_short = 0;
    size_t n_edges = 0;
    for (size_t i = 0; i < n && c->centres != NULL; i++) {
        for (size_t j = 0; j < n; j++) {
            const double length = c->tract_lengths[i * n + j];
            if (i != j && c->weights[i * n + j] != 0.0 && length > 0.0) {
                n_edges++;
                n_short += length < 0.99 * distance(c->centres, i, j);
            }
        }
    }
    return n_edges > 0 ? (double)n_short / (double)n_edges : NAN;
}

spl_status spl_count_duplicates(const spl_connectome *c, size_t *n_duplicates)
{
    const char **sorted = calloc(c->n_nodes, sizeof *sorted);
    if (sorted == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for %zu labels", c->n_nodes);
    }
    memcpy(sorted, c->labels, c->n_nodes * sizeof *sorted);
    qsort(sorted, c->n_nodes, sizeof *sorted, compare_labels);
    *n_duplicates = 0;
    for (size_t i = 1; i < c->n_nodes; i++) {
        *n_duplicates += strcmp(sorted[i - 1], sorted[i]) == 0;
    }
    free(sorted);
    return SPL_OK;
}

spl_status spl_connectome_describe(
    const spl_connectome *c, bool spectral, spl_connectome_info *info)
{
    spl_status status = SPL_OK;
    *info = (spl_connectome_info){.source = c->source,
        .form = c->form,
        .members = c->members,
        .sha256 = c->sha256,
        .info = c->info,
        .hemisphere_rule = c->hemisphere_rule,
        .normalisation = c->normalisation,
        .n_nodes = c->n_nodes,
        .n_dropped_self = c->n_dropped_self,
        .spectral_radius = NAN};
    SPL_TRY(spl_count_duplicates(c, &info->n_duplicate_labels));
    for (size_t i = 0; c->hemispheres != NULL && i < c->n_nodes; i++) {
        info->n_right += c->hemispheres[i] != 0;
        info->n_left += c->hemispheres[i] == 0;
    }
    count_edges(c, info);
    SPL_TRY(describe_edges(c, info));
    info->asymmetry = asymmetry(c->weights, c->n_nodes);
    info->length_asymmetry = asymmetry(c->tract_lengths, c->n_nodes);
    info->max_row_sum = spl_max_row_sum(c->weights, c->n_nodes);
    info->shorter_than_straight = share_too_short(c);
    if (spectral) {
        SPL_TRY(spl_spectral_radius(c->weights, c->n_nodes, &info->spectral_radius));
    }
out:
    return status;
}

spl_status spl_connectome_delays(
    const spl_connectome *c, double speed, double dt_ms, spl_delay_info *info)
{
    spl_status status = SPL_OK;
    const double max_steps = 16777216.0; /* 2^24, as the plan of a run */
    size_t n_edges = 0;
    size_t n_pairs = c->n_nodes * c->n_nodes;
    uint32_t *steps = NULL;
    *info = (spl_delay_info){0};
    if (!(speed > 0.0) || !(dt_ms > 0.0) || !isfinite(dt_ms)) {
        SPL_FAIL(SPL_ERR_ARGUMENT,
            "speed %g mm/ms and dt %g ms: both must be positive, and dt finite", speed,
            dt_ms);
    }
    steps = calloc(n_pairs, sizeof *steps);
    if (steps == NULL) {
        SPL_FAIL(
            SPL_ERR_NO_MEMORY, "out of memory for the delays of %zu nodes", c->n_nodes);
    }
    for (size_t k = 0; k < n_pairs; k++) {
        /* two divisions in this order, as TVB: a reciprocal would move ties of rint */
        double step = rint((c->tract_lengths[k] / speed) / dt_ms);
        if (step > max_steps) {
            SPL_FAIL(SPL_ERR_LIMIT,
                "a tract of %g mm at %g mm/ms lasts %g steps of %g ms, above 2^24; raise "
                "the speed or the step",
                c->tract_lengths[k], speed, step, dt_ms);
        }
        uint32_t delay = (uint32_t)step;
        info->max_all = delay > info->max_all ? delay : info->max_all;
        if (c->weights[k] != 0.0) {
            steps[n_edges++] = delay;
            info->sum += delay;
        }
    }
    if (n_edges > 0) {
        qsort(steps, n_edges, sizeof *steps, compare_steps);
        info->min = steps[0];
        info->median = steps[n_edges / 2];
        info->max = steps[n_edges - 1];
        info->n_distinct = 1;
    }
    for (size_t k = 1; k < n_edges; k++) {
        info->n_distinct += steps[k] != steps[k - 1];
    }
out:
    free(steps);
    return status;
}
