/* Real neurons in the loop: the mean rate of a population inside an LB network lies on
 * the transfer curve measured without the network; and what a
 * node sends reaches the neurons of another to the step. */
#include <stdio.h>

#include "relay.h"

typedef struct loop_means {
    const spl_network *network;
    uint64_t dropped;
    double n, D, x;
} loop_means;

static bool take_means(void *user, const spl_samples *block)
{
    loop_means *means = user;
    const spl_subnetwork_block *last =
        spl_subnetwork_last(means->network->jobs[0].subnetwork);
    for (size_t s = 0; s < block->n_steps; s++) {
        if (block->first_step + s > means->dropped) {
            means->n += 1.0;
            means->D += last->drive[s];
            means->x += last->filtered[s];
        }
    }
    return true;
}

static double open_loop(const spl_subnetwork_spec *spec, double D, size_t n_steps)
{
    enum { BLOCK = 64, DROPPED = 5000 };
    spl_subnetwork_run run = {.dt = 0.1, .Q_max = 1.0, .seed = 2, .max_steps = BLOCK};
    ck_assert_int_eq(spl_target_choose(&run.target), SPL_OK);
    spl_subnetwork *subnetwork = NULL;
    ck_assert_int_eq(spl_subnetwork_create(&subnetwork, spec, &run), SPL_OK);
    double drive[BLOCK];
    double sum = 0.0;
    double n = 0.0;
    for (size_t s = 0; s < BLOCK; s++) {
        drive[s] = D;
    }
    for (uint64_t k = 0; k < n_steps; k += BLOCK) {
        spl_subnetwork_begin(subnetwork);
        ck_assert_int_eq(
            spl_subnetwork_advance(subnetwork, k, BLOCK, drive, NULL, NULL), SPL_OK);
        for (size_t s = 0; s < BLOCK && k > DROPPED; s++) {
            sum += spl_subnetwork_last(subnetwork)->filtered[s];
            n += 1.0;
        }
    }
    spl_subnetwork_free(subnetwork);
    return sum / n;
}

START_TEST(the_closed_loop_lies_on_the_transfer_curve)
{
    enum { STEPS = 100000, DROPPED = 20000 };
    spl_connectome *connectome = relay_connectome();
    network_run run;
    network_settle(&run, connectome,
        "simulation: {dt: 0.1, duration: 10000, seed: 2, threads: 1}\n"
        "connectome: {speed: 1}\n"
        "coupling: {function: mean_rate, normalise: in_strength}\n");
    spl_subnetwork_spec *spec = calloc(1, sizeof *spec);
    *spec = make_coba("c", 1024, 100, 1.0, 1.0);
    spec->interface.mode = _i == 0 ? SPL_MODE_REPLACE : SPL_MODE_ATTACH;
    if (_i == 0) {
        spec->interface.alpha = 0.0;
        spec->interface.beta = 1.0;
        spec->interface.kc = 1.0;
        spec->interface.kl = 0.0;
    }
    run.settings.subnetworks = spec;
    run.settings.n_subnetworks = 1;
    network_assemble(&run, connectome);
    loop_means means = {.network = &run.network, .dropped = DROPPED};
    const spl_block_hooks hooks = {.user = &means, .finish = take_means};
    spl_divergence divergence;
    spl_network_advance(&run.network, STEPS, &hooks, &divergence);
    ck_assert(!divergence.happened && divergence.status == SPL_OK);
    const double D = means.D / means.n;
    const double x = means.x / means.n;
    const double F = open_loop(spec, D, STEPS);
    fprintf(stderr, "# %s: D* %.4f, x* %.4f Hz, F(nu(D*)) %.4f Hz\n",
        _i == 0 ? "replace" : "attach", D, 1e3 * x, 1e3 * F);
    ck_assert_double_gt(D, 0.1);
    ck_assert_double_eq_tol(x, F, 0.05 * F);
    network_close(&run);
    spl_connectome_free(connectome);
}
END_TEST

/* Two nodes; node 1 carries a probe driven by node 0 alone. */
static double *conductances(uint64_t pulse_at, double length, size_t block)
{
    enum { STEPS = 100 };
    const double weights[4] = {0.0, 0.0, 1.0, 0.0};
    const double lengths[4] = {0.0, 0.0, length, 0.0};
    double *g = calloc(STEPS + 1, sizeof *g);
    spl_connectome *connectome = make_connectome(2, weights, lengths);
    network_run run;
    network_settle(&run, connectome,
        "simulation: {dt: 0.1, duration: 10, seed: 2, threads: 1, block: %zu}\n"
        "connectome: {speed: 1}\n"
        "coupling: {function: linear}\n",
        block);
    spl_subnetwork_spec *spec = calloc(1, sizeof *spec);
    *spec = make_subnetwork("p");
    spl_population_spec *population =
        add_population(spec, "E", "izhikevich_ltc", 3, true);
    population->n_recorded = 1;
    population->recorded = calloc(1, sizeof(uint32_t));
    spec->node = 1;
    spec->interface.mode = SPL_MODE_PROBE;
    spec->interface.kc = 1.0;
    spec->interface.kl = 0.0;
    spec->interface.drive = SPL_DRIVE_CONDUCTANCE;
    run.settings.subnetworks = spec;
    run.settings.n_subnetworks = 1;
    network_assemble(&run, connectome);
    spl_network *network = &run.network;
    for (uint64_t step = 0; step < STEPS; step++) {
        spl_divergence divergence;
        if (step == pulse_at) {
            spl_real *sample =
                &network->history[spl_plan_slot(network->plan, (int64_t)step)];
            spl_history_put(
                network->plan, network->history, (int64_t)step, *sample + 1.0);
            spl_network_carry(network);
        }
        spl_network_advance(network, 1, NULL, &divergence);
        ck_assert(!divergence.happened && divergence.status == SPL_OK);
        /* of the step from `step` on */
        g[step] = (double)spl_subnetwork_last(network->jobs[0].subnetwork)
                      ->populations[0]
                      .recorded[2 + AMPA];
    }
    network_close(&run);
    spl_connectome_free(connectome);
    return g;
}

START_TEST(a_pulse_reaches_the_neurons_to_the_step)
{
    static const size_t delays[] = {0, 1, 2, 15, 16, 40};
    static const size_t blocks[] = {1, 16};
    enum { PULSE = 33 };
    const size_t delay = delays[_i];
    for (size_t b = 0; b < 2; b++) {
        double *without = conductances(UINT64_MAX, 0.1 * (double)delay, blocks[b]);
        double *with = conductances(PULSE, 0.1 * (double)delay, blocks[b]);
        for (size_t step = 0; step < PULSE + delay; step++) {
            ck_assert_msg(without[step] == with[step], "delay %zu: g differs at step %zu",
                delay, step);
        }
        ck_assert_double_gt(with[PULSE + delay], without[PULSE + delay]);
        free(without);
        free(with);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("closed_loop");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, the_closed_loop_lies_on_the_transfer_curve, 0, 2);
    tcase_add_loop_test(all, a_pulse_reaches_the_neurons_to_the_step, 0, 6);
    suite_add_tcase(suite, all);
    return suite;
}
