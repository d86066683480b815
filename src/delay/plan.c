#include "delay/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DELAY 16777216.0

double spl_delay_steps(const spl_delay_rule *rule, double length)
{
    return rule->one_delay ? rint(rule->delay / rule->dt)
                           : rint((length / rule->speed) / rule->dt);
}

typedef struct {
    int32_t delay, source;
    double weight;
} edge;

static int by_descending_delay(const void *a, const void *b)
{
    const edge *x = a;
    const edge *y = b;
    if (x->delay != y->delay) {
        return x->delay > y->delay ? -1 : 1;
    }
    return x->source < y->source ? -1 : x->source > y->source;
}

/* First entry of row i. */
static size_t row_begin(const spl_edges *edges, size_t n_nodes, size_t i)
{
    return edges->start != NULL ? edges->start[i] : i * n_nodes;
}

/* Edges in all, and of the node that has most. */
static size_t count_edges(const spl_edges *from, size_t n_nodes, size_t *most)
{
    size_t all = 0;
    *most = 0;
    for (size_t i = 0; i < n_nodes; i++) {
        const size_t before = all;
        const size_t end = row_begin(from, n_nodes, i + 1);
        for (size_t k = row_begin(from, n_nodes, i); k < end; k++) {
            all += from->weights[k] != 0.0;
        }
        *most = all - before > *most ? all - before : *most;
    }
    return all;
}

/* Gather the edges of node i into `edges`; returns their number, or SIZE_MAX for a delay
 * too long. */
static size_t gather(spl_plan *plan, size_t i, const spl_edges *from,
    const spl_delay_rule *rule, edge *edges)
{
    const size_t begin = row_begin(from, plan->n_nodes, i);
    const size_t end = row_begin(from, plan->n_nodes, i + 1);
    const bool mixes = rule->mixes != NULL && rule->mixes[i];
    size_t count = 0;
    for (size_t k = begin; k < end; k++) {
        const double weight = from->weights[k];
        if (weight == 0.0) {
            continue;
        }
        const size_t j = from->source != NULL ? (size_t)from->source[k] : k - begin;
        const double steps = spl_delay_steps(rule, from->tract_lengths[k]);
        if (!(steps <= MAX_DELAY)) {
            return SIZE_MAX;
        }
        plan->row_sum[i] += weight;
        if (i == j && steps == 0.0 && !mixes) {
            plan->self_weight[i] = weight;
            plan->n_self++;
        } else {
            edges[count++] = (edge){(int32_t)steps, (int32_t)j, weight};
        }
    }
    qsort(edges, count, sizeof *edges, by_descending_delay);
    return count;
}

static void place(spl_plan *plan, size_t i, const edge *edges, size_t count)
{
    const size_t first = plan->start[i];
    plan->start[i + 1] = (uint32_t)(first + count);
    plan->undelayed[i] = plan->start[i + 1];
    plan->long_end[i] = (uint32_t)first;
    plan->half_end[i] = (uint32_t)first;
    for (size_t e = 0; e < count; e++) {
        plan->source[first + e] = edges[e].source;
        plan->delay[first + e] = edges[e].delay;
        plan->weight[first + e] = (spl_real)edges[e].weight;
        plan->long_end[i] += edges[e].delay >= SPL_WINDOW;
        plan->half_end[i] += edges[e].delay >= SPL_HALF_WINDOW;
        if (edges[e].delay == 0) {
            if (plan->undelayed[i] > first + e) {
                plan->undelayed[i] = (uint32_t)(first + e);
            }
            plan->n_undelayed++;
            plan->sums_present[i / SPL_TILE] = true;
        }
    }
    plan->n_long += plan->long_end[i] - first;
    plan->n_half += plan->half_end[i] - plan->long_end[i];
    plan->n_edges = first + count;
}

