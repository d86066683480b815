/* A run that is stopped anywhere and goes on anyhow ends with the same file. Random
 * networks and settings; other threads, blocks and targets behind every stop. */
#include <math.h>
#include <sys/stat.h>

#include "output/checkpoint.h"
#include "simd/dispatch.h"
#include "splenium/splenium.h"
#include "support/random.h"
#include "support/test_main.h"
#include "unit/output/folder.h"

#if defined(SPL_SANITIZED)
enum { N_CASES = 12 };
#else
enum { N_CASES = 24 };
#endif
enum { MAX_NODES = 24, MAX_KEYS = 24, MAX_TEXT = 768 };

/* Settings of a case, the same before and after. */
typedef struct {
    size_t n_keys;
    char key[MAX_KEYS][32];
    char value[MAX_KEYS][MAX_TEXT];
    spl_connectome *connectome;
    size_t n_steps;
} random_case;

static void put(random_case *c, const char *key, const char *value)
{
    ck_assert_uint_lt(c->n_keys, MAX_KEYS);
    snprintf(c->key[c->n_keys], sizeof c->key[0], "%s", key);
    snprintf(c->value[c->n_keys++], sizeof c->value[0], "%s", value);
}

static void put_one_of(random_case *c, uint64_t *seed, const char *key,
    const char *const *values, size_t n_values)
{
    put(c, key, values[random_whole(seed, 0, n_values - 1)]);
}
#define PUT_ONE_OF(c, seed, key, ...)                            \
    put_one_of(c, seed, key, (const char *const[]){__VA_ARGS__}, \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Delays from half a step to some ten steps; an edge without delay now and then. */
static void make_connectome(random_case *c, uint64_t *seed)
{
    static double weights[MAX_NODES * MAX_NODES];
    static double lengths[MAX_NODES * MAX_NODES];
    const size_t n = random_whole(seed, 1, MAX_NODES);
    const double longest = random_uniform(seed, 1.0, 30.0);
    const double density = random_uniform(seed, 0.1, 1.0);
    const bool undelayed = random_whole(seed, 0, 2) == 0;
    for (size_t i = 0; i < n * n; i++) {
        const bool edge = random_uniform(seed, 0.0, 1.0) < density;
        weights[i] = edge && i % (n + 1) != 0 ? random_uniform(seed, 0.1, 2.0) : 0.0;
        lengths[i] = random_uniform(seed, undelayed ? 0.0 : 1.0, longest);
    }
    const spl_connectome_arrays arrays = {
        .n_nodes = n, .weights = weights, .tract_lengths = lengths};
    const spl_connectome_options options = {
        .triangular = SPL_TRIANGULAR_ACCEPT, .zero_length = SPL_ZERO_LENGTH_ACCEPT};
    ck_assert_msg(spl_connectome_create(&c->connectome, &arrays, &options) == SPL_OK,
        "%s", spl_last_error());
}

static void make_monitors(random_case *c, uint64_t *seed)
{
    static const char *const more[] = {
        "{kind: raw, variables: [V, W, Z, Q, c], dtype: f8}",
        "{name: every, kind: raw, variables: [V, Z]}",
        "{name: again, kind: raw, variables: [V]}",
        "{kind: temporal_average, period: %d ms, variables: [V, Z]}",
        "{kind: global_average, period: %d ms, dtype: f8}",
        "{kind: afferent_coupling, variables: [c]}",
        "{kind: bold, period: %d ms, kernel: Gamma}",
        ("{name: tvb, kind: bold, period: %d ms, arithmetic: tvb, "
         "kernel: MixtureOfGammas}"),
        "{kind: balloon, period: %d ms, dtype: f8}",
    };
    char list[MAX_TEXT] = "[{name: clock, kind: subsample, period: 0.5}";
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        if (random_whole(seed, 0, 1) == 1) {
            const size_t used = strlen(list);
            char one[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(one, sizeof one, more[i], (int)random_whole(seed, 1, 60) * 4);
#pragma GCC diagnostic pop
            snprintf(list + used, sizeof list - used, ", %s", one);
        }
    }
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "]");
    put(c, "monitors", list);
}

