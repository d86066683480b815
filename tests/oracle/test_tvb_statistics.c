/* Statistics of 20 s of noisy network activity, five seeds of ours against three runs of
 * stock TVB: means, variances, spectrum, histogram, functional connectivity. 76 nodes,
 * stochastic Heun at 0.2 ms, noise on V; the first 2 s are dropped. */
#include "support/network_run.h"
#include "support/spectrum.h"
#include "support/stored.h"

enum {
    N = 76,
    N_STATES = 3,
    SEEDS = 5,
    STORED_SEEDS = 3,
    STEPS = 100000,
    DROPPED = 10000,
    WINDOW = 10, /* steps of 0.2 ms in a 2-ms mean */
    SAMPLES = STEPS / WINDOW,
    SEGMENT = 1024,
    BINS = 140
};

/* Averages over seeds. */
typedef struct statistics {
    double mean[N], variance[N]; /* of V */
    double density[SEGMENT / 2 + 1];
    double histogram[BINS];
    double fc[N * N];
} statistics;

/* Sums over every step, and 2-ms means. */
typedef struct recorder {
    double sum[N], square[N];
    uint64_t n_steps;
    double window[N];
    double *samples; /* [SAMPLES][N] */
} recorder;

static bool take_block(void *user, const spl_samples *block)
{
    recorder *r = user;
    for (size_t step = 0; step < block->n_steps; step++) {
        const double *v = block->values + step * block->n_variables * block->stride;
        double *sample = r->samples + r->n_steps / WINDOW * N;
        for (size_t i = 0; i < N; i++) {
            r->sum[i] += v[i];
            r->square[i] += v[i] * v[i];
            sample[i] += v[i] / WINDOW;
        }
        r->n_steps++;
    }
    return true;
}

static void run_seed(recorder *r, const spl_connectome *connectome, const double *start,
    const char *speed, size_t seed)
{
    network_run run;
    spl_divergence divergence;
    const spl_block_hooks hooks = {.user = r, .finish = take_block};
    network_settle(&run, connectome,
        "model: {preset: alstott2009}\nconnectome: {speed: %s}\n"
        "coupling: {function: tvb_tanh, normalise: none, a: 0.5, sigma: 0.65}\n"
        "simulation: {dt: 0.2, coupling_stages: frozen, threads: 1, seed: %zu}\n"
        "noise: {nsig: {V: 1.0e-4}}",
        speed, seed);
    network_start_at(&run, start);
    network_assemble(&run, connectome);
    network_advance(&run, DROPPED);
    spl_network_advance(&run.network, STEPS, &hooks, &divergence);
    ck_assert_uint_eq(r->n_steps, STEPS);
    network_close(&run);
}

/* Pearson's correlation of the samples of all pairs of nodes. */
static void add_correlations(double *fc, const double *samples)
{
    static double z[N][SAMPLES];
    for (size_t i = 0; i < N; i++) {
        double mean = 0.0;
        double square = 0.0;
        for (size_t k = 0; k < SAMPLES; k++) {
            mean += samples[k * N + i] / SAMPLES;
        }
        for (size_t k = 0; k < SAMPLES; k++) {
            z[i][k] = samples[k * N + i] - mean;
            square += z[i][k] * z[i][k];
        }
        for (size_t k = 0; k < SAMPLES; k++) {
            z[i][k] /= sqrt(square);
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < SAMPLES; k++) {
                sum += z[i][k] * z[j][k];
            }
            fc[i * N + j] += sum;
        }
    }
}

static void add_seed(statistics *s, const recorder *r, const double *edges)
{
    const double width = edges[1] - edges[0];
    for (size_t i = 0; i < N; i++) {
        const double mean = r->sum[i] / STEPS;
        s->mean[i] += mean / SEEDS;
        s->variance[i] += (r->square[i] / STEPS - mean * mean) / SEEDS;
        add_welch(s->density, r->samples + i, SAMPLES, N, 500.0, SEGMENT);
    }
    for (size_t k = 0; k < (size_t)SAMPLES * N; k++) {
        const double bin = floor((r->samples[k] - edges[0]) / width);
        if (bin >= 0.0 && bin < BINS) {
            s->histogram[(size_t)bin] += 1.0 / (width * SAMPLES * N * SEEDS);
        }
    }
    add_correlations(s->fc, r->samples);
}

/* Average over the stored seeds; the caller frees it. */
static double *stored_mean(hid_t file, const char *group, const char *name, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", group, name);
    double *values = read_stored(file, path, STORED_SEEDS * size);
    for (size_t k = 0; k < size; k++) {
        values[k] = (values[k] + values[size + k] + values[2 * size + k]) / STORED_SEEDS;
    }
    return values;
}

static double mean_of(const double *x, size_t n)
{
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += x[i] / (double)n;
    }
    return mean;
}