/* Counted, not sorted: ten million edges have some hundred different delays. */
static spl_status summarise(spl_plan *plan)
{
    size_t n_delayed = 0;
    for (size_t e = 0; e < plan->n_edges; e++) {
        const uint32_t delay = (uint32_t)plan->delay[e];
        n_delayed += delay > 0;
        plan->delay_max = delay > plan->delay_max ? delay : plan->delay_max;
    }
    size_t *n_with = calloc((size_t)plan->delay_max + 1, sizeof *n_with);
    if (n_with == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "out of memory: delays of %zu edges", plan->n_edges);
    }
    for (size_t e = 0; e < plan->n_edges; e++) {
        n_with[plan->delay[e]]++;
    }
    size_t n_before = 0;
    for (uint32_t delay = 1; delay <= plan->delay_max; delay++) {
        if (plan->delay_min == 0 && n_with[delay] > 0) {
            plan->delay_min = delay;
        }
        /* as spl_connectome_delays */
        if (n_before <= n_delayed / 2 && n_delayed / 2 < n_before + n_with[delay]) {
            plan->delay_median = delay;
        }
        n_before += n_with[delay];
    }
    free(n_with);
    return SPL_OK;
}

spl_status spl_plan_create(
    spl_plan **out, size_t n_nodes, const spl_edges *from, const spl_delay_rule *rule)
{
    spl_status status = SPL_OK;
    size_t most = 0;
    const size_t n_edges = count_edges(from, n_nodes, &most);
    const size_t stride = spl_padded(n_nodes);
    edge *edges = malloc((most + 1) * sizeof *edges);
    spl_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL || edges == NULL || n_edges >= UINT32_MAX) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: a plan of %zu edges", n_edges);
    }
    plan->n_nodes = n_nodes;
    plan->stride = stride;
    plan->start = calloc(n_nodes + 1, sizeof *plan->start);
    plan->long_end = calloc(n_nodes + 1, sizeof *plan->long_end);
    plan->half_end = calloc(n_nodes + 1, sizeof *plan->half_end);
    plan->near = calloc(n_nodes + 1, sizeof *plan->near);
    plan->undelayed = calloc(n_nodes + 1, sizeof *plan->undelayed);
    plan->unit_start = calloc(stride / SPL_TILE + 1, sizeof *plan->unit_start);
    plan->tile = calloc(stride / SPL_TILE, sizeof *plan->tile);
    plan->sums_present = calloc(stride / SPL_TILE, sizeof *plan->sums_present);
    plan->source = calloc(n_edges + SPL_EDGE_PADDING, sizeof *plan->source);
    plan->delay = calloc(n_edges + SPL_EDGE_PADDING, sizeof *plan->delay);
    plan->weight = calloc(n_edges + SPL_EDGE_PADDING, sizeof *plan->weight);
    plan->self_weight = calloc(stride, sizeof *plan->self_weight);
    plan->row_sum = calloc(stride, sizeof *plan->row_sum);
    if (plan->start == NULL || plan->undelayed == NULL || plan->source == NULL ||
        plan->delay == NULL || plan->weight == NULL || plan->self_weight == NULL ||
        plan->row_sum == NULL || plan->long_end == NULL || plan->half_end == NULL ||
        plan->near == NULL || plan->unit_start == NULL || plan->tile == NULL ||
        plan->sums_present == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: a plan of %zu edges", n_edges);
    }
    for (size_t i = 0; i < n_nodes; i++) {
        const size_t count = gather(plan, i, from, rule, edges);
        if (count == SIZE_MAX) {
            SPL_FAIL(SPL_ERR_LIMIT,
                "a delay into node %zu exceeds %.0f steps; check the unit of the "
                "lengths, connectome.speed and simulation.dt",
                i, MAX_DELAY);
        }
        place(plan, i, edges, count);
    }
    SPL_TRY(summarise(plan));

    SPL_TRY(spl_plan_partition(plan, SPL_PANEL));
    *out = plan;
    plan = NULL;
out:
    free(edges);
    spl_plan_free(plan);
    return status;
}

void spl_plan_free(spl_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    free(plan->start);
    free(plan->long_end);
    free(plan->half_end);
    free(plan->near);
    free(plan->undelayed);
    free(plan->unit_start);
    free(plan->tile);
    free(plan->sums_present);
    free(plan->source);
    free(plan->delay);
    free(plan->weight);
    free(plan->self_weight);
    free(plan->row_sum);
    free(plan);
}