static void make_case(random_case *c, uint64_t *seed)
{
    char duration[32];
    *c = (random_case){.n_steps = random_whole(seed, 1000, 4000)};
    make_connectome(c, seed);
    snprintf(duration, sizeof duration, "%.1f", (double)c->n_steps * 0.5);
    put(c, "simulation.dt", "0.5");
    put(c, "simulation.duration", duration);
    PUT_ONE_OF(c, seed, "simulation.transient", "0", "37.5");
    PUT_ONE_OF(c, seed, "simulation.integrator", "euler", "heun", "rk4", "exp_euler");
    PUT_ONE_OF(c, seed, "simulation.coupling_stages", "per-stage", "frozen");
    PUT_ONE_OF(c, seed, "simulation.precision", "double", "single");
    PUT_ONE_OF(c, seed, "simulation.engine", "production", "production", "production",
        "reference");
    PUT_ONE_OF(c, seed, "noise.kind", "none", "additive", "multiplicative", "ou");
    put(c, "noise.sigma", "{V: 0.01, Z: 0.003}");
    PUT_ONE_OF(c, seed, "connectome.speed", "3", "1", "inf");
    PUT_ONE_OF(
        c, seed, "coupling.function", "mean_rate", "linear", "difference", "sigmoidal");
    put(c, "simulation.divergence_limit", "inf");
    PUT_ONE_OF(c, seed, "output.flush_every", "1 ms", "20 ms", "1 s");
    make_monitors(c, seed);
}

/* Ask the run to end once the clock has this row. */
typedef struct {
    spl_sim *sim;
    uint64_t row;
} stopper;

static spl_status stop_at(void *user, const spl_frame *frame)
{
    const stopper *s = user;
    if (frame->monitor == 0 && frame->first_row + frame->n_rows > s->row) {
        spl_sim_stop(s->sim);
    }
    return SPL_OK;
}

static spl_sim *create(const random_case *c, const char *path, uint64_t *seed)
{
    char number[16];
    spl_config *config = NULL;
    spl_sim *sim = NULL;
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    for (size_t i = 0; i < c->n_keys; i++) {
        ck_assert_msg(spl_config_set(config, c->key[i], c->value[i]) == SPL_OK, "%s",
            spl_last_error());
    }
    ck_assert_int_eq(spl_config_set(config, "output.file", path), SPL_OK);
    snprintf(number, sizeof number, "%zu", random_whole(seed, 0, 4));
    ck_assert_int_eq(spl_config_set(config, "simulation.threads", number), SPL_OK);
    snprintf(number, sizeof number, "%zu", random_whole(seed, 0, 64));
    ck_assert_int_eq(spl_config_set(config, "simulation.block", number), SPL_OK);
    snprintf(number, sizeof number, "%zu ms", random_whole(seed, 1, 20));
    ck_assert_int_eq(spl_config_set(config, "output.checkpoint_every", number), SPL_OK);
    const spl_target target = (spl_target)random_whole(seed, 0, SPL_N_TARGETS - 1);
    if (spl_target_available(target)) {
        setenv("SPL_TARGET", spl_target_names[target], 1);
    }
    ck_assert_msg(
        spl_sim_create(&sim, config, c->connectome) == SPL_OK, "%s", spl_last_error());
    spl_config_free(config);
    return sim;
}

/* Start or go on; stop somewhere in what is left. Returns how it ended. */
static spl_status run_a_piece(
    const random_case *c, const char *path, uint64_t *seed, bool begun)
{
    stopper s = {.sim = create(c, path, seed),
        .row = random_whole(seed, 0, c->n_steps + c->n_steps / 2)};
    spl_sim_set_sink(s.sim, stop_at, &s);
    const spl_status status = begun ? spl_sim_resume(s.sim, "test", false, NULL, NULL)
                                    : spl_sim_run(s.sim, "test", NULL, NULL);
    ck_assert_msg(
        status == SPL_OK || status == SPL_ERR_INTERRUPTED, "%s", spl_last_error());
    spl_sim_free(s.sim);
    return status;
}

static void run_whole(const random_case *c, const char *path, uint64_t *seed)
{
    spl_sim *sim = create(c, path, seed);
    ck_assert_msg(spl_sim_run(sim, "test", NULL, NULL) == SPL_OK, "%s", spl_last_error());
    spl_sim_free(sim);
}

static void describe_case(const random_case *c)
{
    for (size_t i = 0; i < c->n_keys; i++) {
        fprintf(stderr, "#   %s: %s\n", c->key[i], c->value[i]);
    }
}

