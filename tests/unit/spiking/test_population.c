/* Populations at run time: order and kernels of receptors, drives and backgrounds, noise,
 * heterogeneity, and what must not change a bit. */
#include "spiking/population_private.h"
#include "support/population_run.h"

static double tolerance(double in_double, double in_single)
{
    return SPL_REAL_BYTES == 4 ? in_single : in_double;
}

static double g_of(const population_run *run, size_t r, size_t i)
{
    const spl_population *p = &run->population;
    const double g = (double)p->g[r][0][i];
    return p->own->receptor[r].kernel == SPL_KERNEL_DUAL ? g - (double)p->g[r][1][i] : g;
}

/* A neuron that integrates its input: dV/dt = I. */
static void define_integrator(population_run *run, size_t n, double h)
{
    population_define(run, "izhikevich_ltc", n, h);
    for (const char *const *name =
             (const char *const[]){"p1", "p2", "p3", "a", "b", "d", NULL};
         *name != NULL; name++) {
        population_param(run, *name)->a = 0.0;
    }
    population_param(run, "V_th")->a = 1e6;
}

/* Add, decay, use: k sub-steps after an arrival g is the kernel at k h, k = 1 the first.
 */
START_TEST(arrivals_are_added_decay_and_act)
{
    const double h = 0.25;
    const double bound = tolerance(1e-13, 2e-6);
    population_run run;
    define_integrator(&run, 100, h);
    population_receptor(&run, "exponential", SPL_KERNEL_EXPONENTIAL);
    population_receptor(&run, "dual", SPL_KERNEL_DUAL);
    population_receptor(&run, "alpha", SPL_KERNEL_ALPHA);
    population_receptor(&run, "equal", SPL_KERNEL_DUAL)->tau_rise = 5.0;
    population_open(&run, 1);
    for (size_t r = 0; r < 4; r++) {
        population_arrive(&run, r, 77, 0.5);
    }
    const double tp = 5.0 / 4.0 * log(5.0);
    const double A = 1.0 / (exp(-tp / 5.0) - exp(-tp));
    for (int k = 1; k <= 80; k++) {
        const double t = k * h;
        const double alpha = t / 5.0 * exp(1.0 - t / 5.0);
        const double expected[] = {
            exp(-t / 5.0), A * (exp(-t / 5.0) - exp(-t)), alpha, alpha};
        population_advance(&run, 1, NULL);
        for (size_t r = 0; r < 4; r++) {
            ck_assert_double_le(fabs(g_of(&run, r, 77) - 0.5 * expected[r]), bound);
            ck_assert_double_eq(g_of(&run, r, 76), 0.0);
        }
    }
    population_close(&run);
}
END_TEST

/* What arrives in sub-step s acts in it: pulse through I, delta after the integration, so
 * that it can make the neuron fire in the same sub-step. */
START_TEST(pulses_and_jumps_act_once)
{
    population_run run;
    define_integrator(&run, 3, 0.5);
    population_param(&run, "V_th")->a = 30.0;
    population_receptor(&run, "pulse", SPL_KERNEL_PULSE);
    population_receptor(&run, "delta", SPL_KERNEL_DELTA);
    population_open(&run, 1);
    population_arrive(&run, 0, 0, 8.0);
    population_arrive(&run, 1, 1, 4.0);
    population_arrive(&run, 1, 2, 100.0);
    population_advance(&run, 1, NULL);
    ck_assert_double_eq((double)run.population.state[0][0], -66.0);
    ck_assert_double_eq((double)run.population.state[0][1], -66.0);
    ck_assert_double_eq((double)run.population.state[0][2], -65.0);
    ck_assert_uint_eq(run.n_spikes, 1);
    ck_assert_uint_eq(run.spike_neuron[0], 2);
    population_advance(&run, 1, NULL);
    ck_assert_double_eq((double)run.population.state[0][0], -66.0);
    ck_assert_double_eq((double)run.population.state[0][1], -66.0);
    ck_assert_uint_eq(run.n_spikes, 0);
    population_close(&run);
}
END_TEST

