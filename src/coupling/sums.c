/* Delayed sums in time blocks: if every delay is at least the number of columns, each
 * edge is one contiguous multiply-add over time, with the accumulators in registers.
 * Edges without delay are summed row by row from the present samples. */
#include "coupling/sums.h"
#include "simd/vec.h"

enum { N_VECTORS = SPL_MAX_BLOCK / SPL_LANES };

/* All columns of one node. Column c reads slot (k + c - d) mod ring; the mirrored head
 * keeps the window contiguous. */
VEC_INLINE void sum_node(const spl_plan *plan, const double *history, int64_t k,
    size_t n_columns, size_t node, double *columns)
{
    const size_t end = plan->undelayed[node];
    vec sum[N_VECTORS] = {0};
    for (size_t e = plan->start[node]; e < end; e++) {
        const double *window = history + (size_t)plan->source[e] * plan->pitch +
                               spl_plan_slot(plan, k - plan->delay[e]);
        const vec weight = vec_set(plan->weight[e]);
        SPL_UNROLL
        for (size_t v = 0; v < N_VECTORS; v++) {
            if (n_columns >= (v + 1) * SPL_LANES) {
                sum[v] = vec_fma(weight, vec_load(window + v * SPL_LANES), sum[v]);
            } else if (n_columns > v * SPL_LANES) {
                const size_t rest = n_columns - v * SPL_LANES;
                sum[v] =
                    vec_fma(weight, vec_load_first(window + v * SPL_LANES, rest), sum[v]);
            }
        }
    }
    for (size_t v = 0; v < N_VECTORS; v++) {
        vec_store(columns + v * SPL_LANES, sum[v]);
    }
}

static void delayed(const spl_plan *plan, const double *history, int64_t k,
    size_t n_columns, size_t first, double *out, size_t out_step)
{
    double columns[SPL_TILE][SPL_MAX_BLOCK];
    for (size_t lane = 0; lane < SPL_TILE; lane++) {
        if (first + lane >= plan->n_nodes) {
            for (size_t column = 0; column < SPL_MAX_BLOCK; column++) {
                columns[lane][column] = 0.0;
            }
        } else if (n_columns == SPL_MAX_BLOCK) {
            sum_node(plan, history, k, SPL_MAX_BLOCK, first + lane, columns[lane]);
        } else {
            sum_node(plan, history, k, n_columns, first + lane, columns[lane]);
        }
    }
    for (size_t column = 0; column < n_columns; column++) {
        for (size_t lane = 0; lane < SPL_TILE; lane++) {
            out[column * out_step + lane] = columns[lane][column];
        }
    }
}

static void undelayed(
    const spl_plan *plan, const double *sent, size_t begin, size_t end, double *sums)
{
    for (size_t i = begin; i < end && i < plan->n_nodes; i++) {
        double sum = sums[i];
        for (size_t e = plan->undelayed[i]; e < plan->start[i + 1]; e++) {
            sum = fma(plan->weight[e], sent[plan->source[e]], sum);
        }
        sums[i] = sum;
    }
}

const spl_sum_kernels SPL_TARGETED(spl_sum_kernels);
const spl_sum_kernels SPL_TARGETED(spl_sum_kernels) = {
    .delayed = delayed, .undelayed = undelayed};
