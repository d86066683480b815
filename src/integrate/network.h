/* A network ready to be stepped: all arrays of one run, and the loop that advances them.
 * Assembled by sim; everything here is in steps and nodes. */
#ifndef SPL_INTEGRATE_NETWORK_H
#define SPL_INTEGRATE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "coupling/sums.h"
#include "integrate/hooks.h"
#include "integrate/jobs.h"
#include "model/kernel.h"
#include "rng/rng.h"
#include "simd/tile.h"
#include "spiking/subnetwork.h"

/* Working memory of one tile and one block of B steps: one per thread for free tiles, one
 * for each tied tile, whose steps take turns with those of others, and for each tile with
 * a host. */
typedef struct spl_scratch {
    spl_real *sums;      /* [B + 1][n_channels][SPL_TILE] */
    spl_real *half;      /* [B][n_channels][SPL_TILE] */
    spl_real *noise;     /* [B][n_states][SPL_TILE] */
    spl_real *sent;      /* [B + 1][n_channels][SPL_TILE] */
    spl_real *sent_half; /* [B][n_channels][SPL_TILE] */
    spl_real *extreme;   /* [SPL_TILE] */
    /* of tied tiles only, see spl_kernel_stage; else NULL */
    spl_real *y, *sum_of_stages, *x_before, *f_before; /* [n_states][SPL_TILE] */
    spl_real *gates;                                   /* [n_gates][SPL_TILE] */
    spl_real *c;                                       /* [SPL_TILE] */
    spl_real *stage_sums;                              /* [n_channels][SPL_TILE] */
    spl_real *local; /* [2][SPL_TILE]: of spl_kernel_stage; NULL: no host asks for it */
} spl_scratch;

/* A node that carries a spiking subnetwork. Between the steps k and k + 1 it is driven by
 * D_k = kc c_k + kl x_k, x the node's own observable, and then the node sends
 * alpha x_k+1 + beta Qhat_k+1, within [0, Q_max]. */
typedef struct spl_host {
    size_t node;
    spl_job *job; /* its subnetwork, for the threads */
    const spl_interface_spec *interface;
    bool replaces; /* the node is not integrated, it shows Qhat alone */
    double Q_max;
    bool has_voltage; /* V follows from Q with these; else the first state is Q itself */
    double V_T, d_V;
    bool in_unit;   /* advanced step by step by the thread that owns its tied unit */
    bool stepwise;  /* its input depends on what it sends, not only on the past */
    uint64_t clips; /* samples that left [0, Q_max] */
    /* of the block under way */
    uint64_t first; /* its first step */
    double *drive;  /* [B]: D of the steps from `first` on */
    double *Q_hat;  /* [B + 1]: at the steps from `first` on */
    spl_real x;     /* the node's own observable now, while its unit goes step by step */
} spl_host;

typedef enum { SPL_NOISE_WHITE, SPL_NOISE_COLOURED } spl_noise_process;

/* Sums of long edges that are kept from block to block; without memory they are not. */
typedef struct spl_windows {
    spl_real *sums; /* [n_channels][stride][SPL_WINDOW], or NULL */
    int64_t *first; /* [n_channels][tiles]: step of the first column */
    /* [n_channels][tiles]: step behind those columns that have the edges of at least half
     * a window too; NULL: none has */
    int64_t *halves;
} spl_windows;

