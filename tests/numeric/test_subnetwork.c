/* Subnetworks against what they must do in numbers: events and spikes are conserved,
 * synapses arrive to the sub-step, drives agree in the mean, known networks have their
 * rates. Numbers of sections refer to spiking.md of the specification. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/spiking.h"
#include "support/test_main.h"

enum { BLOCK = 64 };

static spl_subnetwork *make(const spl_subnetwork_spec *spec, double dt, uint64_t seed)
{
    const spl_subnetwork_run run = {
        .dt = dt, .Q_max = 1.0, .seed = seed, .max_steps = BLOCK};
    spl_subnetwork *subnetwork = NULL;
    spl_subnetwork_run best = run;
    ck_assert_int_eq(spl_target_choose(&best.target), SPL_OK);
    ck_assert_msg(spl_subnetwork_create(&subnetwork, spec, &best) == SPL_OK, "%s",
        spl_last_error());
    return subnetwork;
}

/* Totals of a run whose drive is D(k). */
typedef struct totals {
    double rate[2];      /* mean A of the first two populations, kHz */
    uint64_t events[2];  /* of all their neurons */
    uint64_t spikes[2];  /* entries of the spike lists */
    double sum_x, sum_A; /* of the filtered and of the raw rate of population 0 */
    double x_end;        /* x after the last step; sum_x is that of the steps before */
} totals;

static totals run_steps(spl_subnetwork *subnetwork, uint64_t n_steps, uint64_t n_dropped,
    double r_max, double (*drive)(uint64_t k, double parameter), double parameter)
{
    totals t = {.x_end = spl_subnetwork_Q_hat(subnetwork) * r_max};
    for (uint64_t k = 0; k < n_steps; k += BLOCK) {
        const size_t n = n_steps - k < BLOCK ? (size_t)(n_steps - k) : BLOCK;
        double D[BLOCK];
        for (size_t s = 0; s < n; s++) {
            D[s] = drive(k + s, parameter);
        }
        spl_subnetwork_begin(subnetwork);
        ck_assert_msg(spl_subnetwork_advance(subnetwork, k, n, D, NULL, NULL) == SPL_OK,
            "%s", spl_last_error());
        const spl_subnetwork_block *block = spl_subnetwork_last(subnetwork);
        for (size_t p = 0; p < block->n_populations && p < 2; p++) {
            t.spikes[p] += block->populations[p].n_spikes;
            for (size_t s = 0; s < n; s++) {
                t.events[p] += block->populations[p].events[s];
                t.rate[p] += k + s >= n_dropped ? block->populations[p].rate[s] : 0.0;
            }
        }
        for (size_t s = 0; s < n; s++) {
            t.sum_x += t.x_end;
            t.sum_A += block->populations[0].rate[s];
            t.x_end = block->filtered[s];
        }
    }
    t.rate[0] /= (double)(n_steps - n_dropped);
    t.rate[1] /= (double)(n_steps - n_dropped);
    return t;
}

static double constant(uint64_t k, double D)
{
    (void)k;
    return D;
}

static double wave(uint64_t k, double parameter)
{
    (void)parameter;
    return 0.5 + 0.4 * sin(0.01 * (double)k);
}

START_TEST(events_and_spikes_are_conserved)
{
    enum { STEPS = 5000, NEURONS = 1500 };
    const double dt = 0.1;
    spl_subnetwork_spec spec = make_coba("c", NEURONS, 100, 1.0, 1.0);
    spec.n_substeps = 1 + (uint32_t)_i;
    spec.interface.k_I = 0.5;
    spec.interface.x0 = 0.01;
    spl_subnetwork *subnetwork = make(&spec, dt, 3);
    const totals t = run_steps(subnetwork, STEPS, 0, 0.014, wave, 0.0);
    double integral = 0.0;
    for (uint64_t k = 0; k < STEPS; k++) {
        integral += 2.0 * wave(k, 0.0) * dt;
    }
    const double expected[2] = {1200.0 * integral, 300.0 * 0.5 * integral};
    for (size_t p = 0; p < 2; p++) {
        ck_assert_double_eq_tol(
            (double)t.events[p], expected[p], 4.0 * sqrt(expected[p]));
    }
    /* counts come back from rates exactly */
    ck_assert_double_eq_tol(t.sum_A * dt * 1200.0, (double)t.spikes[0], 1e-6);
    ck_assert_uint_gt(t.spikes[0], 100);
    const double decay = exp(-dt / spec.interface.tau_f);
    const double left = dt / (1.0 - decay) * (t.x_end - spec.interface.x0);
    ck_assert_double_eq_tol(t.sum_x * dt, t.sum_A * dt - left, 1e-12 * STEPS);
    spl_subnetwork_free(subnetwork);
    spl_subnetwork_spec_deinit(&spec);
}
END_TEST

