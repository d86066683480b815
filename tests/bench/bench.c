/* Microseconds per step on real connectomes: production engine, reference engine and the
 * naive program, in turns on one processor, and the parts of a step alone. Equality comes
 * first: a comparison of different simulations is not timed.
 *
 *   bench [--quick] [--json FILE] */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "measure.h"
#include "model/registry.h"
#include "naive.h"
#include "parts.h"
#include "sim/assemble.h"
#include "splenium/version.h"

enum { CHECKED_STEPS = 100, WARM_UP_STEPS = 304, KERNEL_NODES = 1024 };

typedef enum { PRODUCTION, REFERENCE, NAIVE, N_ENGINES } engine;
static const char *const engine_names[N_ENGINES] = {"production", "reference", "naive"};

typedef struct {
    size_t rounds;
    double seconds; /* of one timed run */
} effort;

typedef struct {
    spl_network network;
    spl_arena arena;
} placed_network;

/* One connectome in all engines. */
typedef struct {
    const char *name;
    spl_settings settings;
    placed_network engine[2];
    naive *naive;
    double difference; /* of V, naive against production, after the checked steps */
    sample us[N_ENGINES];
    sample ratio[N_ENGINES]; /* to production, round by round */
    sample sums;
} bench_case;

static void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, spl_last_error());
    exit(1);
}

/* Issue's case: defaults of the program, which are Heun with coupling per stage, noise on
 * V, 3 mm/ms and dt 0.1 ms. */
static void settle(spl_settings *settings, const spl_connectome *connectome)
{
    spl_config *config = NULL;
    *settings = (spl_settings){0};
    if (spl_config_defaults(&config) != SPL_OK ||
        spl_config_set(config, "simulation.threads", "1") != SPL_OK ||
        spl_config_resolve(config, connectome, settings) != SPL_OK) {
        die("settings");
    }
    spl_config_free(config);
}

static void place(placed_network *placed, spl_settings *settings,
    const spl_connectome *connectome, bool reference)
{
    const bool record[SPL_MAX_STATES + 2] = {false};
    settings->reference = reference;
    *placed = (placed_network){0};
    if (spl_network_assemble(
            &placed->network, &placed->arena, settings, connectome, record) != SPL_OK) {
        die("network");
    }
}

static void copy_state(const spl_network *network, double *state)
{
    for (size_t s = 0; s < network->n_states; s++) {
        memcpy(state + s * network->n_nodes, network->run.state + s * network->stride,
            network->n_nodes * sizeof *state);
    }
}

static void run_network(void *user, uint64_t count)
{
    spl_divergence divergence;
    spl_network_advance(user, count, NULL, &divergence);
    if (divergence.happened) {
        die("diverged");
    }
}

static void run_naive(void *user, uint64_t count)
{
    for (uint64_t step = 0; step < count; step++) {
        naive_step(user, NULL);
    }
}

/* Engines equal to the bit, the naive program to 1e-12 with the same normals. */
static void check(bench_case *c)
{
    const size_t n = c->settings.n_nodes;
    const size_t padded = spl_padded(n);
    const spl_network *production = &c->engine[PRODUCTION].network;
    double *normals = calloc(CHECKED_STEPS * padded, sizeof *normals);
    double *state[N_ENGINES];
    for (int e = 0; e < N_ENGINES; e++) {
        state[e] = calloc(3 * n, sizeof **state);
        if (state[e] == NULL || normals == NULL) {
            die("out of memory");
        }
    }
    production->rng->normals(
        c->settings.seed, SPL_STREAM_NOISE, 0, CHECKED_STEPS, 0, padded, normals, padded);
    for (int e = PRODUCTION; e <= REFERENCE; e++) {
        run_network(&c->engine[e].network, CHECKED_STEPS);
        copy_state(&c->engine[e].network, state[e]);
    }
    for (size_t step = 0; step < CHECKED_STEPS; step++) {
        naive_step(c->naive, normals + step * padded);
    }
    naive_copy_state(c->naive, state[NAIVE]);
    for (size_t v = 0; v < 3 * n; v++) {
        c->difference = fmax(c->difference, fabs(state[NAIVE][v] - state[PRODUCTION][v]));
    }
    if (memcmp(state[PRODUCTION], state[REFERENCE], 3 * n * sizeof **state) != 0 ||
        !(c->difference < 1e-12)) {
        fprintf(stderr, "bench: %s: the engines disagree (naive by %g)\n", c->name,
            c->difference);
        exit(1);
    }
    for (int e = 0; e < N_ENGINES; e++) {
        free(state[e]);
    }
    free(normals);
}

static void open_case(bench_case *c, const spl_connectome *connectome)
{
    settle(&c->settings, connectome);
    place(&c->engine[REFERENCE], &c->settings, connectome, true);
    place(&c->engine[PRODUCTION], &c->settings, connectome, false);
    double *state = calloc(3 * c->settings.n_nodes, sizeof *state);
    if (state == NULL) {
        die("out of memory");
    }
    copy_state(&c->engine[PRODUCTION].network, state);
    c->naive = naive_create(&c->settings, spl_connectome_weights(connectome),
        spl_connectome_tract_lengths(connectome), state);
    if (c->naive == NULL) {
        die("out of memory");
    }
    free(state);
}