START_TEST(lower_bound_and_refractory_time_hold_V)
{
    population_run run;
    define_integrator(&run, 2, 0.1);
    static double values[] = {-100.0, 1000.0};
    run.spec.current =
        (spl_draw){.kind = SPL_DRAW_GIVEN, .values = values, .n_values = 2};
    run.spec.V_min = -72.0;
    run.spec.tau_ref = 0.3;
    population_param(&run, "V_th")->a = 30.0;
    population_open(&run, 20);
    population_advance(&run, 20, NULL);
    ck_assert_double_eq((double)run.population.state[0][0], -72.0);
    /* one sub-step to the threshold, three held: fires in sub-steps 0, 4, 8, 12, 16 */
    ck_assert_uint_eq(run.n_spikes, 5);
    for (size_t s = 0; s < 5; s++) {
        ck_assert_uint_eq(run.spike_substep[s], 4 * s);
    }
    population_close(&run);
}
END_TEST

/* V of a neuron that integrates a constant current is a straight line: crossings are
 * found exactly, also several in one sub-step. */
START_TEST(located_crossings_of_a_line_are_exact)
{
    static const double hs[] = {0.3, 0.25, 1.0};
    for (size_t k = 0; k < 3; k++) {
        for (int scheme = 0; scheme < SPL_N_NEURON_SCHEMES; scheme++) {
            population_run run;
            define_integrator(&run, 1, hs[k]);
            run.subnetwork.scheme = (spl_neuron_scheme)scheme;
            run.subnetwork.located = true;
            population_param(&run, "V_th")->a = 30.0;
            population_param(&run, "c")->a = -70.0;
            run.spec.current.a = 250.0; /* every 0.4 ms */
            population_open(&run, 1000);
            population_advance(&run, 1000, NULL);
            ck_assert_double_le(fabs((double)run.n_spikes - 1000.0 * hs[k] / 0.4), 1.0);
            for (size_t s = 0; s < run.n_spikes && s < 100; s++) {
                const double time =
                    ((double)run.spike_substep[s] + run.spike_fraction[s]) * hs[k];
                ck_assert_double_le(
                    fabs(time - 0.4 * ((double)s + 1.0)), tolerance(1e-11, 5e-4));
            }
            population_close(&run);
        }
    }
}
END_TEST

/* The mean of g under random events of rate nu and weight J, for every kernel: in order A
 * eps / (e^eps - 1) of J nu tau, with scaled weights J times nu times the area; variance
 * J^2 nu tau / 2 up to eps. */
START_TEST(random_events_have_the_mean_of_their_rate)
{
    static const double hs[] = {0.1, 0.5};
    static const double unscaled[] = {0.990, 0.951};
    for (size_t k = 0; k < 2; k++) {
        enum { NEURONS = 1500, STEPS = 2000 };
        population_run run;
        define_integrator(&run, NEURONS, hs[k]);
        population_receptor(&run, "unscaled", SPL_KERNEL_EXPONENTIAL);
        population_receptor(&run, "exponential", SPL_KERNEL_EXPONENTIAL);
        population_receptor(&run, "dual", SPL_KERNEL_DUAL);
        population_receptor(&run, "alpha", SPL_KERNEL_ALPHA);
        run.spec.n_backgrounds = 4;
        for (size_t b = 0; b < 4; b++) {
            run.spec.backgrounds[b] = (spl_background){
                .receptor = b, .rate = 2.0, .weight = 0.5, .scaled = b > 0};
        }
        population_open(&run, 500);
        double sum[4] = {0};
        double squares[4] = {0};
        population_advance(&run, 500, NULL);
        for (size_t s = 0; s < STEPS / 100; s++) {
            population_advance(&run, 100, NULL);
            for (size_t r = 0; r < 4; r++) {
                for (size_t i = 0; i < NEURONS; i++) {
                    const double g = g_of(&run, r, i);
                    sum[r] += g;
                    squares[r] += g * g;
                }
            }
        }
        const double n = NEURONS * STEPS / 100.0;
        const double area[] = {5.0, 5.0, run.population.own->receptor[2].area,
            run.population.own->receptor[3].area};
        for (size_t r = 0; r < 4; r++) {
            const double mean = sum[r] / n / (0.5 * 2.0 * area[r]);
            const double expected = r == 0 ? unscaled[k] : 1.0;
            ck_assert_msg(fabs(mean - expected) < 0.004, "%g, receptor %zu: mean %g",
                hs[k], r, mean);
        }
        const double variance = squares[1] / n - sum[1] / n * sum[1] / n;
        ck_assert_double_le(fabs(variance / (0.25 * 2.0 * 5.0 / 2.0) - 1.0), 0.05);
        ck_assert_double_le(fabs((double)run.events - 4 * 2.0 * hs[k] * NEURONS * 100.0),
            4.0 * sqrt(4 * 2.0 * hs[k] * NEURONS * 100.0));
        population_close(&run);
    }
}
END_TEST

