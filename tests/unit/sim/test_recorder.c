/* Recording of spiking populations, fed with blocks that no neuron has made. */
#include <math.h>

#include "sim/recorder.h"
#include "support/test_main.h"
#include "unit/output/folder.h"

enum {
    POPULATIONS = 3, /* two in the first subnetwork, one in the second */
    STEPS = 100,
    TRANSIENT = 13, /* inside a block */
    BLOCK = 8,
    RECORDED = 2,
    RECEPTORS = 2,
    ELEMENTS = 2 + RECEPTORS,
    MOST_SPIKES = 4096
};
static const double dt = 0.1;
static const size_t sizes[POPULATIONS] = {7, 800, 3};

typedef struct fake {
    spl_settings settings;
    spl_subnetwork_spec subnetworks[2];
    spl_population_spec populations[POPULATIONS];
    uint32_t recorded[RECORDED];
    /* one block */
    spl_subnetwork_block blocks[2];
    spl_population_block of[POPULATIONS];
    double rate[POPULATIONS][BLOCK], mean_V[POPULATIONS][BLOCK];
    uint64_t events[POPULATIONS][BLOCK];
    double time[POPULATIONS][MOST_SPIKES];
    uint32_t neuron[POPULATIONS][MOST_SPIKES];
    float values[BLOCK][ELEMENTS][RECORDED];
    double drive[BLOCK], filtered[BLOCK], Q_hat[BLOCK];
} fake;

static size_t spikes_of(size_t p, uint64_t step)
{
    return (size_t)(step * (p + 1) % sizes[p]) % 37;
}

static fake *make_fake(void)
{
    static char names[POPULATIONS][16] = {"thal.E", "thal.I", "ctx.E"};
    static char subnetworks[2][8] = {"thal", "ctx"};
    static char ampa[] = "AMPA";
    static char gaba[] = "GABA_A";
    fake *f = calloc(1, sizeof *f);
    for (size_t p = 0; p < POPULATIONS; p++) {
        f->populations[p] = (spl_population_spec){.name = names[p],
            .size = sizes[p],
            .excitatory = p != 1,
            .record_spikes = p != 0};
        f->of[p] = (spl_population_block){.rate = f->rate[p],
            .mean_V = f->mean_V[p],
            .events = f->events[p],
            .spike_time = f->time[p],
            .spike_neuron = f->neuron[p]};
    }
    f->recorded[0] = 5;
    f->recorded[1] = 700;
    f->populations[1].n_recorded = RECORDED;
    f->populations[1].recorded = f->recorded;
    f->populations[1].n_receptors = RECEPTORS;
    f->populations[1].receptors[0].name = ampa;
    f->populations[1].receptors[1].name = gaba;
    f->of[1].recorded = &f->values[0][0][0];
    for (size_t s = 0; s < 2; s++) {
        f->subnetworks[s] = (spl_subnetwork_spec){.name = subnetworks[s],
            .n_populations = s == 0 ? 2 : 1,
            .populations = &f->populations[2 * s]};
        f->blocks[s] = (spl_subnetwork_block){.drive = s == 0 ? f->drive : NULL,
            .filtered = f->filtered,
            .Q_hat = f->Q_hat,
            .populations = &f->of[2 * s]};
    }
    f->settings = (spl_settings){.dt = dt,
        .n_steps = STEPS,
        .n_transient = TRANSIENT,
        .transient = TRANSIENT * 0.1,
        .n_subnetworks = 2,
        .subnetworks = f->subnetworks,
        .alone = true};
    return f;
}

/* What the steps first + 1 .. first + n do. */
static void fill(fake *f, uint64_t first, size_t n)
{
    for (size_t p = 0; p < POPULATIONS; p++) {
        size_t at = 0;
        for (size_t k = 0; k < n; k++) {
            const uint64_t step = first + k + 1;
            const size_t count = spikes_of(p, step);
            f->rate[p][k] = (double)count / ((double)sizes[p] * dt);
            f->mean_V[p][k] = -60.0 - (double)p - 0.01 * (double)step;
            f->events[p][k] = step;
            for (size_t i = 0; i < count; i++) {
                f->time[p][at] = (double)step * dt;
                f->neuron[p][at++] = (uint32_t)i;
            }
        }
        f->of[p].n_spikes = at;
    }
    for (size_t k = 0; k < n; k++) {
        f->drive[k] = 2.0 * (double)(first + k);
        f->filtered[k] = 3.0 * (double)(first + k);
        f->Q_hat[k] = 4.0 * (double)(first + k);
        for (size_t e = 0; e < ELEMENTS; e++) {
            for (size_t i = 0; i < RECORDED; i++) {
                f->values[k][e][i] = (float)(1000 * (first + k) + 10 * e + i);
            }
        }
    }
    f->blocks[0].first_step = f->blocks[1].first_step = first;
    f->blocks[0].n_steps = f->blocks[1].n_steps = n;
}

typedef struct heard {
    uint64_t step[POPULATIONS], spikes[POPULATIONS];
    double rates[POPULATIONS];
    uint64_t end_after; /* refuse from here on */
} heard;