static void close_case(bench_case *c)
{
    for (int e = PRODUCTION; e <= REFERENCE; e++) {
        spl_network_release(&c->engine[e].network, &c->engine[e].arena);
    }
    naive_free(c->naive);
    spl_settings_free(&c->settings);
}

/* A B C A B C ...: what the machine does meanwhile concerns all of them. */
static void time_case(bench_case *c, const effort *how)
{
    contender contenders[N_ENGINES] = {
        {run_network, &c->engine[PRODUCTION].network, 0},
        {run_network, &c->engine[REFERENCE].network, 0},
        {run_naive, c->naive, 0},
    };
    for (int e = 0; e < N_ENGINES; e++) {
        contenders[e].run(contenders[e].user, WARM_UP_STEPS);
        contender_calibrate(&contenders[e], how->seconds);
    }
    for (size_t round = 0; round < how->rounds; round++) {
        for (int e = 0; e < N_ENGINES; e++) {
            sample_add(&c->us[e], 1e-3 * contender_time(&contenders[e]));
            sample_add(
                &c->ratio[e], c->us[e].value[round] / c->us[PRODUCTION].value[round]);
        }
    }
    const spl_network *network = &c->engine[PRODUCTION].network;
    for (int target = 0; target < SPL_N_TARGETS; target++) {
        if (spl_sum_kernels_of((spl_target)target) == network->sum) {
            time_sums(&c->engine[PRODUCTION].network, (spl_target)target, how->rounds,
                how->seconds / 4, &c->sums);
        }
    }
}

static void print_case(const bench_case *c)
{
    const spl_plan *plan = c->engine[PRODUCTION].network.plan;
    printf("%s: %zu nodes, %zu edges between nodes, %zu undelayed self-edges, delays %u "
           "to %u steps, blocks of %zu; naive differs by %.1e after %d steps\n",
        c->name, plan->n_nodes, plan->n_edges, plan->n_self, plan->delay_min,
        plan->delay_max, plan->block, c->difference, CHECKED_STEPS);
    printf("  %-12s %10s %10s %10s   ratio %8s %8s %8s\n", "us per step", "median",
        "minimum", "p90", "median", "p10", "p90");
    for (int e = 0; e < N_ENGINES; e++) {
        printf("  %-12s %10.3f %10.3f %10.3f         %8.2f %8.2f %8.2f\n",
            engine_names[e], quantile(&c->us[e], 0.5), quantile(&c->us[e], 0.0),
            quantile(&c->us[e], 0.9), quantile(&c->ratio[e], 0.5),
            quantile(&c->ratio[e], 0.1), quantile(&c->ratio[e], 0.9));
    }
    printf("  delayed sums %.3f ns per edge-step\n", quantile(&c->sums, 0.5));
}

static void write_sample(FILE *file, const char *name, const sample *s, const char *end)
{
    fprintf(file,
        "\"%s\": {\"median\": %.5g, \"min\": %.5g, \"p10\": %.5g, \"p90\": %.5g}%s", name,
        quantile(s, 0.5), quantile(s, 0.0), quantile(s, 0.1), quantile(s, 0.9), end);
}

static void write_case(FILE *file, const bench_case *c, bool first)
{
    const spl_plan *plan = c->engine[PRODUCTION].network.plan;
    fprintf(file,
        "%s\n  {\"name\": \"%s\", \"connectome\": {\"n\": %zu, \"edges\": %zu, "
        "\"self_edges\": %zu, \"d_min\": %u, \"d_max\": %u},\n   \"plan\": {\"B\": %zu}, "
        "\"dt\": %g, \"speed\": %g, \"scheme\": \"%s\", \"coupling_stages\": \"%s\", "
        "\"precision\": \"double\", \"threads\": 1,\n   "
        "\"includes\": [\"noise on V\", \"history\", \"per-node parameters\"],\n   "
        "\"check\": {\"steps\": %d, \"max_abs_dV\": %.3g},\n   ",
        first ? "" : ",", c->name, plan->n_nodes, plan->n_edges, plan->n_self,
        plan->delay_min, plan->delay_max, plan->block, c->settings.dt, c->settings.speed,
        c->settings.integrator, c->settings.frozen ? "frozen" : "per-stage",
        CHECKED_STEPS, c->difference);
    write_sample(file, "product_us", &c->us[PRODUCTION], ",\n   ");
    write_sample(file, "reference_us", &c->us[REFERENCE], ",\n   ");
    write_sample(file, "naive_us", &c->us[NAIVE], ",\n   ");
    write_sample(file, "ratio", &c->ratio[NAIVE], ",\n   ");
    write_sample(file, "ratio_reference", &c->ratio[REFERENCE], ",\n   ");
    write_sample(file, "sums_ns_per_edge_step", &c->sums, "}");
}