static void set_interface(population_run *run, spl_drive_kind drive)
{
    run->subnetwork.interface = (spl_interface_spec){.drive = drive,
        .J = 0.02,
        .r_max = 0.014,
        .K_ext = 143.0,
        .k_I = 0.5,
        .nu0 = 0.1,
        .scaled = true,
        .V_ref = -60.0,
        .receptor = "AMPA"};
}

/* g at rest under the deterministic drive is J nu times the area for every kernel, at
 * every sub-step; inhibitory neurons see k_I of it. */
START_TEST(deterministic_drive_is_the_mean)
{
    static const spl_receptor_kernel kernels[] = {
        SPL_KERNEL_EXPONENTIAL, SPL_KERNEL_DUAL, SPL_KERNEL_ALPHA};
    for (size_t k = 0; k < 6; k++) {
        population_run run;
        double D[2000];
        define_integrator(&run, 10, k < 3 ? 0.1 : 0.5);
        population_receptor(&run, "AMPA", kernels[k % 3]);
        set_interface(&run, SPL_DRIVE_CONDUCTANCE);
        run.spec.excitatory = k % 2 == 0;
        population_open(&run, 2000);
        for (size_t j = 0; j < 2000; j++) {
            D[j] = 0.5;
        }
        population_advance(&run, 2000, D);
        const double nu = 0.1 + 143.0 * (k % 2 == 0 ? 1.0 : 0.5) * 0.014 * 0.5;
        const double expected = 0.02 * nu * run.population.own->receptor[0].area;
        ck_assert_double_le(
            fabs(g_of(&run, 0, 3) / expected - 1.0), tolerance(1e-12, 2e-5));
        ck_assert_uint_eq(run.events, 0);
        population_close(&run);
    }
}
END_TEST

START_TEST(current_drive_is_worth_the_conductance_at_V_ref)
{
    population_run run;
    const double D = 0.5;
    define_integrator(&run, 10, 0.1);
    population_receptor(&run, "AMPA", SPL_KERNEL_EXPONENTIAL);
    set_interface(&run, SPL_DRIVE_CURRENT);
    population_open(&run, 1);
    population_advance(&run, 1, &D);
    const double nu = 0.1 + 143.0 * 0.014 * 0.5;
    ck_assert_double_le(
        fabs((double)run.population.state[0][0] - (-70.0 + 0.1 * 0.02 * nu * 5.0 * 60.0)),
        tolerance(1e-13, 1e-5));
    population_close(&run);
}
END_TEST

/* Drawn events are N times the integral of nu, with the background of the same receptor
 * and weight in the same draw. */