/* One neuron that fires once, targets at delays 1, 2, 7 and D_max. */
START_TEST(synapses_arrive_to_the_substep)
{
    static const uint32_t delays[] = {1, 2, 7, 40};
    enum { TARGETS = 4, STEPS = 640 };
    const double dt = 0.1;
    spl_subnetwork_spec spec = make_subnetwork("s");
    spl_population_spec *source = add_population(&spec, "A", "izhikevich_ltc", 1, true);
    spl_current_step steps[2] = {{20.0, 400.0}, {20.3, 0.0}};
    source->n_current_steps = 2;
    source->current_steps = malloc(sizeof steps);
    memcpy(source->current_steps, steps, sizeof steps);
    add_population(&spec, "B", "izhikevich_ltc", TARGETS, true);
    uint32_t recorded[TARGETS] = {0, 1, 2, 3};
    spec.populations[1].n_recorded = TARGETS;
    spec.populations[1].recorded = malloc(sizeof recorded);
    memcpy(spec.populations[1].recorded, recorded, sizeof recorded);
    spl_projection_spec *projection =
        add_projection(&spec, 0, 1, AMPA, SPL_CONNECT_LIST, 0, 0.3, 1.0);
    projection->list = (spl_synapse_list){.n = TARGETS,
        .source = calloc(TARGETS, sizeof(uint32_t)),
        .target = calloc(TARGETS, sizeof(uint32_t)),
        .delay = calloc(TARGETS, sizeof(double))};
    for (uint32_t t = 0; t < TARGETS; t++) {
        projection->list.target[t] = t;
        projection->list.delay[t] = (double)delays[t] * dt;
    }
    spl_subnetwork *subnetwork = make(&spec, dt, 1);
    uint64_t fired = 0; /* sub-step of the spike */
    uint64_t first[TARGETS] = {0};
    for (uint64_t k = 0; k < STEPS; k += BLOCK) {
        spl_subnetwork_begin(subnetwork);
        ck_assert_int_eq(
            spl_subnetwork_advance(subnetwork, k, BLOCK, NULL, NULL, NULL), SPL_OK);
        const spl_population_block *p = spl_subnetwork_last(subnetwork)->populations;
        for (size_t spike = 0; spike < p[0].n_spikes; spike++) {
            ck_assert_uint_eq(fired, 0);
            /* the time stamp of sub-step s is (s + 1) h */
            fired = (uint64_t)llround(p[0].spike_time[spike] / dt) - 1;
        }
        for (size_t s = 0; s < BLOCK; s++) {
            const float *g = p[1].recorded + (s * 4 + 2 + AMPA) * TARGETS;
            for (size_t t = 0; t < TARGETS; t++) {
                if (g[t] != 0.0f && first[t] == 0) {
                    first[t] = k + s;
                    ck_assert_double_eq_tol(g[t], 0.3 * exp(-dt / 5.0), 1e-6);
                }
            }
        }
    }
    ck_assert_uint_gt(fired, 0);
    for (size_t t = 0; t < TARGETS; t++) {
        ck_assert_uint_eq(first[t], fired + delays[t]);
    }
    spl_subnetwork_free(subnetwork);
    spl_subnetwork_spec_deinit(&spec);
}
END_TEST

/* Mean and variance of g over neurons and time at a constant drive nu = 1. */
static void moments_of_g(
    double h, spl_drive_kind drive, bool scaled, double *mean, double *variance)
{
    enum { NEURONS = 1024, STEPS = 1024 * 3 };
    spl_subnetwork_spec spec = make_subnetwork("g");
    spl_population_spec *population =
        add_population(&spec, "E", "izhikevich_ltc", NEURONS, true);
    population->n_recorded = NEURONS;
    population->recorded = malloc(NEURONS * sizeof(uint32_t));
    for (uint32_t i = 0; i < NEURONS; i++) {
        population->recorded[i] = i;
    }
    spec.interface.drive = drive;
    spec.interface.scaled = scaled;
    spl_subnetwork *subnetwork = make(&spec, h, 5);
    double sum = 0.0;
    double squares = 0.0;
    double n = 0.0;
    double D[BLOCK];
    for (size_t s = 0; s < BLOCK; s++) {
        D[s] = 0.5;
    }
    for (uint64_t k = 0; k < STEPS; k += BLOCK) {
        spl_subnetwork_begin(subnetwork);
        ck_assert_int_eq(
            spl_subnetwork_advance(subnetwork, k, BLOCK, D, NULL, NULL), SPL_OK);
        const spl_population_block *p = spl_subnetwork_last(subnetwork)->populations;
        for (size_t s = 0; s < BLOCK && (double)k * h > 60.0; s++) {
            const float *g = p->recorded + (s * 4 + 2 + AMPA) * NEURONS;
            for (size_t i = 0; i < NEURONS; i++) {
                sum += (double)g[i];
                squares += (double)g[i] * (double)g[i];
                n += 1.0;
            }
        }
    }
    *mean = sum / n;
    *variance = squares / n - *mean * *mean;
    spl_subnetwork_free(subnetwork);
    spl_subnetwork_spec_deinit(&spec);
}

