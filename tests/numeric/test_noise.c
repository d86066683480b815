/* Noise: strength, moments and correlation of every kind against exact formulas of the
 * discrete equations and of their limit, and independence from dt, threads and blocks.
 * Seeds are fixed, so the statistical bounds of five standard errors hold for ever. */
#include "support/network_run.h"

/* Samples of an ensemble: nodes times seeds. */
enum { NODES = 512, SEEDS = 40, N = NODES * SEEDS };

/* Independent nodes of the linear model, dx = gamma x dt + noise. */
static void assemble_nodes(network_run *run, spl_connectome **connectome, size_t n,
    const char *gamma, const char *start, const char *scheme, double dt,
    const char *noise)
{
    *connectome = make_connectome(n, NULL, NULL);
    network_settle(run, *connectome,
        "model: {name: linear, gamma: %s, init: {x: %s}}\n"
        "simulation: {integrator: %s, dt: %.17g, divergence_limit: inf}\nnoise: %s",
        gamma, start, scheme, dt, noise);
    network_assemble(run, *connectome);
}

/* States of independent runs after some steps: x [SEEDS][NODES]. */
static void run_ensemble(network_run *run, uint64_t n_steps, double *x)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run->network.seed = seed;
        spl_network_reset(&run->network, &run->settings);
        network_advance(run, n_steps);
        network_copy_states(run, x + seed * NODES);
    }
}

typedef struct moments {
    double mean, variance;
} moments;

static moments moments_of(const double *x, size_t n)
{
    moments m = {0};
    for (size_t i = 0; i < n; i++) {
        m.mean += x[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        m.variance += (x[i] - m.mean) * (x[i] - m.mean) / (double)(n - 1);
    }
    return m;
}

/* Five standard errors of the mean and of the variance of n normal numbers. */
static void check_moments(
    const char *what, moments found, double mean, double variance, size_t n)
{
    const double mean_error = 5.0 * sqrt(variance / (double)n);
    const double variance_error = 5.0 * variance * sqrt(2.0 / (double)(n - 1));
    fprintf(stderr, "# %-36s mean %+.5f (%+.5f +- %.5f), variance %.6f (%.6f +- %.6f)\n",
        what, found.mean, mean, mean_error, found.variance, variance, variance_error);
    ck_assert_msg(fabs(found.mean - mean) <= mean_error, "%s: mean %g, expected %g", what,
        found.mean, mean);
    ck_assert_msg(fabs(found.variance - variance) <= variance_error,
        "%s: variance %g, expected %g", what, found.variance, variance);
}

/* x' = x + g sqrt(dt) N: the increment is that and nothing else; nsig is D of
 * g = sqrt(2 D). */
START_TEST(additive_strength)
{
    static const double dts[] = {0.1, 0.4, 0.025};
    for (size_t k = 0; k < 3 * SPL_N_SCHEMES; k++) {
        for (size_t nsig = 0; nsig < 2; nsig++) {
            static double normals[64];
            network_run run;
            spl_connectome *connectome;
            double x[64];
            const double dt = dts[k % 3];
            assemble_nodes(&run, &connectome, 64, "0", "0", spl_schemes[k / 3].name, dt,
                nsig == 1 ? "{nsig: 0.08}" : "{sigma: 0.4}");
            for (size_t i = 0; i < 64; i++) {
                normals[i] = sin((double)(i + k));
            }
            run.network.given_normals = normals;
            run.network.n_given = 1;
            network_advance(&run, 1);
            network_copy_states(&run, x);
            for (size_t i = 0; i < 64; i++) {
                ck_assert_double_eq_tol(x[i], 0.4 * sqrt(dt) * normals[i], 1e-16);
            }
            network_close(&run);
            spl_connectome_free(connectome);
        }
    }
}
END_TEST

/* What one step does to dx = gamma x dt + g dW: x' = growth x + g kick dW. */
static void linear_step(
    const spl_scheme *scheme, double gamma, double dt, double *growth, double *kick)
{
    const double z = gamma * dt;
    static const double order2 = 0.5;
    *kick = 1.0;
    *growth = scheme->exponential ? exp(z) : 1.0 + z;
    if (scheme->order >= 2) {
        *growth += order2 * z * z;
    }
    if (scheme->order == 4) {
        *growth += z * z * z / 6.0 + z * z * z * z / 24.0;
    }
    if (scheme->noise_in_stages) {
        *kick = 1.0 + 0.5 * z;
    }
}

/* Variance at T = 10 ms: the discrete formula closely, the limit g^2 (1 - exp(2 gamma T))
 * / (-2 gamma) up to what dt = 0.05 leaves, whatever dt. */
START_TEST(variance_of_a_linear_sde)
{
    static const double dts[] = {0.4, 0.1, 0.05};
    static const double gamma = -0.1;
    static const double g = 0.5;
    static const double limit = 0.25 / 0.2 * (1.0 - 0.1353352832366127); /* exp(-2) */
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        for (size_t d = 0; d < 3; d++) {
            network_run run;
            spl_connectome *connectome;
            static double x[N];
            double growth;
            double kick;
            char what[64];
            const uint64_t n_steps = (uint64_t)rint(10.0 / dts[d]);
            linear_step(&spl_schemes[k], gamma, dts[d], &growth, &kick);
            const double decay = pow(growth, (double)n_steps);
            const double variance = g * g * dts[d] * kick * kick * (1.0 - decay * decay) /
                                    (1.0 - growth * growth);
            assemble_nodes(&run, &connectome, NODES, "-0.1", "2", spl_schemes[k].name,
                dts[d], "{sigma: 0.5}");
            run_ensemble(&run, n_steps, x);
            snprintf(
                what, sizeof what, "linear SDE, %s, dt %g", spl_schemes[k].name, dts[d]);
            check_moments(what, moments_of(x, N), 2.0 * decay, variance, N);
            ck_assert_double_eq_tol(variance, limit, 0.06 * limit * dts[d] / 0.4);
            network_close(&run);
            spl_connectome_free(connectome);
        }
    }
}
END_TEST

