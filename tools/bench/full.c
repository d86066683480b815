/* The main cases: the run as users start it, the naive program, and the parts of a step.
 * Equality comes first: different simulations are not timed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../tests/bench/naive.h"
#include "driver.h"
#include "network.h"

/* What takes turns with the run, in this order: what is compared with it comes soon after
 * it, and for as long. */
enum { CORE, BOUND, NAIVE, MONITORS, COUPLING, HISTORY, DYNAMICS, N_CHAIN };

/* Runs that each do a little more than the one before; the differences are the parts of
 * the step. */
static const int parts[] = {DYNAMICS, HISTORY, COUPLING, CORE, MONITORS};
enum { N_PARTS = sizeof parts / sizeof *parts };

typedef struct chain_link {
    const char *name; /* of what it adds */
    enum { ALL_EDGES, NO_EDGE, ONE_EDGE } edges;
    spl_setting settings[3];
} chain_link;

static const chain_link chain[N_CHAIN] = {
    [DYNAMICS] = {"dynamics", NO_EDGE,
        {{"noise.kind", "none"}, {"monitors", "[]"}, {NULL, NULL}}},
    [HISTORY] = {"history", ONE_EDGE,
        {{"noise.kind", "none"}, {"monitors", "[]"}, {NULL, NULL}}},
    [COUPLING] = {"coupling", ALL_EDGES,
        {{"noise.kind", "none"}, {"monitors", "[]"}, {NULL, NULL}}},
    [CORE] = {"noise", ALL_EDGES, {{"monitors", "[]"}, {NULL, NULL}}},
    [MONITORS] = {"monitors", ALL_EDGES, {{NULL, NULL}}},
};

/* For which networks a variant is of interest. */
typedef enum { DELAYED = 1, UNDELAYED = 2, BOTH = DELAYED | UNDELAYED } network_kind;

/* The step done otherwise. After the checked steps V may differ by `allowed_dV`: not at
 * all where the same bits are promised; single precision measured 3e-5; frozen coupling
 * is another scheme, and only a blunder is to be found. */
static const struct {
    const char *name;
    spl_setting settings[3];
    const char *target; /* SIMD target, or NULL */
    network_kind of;
    double allowed_dV;
} variants[] = {
    {"frozen coupling", {{"simulation.coupling_stages", "frozen"}, {"monitors", "[]"}},
        NULL, DELAYED, 0.05},
    {"single precision", {{"simulation.precision", "single"}, {"monitors", "[]"}}, NULL,
        BOTH, 1e-4},
    {"target v3", {{"monitors", "[]"}}, "v3", DELAYED, 0.0},
    {"target scalar", {{"monitors", "[]"}}, "scalar", DELAYED, 0.0},
    {"by the matrix", {{"simulation.undelayed", "dense"}, {"monitors", "[]"}}, NULL,
        UNDELAYED, 0.0},
    {"edge by edge", {{"simulation.undelayed", "sparse"}, {"monitors", "[]"}}, NULL,
        UNDELAYED, 0.0},
};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

static const double ALLOWED_DV = 1e-12;

/* The small loops in turns with the core. */
typedef struct bound_loops {
    bench_roofline roofline;
    size_t n_nodes, n_edges;                         /* 0: a network that has no bound */
    bench_sample dynamics, history, coupling, noise; /* ns of a step */
} bound_loops;

typedef struct full_case {
    bench_network *network;
    bound_loops bound;
    naive *naive;
    spl_sim *sim[N_CHAIN + N_VARIANTS];
    bench_contender contender[N_CHAIN + N_VARIANTS];
    size_t n_contenders;
} full_case;

static double advance_naive(void *user, uint64_t n_steps)
{
    const double begin_s = clock_thread();
    for (uint64_t step = 0; step < n_steps; step++) {
        naive_step(user);
    }
    return clock_thread() - begin_s;
}

/* What n_steps would take at the speed that the loops have now. */
static double advance_bound(void *user, uint64_t n_steps)
{
    bound_loops *loops = user;
    bench_bound bound;
    if (loops->n_edges == 0) {
        return 0.0;
    }
    if (!roofline_again(&loops->roofline)) {
        return -1.0;
    }
    roofline_bound(&loops->roofline, loops->n_nodes, loops->n_edges, &bound);
    sample_add(&loops->dynamics, bound.dynamics);
    sample_add(&loops->history, bound.history);
    sample_add(&loops->coupling, bound.coupling);
    sample_add(&loops->noise, bound.noise);
    return 1e-9 * bound_total(&bound) * (double)n_steps;
}