START_TEST(events_follow_the_drive)
{
    enum { NEURONS = 700, STEPS = 1000 };
    population_run run;
    double D[STEPS];
    double expected = 0.0;
    define_integrator(&run, NEURONS, 0.1);
    run.dt = 0.4;
    run.subnetwork.n_substeps = 4;
    population_receptor(&run, "AMPA", SPL_KERNEL_EXPONENTIAL);
    set_interface(&run, SPL_DRIVE_POISSON);
    run.spec.n_backgrounds = 2;
    run.spec.backgrounds[0] = (spl_background){0, 0.3, 0.02, true};
    run.spec.backgrounds[1] = (spl_background){0, 0.2, 0.03, true};
    population_open(&run, STEPS);
    ck_assert_uint_eq(run.population.own->n_sources, 2);
    for (size_t j = 0; j < STEPS; j++) {
        D[j] = j < 500 ? 0.5 + 0.5 * sin(0.01 * (double)j) : -10.0;
        expected += NEURONS * 0.4 * (0.5 + fmax(0.0, 0.1 + 143.0 * 0.014 * D[j]));
    }
    population_advance(&run, STEPS, D);
    ck_assert_double_le(fabs((double)run.events - expected), 4.0 * sqrt(expected));
    population_close(&run);
}
END_TEST

START_TEST(relays_fire_at_the_rate_of_the_node)
{
    enum { NEURONS = 1100, STEPS = 5000 };
    population_run run;
    static double D[STEPS];
    double expected = 0.0;
    population_define(&run, "poisson_relay", NEURONS, 0.1);
    population_receptor(&run, "AMPA", SPL_KERNEL_EXPONENTIAL);
    set_interface(&run, SPL_DRIVE_CONDUCTANCE);
    run.subnetwork.interface.r_max = 0.05;
    population_open(&run, STEPS);
    for (size_t j = 0; j < STEPS; j++) {
        D[j] = j < 100 ? 0.0 : 0.33;
        expected += NEURONS * 0.1 * 0.05 * D[j];
    }
    population_advance(&run, STEPS, D);
    ck_assert_double_le(fabs((double)run.n_spikes - expected), 4.0 * sqrt(expected));
    for (size_t s = 0; s < run.n_spikes; s++) {
        ck_assert(run.spike_neuron[s] < NEURONS && run.spike_substep[s] >= 100);
    }
    population_close(&run);
}
END_TEST

/* Noise of V is a current that is held over the sub-step, so variances grow as sigma^2 t.
 */
START_TEST(white_noise_has_its_variance)
{
    enum { NEURONS = 3000 };
    for (int m = 1; m <= 2; m++) {
        population_run run;
        define_integrator(&run, NEURONS, 0.4);
        run.subnetwork.n_substeps = (uint32_t)m;
        run.subnetwork.scheme = m == 1 ? SPL_NEURON_EXP_EULER : SPL_NEURON_IZH2003;
        population_param(&run, "V_th")->a = 1e9;
        run.spec.u_follows = false;
        run.spec.init[1].a = 0.0;
        run.spec.sigma_V = 3.0;
        run.spec.sigma_u = 0.0;
        population_open(&run, 250);
        population_advance(&run, 250, NULL);
        double sum = 0.0;
        double squares = 0.0;
        for (size_t i = 0; i < NEURONS; i++) {
            const double off = (double)run.population.state[0][i] + 70.0;
            sum += off;
            squares += off * off;
        }
        ck_assert_double_le(fabs(sum / NEURONS), 4.0 * 30.0 / sqrt(NEURONS));
        ck_assert_double_le(
            fabs(squares / NEURONS / 900.0 - 1.0), 4.0 * sqrt(2.0 / NEURONS));
        population_close(&run);
    }
}
END_TEST

