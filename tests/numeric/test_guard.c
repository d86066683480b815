/* The divergence guard: when it fires, what it names, that the rows before it are right,
 * and that a NaN cannot slip through, whichever engine steps. */
#include "support/network_run.h"

enum { N = 20, BAD = 17, N_STATES = 3 };

/* Engines and block lengths: delays of 16 steps and more, of 5, of 1, none. */
static const struct {
    const char *engine, *connectome;
    int threads;
    const char *integrator;
} ways[] = {
    {"production", "{delay: 2 ms}", 1, "heun"},
    {"production", "{delay: 2 ms}", 2, "heun"},
    {"production", "{delay: 0.5 ms}", 1, "heun"},
    {"production", "{delay: 0.1 ms}", 1, "heun"},
    {"production", "{delays: false}", 1, "heun"},
    {"reference", "{delay: 2 ms}", 1, "heun"},
    {"reference", "{delays: false}", 1, "heun"},
    {"production", "{delay: 2 ms}", 1, "rk4"},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

/* A ring of nodes that do not hear each other (a = 0), so that the delays shape the
 * blocks and nothing else. */
static void assemble_ring(network_run *run, spl_connectome **connectome, size_t way,
    const char *limit, const char *noise)
{
    double weights[N * N] = {0.0};
    for (size_t i = 0; i < N; i++) {
        weights[i * N + (i + 1) % N] = 1.0;
    }
    *connectome = make_connectome(N, weights, NULL);
    network_settle(run, *connectome,
        "simulation: {engine: %s, threads: %d, integrator: %s, divergence_limit: %s}\n"
        "connectome: %s\n"
        "coupling: {function: mean_rate, a: 0}\nmodel: {init: zero}\n%s",
        ways[way].engine, ways[way].threads, ways[way].integrator, limit,
        ways[way].connectome, noise);
}

static spl_divergence advance(network_run *run, uint64_t n_steps, network_rows *rows)
{
    spl_divergence divergence;
    const spl_block_hooks hooks = {.user = rows, .finish = collect_rows};
    spl_network_advance(&run->network, n_steps, &hooks, &divergence);
    return divergence;
}

/* Without a fixed point (d_V 0.43) V leaves from 0: to -5 in 115 ms, to -10 in 217 ms, to
 * -50 in 1050 ms. */
START_TEST(a_lost_node_is_named)
{
    static const struct {
        const char *limit;
        double end, value;
    } known[] = {{"50", 1050.0, -50.0}, {"10", 217.0, -10.0}, {"5", 115.0, -5.0}};
    spl_divergence first = {0};
    for (size_t k = 0; k < N_WAYS * 3; k++) {
        const size_t way = k % N_WAYS;
        const double end = known[k / N_WAYS].end;
        network_run run;
        spl_connectome *connectome;
        assemble_ring(&run, &connectome, way, known[k / N_WAYS].limit, "");
        network_param(&run, "d_V")[BAD] = 0.43;
        network_assemble(&run, connectome);
        double *values = malloc(12000 * N_STATES * N * sizeof *values);
        network_rows rows = {N, values};
        const spl_divergence found = advance(&run, 12000, &rows);
        ck_assert(found.happened);
        ck_assert_uint_eq(found.node, BAD);
        ck_assert_uint_eq(found.state, 0);
        ck_assert_double_eq_tol((double)found.step * 0.1, end, 0.5);
        ck_assert_double_eq_tol(found.value, known[k / N_WAYS].value, 0.02);
        ck_assert(fabs(found.value) > -known[k / N_WAYS].value);
        if (way == 0) {
            first = found;
        }
        if (strcmp(ways[way].integrator, "heun") == 0) {
            ck_assert_uint_eq(found.step, first.step);
            ck_assert(found.value == first.value);
        }
        /* every row before it was shown, and none after */
        ck_assert_uint_eq(
            (uint64_t)(rows.next - values), (found.step - 1) * N_STATES * N);
        ck_assert_uint_eq(run.network.step, found.step - 1);
        ck_assert(fabs(rows.next[BAD - N_STATES * N]) <= fabs(known[k / N_WAYS].value));
        free(values);
        network_close(&run);
        spl_connectome_free(connectome);
    }
}
END_TEST

START_TEST(a_safe_node_runs_on)
{
    network_run run;
    spl_connectome *connectome;
    assemble_ring(&run, &connectome, 0, "50", "");
    for (size_t i = 0; i < N; i++) {
        network_param(&run, "d_V")[i] = 0.5;
    }
    network_assemble(&run, connectome);
    network_advance(&run, 200000);
    network_close(&run);
    spl_connectome_free(connectome);
}
END_TEST

/* One normal of step n is not a number: step n + 1 is the bad one, wherever the step lies
 * in its block. The rows before are those of a run without. */
START_TEST(a_nan_does_not_slip_through)
{
    enum { N_STEPS = 50 };
    static double normals[N_STEPS * N_STATES * N];
    static double expected[N_WAYS][N_STEPS * N_STATES * N];
    static double values[N_STEPS * N_STATES * N];
    for (size_t k = 0; k < N_STEPS * N_STATES * N; k++) {
        normals[k] = sin((double)k);
    }
    for (size_t at = 0; at <= 40; at++) {
        const size_t index = at == 0 ? 0 : ((at - 1) * N_STATES + 2) * N + BAD;
        for (size_t way = 0; way < N_WAYS; way++) {
            network_run run;
            spl_connectome *connectome;
            const double normal = normals[index];
            network_rows rows = {N, at == 0 ? expected[way] : values};
            assemble_ring(&run, &connectome, way, "inf", "noise: {sigma: {Z: 0.01}}");
            network_assemble(&run, connectome);
            run.network.given_normals = normals;
            run.network.n_given = N_STEPS;
            normals[index] = at == 0 ? normal : NAN;
            const spl_divergence found = advance(&run, N_STEPS, &rows);
            normals[index] = normal;
            ck_assert(found.happened == (at > 0));
            if (at > 0) {
                ck_assert_uint_eq(found.step, at);
                ck_assert_uint_eq(found.node, BAD);
                ck_assert(isnan(found.value));
                ck_assert_uint_eq(
                    (uint64_t)(rows.next - values), (at - 1) * N_STATES * N);
                ck_assert_mem_eq(
                    values, expected[way], (at - 1) * N_STATES * N * sizeof *values);
            }
            network_close(&run);
            spl_connectome_free(connectome);
        }
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("guard");
    TCase *guard = tcase_create("guard");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(guard, 60);
    tcase_add_test(lengthy, a_lost_node_is_named);
    tcase_add_test(lengthy, a_safe_node_runs_on);
    tcase_add_test(lengthy, a_nan_does_not_slip_through);
    suite_add_tcase(suite, guard);
    return suite;
}