/* States one after the other, [3][n]. */
static spl_status copy_state(const spl_sim *sim, size_t n, double *state)
{
    spl_status status = SPL_OK;
    TOOL_TRY(spl_sim_state(sim, "V", state));
    TOOL_TRY(spl_sim_state(sim, "W", state + n));
    TOOL_TRY(spl_sim_state(sim, "Z", state + 2 * n));
out:
    return status;
}

/* The model's defaults, but C as the runs have it. */
static double *collect_params(const bench_network *network, const spl_model *model)
{
    const size_t n = network->n_nodes;
    double *params = calloc(model->n_params * n, sizeof *params);
    for (size_t p = 0; params != NULL && p < model->n_params; p++) {
        const char *next = network->C + 1;
        for (size_t i = 0; i < n; i++) {
            char *end = NULL;
            params[p * n + i] = strcmp(model->params[p].name, "C") == 0
                                    ? strtod(next, &end)
                                    : model->params[p].value;
            next = end != NULL ? end + strspn(end, ", ") : next;
        }
    }
    return params;
}

static spl_status make_naive(full_case *full)
{
    spl_status status = SPL_OK;
    const bench_network *network = full->network;
    spl_config *config = NULL;
    double *params = NULL;
    double *state = calloc(3 * network->n_nodes, sizeof *state);
    double seed = 0.0;
    naive_input input = {
        .n_nodes = network->n_nodes,
        .start = network->start,
        .source = network->source,
        .weights = network->weights,
        .tract_lengths = network->tract_lengths,
        .model = spl_model_find("larter_breakspear"),
        .noise = sqrt(2.0 * 1e-5),
    };
    TOOL_TRY(spl_config_defaults(&config));
    TOOL_TRY(spl_config_number(config, "simulation.dt", &input.dt));
    TOOL_TRY(spl_config_number(config, "simulation.seed", &seed));
    TOOL_TRY(spl_config_number(config, "connectome.speed", &input.speed));
    input.speed = network->what->undelayed ? INFINITY : input.speed;
    input.seed = (uint64_t)seed;
    const spl_coupling *coupling = spl_coupling_find("mean_rate");
    for (size_t p = 0; p < coupling->n_params; p++) {
        *(*coupling->params[p].name == 'a' ? &input.a : &input.b) =
            coupling->params[p].value;
    }
    params = collect_params(network, input.model);
    input.params = params;
    if (state == NULL || params == NULL) {
        status = SPL_ERR_NO_MEMORY;
        goto out;
    }
    TOOL_TRY(copy_state(full->sim[CORE], network->n_nodes, state));
    full->naive = naive_create(&input, state);
    status = full->naive != NULL ? SPL_OK : SPL_ERR_NO_MEMORY;
out:
    free(state);
    free(params);
    spl_config_free(config);
    return status;
}

/* NAN if one is no number. */
static double largest_difference(const double *a, const double *b, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double difference = fabs(a[i] - b[i]);
        if (isnan(difference)) {
            return NAN;
        }
        largest = fmax(largest, difference);
    }
    return largest;
}

/* V after the checked steps; the run with monitors must have the bits of the one without.
 */
