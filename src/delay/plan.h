/* Edges of a network sorted for summation, and the ring of past samples they read.
 * Delay of an edge in whole steps: rint((length / speed) / dt), two divisions in this
 * order, as TVB. */
#ifndef SPL_DELAY_PLAN_H
#define SPL_DELAY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "simd/tile.h"
#include "splenium/connectome.h"

/* Columns of sums that are formed at once, and the most steps of a block. */
#define SPL_PANEL     16
#define SPL_MAX_BLOCK 64

/* Steps for which the sums of long edges, those of at least as many steps, are formed at
 * once: their samples are all known, and a window of the history is read from memory with
 * fewer cache lines than its parts. Vectors of 32 bytes hold the sums of 48 steps in
 * registers. Windows of 64, in two passes, took a hundredth of a step of 76 nodes more,
 * and a twentieth of one of 998, fewer of whose edges are as long. */
#define SPL_WINDOW 48

/* Where blocks divide half a window, the sums of edges of at least as many steps are
 * added half a window at once. */
#define SPL_HALF_WINDOW (SPL_WINDOW / 2)

/* Unused edges behind the last, which may be prefetched. */
#define SPL_EDGE_PADDING 64

/* Edges by target: those of node i are start[i] .. start[i + 1], by descending delay,
 * ties by source index, so that the order of a sum depends on nothing else. Self-edges
 * without delay are taken out, they act within their node; those of nodes that send
 * something else than they are stay. */
typedef struct spl_plan {
    size_t n_nodes;
    size_t stride;   /* n_nodes padded to whole tiles */
    size_t n_edges;  /* in the lists, self_weight not counted */
    uint32_t *start; /* [n_nodes + 1] */
    /* [n_nodes]: first edge of node i shorter than a window; than half a window; than a
     * block; without delay; or start[i + 1] */
    uint32_t *long_end, *half_end, *near, *undelayed;
    int32_t *source;     /* [n_edges] */
    int32_t *delay;      /* [n_edges], steps */
    spl_real *weight;    /* [n_edges] */
    double *self_weight; /* [stride]: self-edges without delay */
    double *row_sum;     /* [stride]: in-strength, self-edges included */
    size_t n_self;       /* self-edges without delay */
    size_t n_long;       /* edges of at least a window */
    size_t n_half;       /* shorter ones of at least half a window */
    size_t n_undelayed;  /* edges without delay in the lists */
    uint32_t delay_min, delay_median,
        delay_max; /* over delayed edges; 0 if there are none */
    /* what a block of steps does to the edges, see spl_plan_partition */
    size_t block;  /* B */
    size_t n_near; /* edges shorter than a block, those without delay included */
    /* history: per node contiguous in time; sample k in slot k mod ring, the first
     * SPL_WINDOW slots again behind the end, so that a window of that many samples never
     * wraps */
    size_t ring;  /* power of two >= delay_max + block + 2 and 2 SPL_MAX_BLOCK */
    size_t pitch; /* slots from node to node: ring + SPL_WINDOW and a cache line, so that
                     nodes do not all compete for the same places of a cache */
    /* Units: tiles that must advance together, grouped; the larger first, single tiles in
     * their order. The tiles of unit u are tile[unit_start[u] .. unit_start[u + 1]). */
    size_t n_units, n_tied; /* the first n_tied units go step by step */
    uint32_t *unit_start;   /* [n_units + 1] */
    uint32_t *tile;         /* [stride / SPL_TILE] */
    bool *sums_present;     /* [stride / SPL_TILE]: a node has edges without delay */
    /* [stride / SPL_TILE], borrowed: tiles that must go step by step even without a near
     * edge; NULL: none */
    const bool *stepwise;
} spl_plan;

/* How delays are made. */
typedef struct spl_delay_rule {
    double dt;
    double speed;   /* mm/ms, INFINITY: none */
    bool one_delay; /* the same delay on every edge */
    double delay;   /* ms */
    bool frozen;
    const bool *mixes; /* [n_nodes]: what a node sends is not its own; NULL: none */
} spl_delay_rule;

/* Make the plan of a network, for blocks of SPL_PANEL steps.
 *   from   entries of the connectome; those with a weight other than 0 are edges
 * Result: SPL_OK; SPL_ERR_LIMIT if a delay exceeds 2^24 steps; SPL_ERR_NO_MEMORY. */
#define spl_plan_create SPL_PRECISE(spl_plan_create)
SPL_MUST_CHECK spl_status spl_plan_create(
    spl_plan **out, size_t n_nodes, const spl_edges *from, const spl_delay_rule *rule);
#define spl_plan_free SPL_PRECISE(spl_plan_free)
void spl_plan_free(spl_plan *plan);

/* Divide the edges for blocks of `block` <= SPL_MAX_BLOCK steps. An edge of at least that
 * many steps reads only samples known before the block; the others, near, tie their ends
 * together: a component of the graph of near edges, whole tiles of it, is one unit, which
 * advances step by step, as do the tiles of plan->stepwise. Results do not depend on it.
 * Result: SPL_OK; SPL_ERR_NO_MEMORY. */
#define spl_plan_partition SPL_PRECISE(spl_plan_partition)
SPL_MUST_CHECK spl_status spl_plan_partition(spl_plan *plan, size_t block);

/* Make all tiles one tied unit, in their order. */
#define spl_plan_tie_all SPL_PRECISE(spl_plan_tie_all)
void spl_plan_tie_all(spl_plan *plan);

/* Tiles of the largest unit that goes step by step, 0 if none does. */
static inline size_t spl_plan_largest_tied(const spl_plan *plan)
{
    return plan->n_tied > 0 ? plan->unit_start[1] : 0;
}

/* Delay in steps of one edge. */
#define spl_delay_steps SPL_PRECISE(spl_delay_steps)
double spl_delay_steps(const spl_delay_rule *rule, double length);

/* Slot of sample k (k may be negative: the past before the start). The first that a run
 * adds is 1, so that blocks of a panel begin at a cache line. */
static inline size_t spl_plan_slot(const spl_plan *plan, int64_t k)
{
    return (size_t)(k - 1) & (plan->ring - 1);
}

/* Store sample k of a node's history. */
static inline void spl_history_put(
    const spl_plan *plan, spl_real *node, int64_t k, spl_real value)
{
    const size_t slot = spl_plan_slot(plan, k);
    node[slot] = value;
    if (slot < SPL_WINDOW) {
        node[plan->ring + slot] = value;
    }
}

#endif