/* Stationary dx = gamma x dt + g dW: correlation growth^k at lag k. */
START_TEST(correlation_of_a_linear_sde)
{
    enum { LAGS = 4, STEP = 10 };
    network_run run;
    spl_connectome *connectome;
    static double x[LAGS + 1][N];
    double growth;
    double kick;
    linear_step(&spl_schemes[SPL_SCHEME_HEUN], -0.1, 0.2, &growth, &kick);
    const double variance = 0.25 * 0.2 * kick * kick / (1.0 - growth * growth);
    assemble_nodes(&run, &connectome, NODES, "-0.1", "0", "heun", 0.2, "{sigma: 0.5}");
    for (uint64_t lag = 0; lag <= LAGS; lag++) {
        run_ensemble(&run, 500 + lag * STEP, x[lag]);
    }
    check_moments("stationary", moments_of(x[0], N), 0.0, variance, N);
    for (int lag = 1; lag <= LAGS; lag++) {
        double product = 0.0;
        for (size_t i = 0; i < N; i++) {
            product += x[0][i] * x[lag][i] / N;
        }
        const double expected = pow(growth, lag * STEP);
        ck_assert_double_eq_tol(
            product / variance, expected, 5.0 * sqrt((1.0 + expected * expected) / N));
    }
    network_close(&run);
    spl_connectome_free(connectome);
}
END_TEST

/* With gamma = 0 and Euler a step adds dt eta: the process itself, [N_ETA][N]. */
enum { N_ETA = 41 };

static void sample_process(double dt, double *eta)
{
    network_run run;
    spl_connectome *connectome;
    assemble_nodes(&run, &connectome, NODES, "0", "0", "euler", dt,
        "{kind: ou, tau: 4, mean: 0.3, sigma: 0.7}");
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run.network.seed = seed;
        spl_network_reset(&run.network, &run.settings);
        double *x = network_trajectory(&run, N_ETA);
        for (size_t k = 0; k < N_ETA; k++) {
            for (size_t i = 0; i < NODES; i++) {
                eta[k * N + seed * NODES + i] =
                    (x[(k + 1) * NODES + i] - x[k * NODES + i]) / dt;
            }
        }
        free(x);
    }
    network_close(&run);
    spl_connectome_free(connectome);
}

/* Exact in law for any dt, stationary from the first step on. */
START_TEST(ornstein_uhlenbeck_process)
{
    static const double dts[] = {0.1, 2.0};
    static const double mean = 0.3;
    static const double sd = 0.7;
    static const double tau = 4.0;
    static double eta[N_ETA * N];
    for (size_t d = 0; d < 2; d++) {
        sample_process(dts[d], eta);
        for (size_t k = 0; k < N_ETA; k += 20) {
            char what[64];
            snprintf(what, sizeof what, "OU, dt %g, step %zu", dts[d], k);
            check_moments(what, moments_of(eta + k * N, N), mean, sd * sd, N);
        }
        for (size_t lag = 1; lag < N_ETA; lag += 13) {
            double product = 0.0;
            for (size_t i = 0; i < N; i++) {
                product += (eta[i] - mean) * (eta[lag * N + i] - mean) / N;
            }
            const double expected = exp(-(double)lag * dts[d] / tau);
            ck_assert_double_eq_tol(product / (sd * sd), expected,
                5.0 * sqrt((1.0 + expected * expected) / N));
        }
    }
}
END_TEST