/* Means of some 3e5 independent values for h = 0.1. */
START_TEST(drives_agree_in_the_mean)
{
    static const double steps[] = {0.1, 0.5};
    const double h = steps[_i];
    const double tau = 5.0;
    const double J = 0.024;
    const double eps = h / tau;
    const double expected = J * tau;
    double mean = 0.0;
    double variance = 0.0;
    moments_of_g(h, SPL_DRIVE_CONDUCTANCE, true, &mean, &variance);
    ck_assert_double_eq_tol(mean, expected, 1e-5 * expected);
    moments_of_g(h, SPL_DRIVE_POISSON, true, &mean, &variance);
    ck_assert_double_eq_tol(mean, expected, 0.005 * expected);
    ck_assert_double_eq_tol(
        variance, J * J * tau / 2.0, (0.01 + eps) * J * J * tau / 2.0);
    moments_of_g(h, SPL_DRIVE_POISSON, false, &mean, &variance);
    ck_assert_double_eq_tol(mean, expected * eps / (exp(eps) - 1.0), 0.005 * expected);
}
END_TEST

/* The published table is of one realisation, with Euler, h = 0.1, in synapse order B:
 * weights times e^(h / tau), events not scaled. Realisations spread, where few neurons
 * fire by more than 5 %: 64 of them at nu = 0.25 have 1.140 +- 0.077 Hz (E). So the table
 * may lie two such spreads from our mean. */
START_TEST(the_default_network_has_its_transfer_function)
{
    static const double nu[] = {0.25, 0.66, 1.0, 2.0};
    static const double expected[2][4] = {
        {1.23, 4.62, 6.38, 10.5}, {5.2, 10.5, 13.8, 21.7}};
    static const double spread[2][4] = {
        {0.077, 0.130, 0.139, 0.189}, {0.081, 0.070, 0.075, 0.115}};
    enum { SEEDS = 6, STEPS = 40000, DROPPED = 5000 };
    double sum[2] = {0.0, 0.0};
    double squares[2] = {0.0, 0.0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        spl_subnetwork_spec spec = make_coba("c", 1024, 100, exp(0.02), exp(0.01));
        spec.scheme = SPL_NEURON_EULER;
        spec.interface.J = 0.024 * exp(0.02);
        spec.interface.scaled = false;
        spl_subnetwork *subnetwork = make(&spec, 0.1, seed);
        const totals t =
            run_steps(subnetwork, STEPS, DROPPED, 0.014, constant, nu[_i] / 2.0);
        for (size_t p = 0; p < 2; p++) {
            sum[p] += 1e3 * t.rate[p];
            squares[p] += 1e6 * t.rate[p] * t.rate[p];
        }
        spl_subnetwork_free(subnetwork);
        spl_subnetwork_spec_deinit(&spec);
    }
    for (size_t p = 0; p < 2; p++) {
        const double mean = sum[p] / SEEDS;
        const double sd = sqrt((squares[p] - sum[p] * mean) / (SEEDS - 1));
        const double tolerance = fmax(0.05 * expected[p][_i], 2.0 * spread[p][_i]);
        fprintf(stderr, "# nu %g, %s: %.3f +- %.3f Hz (%.2f)\n", nu[_i],
            p == 0 ? "E" : "I", mean, sd, expected[p][_i]);
        ck_assert_double_eq_tol(mean, expected[p][_i], tolerance);
        ck_assert_double_lt(sd, 2.5 * spread[p][_i]);
    }
}
END_TEST

