/* Cases without the naive program: what goes to the file, threads, many runs at once. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "network.h"

static const spl_setting no_monitors[] = {{"monitors", "[]"}, {NULL, NULL}};

/* A run of the settings with its file against the one without. */
static spl_status run_with_file(const bench_setting *setting, bench_network *network,
    const spl_setting *settings, size_t rounds, bench_result *result)
{
    spl_status status = SPL_OK;
    spl_sim *sim = NULL;
    const bench_effort *effort = &setting->pair_effort;
    bench_contender core = {.advance = advance_sim};
    bench_driver driver = {
        .others = &core, .n_others = 1, .rounds = rounds, .window_s = effort->window_s};
    TOOL_TRY(network_sim(&sim, network, network->connectome, no_monitors, NULL));
    core.user = sim;
    if (!contender_prepare(&core, effort->warm_up, effort->window_s)) {
        status = SPL_ERR_INTERNAL;
        goto out;
    }
    TOOL_TRY(driver_run(&driver, setting, network, settings,
        1e6 * effort->window_s / (double)core.n_steps));
    result->facts = driver.facts;
    result->escaped_nodes = driver.escaped_nodes;
    result->steps_per_repeat = driver.n_steps;
    result->product_us = driver.us;
    result->product_wall_us = driver.wall_us;
    result->core_us = core.us;
    snprintf(result->against, sizeof result->against, "without monitors and file");
    result->against_us = core.us;
    sample_divide(&core.us, &driver.us, &result->ratio);
out:
    spl_sim_free(sim);
    return status;
}

spl_status bench_run_file(
    const bench_setting *setting, bench_network *network, bench_result *result)
{
    const spl_setting defaults[] = {{NULL, NULL}};
    /* a few hundredths of a step, which take twice as many pairs to find */
    return run_with_file(
        setting, network, defaults, 2 * setting->pair_effort.rounds, result);
}

spl_status bench_run_stream(
    const bench_setting *setting, bench_network *network, bench_result *result)
{
    const spl_setting every_step[] = {
        {"monitors", "[{name: raw, kind: raw, variables: [V], dtype: f4}]"},
        {NULL, NULL}};
    return run_with_file(
        setting, network, every_step, setting->pair_effort.rounds, result);
}