static spl_status listen(void *user, const spl_spikes *spikes)
{
    heard *h = user;
    const size_t p = spikes->population;
    ck_assert_uint_eq(spikes->first_step, h->step[p]);
    ck_assert_int_eq(strncmp(spikes->name, p == 2 ? "ctx" : "thal", 3), 0);
    for (size_t i = 0; i < spikes->n_spikes; i++) {
        ck_assert(spikes->time_ms[i] > (double)spikes->first_step * dt - 1e-9);
    }
    for (size_t k = 0; k < spikes->n_steps; k++) {
        h->rates[p] += spikes->rate[k];
        ck_assert(spikes->mean_V[k] < -60.0);
    }
    h->step[p] += spikes->n_steps;
    h->spikes[p] += spikes->n_spikes;
    return h->step[p] > h->end_after ? SPL_ERR_INTERRUPTED : SPL_OK;
}

static uint64_t total(size_t p)
{
    uint64_t n = 0;
    for (uint64_t step = TRANSIENT + 1; step <= STEPS; step++) {
        n += spikes_of(p, step);
    }
    return n;
}

/* Advance a recorder to step `end`. */
static spl_status run_to(spl_recorder *recorder, fake *f, uint64_t from, uint64_t end,
    const spl_recorder_sinks *sinks)
{
    const spl_subnetwork_block *const blocks[] = {&f->blocks[0], &f->blocks[1]};
    const uint64_t clips[] = {17, 0};
    spl_status status = SPL_OK;
    for (uint64_t step = from; step < end && status == SPL_OK; step += BLOCK) {
        const size_t n = end - step < BLOCK ? (size_t)(end - step) : BLOCK;
        fill(f, step, n);
        status = spl_recorder_take(recorder, step, n, blocks, clips, sinks);
        if (status == SPL_OK && sinks->output != NULL) {
            spl_output_step(sinks->output, step + n);
        }
    }
    return status;
}

static spl_output *create_output(const spl_recorder *recorder, const char *path)
{
    spl_output *output = NULL;
    spl_output_spec spec = {.path = path, .flush_every = 1.0, .dt_ms = dt};
    spec.n_streams = spl_recorder_streams(recorder, &spec.streams);
    spl_recorder_describe(recorder, &spec);
    ck_assert_msg(spl_output_create(&output, &spec) == SPL_OK, "%s", spl_last_error());
    return output;
}

static void check_file(const char *path)
{
    enum { ROWS = STEPS - TRANSIENT };
    static float rate[ROWS][POPULATIONS];
    static float table[ROWS][2];
    static float report[ROWS][RECORDED][ELEMENTS];
    unsigned long long words[POPULATIONS];
    double time[ROWS];
    hid_t file = open_file(path);
    read_set(file, "/populations/rate", H5T_NATIVE_FLOAT, rate);
    read_set(file, "/populations/time", H5T_NATIVE_DOUBLE, time);
    ck_assert(time[0] == (TRANSIENT + 1) * dt);
    read_set(file, "/populations/spikes", H5T_NATIVE_ULLONG, words);
    for (size_t p = 0; p < POPULATIONS; p++) {
        double sum = 0.0;
        for (size_t row = 0; row < ROWS; row++) {
            /* the number of spikes comes back exactly, even from f4 */
            const double n = (double)rate[row][p] * dt * (double)sizes[p];
            ck_assert(llround(n) == (long long)spikes_of(p, TRANSIENT + 1 + row));
            sum += rint(n);
        }
        ck_assert(sum == (double)total(p));
        ck_assert_uint_eq(words[p], total(p));
    }
    read_set(file, "/subnetworks/drive", H5T_NATIVE_FLOAT, table);
    ck_assert(table[0][0] == 2.0F * TRANSIENT && table[0][1] == 0.0F);
    ck_assert(table[ROWS - 1][0] == 2.0F * (STEPS - 1));
    read_set(file, "/subnetworks/Q_hat", H5T_NATIVE_FLOAT, table);
    ck_assert(table[5][1] == 4.0F * (TRANSIENT + 5));
    read_set(file, "/subnetworks/clips", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[0], 17);
    read_set(file, "/report/thal.I/data", H5T_NATIVE_FLOAT, report);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t i = 0; i < RECORDED; i++) {
            for (size_t e = 0; e < ELEMENTS; e++) {
                ck_assert(
                    report[row][i][e] == (float)(1000 * (TRANSIENT + row) + 10 * e + i));
            }
        }
    }
    H5Fclose(file);
}

/* Spikes of the first population were not to be written. */
static void check_spikes(const char *path)
{
    hid_t file = open_file(path);
    ck_assert_int_eq(H5Lexists(file, "/spikes/thal.E", H5P_DEFAULT), 0);
    hid_t set = H5Dopen2(file, "/spikes/thal.I/timestamps", H5P_DEFAULT);
    ck_assert_uint_eq(H5Dget_storage_size(set), 8 * total(1));
    H5Dclose(set);
    set = H5Dopen2(file, "/spikes/ctx.E/timestamps", H5P_DEFAULT);
    ck_assert_uint_eq(H5Dget_storage_size(set), 8 * total(2));
    H5Dclose(set);
    H5Fclose(file);
}