/* Benchmark spiking-100 and spiking-1000. */
START_TEST(the_second_benchmark_network_has_its_rates)
{
    static const uint64_t indegree[] = {100, 1000};
    static const double r_E[] = {6.38, 3.465};
    static const double r_I[] = {13.74, 9.65};
    enum { STEPS = 10000, DROPPED = 2000 };
    spl_subnetwork_spec spec = make_coba("n2", 10000, indegree[_i], exp(0.02), exp(0.01));
    spec.scheme = SPL_NEURON_EULER;
    for (size_t p = 0; p < 2; p++) {
        spec.populations[p].n_backgrounds = 1;
        spec.populations[p].backgrounds[0] =
            (spl_background){.receptor = AMPA, .rate = 1.0, .weight = 0.024 * exp(0.02)};
    }
    spl_subnetwork *subnetwork = make(&spec, 0.1, 1);
    const totals t = run_steps(subnetwork, STEPS, DROPPED, 0.014, constant, 0.0);
    fprintf(stderr, "# K %d: r_E %.3f (%.2f), r_I %.3f (%.2f) Hz\n", (int)indegree[_i],
        1e3 * t.rate[0], r_E[_i], 1e3 * t.rate[1], r_I[_i]);
    ck_assert_double_eq_tol(1e3 * t.rate[0], r_E[_i], 0.05 * r_E[_i]);
    ck_assert_double_eq_tol(1e3 * t.rate[1], r_I[_i], 0.05 * r_I[_i]);
    spl_subnetwork_free(subnetwork);
    spl_subnetwork_spec_deinit(&spec);
}
END_TEST

/* Izhikevich 2003: pulses of one step, heterogeneity and noise as in the paper. */
static spl_subnetwork_spec make_izhikevich_2003(void)
{
    static const double sigma[2] = {5.0, 2.0};
    spl_subnetwork_spec spec = make_subnetwork("n1");
    spec.scheme = SPL_NEURON_IZH2003;
    for (size_t p = 0; p < 2; p++) {
        spl_population_spec *population = add_population(
            &spec, p == 0 ? "E" : "I", "izhikevich_ltc", p == 0 ? 800 : 200, p == 0);
        population->heterogeneity = SPL_HETEROGENEITY_2003;
        population->init[0] = constant_draw(-65.0);
        population->params[izhikevich_param("d")].a = p == 0 ? 8.0 : 2.0;
        population->sigma_V = sigma[p];
        population->driven = false;
        population->receptors[AMPA].kernel = SPL_KERNEL_PULSE;
        population->receptors[AMPA].effect = SPL_RECEPTOR_CURRENT;
    }
    spec.interface.receptor = NULL;
    for (size_t from = 0; from < 2; from++) {
        for (size_t to = 0; to < 2; to++) {
            add_projection(&spec, from, to, AMPA, SPL_CONNECT_ALL_TO_ALL, 0, 0.0, 1.0)
                ->weight = from == 0 ? uniform_draw(0.0, 0.5) : uniform_draw(-1.0, 0.0);
        }
    }
    return spec;
}

START_TEST(the_first_benchmark_network_has_its_rates)
{
    enum { SEEDS = 4, STEPS = 10000 };
    double rate[2] = {0.0, 0.0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        spl_subnetwork_spec spec = make_izhikevich_2003();
        spl_subnetwork *subnetwork = make(&spec, 1.0, seed);
        const totals t = run_steps(subnetwork, STEPS, 0, 0.014, constant, 0.0);
        rate[0] += 1e3 * t.rate[0] / SEEDS;
        rate[1] += 1e3 * t.rate[1] / SEEDS;
        spl_subnetwork_free(subnetwork);
        spl_subnetwork_spec_deinit(&spec);
    }
    fprintf(
        stderr, "# network 1: r_E %.3f (7.35), r_I %.3f (6.8) Hz\n", rate[0], rate[1]);
    ck_assert_double_eq_tol(rate[0], 7.35, 0.05 * 7.35);
    ck_assert_double_eq_tol(rate[1], 6.8, 0.05 * 6.8);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("subnetwork");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, events_and_spikes_are_conserved, 0, 2);
    tcase_add_test(all, synapses_arrive_to_the_substep);
    tcase_add_loop_test(lengthy, drives_agree_in_the_mean, 0, 2);
    tcase_add_loop_test(lengthy, the_default_network_has_its_transfer_function, 0, 4);
    tcase_add_loop_test(lengthy, the_second_benchmark_network_has_its_rates, 0, 2);
    tcase_add_test(lengthy, the_first_benchmark_network_has_its_rates);
    suite_add_tcase(suite, all);
    return suite;
}
