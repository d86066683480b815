/* Every allocation of ours fails once, the n-th for n = 1, 2, ...: the right status and
 * one line, nothing leaks (LeakSanitizer), no file is damaged. The linker puts the
 * functions here between ours and the C library's (--wrap); libraries allocate as ever.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "splenium/splenium.h"
#include "support/test_main.h"
#include "unit/connectome/fixtures.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* The allocation that makes it 0 fails; of this process or of a child that reads HDF5. */
static atomic_long *left;

__attribute__((constructor)) static void share_count(void)
{
    left = mmap(
        NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (left == MAP_FAILED) {
        abort();
    }
}

static bool fails(void)
{
    return atomic_fetch_sub(left, 1) == 1;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

/* HDF5 loses its write buffer after a failed close, see tests/support/valgrind.supp. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static const char yaml[] =
    "simulation: {duration: 4, dt: 0.1, transient: 1, threads: 1, seed: 3}\n"
    "coupling: {function: mean_rate, a: 0.01}\n"
    "model:\n"
    "  name: larter_breakspear\n"
    "  d_V: [0.6, 0.65]\n"
    "  C: {default: 0.1, rA: 0.2}\n"
    "  Iext: {file: iext.txt}\n"
    "  init: {V: [-0.5, 0.5], W: 0.1}\n"
    "noise: {kind: additive, nsig: {V: 1.0e-4}}\n"
    "monitors:\n"
    "  - {name: tavg, kind: temporal_average, period: 1.0, variables: [V, W], dtype: "
    "f4}\n"
    "  - {name: raw, kind: raw}\n"
    "  - {name: mean, kind: global_average, period: 1}\n"
    "  - {name: bold, kind: bold, period: 2}\n"
    "output: {file: out.h5, flush_every: 1}\n";

/* Of thousands of allocations, each of which costs a run, a sanitizer sees a sample. */
#if defined(SPL_SANITIZED)
enum { SAMPLE = 23 };
#else
enum { SAMPLE = 1 };
#endif

/* What fails, from an armed allocator on; it releases all it made. */
typedef spl_status stage(void *user);

typedef struct outcome {
    long n;         /* allocations of a stage that succeeds */
    long forgiven;  /* failures that it could do without */
    spl_status bad; /* a status that is not "out of memory" */
    char message[1024];
} outcome;

/* Run a stage with every allocation failing in turn, or each `every`-th; `after` sees
 * what it left. */
static outcome fail_some(
    stage *run, void *user, void (*after)(spl_status status), long every)
{
    outcome result = {.bad = SPL_OK};
    for (bool hit = true; hit; result.n += hit ? every : 1) {
        atomic_store(left, result.n + 1);
        const spl_status status = run(user);
        hit = atomic_load(left) <= 0;
        atomic_store(left, 0);
        result.forgiven += hit && status == SPL_OK;
        if (hit ? status != SPL_OK &&
                      (status != SPL_ERR_NO_MEMORY ||
                          strstr(spl_last_error(), "out of memory") == NULL)
                : status != SPL_OK) {
            result.bad = status;
            snprintf(result.message, sizeof result.message, "allocation %ld: %s",
                result.n + 1, spl_last_error());
            return result;
        }
        if (after != NULL) {
            after(status);
        }
    }
    return result;
}

static outcome fail_each(stage *run, void *user, void (*after)(spl_status status))
{
    return fail_some(run, user, after, 1);
}

static void check(outcome result, long at_least, long most_forgiven)
{
    printf("# %ld allocations, %ld not needed\n", result.n - 1, result.forgiven);
    fflush(stdout);
    ck_assert_msg(result.bad == SPL_OK, "status %d: %s", result.bad, result.message);
    ck_assert_int_ge(result.n - 1, at_least);
    ck_assert_int_le(result.forgiven, most_forgiven);
}

static spl_status load(void *user)
{
    spl_connectome *connectome = NULL;
    spl_connectome_info info;
    spl_status status = spl_connectome_load(&connectome, user);
    if (status == SPL_OK) {
        status = spl_connectome_describe(connectome, true, &info);
    }
    spl_connectome_free(connectome);
    return status;
}

static void make_inputs(void)
{
    write_bytes("iext.txt", "0.3 0.31\n", 9);
    write_bytes("c.yaml", yaml, sizeof yaml - 1);
    mkdir("two", 0755);
    write_bytes("two/weights.txt", W2, sizeof W2 - 1);
    write_bytes("two/tract_lengths.txt", L2, sizeof L2 - 1);
    write_bytes("two/centres.txt", C2, sizeof C2 - 1);
}

static void load_each(const char *name, long at_least)
{
    char path[512];
    const char *source = getenv("SPLENIUM_SOURCE");
    snprintf(path, sizeof path, "%s%s", strchr(name, '/') != NULL ? source : "", name);
    spl_connectome_options options = {.file = path,
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO,
        .normalise = SPL_NORMALISE_SPECTRAL};
    check(fail_each(load, &options, NULL), at_least, 2);
}

START_TEST(every_form_of_a_connectome)
{
    make_inputs();
    load_each("two", 10);
    load_each("/data/dk68.zip", 10);
    load_each("/tests/unit/connectome/fixtures/bzip2.zip", 10);
    load_each("/tests/unit/connectome/fixtures/np1.npz", 5);
    load_each("/tests/unit/connectome/fixtures/f8F.npy", 5);
}
END_TEST

static spl_status load_sparse(void *user)
{
    (void)user;
    char weights[512];
    char lengths[512];
    const char *source = getenv("SPLENIUM_SOURCE");
    const char *form = "%s/tests/unit/connectome/fixtures/sparse_%c.npz";
    snprintf(weights, sizeof weights, form, source, 'w');
    snprintf(lengths, sizeof lengths, form, source, 'l');
    spl_connectome_options options = {.weights = weights, .lengths = lengths};
    return load(&options);
}

START_TEST(a_sparse_connectome)
{
    check(fail_each(load_sparse, NULL, NULL), 10, 0);
}
END_TEST

/* Read, set, resolve. */
static spl_status configure(void *user)
{
    char *json = NULL;
    spl_config *config = NULL;
    spl_status status = spl_config_load(&config, "c.yaml");
    if (status == SPL_OK) {
        status = spl_config_set(config, "model.C.lA", "0.15");
    }
    if (status == SPL_OK) {
        status = spl_config_set(config, "monitors.bold.period", "1 ms");
    }
    if (status == SPL_OK) {
        status = spl_config_resolved(config, user, &json);
    }
    free(json);
    spl_config_free(config);
    return status;
}

static spl_connectome *load_two(void)
{
    spl_connectome *connectome = NULL;
    const spl_connectome_options options = {.file = "two"};
    ck_assert_int_eq(spl_connectome_load(&connectome, &options), SPL_OK);
    return connectome;
}

START_TEST(a_configuration)
{
    make_inputs();
    spl_connectome *connectome = load_two();
    check(fail_each(configure, connectome, NULL), 100, 2);
    spl_connectome_free(connectome);
}
END_TEST

typedef struct inputs {
    spl_connectome *connectome;
    spl_config *config;
} inputs;

static inputs load_inputs(void)
{
    make_inputs();
    inputs in = {.connectome = load_two()};
    ck_assert_int_eq(spl_config_load(&in.config, "c.yaml"), SPL_OK);
    return in;
}

static void free_inputs(inputs *in)
{
    spl_config_free(in->config);
    spl_connectome_free(in->connectome);
}

static spl_status create_and_run(void *user)
{
    inputs *in = user;
    spl_sim *sim = NULL;
    spl_status status = spl_sim_create(&sim, in->config, in->connectome);
    if (status == SPL_OK) {
        status = spl_sim_run(sim, "test", NULL, NULL);
    }
    spl_sim_free(sim);
    return status;
}

/* What is there can be read and says how the run ended. */
static void check_results(spl_status status)
{
    spl_results_info *info = NULL;
    if (access("out.h5", F_OK) == 0) {
        ck_assert_msg(
            spl_results_describe("out.h5", &info) == SPL_OK, "%s", spl_last_error());
        ck_assert_str_eq(info->status, status == SPL_OK ? "complete" : "failed");
        ck_assert(!info->live);
        ck_assert_int_eq(unlink("out.h5"), 0);
    } else {
        ck_assert_int_ne(status, SPL_OK);
    }
    spl_results_free(info);
    ck_assert_int_ne(access("out.h5.tmp", F_OK), 0);
    ck_assert_int_ne(access("out.lock", F_OK), 0);
}

START_TEST(a_run_with_its_results)
{
    inputs in = load_inputs();
    check(fail_each(create_and_run, &in, check_results), 100, 60);
    free_inputs(&in);
}
END_TEST

static const char populations[] =
    "[{name: s, region: 1, size: 40, populations: [{name: E, record: [0, 3], background: "
    "[{rate: 2, weight: 0.03}]}, {name: I, type: inhibitory, fraction: 0.2}], "
    "projections: [{from: E, to: E, K: 10, weight: 0.01, delay: {uniform: [1, 2]}}, "
    "{from: I, to: E, K: 5, weight: {uniform: [0.1, 0.2]}}]}]";

/* A population of each sign, with a report, in one of the nodes. */
static inputs load_spiking(const char *duration)
{
    inputs in = load_inputs();
    ck_assert_msg(spl_config_set(in.config, "subnetworks", populations) == SPL_OK, "%s",
        spl_last_error());
    ck_assert_int_eq(spl_config_set(in.config, "simulation.duration", duration), SPL_OK);
    return in;
}

/* Of a run that failed the journal stays, or its spikes if only the end failed. */
static void check_spiking_results(spl_status status)
{
    check_results(status);
    ck_assert(status != SPL_OK || access("out.spikes.h5", F_OK) == 0);
    ck_assert_int_ne(access("out.spikes.h5.tmp", F_OK), 0);
    unlink("out.spikes.h5");
    unlink("out.spk");
}

START_TEST(a_spiking_run_with_its_files)
{
    inputs in = load_spiking("4");
    check(fail_some(create_and_run, &in, check_spiking_results, SAMPLE), 300, 80);
    free_inputs(&in);
}
END_TEST

static spl_status stop_early(void *user, const spl_frame *frame)
{
    spl_sim *sim = user;
    if (frame->first_row + frame->n_rows >= 2) {
        spl_sim_stop(sim);
    }
    return SPL_OK;
}

/* Interrupted, which leaves a checkpoint. */
static spl_status begin(void *user)
{
    inputs *in = user;
    spl_sim *sim = NULL;
    spl_status status = spl_sim_create(&sim, in->config, in->connectome);
    if (status == SPL_OK) {
        spl_sim_set_sink(sim, stop_early, sim);
        status = spl_sim_run(sim, "test", NULL, NULL);
    }
    spl_sim_free(sim);
    return status;
}

static spl_status go_on(void *user)
{
    inputs *in = user;
    spl_sim *sim = NULL;
    spl_status status = spl_sim_create(&sim, in->config, in->connectome);
    if (status == SPL_OK) {
        status = spl_sim_resume(sim, "test", false, NULL, NULL);
    }
    spl_sim_free(sim);
    return status;
}

/* Resuming fails for want of memory again and again, and then ends as ever. */
static void check_resumable(spl_status status)
{
    spl_results_info *info = NULL;
    ck_assert_msg(
        spl_results_describe("out.h5", &info) == SPL_OK, "%s", spl_last_error());
    if (status == SPL_OK) {
        ck_assert_str_eq(info->status, "complete");
    }
    ck_assert(!info->live);
    spl_results_free(info);
    ck_assert_int_ne(access("out.lock", F_OK), 0);
}

START_TEST(a_run_that_is_resumed)
{
    inputs in = load_inputs();
    ck_assert_int_eq(spl_config_set(in.config, "simulation.duration", "2 s"), SPL_OK);
    ck_assert_int_eq(spl_config_set(in.config, "simulation.block", "1"), SPL_OK);
    ck_assert_int_eq(begin(&in), SPL_ERR_INTERRUPTED);
    ck_assert_int_eq(access("out.ckpt", F_OK), 0);
    check(fail_some(go_on, &in, check_resumable, SAMPLE), 300, 80);
    ck_assert_int_ne(access("out.ckpt", F_OK), 0);
    free_inputs(&in);
}
END_TEST

START_TEST(a_spiking_run_that_is_resumed)
{
    inputs in = load_spiking("100");
    ck_assert_int_eq(spl_config_set(in.config, "simulation.block", "1"), SPL_OK);
    ck_assert_int_eq(begin(&in), SPL_ERR_INTERRUPTED);
    ck_assert_int_eq(access("out.ckpt", F_OK), 0);
    ck_assert_int_eq(access("out.spk", F_OK), 0);
    /* of 3900, a resumed run each: 11 does not divide what is repeated */
    check(fail_some(go_on, &in, check_resumable, 11 * SAMPLE), 400, 100);
    ck_assert_int_eq(access("out.spikes.h5", F_OK), 0);
    ck_assert_int_ne(access("out.spk", F_OK), 0);
    free_inputs(&in);
}
END_TEST

static spl_status describe(void *user)
{
    (void)user;
    spl_results_info *info = NULL;
    const spl_status status = spl_results_describe("out.h5", &info);
    spl_results_free(info);
    return status;
}

static spl_status read_again(void *user)
{
    (void)user;
    spl_config *config = NULL;
    const spl_status status = spl_config_load(&config, "out.h5");
    spl_config_free(config);
    return status;
}

START_TEST(a_results_file_read_back)
{
    inputs in = load_inputs();
    ck_assert_msg(create_and_run(&in) == SPL_OK, "%s", spl_last_error());
    free_inputs(&in);
    spl_connectome_options options = {.file = "out.h5"};
    check(fail_each(describe, NULL, NULL), 10, 1);
    check(fail_each(load, &options, NULL), 10, 0);
    check(fail_each(read_again, NULL, NULL), 10, 0);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("memory_faults");
    TCase *tcase = tcase_create("memory_faults");
    tcase_set_timeout(tcase, 900);
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_test(tcase, every_form_of_a_connectome);
    tcase_add_test(tcase, a_sparse_connectome);
    tcase_add_test(tcase, a_configuration);
    tcase_add_test(tcase, a_run_with_its_results);
    tcase_add_test(tcase, a_run_that_is_resumed);
    tcase_add_test(tcase, a_spiking_run_with_its_files);
    tcase_add_test(tcase, a_spiking_run_that_is_resumed);
    tcase_add_test(tcase, a_results_file_read_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
