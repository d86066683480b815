/* The benchmark: cases, what is measured of them, and how it is shown. */
#ifndef SPL_TOOLS_BENCH_BENCH_H
#define SPL_TOOLS_BENCH_BENCH_H

#include "../tool.h"
#include "measure.h"
#include "roofline.h"

enum { BENCH_MAX_PARTS = 6, BENCH_MAX_VARIANTS = 4, BENCH_CHECKED_STEPS = 100 };

/* How a case is measured. */
typedef enum {
    BENCH_FULL,     /* against the naive program, with parts and variants */
    BENCH_FILE,     /* default monitors and file, against the run without */
    BENCH_STREAM,   /* every step to the file, against the same */
    BENCH_THREADS,  /* several threads against one */
    BENCH_ENSEMBLE, /* independent runs on all processors */
    BENCH_TVB,      /* against The Virtual Brain */
    BENCH_SPIKING   /* spiking neurons, without nodes */
} bench_kind;

typedef struct bench_case {
    const char *name;
    bench_kind kind;
    const char *file;   /* in the folder of connectomes; NULL: the set shipped */
    bool undelayed;     /* infinite speed */
    bool quick;         /* part of --quick */
    size_t n_synthetic; /* nodes of a network made in memory, instead of a file */
    size_t in_degree;   /* of spiking neurons */
} bench_case;

/* What all cases share. */
typedef struct bench_setting {
    bench_effort effort;
    bench_effort pair_effort; /* of cases of two: more and shorter repetitions */
    const char *data;         /* folder of connectomes */
    const char *python;       /* with tvb-library */
    char folder[4096];        /* temporary; results files go there */
    bench_roofline roofline;
} bench_setting;

/* What was simulated and how. */
typedef struct bench_facts {
    char sha256[65];
    size_t n_nodes;
    size_t n_edges, n_self; /* between nodes; from a node to itself */
    uint32_t delay_min, delay_median, delay_max; /* steps, between nodes */
    size_t block, n_short, largest_component;
    bool shared_exponentials; /* of the gates */
    char path[64], target[16], scheme[16], stages[16];
    const char *precision;
    double dt, speed;
    int threads;
    bool by_region; /* a parameter differs from node to node */
    bool file;
    char monitors[96];
} bench_facts;

/* A part of the step, or the step done otherwise. */
typedef struct bench_part {
    const char *name;
    bench_sample us;
    bench_sample ratio;    /* variants: step without monitors and file / variant */
    char unavailable[256]; /* why there is no number, or "" */
} bench_part;

typedef struct bench_result {
    const bench_case *what;
    bench_facts facts;
    char skipped[512]; /* why there is nothing else, or "" */
    char refused[512]; /* why nothing was timed: the results differ; or "" */
    uint64_t steps_per_repeat;
    bench_sample product_us, product_wall_us;
    bench_sample core_us; /* without monitors and file */
    char against[64];     /* what the product is compared with, "" if with nothing */
    bench_sample against_us;
    bench_sample ratio;      /* against / product, pair by pair */
    bench_sample core_ratio; /* against / core */
    bench_sample core_to_product;
    bench_part parts[BENCH_MAX_PARTS];
    size_t n_parts;
    bench_part variants[BENCH_MAX_VARIANTS];
    size_t n_variants;
    bool has_bound;
    bench_sample bound_us;    /* the loops in turns with the core */
    bench_sample bound_share; /* bound / core, pair by pair */
    bench_bound bound;        /* its parts, ns, a median each */
    double max_abs_dV, allowed_dV;
    uint64_t escaped_nodes;
    double load_s, create_s;
    size_t n_neurons; /* spiking ones, and the rates of the two populations, Hz */
    double rate_E, rate_I;
    size_t n_members; /* of an ensemble */
    /* of an ensemble: per second of wall time, and of one thread's processor time */
    bench_sample million_node_steps, million_by_processor;
} bench_result;

/* run.c: measure a case; what cannot be run is said in the result. Result: SPL_OK; errors
 * of the library other than a connectome that is absent. */
SPL_MUST_CHECK spl_status bench_run(
    const bench_case *what, const bench_setting *setting, bench_result *result);

/* full.c, pairs.c, tvb.c: the kinds of cases, given their connectome. */
typedef struct bench_network bench_network;
SPL_MUST_CHECK spl_status bench_run_full(
    const bench_setting *setting, bench_network *network, bench_result *result);
SPL_MUST_CHECK spl_status bench_run_file(
    const bench_setting *setting, bench_network *network, bench_result *result);
SPL_MUST_CHECK spl_status bench_run_stream(
    const bench_setting *setting, bench_network *network, bench_result *result);
SPL_MUST_CHECK spl_status bench_run_threads(
    const bench_setting *setting, bench_network *network, bench_result *result);
SPL_MUST_CHECK spl_status bench_run_ensemble(
    const bench_setting *setting, bench_network *network, bench_result *result);
SPL_MUST_CHECK spl_status bench_run_tvb(
    const bench_setting *setting, bench_network *network, bench_result *result);
SPL_MUST_CHECK spl_status bench_run_spiking(
    const bench_setting *setting, bench_result *result);

/* report.c: a page to read, and JSON. */
typedef struct json_writer json_writer;
void bench_print_machine(const bench_setting *setting);
void bench_print(const bench_result *result);
void bench_write_machine(json_writer *json, const bench_setting *setting);
void bench_write(json_writer *json, const bench_result *result);

/* Spread of the pairwise ratios, p90 / p10, above which a ratio is not to be published.
 */
#define BENCH_MAX_SPREAD 1.3
double bench_spread(const bench_sample *ratio);

#endif