/* All that a population can have, in sizes with a part of a group and of a block. */
static void define_everything(population_run *run, unsigned variant)
{
    population_define(run, "izhikevich_ltc", 1400, 0.4);
    run->subnetwork.n_substeps = 2;
    run->subnetwork.scheme = (spl_neuron_scheme)(variant % SPL_N_NEURON_SCHEMES);
    run->subnetwork.located = variant & 4;
    run->subnetwork.linearise_input = !(variant & 8);
    run->spec.heterogeneity =
        variant & 16 ? SPL_HETEROGENEITY_2003 : SPL_HETEROGENEITY_NONE;
    run->spec.excitatory = !(variant & 32);
    run->spec.init[0] = (spl_draw){
        .kind = SPL_DRAW_UNIFORM, .a = -70.0, .b = -50.0, .low = -70.0, .high = -50.0};
    population_receptor(run, "AMPA", SPL_KERNEL_EXPONENTIAL);
    population_receptor(run, "GABA_A", SPL_KERNEL_EXPONENTIAL)->E = -80.0;
    set_interface(run, SPL_DRIVE_POISSON);
    run->n_slots = 16;
    if (variant & 64) { /* nothing that keeps the fast kernels away */
        return;
    }
    population_receptor(run, "NMDA", SPL_KERNEL_DUAL)->block = SPL_BLOCK_JAHR_STEVENS;
    population_receptor(run, "slow", SPL_KERNEL_ALPHA)->block = SPL_BLOCK_IZHIKEVICH2008;
    population_receptor(run, "current", SPL_KERNEL_EXPONENTIAL)->effect =
        SPL_RECEPTOR_CURRENT;
    population_receptor(run, "delta", SPL_KERNEL_DELTA);
    population_receptor(run, "pulse", SPL_KERNEL_PULSE);
    run->spec.current = (spl_draw){
        .kind = SPL_DRAW_LOGNORMAL, .a = 1.0, .b = 0.5, .low = -INFINITY, .high = 20.0};
    *population_param(run, "p3") = (spl_draw){
        .kind = SPL_DRAW_NORMAL, .a = 140.0, .b = 1.0, .low = 138.0, .high = 142.0};
    run->spec.n_backgrounds = 5;
    for (size_t b = 0; b < 5; b++) {
        run->spec.backgrounds[b] = (spl_background){b + 2, 0.4, 0.05, b % 2 == 0};
    }
    run->spec.tau_ref = 1.0;
    run->spec.V_min = -90.0;
    run->spec.sigma_V = 1.0;
    run->spec.sigma_u = 0.1;
    static spl_current_step steps[] = {{3.0, 4.0}, {7.1, -2.0}, {9.0, 1.0}};
    run->spec.current_steps = steps;
    run->spec.n_current_steps = 3;
}

/* Run 60 steps in pieces; the state, the spikes in order, sums and events. */
typedef struct outcome {
    size_t bytes;
    void *state;
    size_t n_spikes;
    uint64_t hash, events;
    double sum_V;
} outcome;

static void hash_in(uint64_t *hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        *hash = (*hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    }
}

static outcome run_everything(unsigned variant, spl_target target, size_t piece,
    size_t n_steps, const outcome *from, uint64_t from_step)
{
    population_run run;
    outcome o = {0};
    define_everything(&run, variant);
    run.target = target;
    population_open(&run, piece);
    if (from != NULL) {
        spl_population_put_state(&run.population, from->state);
        run.substep = from_step * run.subnetwork.n_substeps;
    }
    for (size_t k = from_step; k < n_steps; k += piece) {
        double D[64];
        const size_t n = piece < n_steps - k ? piece : n_steps - k;
        for (size_t j = 0; j < n; j++) {
            D[j] = 0.3 + 0.2 * sin(0.3 * (double)(k + j));
        }
        population_advance(&run, n, D);
        o.n_spikes += run.n_spikes;
        o.events += run.events;
        o.sum_V = run.sum_V;
        /* independent of the order of blocks and pieces */
        for (size_t s = 0; s < run.n_spikes; s++) {
            uint64_t one = 1;
            hash_in(&one, &run.spike_substep[s], sizeof run.spike_substep[s]);
            hash_in(&one, &run.spike_neuron[s], sizeof run.spike_neuron[s]);
            hash_in(&one, &run.spike_fraction[s], sizeof run.spike_fraction[s]);
            o.hash += one;
        }
    }
    o.bytes = spl_population_state_bytes(&run.population);
    o.state = malloc(o.bytes);
    spl_population_copy_state(&run.population, o.state);
    population_close(&run);
    return o;
}

