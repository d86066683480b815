/* A connectome of the benchmark, its edges, and the runs made of it. */
#ifndef SPL_TOOLS_BENCH_NETWORK_H
#define SPL_TOOLS_BENCH_NETWORK_H

#include "bench.h"

struct bench_network {
    const bench_case *what;
    spl_connectome *connectome;
    spl_connectome *empty; /* the same nodes without edges */
    spl_connectome *pair;  /* with one edge, the longest */
    size_t n_nodes;
    size_t *start;   /* [n_nodes + 1]: edges by target */
    int32_t *source; /* of edge */
    double *weights, *tract_lengths;
    char *C; /* the values of model.C, a little different in every region */
    double load_s, create_s; /* reading the connectome, making a run of it */
};

/* Load the connectome of a case. `file` is a path or NULL, `normalise` a value of
 * connectome.normalise. Free with network_deinit after success and failure. */
SPL_MUST_CHECK spl_status network_init(bench_network *network, const bench_case *what,
    const char *file, const char *normalise);
void network_deinit(bench_network *network);

/* Make a run on one of the connectomes of the network: the defaults of the program, C by
 * region, one thread, no end, no results file; then `settings`, which end with a NULL
 * key. `target` is a SIMD target or NULL. */
SPL_MUST_CHECK spl_status network_sim(spl_sim **sim, bench_network *network,
    spl_connectome *connectome, const spl_setting *settings, const char *target);

/* Describe the network and a run of it. */
void network_facts(const bench_network *network, const spl_sim *sim, bench_facts *facts);

/* Contenders that are runs. */
double advance_sim(void *user, uint64_t n_steps);      /* processor time of the thread */
double advance_sim_wall(void *user, uint64_t n_steps); /* wall time */

#endif