/* Same bits after the same steps. */
static spl_status compare(const spl_sim *a, const spl_sim *b, size_t n, bool *equal)
{
    spl_status status = SPL_OK;
    double *state = calloc(2 * n, sizeof *state);
    if (state == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    TOOL_TRY(spl_sim_state(a, "V", state));
    TOOL_TRY(spl_sim_state(b, "V", state + n));
    *equal = memcmp(state, state + n, n * sizeof *state) == 0;
out:
    free(state);
    return status;
}

spl_status bench_run_threads(
    const bench_setting *setting, bench_network *network, bench_result *result)
{
    spl_status status = SPL_OK;
    spl_sim *sim[2] = {NULL, NULL};
    bench_contender contender[2];
    bool equal = false;
    const spl_setting one[] = {{"monitors", "[]"}, {NULL, NULL}};
    const spl_setting two[] = {
        {"monitors", "[]"}, {"simulation.threads", "2"}, {NULL, NULL}};
    if (processors_allowed() < 2) {
        snprintf(result->skipped, sizeof result->skipped,
            "the process may use one processor only");
        return SPL_OK;
    }
    processors_unpin();
    for (size_t k = 0; k < 2; k++) {
        TOOL_TRY(
            network_sim(&sim[k], network, network->connectome, k == 0 ? two : one, NULL));
        contender[k] = (bench_contender){.advance = advance_sim_wall, .user = sim[k]};
        TOOL_TRY(spl_sim_step(sim[k], BENCH_CHECKED_STEPS));
    }
    network_facts(network, sim[0], &result->facts);
    TOOL_TRY(compare(sim[0], sim[1], network->n_nodes, &equal));
    if (!equal) {
        snprintf(result->refused, sizeof result->refused,
            "two threads give other numbers than one after %d steps",
            BENCH_CHECKED_STEPS);
        goto out;
    }
    const bench_effort *effort = &setting->pair_effort;
    for (size_t k = 0; k < 2; k++) {
        if (!contender_prepare(&contender[k], effort->warm_up, effort->window_s)) {
            status = SPL_ERR_INTERNAL;
            goto out;
        }
    }
    for (size_t round = 0; round < effort->rounds; round++) {
        if (!contender_repeat(&contender[0]) || !contender_repeat(&contender[1])) {
            status = SPL_ERR_INTERNAL;
            goto out;
        }
    }
    result->steps_per_repeat = contender[0].n_steps;
    result->product_us = contender[0].us;
    result->product_wall_us = contender[0].us;
    snprintf(result->against, sizeof result->against, "one thread");
    result->against_us = contender[1].us;
    sample_divide(&result->against_us, &result->product_us, &result->ratio);
out:
    processors_pin();
    spl_sim_free(sim[0]);
    spl_sim_free(sim[1]);
    return status;
}

/* Steps a member takes before it is the next one's turn: its history is loaded into the
 * cache once in that time. */
enum { MEMBERS_PER_THREAD = 16, TURN_STEPS = 1024, MAX_THREADS = 256 };

typedef struct bench_crew {
    pthread_t thread;
    pthread_barrier_t *barrier;
    spl_sim *member[MEMBERS_PER_THREAD];
    size_t rounds, turns;
    bool failed;
} bench_crew;

static void advance_members(bench_crew *crew, size_t turns)
{
    for (size_t turn = 0; turn < turns; turn++) {
        for (size_t m = 0; m < MEMBERS_PER_THREAD; m++) {
            crew->failed =
                crew->failed || spl_sim_step(crew->member[m], TURN_STEPS) != SPL_OK;
        }
    }
}

static void *work(void *user)
{
    bench_crew *crew = user;
    for (size_t round = 0; round < crew->rounds; round++) {
        pthread_barrier_wait(crew->barrier);
        advance_members(crew, crew->turns);
        pthread_barrier_wait(crew->barrier);
    }
    return NULL;
}

static spl_status make_members(
    bench_crew *crew, bench_network *network, size_t first_seed)
{
    spl_status status = SPL_OK;
    for (size_t m = 0; m < MEMBERS_PER_THREAD; m++) {
        char seed[24];
        snprintf(seed, sizeof seed, "%zu", first_seed + m);
        const spl_setting settings[] = {
            {"monitors", "[]"}, {"simulation.seed", seed}, {NULL, NULL}};
        TOOL_TRY(
            network_sim(&crew->member[m], network, network->connectome, settings, NULL));
        TOOL_TRY(spl_sim_step(crew->member[m], 300));
    }
out:
    return status;
}

/* The caller is no worker: it only holds the watch. */
static void time_rounds(
    bench_crew *crews, size_t n_crews, size_t rounds, bench_result *result)
{
    for (size_t round = 0; round < rounds; round++) {
        pthread_barrier_wait(crews->barrier);
        const double begin_s = clock_wall();
        const double begin_process_s = clock_process();
        pthread_barrier_wait(crews->barrier);
        const double steps =
            (double)(crews->turns * TURN_STEPS) * (double)(n_crews * MEMBERS_PER_THREAD);
        sample_add(&result->product_wall_us, 1e6 * (clock_wall() - begin_s) / steps);
        sample_add(
            &result->product_us, 1e6 * (clock_process() - begin_process_s) / steps);
    }
}

static spl_status run_crews(bench_crew *crews, size_t n_crews, bench_result *result)
{
    spl_status status = SPL_OK;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)n_crews + 1);
    size_t n_started = 0;
    for (; n_started < n_crews; n_started++) {
        crews[n_started].barrier = &barrier;
        if (pthread_create(&crews[n_started].thread, NULL, work, &crews[n_started]) !=
            0) {
            /* those that wait at the barrier cannot be called back */
            return SPL_ERR_INTERNAL;
        }
    }
    time_rounds(crews, n_crews, crews->rounds, result);
    for (size_t k = 0; k < n_crews; k++) {
        pthread_join(crews[k].thread, NULL);
        status = crews[k].failed ? SPL_ERR_INTERNAL : status;
    }
    pthread_barrier_destroy(&barrier);
    return status;
}

spl_status bench_run_ensemble(
    const bench_setting *setting, bench_network *network, bench_result *result)
{
    spl_status status = SPL_OK;
    const int allowed = processors_allowed();
    const size_t n_crews = (size_t)(allowed < 1             ? 1
                                    : allowed > MAX_THREADS ? MAX_THREADS
                                                            : allowed);
    bench_crew *crews = calloc(n_crews, sizeof *crews);
    if (crews == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    processors_unpin();
    for (size_t k = 0; k < n_crews; k++) {
        TOOL_TRY(make_members(&crews[k], network, 1 + k * MEMBERS_PER_THREAD));
        crews[k].rounds = setting->effort.rounds;
    }
    network_facts(network, crews[0].member[0], &result->facts);
    result->facts.threads = (int)n_crews;
    const double begin_s = clock_wall();
    advance_members(&crews[0], 1);
    const double turn_s = clock_wall() - begin_s;
    for (size_t k = 0; k < n_crews; k++) {
        crews[k].turns = (size_t)ceil(setting->effort.window_s / turn_s);
    }
    TOOL_TRY(run_crews(crews, n_crews, result));
    result->n_members = n_crews * MEMBERS_PER_THREAD;
    result->steps_per_repeat = crews[0].turns * TURN_STEPS;
    for (size_t i = 0; i < result->product_us.count; i++) {
        sample_add(&result->million_node_steps,
            (double)network->n_nodes / result->product_wall_us.value[i]);
        sample_add(&result->million_by_processor,
            (double)network->n_nodes / result->product_us.value[i]);
    }
out:
    processors_pin();
    for (size_t k = 0; k < n_crews; k++) {
        for (size_t m = 0; m < MEMBERS_PER_THREAD; m++) {
            spl_sim_free(crews[k].member[m]);
        }
    }
    free(crews);
    return status;
}