static void compare(
    const outcome *a, const outcome *b, const char *what, unsigned variant)
{
    ck_assert_msg(a->bytes == b->bytes && memcmp(a->state, b->state, a->bytes) == 0,
        "%s, variant %u: other states", what, variant);
    ck_assert_msg(a->n_spikes == b->n_spikes && a->hash == b->hash,
        "%s, variant %u: other spikes", what, variant);
    ck_assert_msg(a->events == b->events, "%s: other events", what);
    ck_assert_msg(
        memcmp(&a->sum_V, &b->sum_V, sizeof a->sum_V) == 0, "%s: other sum", what);
}

START_TEST(targets_and_pieces_give_the_same_bits)
{
    enum { STEPS = 50 };
    size_t n_spikes = 0;
    for (unsigned variant = 0; variant < 128; variant += 5) {
        if ((variant & 64) && (variant & 12)) {
            continue;
        }
        outcome scalar = run_everything(variant, SPL_TARGET_SCALAR, 64, STEPS, NULL, 0);
        n_spikes += scalar.n_spikes;
        for (int t = 1; t < SPL_N_TARGETS; t++) {
            if (spl_target_available((spl_target)t)) {
                outcome other =
                    run_everything(variant, (spl_target)t, 64, STEPS, NULL, 0);
                compare(&scalar, &other, spl_target_names[t], variant);
                free(other.state);
            }
        }
        outcome pieces = run_everything(variant, best_target(), 7, STEPS, NULL, 0);
        pieces.events = scalar.events; /* those of the last piece differ by its length */
        compare(&scalar, &pieces, "pieces", variant);
        outcome half = run_everything(variant, best_target(), 64, 21, NULL, 0);
        outcome rest = run_everything(variant, best_target(), 64, STEPS, &half, 21);
        ck_assert_msg(memcmp(rest.state, scalar.state, scalar.bytes) == 0,
            "continued, variant %u: other states", variant);
        ck_assert_uint_eq(half.n_spikes + rest.n_spikes, scalar.n_spikes);
        free(half.state);
        free(rest.state);
        free(pieces.state);
        free(scalar.state);
    }
    ck_assert_uint_gt(n_spikes, 10000);
}
END_TEST

/* The fast kernels and those for everything do the same; a lower bound that never acts
 * chooses the latter. */
START_TEST(fast_kernels_give_the_bits_of_the_general_ones)
{
    for (unsigned variant = 0; variant < 48; variant++) {
        outcome found[2];
        for (int general = 0; general < 2; general++) {
            population_run run;
            double D[40];
            define_everything(&run, variant | 64u);
            run.subnetwork.located = false;
            run.subnetwork.linearise_input = true;
            run.spec.V_min = general ? -1e6 : -INFINITY;
            if (variant & 4) { /* constants of every kind differ */
                *population_param(&run, "p2") = (spl_draw){.kind = SPL_DRAW_UNIFORM,
                    .a = 4.9,
                    .b = 5.1,
                    .low = 4.9,
                    .high = 5.1};
            }
            population_open(&run, 40);
            ck_assert(run.population.own->run.plain == !general);
            for (size_t j = 0; j < 40; j++) {
                D[j] = 0.5;
            }
            population_arrive(&run, 1, 5, 0.2);
            population_advance(&run, 40, D);
            found[general] = (outcome){.n_spikes = run.n_spikes,
                .events = run.events,
                .sum_V = run.sum_V,
                .bytes = spl_population_state_bytes(&run.population)};
            found[general].state = malloc(found[general].bytes);
            spl_population_copy_state(&run.population, found[general].state);
            population_close(&run);
        }
        compare(&found[0], &found[1], "general", variant);
        free(found[0].state);
        free(found[1].state);
    }
}
END_TEST

