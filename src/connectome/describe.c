#include "connectome/connectome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_labels(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The k-th smallest value, counted from 0: Hoare's selection, linear where sorting ten
 * million weights takes seconds. Reorders the values: none before the k-th is larger. */
static double select_value(double *values, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;
    uint64_t state = 1;
    while (low < high) {
        /* Knuth's MMIX generator: no order of the input makes all pivots bad */
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const double pivot = values[low + (state >> 33) % (high - low + 1)];
        size_t i = low;
        size_t j = high;
        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (values[j] > pivot) {
                j--;
            }
            if (i <= j) {
                const double value = values[i];
                values[i++] = values[j];
                values[j] = value;
                if (j == 0) {
                    break;
                }
                j--;
            }
        }
        if (k <= j && j < high) {
            high = j;
        } else if (k >= i) {
            low = i;
        } else {
            break;
        }
    }
    return values[k];
}

/* Reorders; the median of an even number is the mean of the middle two. */
static void summarise(double *values, size_t n, double *min, double *median, double *max)
{
    *min = *median = *max = 0.0;
    if (n == 0) {
        return;
    }
    *min = *max = values[0];
    for (size_t k = 1; k < n; k++) {
        *min = fmin(*min, values[k]);
        *max = fmax(*max, values[k]);
    }
    const double above = select_value(values, n, n / 2);
    *median = 0.5 * (select_value(values, n, (n - 1) / 2) + above);
}

/* Whether a node has any input, any output. */
enum { HAS_INPUT = 1, HAS_OUTPUT = 2 };

static spl_status count_edges(const spl_connectome *c, spl_connectome_info *info)
{
    const spl_entries *e = &c->entries;
    const size_t n = c->n_nodes;
    unsigned char *ends = calloc(n, sizeof *ends);
    if (ends == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for %zu nodes", n);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = spl_row(e, i); k < spl_row(e, i + 1); k++) {
            const double w = e->weights[k];
            const size_t j = spl_column(e, i, k);
            if (w == 0.0) {
                continue;
            }
            const bool zero = e->lengths[k] == 0.0;
            ends[i] |= HAS_INPUT;
            ends[j] |= HAS_OUTPUT;
            info->n_edges++;
            info->n_diagonal += i == j;
            info->n_negative += w < 0.0;
            info->weight_sum += w;
            info->n_zero_length += zero;
            info->n_zero_length_off_diagonal += zero && i != j;
        }
    }
    for (size_t i = 0; i < n; i++) {
        info->n_zero_rows += (ends[i] & HAS_INPUT) == 0;
        info->n_zero_columns += (ends[i] & HAS_OUTPUT) == 0;
        info->n_isolated += ends[i] == 0;
    }
    info->n_off_diagonal = info->n_edges - info->n_diagonal;
    info->density = (double)info->n_edges / ((double)n * (double)n);
    free(ends);
    return SPL_OK;
}