START_TEST(file_and_sink_get_the_same)
{
    fake *f = make_fake();
    heard h = {.step = {TRANSIENT, TRANSIENT, TRANSIENT}, .end_after = UINT64_MAX};
    spl_recorder *recorder = NULL;
    ck_assert_int_eq(spl_recorder_create(&recorder, &f->settings, NULL, BLOCK), SPL_OK);
    const spl_recorder_sinks sinks = {
        .sink = listen, .user = &h, .output = create_output(recorder, "r.h5")};
    ck_assert_int_eq(run_to(recorder, f, 0, STEPS, &sinks), SPL_OK);
    ck_assert_int_eq(
        spl_output_finish(sinks.output, SPL_RUN_COMPLETE, "", STEPS, 0, NULL, NULL),
        SPL_OK);
    spl_output_free(sinks.output);
    check_file("r.h5");
    check_spikes("r.spikes.h5");
    for (size_t p = 0; p < POPULATIONS; p++) {
        spl_sim_population population;
        spl_recorder_population(recorder, p, STEPS, &population);
        ck_assert_uint_eq(h.step[p], STEPS);
        ck_assert_uint_eq(h.spikes[p], total(p));
        ck_assert_uint_eq(population.n_spikes, total(p));
        ck_assert_uint_eq(population.n_events,
            STEPS * (STEPS + 1) / 2 - TRANSIENT * (TRANSIENT + 1) / 2);
        /* Hz from kHz, averaged over the steps */
        const double rate = 1000.0 * h.rates[p] / (STEPS - TRANSIENT);
        ck_assert(fabs(population.mean_rate_hz - rate) <= 1e-12 * rate);
        ck_assert_uint_eq(population.n_recorded, p == 1 ? RECORDED : 0);
    }
    spl_recorder_free(recorder);
    free(f);
}
END_TEST

START_TEST(a_sink_can_end_the_run)
{
    fake *f = make_fake();
    heard h = {.step = {TRANSIENT, TRANSIENT, TRANSIENT}, .end_after = 40};
    spl_recorder *recorder = NULL;
    ck_assert_int_eq(spl_recorder_create(&recorder, &f->settings, NULL, BLOCK), SPL_OK);
    const spl_recorder_sinks sinks = {.sink = listen, .user = &h};
    ck_assert_int_eq(run_to(recorder, f, 0, STEPS, &sinks), SPL_ERR_INTERRUPTED);
    ck_assert_uint_eq(h.step[0], 48);
    spl_recorder_free(recorder);
    free(f);
}
END_TEST

/* Two runs joined: the second continues the sums of the first. */
START_TEST(sums_continue)
{
    fake *f = make_fake();
    uint64_t words[2 * POPULATIONS];
    spl_recorder *first = NULL;
    spl_recorder *second = NULL;
    const spl_recorder_sinks nobody = {0};
    ck_assert_int_eq(spl_recorder_create(&first, &f->settings, NULL, BLOCK), SPL_OK);
    ck_assert_int_eq(spl_recorder_create(&second, &f->settings, NULL, BLOCK), SPL_OK);
    ck_assert_int_eq(run_to(first, f, 0, 40, &nobody), SPL_OK);
    ck_assert_uint_eq(spl_recorder_state_size(first), 2 * POPULATIONS);
    spl_recorder_save(first, words);
    spl_recorder_restore(second, words);
    ck_assert_int_eq(run_to(second, f, 40, STEPS, &nobody), SPL_OK);
    for (size_t p = 0; p < POPULATIONS; p++) {
        spl_sim_population population;
        spl_recorder_population(second, p, STEPS, &population);
        ck_assert_uint_eq(population.n_spikes, total(p));
    }
    spl_recorder_free(first);
    spl_recorder_free(second);
    free(f);
}
END_TEST

START_TEST(something_must_be_recorded)
{
    fake *f = make_fake();
    spl_recorder *recorder = NULL;
    spl_sim_population population;
    ck_assert_int_eq(spl_recorder_create(&recorder, &f->settings, NULL, BLOCK), SPL_OK);
    spl_recorder_population(recorder, 0, TRANSIENT, &population);
    ck_assert(isnan(population.mean_rate_hz));
    spl_recorder_free(recorder);
    f->settings.n_transient = STEPS;
    f->settings.transient = 10.0;
    ck_assert_int_eq(
        spl_recorder_create(&recorder, &f->settings, NULL, BLOCK), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(), "simulation.transient: 10 of 10 ms leave nothing "
                                       "to record; shorten it, or lengthen "
                                       "simulation.duration");
    ck_assert_ptr_null(recorder);
    free(f);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim_recorder");
    TCase *tests = tcase_create("recorder");
    tcase_add_checked_fixture(tests, folder_setup, folder_teardown);
    tcase_add_test(tests, file_and_sink_get_the_same);
    tcase_add_test(tests, a_sink_can_end_the_run);
    tcase_add_test(tests, sums_continue);
    tcase_add_test(tests, something_must_be_recorded);
    suite_add_tcase(suite, tests);
    return suite;
}