/* A real connectome; absent files are left out. */
static bool bench_set(FILE *json, const char *name, const char *folder, const char *file,
    const effort *how, bool first)
{
    char path[4096];
    bench_case c = {.name = name};
    spl_connectome *connectome = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    const spl_connectome_options options = {.file = path};
    const spl_status status = spl_connectome_load(&connectome, &options);
    if (status == SPL_ERR_FILE_MISSING) {
        printf("%s: skipped, %s is absent\n", name, path);
        return false;
    }
    if (status != SPL_OK) {
        die(name);
    }
    open_case(&c, connectome);
    check(&c);
    time_case(&c, how);
    print_case(&c);
    if (json != NULL) {
        write_case(json, &c, first);
    }
    close_case(&c);
    spl_connectome_free(connectome);
    return true;
}

static void bench_parts(FILE *json, const effort *how)
{
    spl_settings settings;
    placed_network placed;
    spl_connectome *connectome = NULL;
    double *zero = calloc((size_t)KERNEL_NODES * KERNEL_NODES, sizeof *zero);
    const spl_connectome_arrays arrays = {
        .n_nodes = KERNEL_NODES, .weights = zero, .tract_lengths = zero};
    if (zero == NULL || spl_connectome_create(&connectome, &arrays, NULL) != SPL_OK) {
        die("parts");
    }
    settle(&settings, connectome);
    place(&placed, &settings, connectome, false);
    for (int target = 0; target < SPL_N_TARGETS; target++) {
        sample kernel = {0};
        sample normals = {0};
        if (!spl_target_available((spl_target)target)) {
            printf("%-6s not available on this processor\n", spl_target_names[target]);
            continue;
        }
        time_kernel(
            &placed.network, (spl_target)target, how->rounds, how->seconds / 4, &kernel);
        time_normals((spl_target)target, how->rounds, how->seconds / 4, &normals);
        printf("%-6s kernel %.2f ns per Heun node-step, %.2f ns per normal\n",
            spl_target_names[target], quantile(&kernel, 0.5), quantile(&normals, 0.5));
        if (json != NULL) {
            fprintf(json, "%s\n  {\"target\": \"%s\", ", target > 0 ? "," : "",
                spl_target_names[target]);
            write_sample(json, "kernel_ns_per_node_step", &kernel, ", ");
            write_sample(json, "ns_per_normal", &normals, "}");
        }
    }
    spl_network_release(&placed.network, &placed.arena);
    spl_settings_free(&settings);
    spl_connectome_free(connectome);
    free(zero);
}

static void stay_on_one_processor(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) {
        printf("could not stay on one processor\n");
    }
}

/* The processor by its own name. */
static void read_cpu(char *name, size_t size)
{
    char line[256];
    snprintf(name, size, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n\""), colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void bench_all(FILE *json, const effort *how)
{
    char cpu[256];
    double load[3] = {0};
    char folder[4096];
    spl_build_info build;
    const char *shared = getenv("SPLENIUM_SHARED");
    const char *source = getenv("SPLENIUM_SOURCE");
    spl_build_describe(&build);
    read_cpu(cpu, sizeof cpu);
    getloadavg(load, 3);
    printf("%s, load %.2f; %s, %s, target %s; one thread, times of its processor\n", cpu,
        load[0], build.compiler, build.commit, build.target);
    if (json != NULL) {
        fprintf(json,
            "{\"machine\": {\"cpu\": \"%s\", \"load_before\": %.2f},\n \"build\": "
            "{\"compiler\": \"%s\", \"git_commit\": \"%s\", \"target\": \"%s\"},\n "
            "\"cases\": [",
            cpu, load[0], build.compiler, build.commit, build.target);
    }
    snprintf(folder, sizeof folder, "%s/data", source != NULL ? source : ".");
    bool first = !bench_set(json, "dk68", folder, "dk68.zip", how, true);
    snprintf(folder, sizeof folder, "%s/data/connectomes",
        shared != NULL ? shared : "../shared");
    first = !bench_set(json, "76", folder, "connectivity_76.zip", how, first) && first;
    bench_set(json, "998", folder, "connectivity_998.zip", how, first);
    if (json != NULL) {
        fprintf(json, "],\n \"parts\": [");
    }
    bench_parts(json, how);
    if (json != NULL) {
        fprintf(json, "]}\n");
    }
}

int main(int argc, char **argv)
{
    effort how = {.rounds = 11, .seconds = 0.2};
    FILE *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            how.rounds = 5;
            how.seconds = 0.02;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = fopen(argv[++i], "w");
        } else {
            fprintf(stderr, "usage: bench [--quick] [--json FILE]\n");
            return 2;
        }
    }
    stay_on_one_processor();
    bench_all(json, &how);
    return json != NULL && fclose(json) != 0 ? 1 : 0;
}
