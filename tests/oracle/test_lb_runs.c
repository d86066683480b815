/* Larter-Breakspear trajectories: one node, heterogeneous nodes, two coupled nodes,
 * against an independent NumPy program and against the solution of the equations. */
#include "oracle/stored_params.h"
#include "support/network_run.h"
#include "support/stored.h"

enum { N_STATES = 3 };

/* One way to run the same network. */
typedef struct way {
    const char *engine, *undelayed;
    spl_target target;
    size_t max_steps; /* the slow ones run shorter */
} way;

/* The first is the usual one, dense sums matter only where nodes meet. */
static const way ways[] = {
    {"production", "sparse", BEST_TARGET, 5000},
    {"production", "sparse", SPL_TARGET_SCALAR, 1000},
    {"production", "sparse", SPL_TARGET_V3, 5000},
    {"reference", "auto", BEST_TARGET, 1000},
    {"production", "dense", BEST_TARGET, 5000},
};
enum { USUAL_WAY = 1, UNCOUPLED_WAYS = 4, ALL_WAYS = sizeof ways / sizeof *ways };

/* A stored run: how it was made and what must come out. */
typedef struct stored_run {
    const char *path;         /* of the dataset */
    const char *bounds;       /* attribute with the tolerance */
    size_t n_stored, n_steps; /* in the file; of these to be compared */
    size_t n_nodes;
    size_t substeps; /* of ours per stored step */
    double dt;       /* stored step */
    const char *integrator, *stages;
    const char *model, *coupling, *connectome; /* flow maps of the configuration */
    const double *weights, *params, *start;    /* NULL: none, as configured, zero */
    size_t n_ways;
} stored_run;

static void check_way(const stored_run *stored, const way *how, const double *expected,
    const step_bounds *bounds, worst_case *worst)
{
    const size_t width = N_STATES * stored->n_nodes;
    network_run run;
    spl_connectome *connectome = make_connectome(stored->n_nodes, stored->weights, NULL);
    network_settle(&run, connectome,
        "simulation: {integrator: %s, coupling_stages: %s, engine: %s, undelayed: %s, "
        "dt: %.17g}\nmodel: %s\ncoupling: %s\nconnectome: %s",
        stored->integrator, stored->stages, how->engine, how->undelayed,
        stored->dt / (double)stored->substeps, stored->model, stored->coupling,
        stored->connectome);
    if (stored->params != NULL) {
        memcpy(run.settings.params, stored->params,
            run.settings.model->n_params * stored->n_nodes * sizeof(double));
    }
    if (stored->start != NULL) {
        network_start_at(&run, stored->start);
    }
    network_assemble(&run, connectome);
    const size_t n_steps =
        stored->n_steps < how->max_steps ? stored->n_steps : how->max_steps;
    double *found = network_trajectory(&run, n_steps * stored->substeps);
    for (size_t step = 0; step <= n_steps; step++) {
        compare_row(worst, stored->path, step, found + step * stored->substeps * width,
            expected + step * width, width, bound_at(bounds, step));
    }
    free(found);
    network_close(&run);
    spl_connectome_free(connectome);
}

static void check_run(hid_t file, const stored_run *stored, worst_case *worst)
{
    const step_bounds bounds = stored_bounds(file, stored->path, stored->bounds);
    double *expected = read_stored(
        file, stored->path, (stored->n_stored + 1) * N_STATES * stored->n_nodes);
    for (size_t k = 0; k < stored->n_ways; k++) {
        if (use_target(ways[k].target)) {
            check_way(stored, &ways[k], expected, &bounds, worst);
        }
    }
    free(expected);
}

/* Beyond 2000 samples little is known of the solution. */
enum { SAMPLES = 5000, FOLLOWED = 2000, TEXT = 128 };

/* Texts of a configuration; those of one node with constant input. */
typedef struct texts {
    char path[TEXT], model[TEXT], coupling[TEXT], connectome[TEXT];
} texts;

static stored_run one_node_run(texts *t, unsigned which, const char *dt, const char *name)
{
    static const char *const inputs[] = {"0.0", "0.1"};
    static const char *const slopes[] = {"0.5", "0.65"};
    const char *input = inputs[which >> 1];
    const char *slope = slopes[which & 1];
    snprintf(t->path, TEXT, "dV%s/c%s/dt%s/%s", slope, input, dt, name);
    snprintf(t->model, TEXT, "{d_V: %s, init: zero}", slope);
    snprintf(t->coupling, TEXT, "{normalise: none, b: %s}", input);
    return (stored_run){.path = t->path,
        .bounds = "tolerance",
        .n_stored = SAMPLES,
        .n_steps = SAMPLES,
        .n_nodes = 1,
        .substeps = 1,
        .dt = strtod(dt, NULL),
        .integrator = name,
        .stages = "per-stage",
        .model = t->model,
        .coupling = t->coupling,
        .connectome = "{}",
        .n_ways = UNCOUPLED_WAYS};
}

START_TEST(one_node)
{
    hid_t file = open_stored("lb_single.h5");
    if (file < 0) {
        return;
    }
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        for (unsigned which = 0; which < 4; which++) {
            texts t;
            worst_case coarse = {0};
            worst_case fine = {0};
            const char *scheme = spl_schemes[k].name;
            stored_run stored = one_node_run(&t, which, "0.1", scheme);
            check_run(file, &stored, &coarse);
            report_worst(&coarse, t.path);
            stored = one_node_run(&t, which, "0.01", scheme);
            stored.stages = "frozen";
            check_run(file, &stored, &fine);
            report_worst(&fine, t.path);
        }
    }
    H5Fclose(file);
}
END_TEST