static spl_status check(full_case *full, bench_result *result)
{
    spl_status status = SPL_OK;
    const size_t n = full->network->n_nodes;
    double *state = calloc(9 * n, sizeof *state);
    double *others[2] = {state + 3 * n, state + 6 * n};
    if (state == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    TOOL_TRY(spl_sim_step(full->sim[CORE], BENCH_CHECKED_STEPS));
    TOOL_TRY(spl_sim_step(full->sim[MONITORS], BENCH_CHECKED_STEPS));
    advance_naive(full->naive, BENCH_CHECKED_STEPS);
    TOOL_TRY(copy_state(full->sim[CORE], n, state));
    TOOL_TRY(copy_state(full->sim[MONITORS], n, others[0]));
    naive_copy_state(full->naive, others[1]);
    result->max_abs_dV = largest_difference(others[1], state, n);
    result->allowed_dV = ALLOWED_DV;
    if (!(result->max_abs_dV <= ALLOWED_DV)) {
        snprintf(result->refused, sizeof result->refused,
            "V differs from that of the naive program by %g after %d steps, more than %g",
            result->max_abs_dV, BENCH_CHECKED_STEPS, ALLOWED_DV);
    } else if (memcmp(state, others[0], 3 * n * sizeof *state) != 0) {
        snprintf(result->refused, sizeof result->refused,
            "the run with monitors differs from the one without after %d steps",
            BENCH_CHECKED_STEPS);
    }
out:
    free(state);
    return status;
}

static spl_status make_chain(full_case *full)
{
    spl_status status = SPL_OK;
    bench_network *network = full->network;
    spl_connectome *const connectomes[] = {
        network->connectome, network->empty, network->pair};
    for (size_t part = 0; part < N_PARTS; part++) {
        const int k = parts[part];
        TOOL_TRY(network_sim(&full->sim[k], network, connectomes[chain[k].edges],
            chain[k].settings, NULL));
        full->contender[k] =
            (bench_contender){.advance = advance_sim, .user = full->sim[k]};
    }
    TOOL_TRY(make_naive(full));
    full->contender[NAIVE] =
        (bench_contender){.advance = advance_naive, .user = full->naive};
    full->contender[BOUND] =
        (bench_contender){.advance = advance_bound, .user = &full->bound, .n_steps = 1};
    full->n_contenders = N_CHAIN;
out:
    return status;
}

/* Advance a variant by the checked steps and compare; `core_V` is V of the core. */
static spl_status check_variant(
    spl_sim *sim, size_t n, const double *core_V, double allowed_dV, bench_part *part)
{
    spl_status status = SPL_OK;
    double *V = calloc(n, sizeof *V);
    if (V == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    TOOL_TRY(spl_sim_step(sim, BENCH_CHECKED_STEPS));
    TOOL_TRY(spl_sim_state(sim, "V", V));
    const double difference = largest_difference(V, core_V, n);
    if (!(difference <= allowed_dV)) {
        snprintf(part->unavailable, sizeof part->unavailable,
            "not timed: V differs by %g after %d steps, more than %g", difference,
            BENCH_CHECKED_STEPS, allowed_dV);
    }
out:
    free(V);
    return status;
}

/* One variant as a contender, or why the machine or the build lacks it. */
static spl_status make_variant(
    full_case *full, size_t v, const double *core_V, bench_part *part)
{
    spl_build_info build;
    spl_build_describe(&build);
    spl_sim **sim = &full->sim[full->n_contenders];
    if (variants[v].target != NULL && strcmp(build.target, variants[v].target) == 0) {
        snprintf(part->unavailable, sizeof part->unavailable,
            "it is the target of all that is timed here");
        return SPL_OK;
    }
    if (network_sim(sim, full->network, full->network->connectome, variants[v].settings,
            variants[v].target) != SPL_OK) {
        snprintf(part->unavailable, sizeof part->unavailable, "%s", spl_last_error());
        return SPL_OK;
    }
    const spl_status status =
        check_variant(*sim, full->network->n_nodes, core_V, variants[v].allowed_dV, part);
    if (*part->unavailable != '\0') {
        spl_sim_free(*sim);
        *sim = NULL;
    } else {
        full->contender[full->n_contenders++] = (bench_contender){
            .advance = advance_sim, .user = *sim, .beside = &full->contender[CORE]};
    }
    return status;
}

/* Called when the core stands at the checked steps. */
static spl_status make_variants(full_case *full, bench_result *result)
{
    spl_status status = SPL_OK;
    const network_kind kind = full->network->what->undelayed ? UNDELAYED : DELAYED;
    double *core_V = calloc(full->network->n_nodes, sizeof *core_V);
    if (core_V == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    TOOL_TRY(spl_sim_state(full->sim[CORE], "V", core_V));
    for (size_t v = 0; v < N_VARIANTS; v++) {
        if ((variants[v].of & kind) != 0) {
            bench_part *part = &result->variants[result->n_variants++];
            part->name = variants[v].name;
            TOOL_TRY(make_variant(full, v, core_V, part));
        }
    }
out:
    free(core_V);
    return status;
}

static bool prepare(full_case *full, const bench_effort *effort)
{
    for (size_t k = 0; k < full->n_contenders; k++) {
        if (k == BOUND) {
            continue; /* takes as long as it takes */
        }
        const bool compared = k == CORE || k == NAIVE;
        const double window_s = compared ? effort->window_s : effort->part_window_s;
        if (!contender_prepare(&full->contender[k], effort->warm_up, window_s)) {
            return false;
        }
    }
    return true;
}

/* About the microseconds of a step, from what was calibrated. */
static double estimate_us(const bench_contender *contender, double window_s)
{
    return 1e6 * window_s / (double)contender->n_steps;
}

static void collect(full_case *full, const bench_driver *driver, bench_result *result)
{
    const bench_contender *contender = full->contender;
    const bench_sample *core = &contender[CORE].us;
    result->facts = driver->facts;
    result->escaped_nodes = driver->escaped_nodes;
    result->steps_per_repeat = driver->n_steps;
    result->product_us = driver->us;
    result->product_wall_us = driver->wall_us;
    result->core_us = *core;
    result->against_us = contender[NAIVE].us;
    sample_divide(&result->against_us, &result->product_us, &result->ratio);
    sample_divide(&result->against_us, core, &result->core_ratio);
    sample_divide(core, &result->product_us, &result->core_to_product);
    result->parts[0] =
        (bench_part){.name = chain[parts[0]].name, .us = contender[parts[0]].us};
    for (size_t p = 1; p < N_PARTS; p++) {
        bench_part *part = &result->parts[p];
        part->name = parts[p] == HISTORY && full->network->what->undelayed
                         ? "stages in step" /* what a network without delays needs */
                         : chain[parts[p]].name;
        sample_subtract(&contender[parts[p]].us, &contender[parts[p - 1]].us, &part->us);
    }
    bench_part *output = &result->parts[N_PARTS];
    output->name = "output";
    sample_subtract(&result->product_us, &contender[MONITORS].us, &output->us);
    result->n_parts = N_PARTS + 1;
    result->has_bound = full->bound.n_edges > 0;
    if (result->has_bound) {
        result->bound_us = contender[BOUND].us;
        sample_divide(&result->bound_us, core, &result->bound_share);
        result->bound = (bench_bound){.dynamics = sample_median(&full->bound.dynamics),
            .history = sample_median(&full->bound.history),
            .coupling = sample_median(&full->bound.coupling),
            .noise = sample_median(&full->bound.noise)};
    }
    size_t k = N_CHAIN;
    for (size_t v = 0; v < result->n_variants; v++) {
        bench_part *variant = &result->variants[v];
        if (*variant->unavailable == '\0') {
            variant->us = contender[k].us;
            sample_divide(&contender[k].beside_us, &variant->us, &variant->ratio);
            k++;
        }
    }
}

spl_status bench_run_full(
    const bench_setting *setting, bench_network *network, bench_result *result)
{
    spl_status status = SPL_OK;
    const bench_effort *effort = &setting->effort;
    const spl_setting none[] = {{NULL, NULL}};
    full_case full = {.network = network};
    bench_driver driver = {.rounds = effort->rounds, .window_s = effort->window_s};
    TOOL_TRY(make_chain(&full));
    network_facts(network, full.sim[CORE], &result->facts);
    full.bound = (bound_loops){.roofline = setting->roofline,
        .n_nodes = network->n_nodes,
        .n_edges = network->what->undelayed ? 0 : result->facts.n_edges};
    snprintf(result->against, sizeof result->against, "the naive program");
    TOOL_TRY(check(&full, result));
    if (*result->refused != '\0') {
        goto out;
    }
    TOOL_TRY(make_variants(&full, result));
    if (!prepare(&full, effort)) {
        status = SPL_ERR_INTERNAL;
        goto out;
    }
    driver.others = full.contender;
    driver.n_others = full.n_contenders;
    TOOL_TRY(driver_run(&driver, setting, network, none,
        estimate_us(&full.contender[MONITORS], effort->part_window_s)));
    collect(&full, &driver, result);
out:
    for (size_t k = 0; k < N_CHAIN + N_VARIANTS; k++) {
        spl_sim_free(full.sim[k]);
    }
    naive_free(full.naive);
    return status;
}