typedef struct spl_network {
    size_t n_nodes, stride, n_states, n_channels;
    int scheme;
    spl_target target;
    const spl_model_kernels *model;
    const spl_sum_kernels *sum;
    const spl_rng_kernels *rng;
    spl_plan *plan;
    bool shares_plan; /* plan and matrix belong to another network */
    spl_coupling_run coupling;
    spl_kernel_run run;
    bool reference; /* the naive engine; model, sum and rng are then those of the scalar
                       target */
    int threads;
    bool together;          /* all tiles are one tied unit, which the threads share */
    const spl_real *matrix; /* dense weights of undelayed edges, or NULL: sparse */
    double divergence_limit;

    uint64_t step;          /* steps done; the present is step * dt */
    spl_real *history;      /* [n_channels][n_nodes][pitch] */
    spl_real *half_history; /* samples half a step later, for RK4 with delays; or NULL */
    spl_windows windows, half_windows; /* of both */
    spl_real *carry;        /* [n_channels][stride]: sums at the present step */
    spl_real *exponentials; /* [tiles][n_gates][2][SPL_TILE]: of free tiles' gates now */
    bool knows_gates;       /* these, or the gates of tied tiles, are those of now */
    spl_real *backup;       /* [n_states][stride]: states at the start of the block */

    /* what the monitors see of several blocks at once: record.c */
    size_t n_rows;            /* steps of rows; at least B */
    size_t n_steps_in_pieces; /* steps of rows that are sums of pieces; or 0: no such */
    size_t n_steps_in_f4;     /* steps that need no rows; at least n_rows */
    size_t most_kept;         /* one of them: which it is now */
    uint64_t recorded_from;   /* steps before the first row */
    bool keeps_rows;          /* some variable goes to rows */
    spl_recording recording;
    int slot[SPL_MAX_STATES + 2]; /* of the variables in rows; run.slot: of those that go
                                     there now */
    spl_real *rows;               /* [n_rows][n_slots][stride], or NULL */
    double *shown; /* the same for the monitors: rows itself, or its copy */
    /* of the running block: */
    spl_real *record;          /* its rows among them, or NULL */
    float *f4[SPL_MAX_STATES]; /* rows of states in f4, or NULL */
    size_t piece_left;         /* steps to the end of its first piece; else 1 */
    spl_real *piece_backup;    /* [n_slots][stride]: sums of that before; or NULL */

    spl_scratch *scratch; /* [threads] */
    bool *lost;           /* [tiles] of the plan: left the bounds in this block */
    spl_real *present[2]; /* [n_channels][stride]: what all nodes show, for edges
                             without delay */

    /* tied tiles */
    spl_scratch *tied;                      /* [tiles]; zero for free tiles */
    spl_real **tied_sent, **tied_sent_half; /* [tiles]: theirs, for near edges */

    /* spiking subnetworks in the order of the settings; nodes that carry one, by node */
    size_t n_jobs;
    spl_job *jobs;
    size_t n_hosts;
    spl_host *hosts;
    uint32_t *first_host;         /* [tiles + 1]: hosts of each tile */
    bool *replaced;               /* [n_nodes]: not integrated; NULL without hosts */
    bool *feeds_back;             /* [tiles]: a host has local_feedback; likewise */
    double *host_load;            /* [threads] */
    bool replaying;               /* a block is repeated: its hosts have been advanced */
    const spl_model_kernels *one; /* evaluates single nodes */
    const spl_coupling_kernels *couple_one;

    /* the reference engine, else NULL */
    spl_real *y, *sum_of_stages, *x_before, *f_before; /* [n_states][stride] */
    spl_real *c;                                       /* [stride] */
    spl_real *step_noise;                              /* [tiles][n_states][SPL_TILE] */

    uint64_t seed;
    uint64_t
        noise_start; /* steps by which the noise is ahead: of a run before this one */
    spl_noise_process process;
    bool noisy[SPL_MAX_STATES];
    double eta_decay, eta_kick; /* eta' = decay eta + kick N */
    double eta_mean;
    spl_real *eta;        /* [n_states][stride], or NULL */
    spl_real *eta_backup; /* the same at the start of the block */
    spl_real *eta_scale;  /* [n_states][stride]: stationary standard deviation */
    /* test hook: normals[n][n_states][n_nodes] of the first n steps instead of the
     * generator's */
    const double *given_normals;
    uint64_t n_given;
} spl_network;

/* Whether a node is integrated at all; if not, its subnetwork speaks for it. */
static inline bool spl_is_integrated(const spl_network *network, size_t node)
{
    return network->replaced == NULL || !network->replaced[node];
}

static inline bool spl_has_hosts(const spl_network *network, size_t tile)
{
    return network->n_hosts > 0 &&
           network->first_host[tile] < network->first_host[tile + 1];
}

/* Fill history and carried sums from the present states; the past is constant. Sets step
 * to 0. */
#define spl_network_start SPL_PRECISE(spl_network_start)
void spl_network_start(spl_network *network);

/* Form the carried sums again from the history at the present step. */
#define spl_network_carry SPL_PRECISE(spl_network_carry)
void spl_network_carry(spl_network *network);

/* Working memory of networks advanced together, see spl_network_advance_batch. */
typedef struct spl_batch {
    spl_real *present; /* [n_channels][SPL_MAX_BATCH][stride]: what all nodes show */
    spl_real *sums;    /* the same: of their edges without delay */
} spl_batch;

/* Advance n <= SPL_MAX_BATCH undelayed networks with one plan and one matrix, which is
 * then read once for all of them. Each gives what it would give alone, hooks [n] and
 * divergence [n] included. */
#define spl_network_advance_batch SPL_PRECISE(spl_network_advance_batch)
void spl_network_advance_batch(spl_network *const *networks, size_t n, spl_batch *batch,
    uint64_t n_steps, const spl_block_hooks *hooks, spl_divergence *divergence);

/* Advance by n steps, or until a hook ends the loop or a state diverges: then
 * `divergence` tells where, and the hooks have seen every step before it; or until a
 * subnetwork fails. */
#define spl_network_advance SPL_PRECISE(spl_network_advance)
void spl_network_advance(spl_network *network, uint64_t n_steps,
    const spl_block_hooks *hooks, spl_divergence *divergence);

#endif