/* At 80 steps of rk4 in 0.1 ms its error is below what the solution is known to. */
START_TEST(one_node_follows_the_solution)
{
    hid_t file = open_stored("lb_single.h5");
    if (file < 0) {
        return;
    }
    for (unsigned which = 0; which < 4; which++) {
        texts t;
        worst_case worst = {0};
        stored_run stored = one_node_run(&t, which, "0.1", "dop853");
        stored.bounds = "accuracy";
        stored.n_steps = FOLLOWED;
        stored.substeps = 80;
        stored.integrator = "rk4";
        stored.n_ways = USUAL_WAY;
        check_run(file, &stored, &worst);
        report_worst(&worst, t.path);
    }
    H5Fclose(file);
}
END_TEST

START_TEST(heterogeneous_nodes)
{
    enum { N = 4 };
    double params[N_PARAMS * N];
    hid_t file = open_stored("lb_hetero8.h5");
    if (file < 0) {
        return;
    }
    read_params(file, params, N);
    double *start = read_stored(file, "state0", N_STATES * N);
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        worst_case worst = {0};
        const stored_run stored = {.path = spl_schemes[k].name,
            .bounds = "tolerance",
            .n_stored = 1000,
            .n_steps = 1000,
            .n_nodes = N,
            .substeps = 1,
            .dt = 0.1,
            .integrator = spl_schemes[k].name,
            .stages = "per-stage",
            .model = "{}",
            .coupling = "{normalise: none, b: 0.05}",
            .connectome = "{}",
            .params = params,
            .start = start,
            .n_ways = UNCOUPLED_WAYS};
        check_run(file, &stored, &worst);
        char what[TEXT];
        snprintf(what, sizeof what, "lb_hetero8 %s", spl_schemes[k].name);
        report_worst(&worst, what);
    }
    free(start);
    H5Fclose(file);
}
END_TEST

/* Kernels of the file and what they are called here. */
static const struct {
    const char *stored, *coupling;
    bool delayed;
} kernels[] = {
    {"additiveV", "{function: linear, a: 1, observable: V}", true},
    {"diffusiveV", "{function: difference, a: 1, observable: V}", true},
    {"meanQV", "{function: mean_rate, normalise: none}", true},
    {"meanQVnorm", "{function: mean_rate, normalise: in_strength}", false},
};

/* Datasets by the name of the method. */
static const struct {
    const char *stored, *integrator, *stages, *bounds;
    size_t substeps;
} methods[] = {
    {"euler", "euler", "frozen", "tolerance", 1},
    {"heun", "heun", "frozen", "tolerance", 1},
    {"rk4", "rk4", "frozen", "tolerance", 1},
    {"exp_euler", "exp_euler", "frozen", "tolerance", 1},
    {"heun_per_stage", "heun", "per-stage", "tolerance", 1},
    {"dop853", "rk4", "per-stage", "accuracy", 40},
};
enum { DOP853 = 5 };

static void check_two_nodes(
    hid_t file, const double *weights, const double *start, unsigned which)
{
    static const char *const slopes[] = {"0.57", "0.65"};
    const char *slope = slopes[which & 1];
    const bool delayed = (which & 2) != 0;
    const size_t kernel = which >> 2;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        texts t;
        worst_case worst = {0};
        if (delayed && (m == DOP853 || !kernels[kernel].delayed)) {
            continue;
        }
        snprintf(t.path, TEXT, "dV%s/%s/delay%d/%s", slope, kernels[kernel].stored,
            delayed ? 50 : 0, methods[m].stored);
        snprintf(t.model, TEXT, "{d_V: %s}", slope);
        const stored_run stored = {.path = t.path,
            .bounds = methods[m].bounds,
            .n_stored = SAMPLES,
            .n_steps = m == DOP853 ? FOLLOWED : SAMPLES,
            .n_nodes = 2,
            .substeps = methods[m].substeps,
            .dt = 0.1,
            .integrator = methods[m].integrator,
            .stages = methods[m].stages,
            .model = t.model,
            .coupling = kernels[kernel].coupling,
            .connectome = delayed ? "{delay: 5 ms}" : "{delays: false}",
            .weights = weights,
            .start = start,
            .n_ways = m == DOP853 ? USUAL_WAY
                      : delayed   ? UNCOUPLED_WAYS
                                  : ALL_WAYS};
        check_run(file, &stored, &worst);
        report_worst(&worst, t.path);
    }
}

START_TEST(two_nodes)
{
    hid_t file = open_stored("lb_two_nodes.h5");
    if (file < 0) {
        return;
    }
    double *weights = read_stored(file, "W", 4);
    double *start = read_stored(file, "state0", N_STATES * 2);
    check_two_nodes(file, weights, start, (unsigned)_i);
    free(weights);
    free(start);
    H5Fclose(file);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("lb_runs");
    TCase *runs = tcase_create("runs");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(runs, 120);
    tcase_add_test(lengthy, one_node);
    tcase_add_test(lengthy, one_node_follows_the_solution);
    tcase_add_test(runs, heterogeneous_nodes);
    tcase_add_loop_test(lengthy, two_nodes, 0, 16);
    suite_add_tcase(suite, runs);
    return suite;
}
