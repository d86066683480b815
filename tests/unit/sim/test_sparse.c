/* Runs of connectomes of edges: the bits of the matrix, the memory that was foretold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "splenium/splenium.h"
#include "support/random.h"
#include "support/test_main.h"

enum { N = 60, N_STEPS = 700 };

static char folder[64];

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/splenium-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

/* Each node has `degree` inputs from nodes that a stride apart. */
static spl_connectome *make_edges(
    size_t n, size_t degree, double longest, uint64_t *state)
{
    const size_t count = n * degree;
    size_t *start = calloc(n + 1, sizeof *start);
    int32_t *source = calloc(count, sizeof *source);
    double *weights = calloc(count, sizeof *weights);
    double *lengths = calloc(count, sizeof *lengths);
    for (size_t i = 0; i < n; i++) {
        start[i + 1] = start[i] + degree;
        for (size_t e = 0; e < degree; e++) {
            const size_t k = start[i] + e;
            source[k] = (int32_t)((i + 1 + e * (n / degree)) % n);
            weights[k] = random_uniform(state, 0.0, 1.0 / (double)degree);
            lengths[k] = random_uniform(state, 6.0, longest);
        }
    }
    const spl_edges edges = {count, start, source, weights, lengths};
    const spl_connectome_arrays arrays = {.n_nodes = n};
    spl_connectome *c = NULL;
    ck_assert_msg(spl_connectome_create_sparse(&c, &edges, &arrays, NULL) == SPL_OK, "%s",
        spl_last_error());
    free(start);
    free(source);
    free(weights);
    free(lengths);
    return c;
}

static spl_connectome *spread(const spl_connectome *sparse)
{
    static double weights[N * N];
    static double lengths[N * N];
    spl_edges edges;
    spl_connectome *dense = NULL;
    spl_connectome_edges(sparse, &edges);
    memset(weights, 0, sizeof weights);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = edges.start[i]; k < edges.start[i + 1]; k++) {
            weights[i * N + (size_t)edges.source[k]] = edges.weights[k];
            lengths[i * N + (size_t)edges.source[k]] = edges.tract_lengths[k];
        }
    }
    const spl_connectome_arrays arrays = {
        .n_nodes = N, .weights = weights, .tract_lengths = lengths};
    ck_assert_int_eq(spl_connectome_create(&dense, &arrays, NULL), SPL_OK);
    return dense;
}

static spl_config *make_config(const char *const *settings)
{
    spl_config *config = NULL;
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    for (; *settings != NULL; settings += 2) {
        ck_assert_msg(spl_config_set(config, settings[0], settings[1]) == SPL_OK, "%s",
            spl_last_error());
    }
    return config;
}

/* Run to the end; V of every node. */
static void run(const spl_config *config, spl_connectome *connectome, double *V)
{
    spl_sim *sim = NULL;
    ck_assert_msg(
        spl_sim_create(&sim, config, connectome) == SPL_OK, "%s", spl_last_error());
    ck_assert_msg(spl_sim_run(sim, NULL, NULL, NULL) == SPL_OK, "%s", spl_last_error());
    ck_assert_int_eq(spl_sim_state(sim, "V", V), SPL_OK);
    spl_sim_free(sim);
}

START_TEST(both_forms_give_the_same_bits)
{
    static const char *const cases[][9] = {{"simulation.duration", "70", NULL},
        {"simulation.duration", "70", "connectome.speed", "60", NULL},
        {"simulation.duration", "70", "connectome.speed", "inf", NULL},
        {"simulation.duration", "70", "simulation.integrator", "rk4", NULL},
        {"simulation.duration", "70", "connectome.delay", "2", "simulation.engine",
            "reference", NULL},
        {"simulation.duration", "70", "connectome.speed", "60", "simulation.precision",
            "single", NULL}};
    uint64_t state = random_seed("sparse runs");
    spl_connectome *sparse = make_edges(N, 7, 60.0, &state);
    spl_connectome *dense = spread(sparse);
    spl_config *config = make_config(cases[_i]);
    double V[3][N] = {{0}};
    ck_assert_int_eq(spl_config_set(config, "output.file", ""), SPL_OK);
    run(config, sparse, V[0]);
    run(config, dense, V[1]);
    ck_assert_mem_eq(V[0], V[1], sizeof V[0]);
    ck_assert(V[0][0] != V[0][1]);
    spl_config_free(config);
    spl_connectome_free(sparse);
    spl_connectome_free(dense);
}
END_TEST