static spl_status describe_edges(const spl_connectome *c, spl_connectome_info *info)
{
    const spl_entries *e = &c->entries;
    size_t n_values = 0;
    double *values = calloc(info->n_edges + 1, sizeof *values);
    if (values == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for %zu edges", info->n_edges);
    }
    for (size_t k = 0; k < e->count; k++) {
        if (e->weights[k] != 0.0) {
            values[n_values++] = e->weights[k];
        }
    }
    summarise(
        values, n_values, &info->weight_min, &info->weight_median, &info->weight_max);
    n_values = 0;
    for (size_t k = 0; k < e->count; k++) {
        if (e->weights[k] != 0.0) {
            values[n_values++] = e->lengths[k];
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
    const spl_entries *e = &c->entries;
    size_t n_short = 0;
    size_t n_edges = 0;
    for (size_t i = 0; i < c->n_nodes && c->centres != NULL; i++) {
        for (size_t k = spl_row(e, i); k < spl_row(e, i + 1); k++) {
            const size_t j = spl_column(e, i, k);
            const double length = e->lengths[k];
            if (i != j && e->weights[k] != 0.0 && length > 0.0) {
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

/* NAN where a large network would take too long. */
static spl_status describe_radius(const spl_connectome *c, double *radius)
{
    spl_status status = spl_spectral_radius(&c->entries, false, radius);
    if (status == SPL_ERR_CONNECTOME) {
        *radius = NAN;
        return SPL_OK;
    }
    return status;
}

spl_status spl_connectome_describe(
    const spl_connectome *c, bool spectral, spl_connectome_info *info)
{
    spl_status status = SPL_OK;
    *info = (spl_connectome_info){.source = c->source,
        .form = c->form,
        .sparse = c->entries.start != NULL,
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
    SPL_TRY(count_edges(c, info));
    SPL_TRY(describe_edges(c, info));
    SPL_TRY(
        spl_entries_asymmetry(&c->entries, &info->asymmetry, &info->length_asymmetry));
    info->max_row_sum = spl_max_row_sum(&c->entries);
    info->shorter_than_straight = share_too_short(c);
    if (spectral) {
        SPL_TRY(describe_radius(c, &info->spectral_radius));
    }
out:
    return status;
}

/* Steps of a tract. Two divisions in this order, as TVB: a reciprocal would move ties of
 * rint. */
static double steps_of(double length, double speed, double dt_ms)
{
    return rint((length / speed) / dt_ms);
}

/* The longest delay over all entries. */
static spl_status find_longest(
    const spl_entries *e, double speed, double dt_ms, uint32_t *longest)
{
    const double max_steps = 16777216.0; /* 2^24, as the plan of a run */
    *longest = 0;
    for (size_t k = 0; k < e->count; k++) {
        const double steps = steps_of(e->lengths[k], speed, dt_ms);
        if (steps > max_steps) {
            return spl_error(SPL_ERR_LIMIT,
                "a tract of %g mm at %g mm/ms lasts %g steps of %g ms, above 2^24; raise "
                "the speed or the step",
                e->lengths[k], speed, steps, dt_ms);
        }
        *longest = steps > *longest ? (uint32_t)steps : *longest;
    }
    return SPL_OK;
}

/* From how many edges have each delay: as if they were sorted. */
static void summarise_delays(
    spl_delay_info *info, const uint64_t *n_with, uint64_t n_edges)
{
    uint64_t n_before = 0;
    for (uint32_t delay = 0; delay <= info->max_all; delay++) {
        if (n_with[delay] == 0) {
            continue;
        }
        info->min = info->n_distinct == 0 ? delay : info->min;
        info->max = delay;
        info->n_distinct++;
        info->sum += n_with[delay] * delay;
        if (n_before <= n_edges / 2 && n_edges / 2 < n_before + n_with[delay]) {
            info->median = delay;
        }
        n_before += n_with[delay];
    }
}

spl_status spl_connectome_delays(
    const spl_connectome *c, double speed, double dt_ms, spl_delay_info *info)
{
    spl_status status = SPL_OK;
    const spl_entries *e = &c->entries;
    uint64_t n_edges = 0;
    uint64_t *n_with = NULL;
    *info = (spl_delay_info){0};
    if (!(speed > 0.0) || !(dt_ms > 0.0) || !isfinite(dt_ms)) {
        SPL_FAIL(SPL_ERR_ARGUMENT,
            "speed %g mm/ms and dt %g ms: both must be positive, and dt finite", speed,
            dt_ms);
    }
    SPL_TRY(find_longest(e, speed, dt_ms, &info->max_all));
    n_with = calloc((size_t)info->max_all + 1, sizeof *n_with);
    if (n_with == NULL) {
        SPL_FAIL(
            SPL_ERR_NO_MEMORY, "out of memory for delays of %u steps", info->max_all);
    }
    for (size_t k = 0; k < e->count; k++) {
        if (e->weights[k] != 0.0) {
            n_with[(size_t)steps_of(e->lengths[k], speed, dt_ms)]++;
            n_edges++;
        }
    }
    summarise_delays(info, n_with, n_edges);
out:
    free(n_with);
    return status;
}