START_TEST(one_r_drives_two_parameters)
{
    for (int inhibitory = 0; inhibitory < 2; inhibitory++) {
        enum { NEURONS = 3000 };
        population_run run;
        population_define(&run, "izhikevich_ltc", NEURONS, 0.1);
        run.spec.heterogeneity = SPL_HETEROGENEITY_2003;
        run.spec.excitatory = inhibitory == 0;
        population_open(&run, 1);
        /* constants in the order of the model's table */
        const spl_neuron_constant *k = run.population.own->run.constant;
        enum { SHARE = 5, B = 6, RESET_V = 8, RESET_U = 9, A = 10 };
        double mean = 0.0;
        for (size_t i = 0; i < NEURONS; i++) {
            const double b = (double)k[B].value[i & k[B].mask];
            const double a = (double)k[A].value[i & k[A].mask];
            const double c = (double)k[RESET_V].value[i & k[RESET_V].mask];
            const double d = (double)k[RESET_U].value[i & k[RESET_U].mask];
            const double r = inhibitory ? (0.25 - b) / 0.05 : sqrt((c + 65.0) / 15.0);
            mean += r / NEURONS;
            ck_assert(r >= -1e-5 && r <= 1.0 + 1e-5);
            if (inhibitory) {
                ck_assert_double_le(fabs(a - 0.02 - 0.08 * r), 1e-5);
                ck_assert_double_eq(c, -65.0);
            } else {
                ck_assert_double_le(fabs(d - 8.0 + 6.0 * r * r), 2e-5);
                ck_assert_double_le(fabs(a - 0.02), 1e-8);
            }
        }
        ck_assert_double_le(fabs(mean - 0.5), 4.0 / sqrt(12.0 * NEURONS));
        /* what is the same for all is stored for one group only */
        ck_assert(k[1].mask == SPL_NEURON_GROUP - 1);
        ck_assert(k[RESET_V].mask == (inhibitory ? SPL_NEURON_GROUP - 1 : SIZE_MAX));
        population_close(&run);
    }
}
END_TEST

/* The neuron of 2007 and its conversion to the parameters of 2003. */
START_TEST(parameters_of_2007_run_on_the_same_path)
{
    population_run run[2];
    const double C = 100.0;
    population_define(&run[0], "izhikevich2007", 5, 0.1);
    population_define(&run[1], "izhikevich_ltc", 5, 0.1);
    population_settings(&run[1],
        "p1=0.007 p2=0.7 p3=16.8 V_th=35 a=0.03 b=-0.02 c=-50 d=1 V_r=-60 V=-60");
    run[0].spec.current.a = 70.0;
    run[1].spec.current.a = 70.0 / C;
    for (int k = 0; k < 2; k++) {
        population_receptor(&run[k], "AMPA", SPL_KERNEL_EXPONENTIAL);
        population_open(&run[k], 2000);
        population_arrive(&run[k], 0, 2, k == 0 ? 3.0 : 3.0 / C);
        population_advance(&run[k], 2000, NULL);
    }
    ck_assert_uint_ge(run[0].n_spikes, 5);
    ck_assert_uint_eq(run[0].n_spikes, run[1].n_spikes);
    for (size_t s = 0; s < run[0].n_spikes; s++) {
        ck_assert_uint_eq(run[0].spike_substep[s], run[1].spike_substep[s]);
    }
    for (size_t i = 0; i < 5; i++) {
        ck_assert_double_le(
            fabs((double)(run[0].population.state[0][i] - run[1].population.state[0][i])),
            tolerance(1e-9, 0.05));
    }
    ck_assert_double_ne(
        (double)run[0].population.state[0][2], (double)run[0].population.state[0][1]);
    population_close(&run[0]);
    population_close(&run[1]);
}
END_TEST