START_TEST(a_results_file_is_run_again)
{
    const char *const settings[] = {"simulation.duration", "70", "output.file", "r.h5",
        "simulation.precision", _i == 0 ? "double" : "single", NULL};
    uint64_t state = random_seed("sparse results");
    spl_connectome *first = make_edges(N, 7, 60.0, &state);
    spl_connectome *again = NULL;
    spl_config *config = make_config(settings);
    spl_connectome_info info;
    spl_edges edges[2];
    double V[2][N];
    run(config, first, V[0]);
    spl_config_free(config);
    ck_assert_msg(spl_config_load(&config, "r.h5") == SPL_OK, "%s", spl_last_error());
    ck_assert_msg(
        spl_config_connectome(config, &again) == SPL_OK, "%s", spl_last_error());
    ck_assert_int_eq(spl_connectome_describe(again, false, &info), SPL_OK);
    ck_assert_str_eq(info.form, "splenium results");
    ck_assert(info.sparse);
    spl_connectome_edges(first, &edges[0]);
    spl_connectome_edges(again, &edges[1]);
    ck_assert_uint_eq(edges[0].n_entries, edges[1].n_entries);
    ck_assert_mem_eq(edges[0].start, edges[1].start, (N + 1) * sizeof(size_t));
    ck_assert_mem_eq(
        edges[0].source, edges[1].source, edges[0].n_entries * sizeof(int32_t));
    ck_assert_mem_eq(
        edges[0].weights, edges[1].weights, edges[0].n_entries * sizeof(double));
    ck_assert_mem_eq(edges[0].tract_lengths, edges[1].tract_lengths,
        edges[0].n_entries * sizeof(double));
    run(config, again, V[1]);
    ck_assert_mem_eq(V[0], V[1], sizeof V[0]);
    spl_config_free(config);
    spl_connectome_free(first);
    spl_connectome_free(again);
}
END_TEST

/* A number of /proc/self/status, in bytes. */
static double memory_of(const char *key)
{
    char line[256];
    double kib = 0.0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            kib = strtod(line + strlen(key), NULL);
        }
    }
    fclose(file);
    return kib * 1024.0;
}

/* Sanitizers take memory of their own, and without a fork others have taken some. */
static bool can_measure(void)
{
    const char *fork = getenv("CK_FORK");
#if defined(SPL_SANITIZED)
    return false;
#endif
    return fork == NULL || strcmp(fork, "no") != 0;
}

START_TEST(memory_is_what_was_foretold)
{
    static const char *const settings[] = {
        "simulation.duration", "20", "output.file", "r.h5", NULL};
    uint64_t state = random_seed("sparse memory");
    if (!can_measure()) {
        return;
    }
    const double before = memory_of("VmRSS:");
    spl_connectome *connectome = make_edges(4096, 50, 190.0, &state);
    spl_config *config = make_config(settings);
    spl_sim *sim = NULL;
    spl_sim_info info;
    ck_assert_int_eq(spl_sim_create(&sim, config, connectome), SPL_OK);
    spl_sim_describe(sim, &info);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    const double used = memory_of("VmHWM:") - before;
    const double foretold = (double)info.memory_bytes;
    printf("# foretold %.1f MB, used %.1f MB\n", 1e-6 * foretold, 1e-6 * used);
    /* stacks of threads and what HDF5 keeps: about 10 MB, whatever the network */
    ck_assert(used > 0.9 * foretold && used < 1.1 * foretold + 12e6);
    spl_sim_free(sim);
    spl_config_free(config);
    spl_connectome_free(connectome);
}
END_TEST

START_TEST(what_no_machine_holds_is_refused)
{
    static const char *const settings[] = {
        "simulation.duration", "20", "output.file", "", NULL};
    uint64_t state = random_seed("sparse limits");
    /* 16 million steps of history for each node: 13 TB */
    spl_connectome *connectome = make_edges(100000, 3, 4.8e6, &state);
    spl_config *config = make_config(settings);
    spl_sim *sim = NULL;
    ck_assert_int_eq(spl_sim_create(&sim, config, connectome), SPL_ERR_NO_MEMORY);
    ck_assert_ptr_nonnull(
        strstr(spl_last_error(), "out of memory: the network, most of it the history of "
                                 "the delays, needs 1.34e+04 "
                                 "GB and "));
    ck_assert_ptr_null(sim);
    spl_config_free(config);
    spl_connectome_free(connectome);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim_sparse");
    TCase *tcase = tcase_create("sparse");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, both_forms_give_the_same_bits, 0, 6);
    tcase_add_loop_test(tcase, a_results_file_is_run_again, 0, 2);
    tcase_add_test(tcase, memory_is_what_was_foretold);
    tcase_add_test(tcase, what_no_machine_holds_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