/* dx = gamma x dt + g x dW in Ito's sense: the mean is exp(gamma T), not
 * exp((gamma + g^2 / 2) T) as in Stratonovich's; second moment
 * (growth^2 + g^2 kick^2 dt)^n. */
START_TEST(multiplicative_noise_is_itos)
{
    static const double g = 0.3;
    static const double dt = 0.05;
    static const uint64_t n_steps = 100; /* T = 5 ms */
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        network_run run;
        spl_connectome *connectome;
        static double x[N];
        double growth;
        double kick;
        linear_step(&spl_schemes[k], -0.1, dt, &growth, &kick);
        assemble_nodes(&run, &connectome, NODES, "-0.1", "1", spl_schemes[k].name, dt,
            "{kind: multiplicative, sigma: 0.3, a: 1, b: 0}");
        run_ensemble(&run, n_steps, x);
        const moments found = moments_of(x, N);
        const double mean = pow(growth, (double)n_steps);
        const double second =
            pow(growth * growth + g * g * kick * kick * dt, (double)n_steps);
        const double sd = sqrt(second - mean * mean);
        /* log-normal: the fourth moment sets the error of the variance */
        const double ratio = exp(g * g * 5.0);
        const double kurtosis = pow(ratio, 4) + 2 * pow(ratio, 3) + 3 * pow(ratio, 2) - 3;
        fprintf(stderr, "# multiplicative, %-9s mean %.5f (%.5f), sd %.5f (%.5f)\n",
            spl_schemes[k].name, found.mean, mean, sqrt(found.variance), sd);
        ck_assert_double_eq_tol(found.mean, mean, 5.0 * sd / sqrt(N));
        ck_assert_double_eq_tol(
            found.variance, sd * sd, 5.0 * sd * sd * sqrt((kurtosis - 1.0) / N));
        ck_assert_double_gt(exp((g * g / 2.0 - 0.1) * 5.0) - mean, 10.0 * sd / sqrt(N));
        network_close(&run);
        spl_connectome_free(connectome);
    }
}
END_TEST

/* One Brownian path seen at dt, dt / 2, ...: x(T) converges, with order 1 for Euler and
 * Heun under additive noise. Larter-Breakspear in its fixed point, noise on V. */
START_TEST(refinement_of_one_path)
{
    enum { LEVELS = 5, COARSE = 100, FINE = COARSE << (LEVELS - 1) };
    enum { FEW = 16, WIDTH = 3 * FEW };
    static double path[FINE * WIDTH];
    double x[LEVELS][WIDTH];
    double before = NAN;
    for (size_t k = 0; k < FINE * WIDTH; k++) { /* unit variance, odd in law */
        path[k] = sqrt(2.0) * sin(12.9898 * (double)k + 1e-3 * (double)k * (double)k);
    }
    for (size_t scheme = 0; scheme < 2; scheme++) {
        for (int level = LEVELS - 1; level >= 0; level--) {
            const size_t merged = (size_t)1 << (LEVELS - 1 - level);
            const size_t n_steps = FINE / merged;
            double *normals = calloc(n_steps * WIDTH, sizeof *normals);
            network_run run;
            spl_connectome *connectome = make_connectome(FEW, NULL, NULL);
            for (size_t k = 0; k < FINE * WIDTH; k++) {
                normals[k / WIDTH / merged * WIDTH + k % WIDTH] +=
                    path[k] / sqrt((double)merged);
            }
            network_settle(&run, connectome,
                "model: {d_V: 0.5, init: zero}\nnoise: {sigma: 0.01}\n"
                "simulation: {integrator: %s, dt: %.17g}",
                spl_schemes[scheme].name, ldexp(0.2, -level));
            network_assemble(&run, connectome);
            run.network.given_normals = normals;
            run.network.n_given = n_steps;
            network_advance(&run, n_steps);
            network_copy_states(&run, x[level]);
            network_close(&run);
            spl_connectome_free(connectome);
            free(normals);
        }
        for (int level = 0; level + 1 < LEVELS; level++) {
            double difference = 0.0;
            for (size_t i = 0; i < WIDTH; i++) {
                difference += fabs(x[level][i] - x[level + 1][i]) / WIDTH;
            }
            fprintf(stderr, "# one path, %s: dt %g and half differ by %.2e\n",
                spl_schemes[scheme].name, ldexp(0.2, -level), difference);
            ck_assert(level == 0 || difference < 0.65 * before);
            before = difference;
        }
    }
}
END_TEST