START_TEST(bad_values_are_refused)
{
    population_run run;
    const double D = NAN;
    const double large = 1e6;
    population_define(&run, "izhikevich2007", 200, 0.1);
    *population_param(&run, "C") = (spl_draw){.kind = SPL_DRAW_UNIFORM,
        .a = -50.0,
        .b = 100.0,
        .low = -INFINITY,
        .high = INFINITY};
    ck_assert_int_eq(population_try_open(&run, 1), SPL_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "C of neuron"));
    population_close(&run);

    population_define(&run, "izhikevich_ltc", 200, 0.1);
    population_receptor(&run, "AMPA", SPL_KERNEL_EXPONENTIAL);
    run.spec.n_backgrounds = 1;
    run.spec.backgrounds[0] = (spl_background){0, 1e5, 0.1, true};
    ck_assert_int_eq(population_try_open(&run, 1), SPL_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "background 0"));
    population_close(&run);

    run.spec.n_backgrounds = 0;
    set_interface(&run, SPL_DRIVE_POISSON);
    run.arena = (spl_arena){0};
    population_open(&run, 1);
    ck_assert_int_eq(
        spl_population_set_drive(&run.population, 0, 1, &D), SPL_ERR_DIVERGED);
    ck_assert_int_eq(
        spl_population_set_drive(&run.population, 0, 1, &large), SPL_ERR_LIMIT);
    size_t neuron;
    ck_assert(!spl_population_diverged(&run.population, &neuron));
    run.population.state[0][17] = NAN;
    ck_assert(spl_population_diverged(&run.population, &neuron) && neuron == 17);
    population_close(&run);
}
END_TEST

START_TEST(recorded_values_are_those_of_the_step)
{
    static uint32_t recorded[] = {3, 1023, 1024, 1399};
    population_run run;
    float rows[2 * 9 * 4];
    spl_block_sums sums[2] = {{0}};
    static uint32_t neuron[4 * SPL_NEURON_BLOCK];
    uint32_t end[4];
    define_everything(&run, 0);
    run.spec.n_recorded = 4;
    run.spec.recorded = recorded;
    population_open(&run, 2);
    population_arrive(&run, 0, 1024, 0.3);
    ck_assert_int_eq(spl_population_set_drive(&run.population, 0, 2, NULL), SPL_OK);
    for (size_t block = 0; block < 2; block++) {
        spl_block_output out = {{neuron, NULL, end}, sums, rows};
        spl_population_advance_block(&run.population, block, 0, 4, &out);
    }
    for (size_t k = 0; k < 4; k++) {
        const float *row = rows + 9 * 4;
        ck_assert(row[k] == (float)run.population.state[0][recorded[k]]);
        ck_assert(row[4 + k] == (float)run.population.state[1][recorded[k]]);
        for (size_t r = 0; r < 7; r++) {
            const float g = r < 5 ? (float)g_of(&run, r, recorded[k]) : 0.0f;
            ck_assert(row[(2 + r) * 4 + k] == g);
        }
    }
    population_close(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_population");
    TCase *population = tcase_create("population");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(population, 60);
    tcase_add_test(population, arrivals_are_added_decay_and_act);
    tcase_add_test(population, pulses_and_jumps_act_once);
    tcase_add_test(population, lower_bound_and_refractory_time_hold_V);
    tcase_add_test(population, located_crossings_of_a_line_are_exact);
    tcase_add_test(lengthy, random_events_have_the_mean_of_their_rate);
    tcase_add_test(population, deterministic_drive_is_the_mean);
    tcase_add_test(population, current_drive_is_worth_the_conductance_at_V_ref);
    tcase_add_test(population, events_follow_the_drive);
    tcase_add_test(lengthy, relays_fire_at_the_rate_of_the_node);
    tcase_add_test(population, white_noise_has_its_variance);
    tcase_add_test(lengthy, targets_and_pieces_give_the_same_bits);
    tcase_add_test(lengthy, fast_kernels_give_the_bits_of_the_general_ones);
    tcase_add_test(lengthy, one_r_drives_two_parameters);
    tcase_add_test(population, parameters_of_2007_run_on_the_same_path);
    tcase_add_test(population, bad_values_are_refused);
    tcase_add_test(population, recorded_values_are_those_of_the_step);
    suite_add_tcase(suite, population);
    return suite;
}