static void check_moments(hid_t file, const char *group, const statistics *s)
{
    double *mean = stored_mean(file, group, "mean", (size_t)N_STATES * N);
    double *variance = stored_mean(file, group, "var", (size_t)N_STATES * N);
    double worst_mean = 0.0;
    double worst_variance = 0.0;
    for (size_t i = 0; i < N; i++) {
        worst_mean = fmax(worst_mean, fabs(s->mean[i] - mean[i]));
        worst_variance = fmax(worst_variance, fabs(s->variance[i] / variance[i] - 1.0));
    }
    fprintf(stderr,
        "# %s: mean V %.4f (TVB %.4f), worst node off by %.1e; variance %.5f (%.5f), "
        "worst node off by %.1f %%\n",
        group, mean_of(s->mean, N), mean_of(mean, N), worst_mean, mean_of(s->variance, N),
        mean_of(variance, N), 100.0 * worst_variance);
    ck_assert_double_eq_tol(mean_of(s->mean, N), mean_of(mean, N), 1e-3);
    ck_assert_double_le(worst_mean, 5e-3);
    ck_assert_double_eq_tol(
        mean_of(s->variance, N), mean_of(variance, N), 0.02 * mean_of(variance, N));
    ck_assert_double_le(worst_variance, 0.1);
    free(mean);
    free(variance);
}

static void check_spectrum(hid_t file, const char *group, const statistics *s)
{
    double *psd = stored_mean(file, group, "psd", (size_t)(SEGMENT / 2 + 1) * N);
    double *histogram = stored_mean(file, group, "hist", BINS);
    double expected[SEGMENT / 2 + 1];
    double distance = 0.0;
    for (size_t f = 0; f <= SEGMENT / 2; f++) {
        expected[f] = mean_of(psd + f * N, N);
    }
    char path[64];
    snprintf(path, sizeof path, "%s/hist_edges", group);
    double *edges = read_stored(file, path, BINS + 1);
    for (size_t k = 0; k < BINS; k++) {
        distance += fabs(s->histogram[k] - histogram[k]) * (edges[k + 1] - edges[k]);
    }
    const double found = peak_frequency(s->density, 500.0, SEGMENT);
    const double known = peak_frequency(expected, 500.0, SEGMENT);
    fprintf(stderr, "# %s: peak %.1f Hz (TVB %.1f), histograms differ by %.4f\n", group,
        found, known, distance);
    ck_assert_double_eq_tol(found, known, 2.0);
    ck_assert_double_lt(distance, 0.02);
    free(psd);
    free(histogram);
    free(edges);
}

/* At 3 mm/ms the correlations are noise. */
static void check_connectivity(hid_t file, const char *group, const statistics *s)
{
    double *fc = stored_mean(file, group, "fc", (size_t)N * N);
    double n = 0.0;
    double sums[5] = {0.0};
    double square = 0.0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < i; j++) {
            const double x = s->fc[i * N + j] / SEEDS;
            const double y = fc[i * N + j];
            n += 1.0;
            sums[0] += x;
            sums[1] += y;
            sums[2] += x * x;
            sums[3] += y * y;
            sums[4] += x * y;
            square += (x - y) * (x - y);
        }
    }
    const double r =
        (n * sums[4] - sums[0] * sums[1]) /
        sqrt((n * sums[2] - sums[0] * sums[0]) * (n * sums[3] - sums[1] * sums[1]));
    fprintf(stderr, "# %s: FC mean %.3f (TVB %.3f), correlation %.4f, rms %.4f\n", group,
        sums[0] / n, sums[1] / n, r, sqrt(square / n));
    ck_assert_double_gt(r, 0.985);
    ck_assert_double_lt(sqrt(square / n), 0.03);
    free(fc);
}

START_TEST(five_seeds)
{
    static const char *const groups[] = {"s3", "sinf"};
    static const char *const speeds[] = {"3", "inf"};
    static statistics s;
    const char *group = groups[_i];
    hid_t common = open_stored("tvb_common.h5");
    hid_t file = open_stored("tvb_stoch_stats.h5");
    if (common < 0 || file < 0) {
        return;
    }
    char path[64];
    snprintf(path, sizeof path, "%s/hist_edges", group);
    double *weights = read_stored(common, "weights", (size_t)N * N);
    double *lengths = read_stored(common, "tract_lengths", (size_t)N * N);
    double *start = read_stored(common, "ic", (size_t)N_STATES * N);
    double *edges = read_stored(file, path, BINS + 1);
    spl_connectome *connectome = make_connectome(N, weights, lengths);
    for (size_t seed = 1; seed <= SEEDS; seed++) {
        recorder *r = calloc(1, sizeof *r);
        r->samples = calloc((size_t)SAMPLES * N, sizeof *r->samples);
        run_seed(r, connectome, start, speeds[_i], seed);
        add_seed(&s, r, edges);
        free(r->samples);
        free(r);
    }
    check_moments(file, group, &s);
    check_spectrum(file, group, &s);
    if (_i == 1) {
        check_connectivity(file, group, &s);
    }
    spl_connectome_free(connectome);
    free(weights);
    free(lengths);
    free(start);
    free(edges);
    H5Fclose(common);
    H5Fclose(file);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("tvb_statistics");
    TCase *runs = tcase_create("runs");
    tcase_set_timeout(runs, 300);
    tcase_add_loop_test(runs, five_seeds, 0, 2);
    suite_add_tcase(suite, runs);
    return suite;
}