static void expect_same(const random_case *c, const char *a, const char *b)
{
    char first[65];
    char second[65];
    ck_assert_msg(spl_results_digest(a, first) == SPL_OK, "%s", spl_last_error());
    ck_assert_msg(spl_results_digest(b, second) == SPL_OK, "%s", spl_last_error());
    if (strcmp(first, second) != 0) {
        describe_case(c);
    }
    ck_assert_str_eq(first, second);
}

START_TEST(a_resumed_run_ends_with_the_same_file)
{
    uint64_t seed = random_seed("resume") + (uint64_t)_i * 7919;
    random_case c;
    size_t n_pieces = 1;
    make_case(&c, &seed);
    run_whole(&c, "whole.h5", &seed);
    spl_status status = run_a_piece(&c, "pieces.h5", &seed, false);
    while (status == SPL_ERR_INTERRUPTED) {
        n_pieces++;
        status = run_a_piece(&c, "pieces.h5", &seed, true);
    }
    expect_same(&c, "whole.h5", "pieces.h5");
    /* nothing is left of it but the results */
    ck_assert_uint_eq(folder_count(), 2);
    spl_connectome_free(c.connectome);
}
END_TEST

/* Make the state at the end of a file unusable. */
static void forget_final(const char *path)
{
    static const uint64_t nothing[2];
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t record = H5Dopen2(file, "/state/final/record", H5P_DEFAULT);
    ck_assert_int_ge(
        H5Dwrite(record, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, nothing), 0);
    H5Dclose(record);
    H5Fclose(file);
}

/* Whoever asks twice gets no checkpoint: the state in the file serves as one; without it,
 * the run begins again and finds its own rows. */
START_TEST(a_run_without_checkpoints_goes_on_or_begins_again)
{
    uint64_t seed = random_seed("resume") + (uint64_t)_i * 104729;
    random_case c;
    make_case(&c, &seed);
    run_whole(&c, "whole.h5", &seed);
    spl_sim *sim = create(&c, "pieces.h5", &seed);
    stopper s = {.sim = sim, .row = c.n_steps / 2};
    spl_sim_set_sink(sim, stop_at, &s);
    ck_assert_int_eq(spl_sim_run(sim, "test", NULL, NULL), SPL_ERR_INTERRUPTED);
    const uint64_t stopped_at = spl_sim_steps_done(sim);
    spl_sim_free(sim);
    spl_checkpoint_delete("pieces.h5");
    if (_i % 2 == 1) {
        forget_final("pieces.h5");
    }
    sim = create(&c, "pieces.h5", &seed);
    ck_assert_msg(
        spl_sim_resume(sim, "test", false, NULL, NULL) == SPL_OK, "%s", spl_last_error());
    spl_sim_info info;
    spl_sim_describe(sim, &info);
    ck_assert_uint_eq(info.first_step, _i % 2 == 1 ? 0 : stopped_at);
    spl_sim_free(sim);
    expect_same(&c, "whole.h5", "pieces.h5");
    spl_connectome_free(c.connectome);
}
END_TEST

/* A shorter run, complete or stopped somewhere, becomes the longer one. */
START_TEST(a_run_that_is_made_longer_ends_with_the_same_file)
{
    uint64_t seed = random_seed("resume") + (uint64_t)_i * 15485863;
    random_case c;
    make_case(&c, &seed);
    random_case shorter = c;
    const size_t n_steps = random_whole(&seed, 700, c.n_steps - 1);
    snprintf(shorter.value[1], sizeof shorter.value[1], "%.1f", (double)n_steps * 0.5);
    run_whole(&c, "whole.h5", &seed);
    spl_status status = SPL_OK;
    if (_i % 2 == 0) {
        run_whole(&shorter, "pieces.h5", &seed);
    } else {
        status = run_a_piece(&shorter, "pieces.h5", &seed, false);
    }
    do {
        status = run_a_piece(&c, "pieces.h5", &seed, true);
    } while (status == SPL_ERR_INTERRUPTED);
    expect_same(&c, "whole.h5", "pieces.h5");
    ck_assert_uint_eq(folder_count(), 2);
    spl_connectome_free(c.connectome);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("resume");
    TCase *tcase = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_checked_fixture(lengthy, folder_setup, folder_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(lengthy, a_resumed_run_ends_with_the_same_file, 0, N_CASES);
    tcase_add_loop_test(lengthy, a_run_without_checkpoints_goes_on_or_begins_again, 0, 4);
    tcase_add_loop_test(
        lengthy, a_run_that_is_made_longer_ends_with_the_same_file, 0, N_CASES / 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