/* States of noisy nodes after some steps, for ways to run them that must not matter. */
static void run_quietly_coupled(
    const char *engine, int threads, const char *delay, const char *noise, double *out)
{
    enum { RING = 70 };
    double weights[RING * RING] = {0.0};
    network_run run;
    for (size_t i = 0; i < RING; i++) {
        weights[i * RING + (i + 1) % RING] = 1.0;
    }
    spl_connectome *connectome = make_connectome(RING, weights, NULL);
    network_settle(&run, connectome,
        "simulation: {engine: %s, threads: %d, seed: 7}\nconnectome: {delay: %s}\n"
        "coupling: {function: mean_rate, a: 0}\nmodel: {init: zero}\nnoise: %s",
        engine, threads, delay, noise);
    network_assemble(&run, connectome);
    network_advance(&run, 37);
    network_advance(&run, 1);
    network_advance(&run, 60);
    network_copy_states(&run, out);
    network_close(&run);
    spl_connectome_free(connectome);
}

/* The coupling is switched off, so that the delays set the length of the blocks alone. */
START_TEST(noise_depends_on_neither_threads_nor_blocks)
{
    static const char *const noises[] = {"{sigma: {V: 0.01, W: 0.01, Z: 0.01}}",
        "{kind: multiplicative, sigma: {V: 0.1}}", "{kind: ou, sigma: {V: 0.1, Z: 0.1}}"};
    static const char *const delays[] = {"0", "0.1 ms", "0.3 ms", "0.7 ms", "5 ms"};
    enum { WIDTH = 3 * 70 };
    for (size_t k = 0; k < 3; k++) {
        double first[WIDTH];
        double other[WIDTH];
        run_quietly_coupled("reference", 1, "5 ms", noises[k], first);
        ck_assert(first[0] != first[1]);
        for (size_t d = 0; d < 5; d++) {
            /* more threads than cores wait long for each other: once is enough */
            for (int threads = 1; threads <= (d == 4 ? 4 : 2); threads++) {
                run_quietly_coupled("production", threads, delays[d], noises[k], other);
                ck_assert_msg(memcmp(first, other, sizeof first) == 0,
                    "%s: %d threads, delay %s", noises[k], threads, delays[d]);
            }
        }
    }
}
END_TEST

/* Neighbouring nodes, states, steps and seeds are independent: correlations of 512 nodes
 * within five standard errors. t_scale = 0 leaves nothing but the noise. */
START_TEST(noises_are_independent)
{
    network_run run;
    spl_connectome *connectome = make_connectome(NODES, NULL, NULL);
    double first[2][3 * NODES];
    double second[3 * NODES];
    double product[5] = {0.0};
    for (size_t k = 0; k < 2; k++) {
        network_settle(&run, connectome,
            "simulation: {integrator: euler, dt: 1, seed: %zu}\n"
            "model: {t_scale: 0, init: zero}\nnoise: {sigma: {V: 1, W: 1, Z: 1}}",
            k);
        network_assemble(&run, connectome);
        network_advance(&run, 1);
        network_copy_states(&run, first[k]);
        network_advance(&run, 1);
        network_copy_states(&run, second);
        network_close(&run);
    }
    for (size_t i = 0; i < NODES; i++) {
        product[0] += first[0][i] * first[0][(i + 1) % NODES];
        product[1] += first[0][i] * first[0][NODES + i];
        product[2] += first[0][NODES + i] * first[0][2 * NODES + i];
        product[3] += first[0][i] * first[1][i];
        product[4] += (second[i] - first[1][i]) * first[1][i];
    }
    for (size_t k = 0; k < 5; k++) {
        ck_assert_double_le(fabs(product[k] / NODES), 5.0 / sqrt(NODES));
    }
    spl_connectome_free(connectome);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("noise");
    TCase *noise = tcase_create("noise");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(noise, 60);
    tcase_add_test(noise, additive_strength);
    tcase_add_test(lengthy, variance_of_a_linear_sde);
    tcase_add_test(lengthy, correlation_of_a_linear_sde);
    tcase_add_test(noise, ornstein_uhlenbeck_process);
    tcase_add_test(lengthy, multiplicative_noise_is_itos);
    tcase_add_test(noise, refinement_of_one_path);
    tcase_add_test(noise, noise_depends_on_neither_threads_nor_blocks);
    tcase_add_test(noise, noises_are_independent);
    suite_add_tcase(suite, noise);
    return suite;
}
