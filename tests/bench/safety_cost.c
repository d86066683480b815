/* What crash safety costs, on this machine and disk:
 *
 *   safety_cost CONNECTOME FOLDER [CHECKPOINTS [PAIRS]]        (default: 60, 9)
 *
 * Checkpoints of the connectome's network with default monitors, and where their time
 * goes; then what runs at the defaults, with a checkpoint a second and with twenty syncs
 * a second too spend on safety: the processor time of all threads within checkpoints,
 * syncs, records of progress, checksums and the check of the file at its end, as a share
 * of the run's; last, turn by turn, the whole processor time of such runs against one
 * with neither checkpoints nor syncs between start and end. Other work on the machine
 * shakes the last far more than the share. The linker puts the functions here between
 * ours (--wrap). */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "output/internal.h"
#include "output/progress.h"
#include "sim/sim.h"
#include "splenium/splenium.h"

enum { MAX_SAMPLES = 4096, TAKE = 0, SEAL, WRITE, SYNC, NAMES, N_PARTS };

static const char *const names[N_PARTS] = {"copy (stepping thread)", "checksum",
    "whole write, of which", "  sync of the file", "  last rename, sync of the folder"};

/* Wall and processor time. */
static double samples[2][N_PARTS][MAX_SAMPLES];
static size_t n_samples[N_PARTS];
static size_t n_wanted; /* checkpoints, then the run may end */
static _Thread_local bool writing;

/* Nanoseconds of all threads, within the outermost of the functions below. */
static _Atomic long safe_ns;
static _Thread_local int depth;

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct instant {
    double wall_s, cpu_s;
} instant;

static instant now(void)
{
    return (instant){seconds(CLOCK_MONOTONIC), seconds(CLOCK_THREAD_CPUTIME_ID)};
}

static void note(int part, instant begin)
{
    const instant end = now();
    const size_t n = n_samples[part];
    if (n < MAX_SAMPLES) {
        samples[0][part][n] = end.wall_s - begin.wall_s;
        samples[1][part][n] = end.cpu_s - begin.cpu_s;
        n_samples[part]++;
    }
}

static instant enter(void)
{
    depth++;
    return now();
}

/* The part is one of a checkpoint's, or N_PARTS. */
static void leave(int part, instant begin)
{
    depth--;
    if (depth == 0) {
        safe_ns += (long)(1e9 * (now().cpu_s - begin.cpu_s));
    }
    if (part < N_PARTS) {
        note(part, begin);
    }
}

/* A function of safety, timed. The prototypes hold it to the header's. */
#define TIMED(result, name, part, parameters, ...)       \
    result __real_##name parameters;                     \
    result __wrap_##name parameters;                     \
    result __wrap_##name parameters                      \
    {                                                    \
        const instant begin = enter();                   \
        const result value = __real_##name(__VA_ARGS__); \
        leave(part, begin);                              \
        return value;                                    \
    }

TIMED(spl_status, spl_checkpoint_take, TAKE, (spl_sim * sim), sim)
TIMED(spl_status, spl_file_sync, writing ? SYNC : N_PARTS, (int fd, const char *path), fd,
    path)
TIMED(spl_status, spl_file_rename, writing ? NAMES : N_PARTS,
    (const char *from, const char *to), from, to)
TIMED(spl_status, spl_file_sync_data, N_PARTS, (int fd, const char *path), fd, path)
TIMED(spl_status, spl_file_sync_folder, N_PARTS, (const char *path), path)
TIMED(spl_status, spl_slots_publish, N_PARTS,
    (const spl_slots *slots, const spl_record *record), slots, record)
TIMED(spl_status, spl_slots_finish, N_PARTS,
    (const spl_slots *slots, const spl_record *record), slots, record)
TIMED(uint32_t, spl_crc32c, N_PARTS, (uint32_t crc, const void *data, size_t n), crc,
    data, n)
TIMED(spl_status, spl_output_verify, N_PARTS, (spl_output * output), output)

void __real_spl_checkpoint_seal(spl_checkpoint *checkpoint);
void __wrap_spl_checkpoint_seal(spl_checkpoint *checkpoint);
void __wrap_spl_checkpoint_seal(spl_checkpoint *checkpoint)
{
    const instant begin = enter();
    __real_spl_checkpoint_seal(checkpoint);
    leave(SEAL, begin);
}

spl_status __real_spl_checkpoint_write(
    const spl_checkpoint *checkpoint, const char *path);
spl_status __wrap_spl_checkpoint_write(
    const spl_checkpoint *checkpoint, const char *path);
spl_status __wrap_spl_checkpoint_write(const spl_checkpoint *checkpoint, const char *path)
{
    const instant begin = enter();
    writing = true;
    const spl_status status = __real_spl_checkpoint_write(checkpoint, path);
    writing = false;
    leave(WRITE, begin);
    return status;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double quantile(double *values, size_t n, double q)
{
    qsort(values, n, sizeof *values, compare);
    return n > 0 ? values[(size_t)(q * (double)(n - 1) + 0.5)] : 0.0;
}

static void need(spl_status status)
{
    if (status != SPL_OK && status != SPL_ERR_INTERRUPTED) {
        fprintf(stderr, "safety_cost: %s\n", spl_last_error());
        exit(EXIT_FAILURE);
    }
}

static spl_status stop_when_enough(void *user, const spl_frame *frame)
{
    (void)frame;
    if (n_samples[WRITE] >= n_wanted) {
        spl_sim_stop(user);
    }
    return SPL_OK;
}

/* Seconds of all threads' processor time, with the safe end of the file; of these within
 * functions of safety. */
typedef struct cost {
    double all_s, safe_s;
} cost;

static cost run(spl_connectome *connectome, const char *duration, const char *flush_every,
    const char *checkpoint_every)
{
    spl_config *config = NULL;
    spl_sim *sim = NULL;
    need(spl_config_defaults(&config));
    need(spl_config_set(config, "simulation.duration", duration));
    need(spl_config_set(config, "simulation.threads", "1"));
    need(spl_config_set(config, "output.file", "safety.h5"));
    need(spl_config_set(config, "output.force", "true"));
    need(spl_config_set(config, "output.flush_every", flush_every));
    need(spl_config_set(config, "output.checkpoint_every", checkpoint_every));
    need(spl_sim_create(&sim, config, connectome));
    if (n_wanted > 0) {
        spl_sim_set_sink(sim, stop_when_enough, sim);
    }
    safe_ns = 0;
    const double begin_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    need(spl_sim_run(sim, "safety_cost", NULL, NULL));
    const cost spent = {
        seconds(CLOCK_PROCESS_CPUTIME_ID) - begin_s, 1e-9 * (double)safe_ns};
    spl_sim_free(sim);
    spl_config_free(config);
    return spent;
}

static void show_checkpoints(void)
{
    printf("%4zu checkpoints                   wall, ms: median    p90   "
           "processor, ms: median    p90\n",
        n_samples[WRITE]);
    for (int part = 0; part < N_PARTS; part++) {
        const size_t n = n_samples[part];
        double *const wall = samples[0][part];
        double *const cpu = samples[1][part];
        printf("%-34s %16.2f %6.2f %24.2f %6.2f\n", names[part],
            1e3 * quantile(wall, n, 0.5), 1e3 * quantile(wall, n, 0.9),
            1e3 * quantile(cpu, n, 0.5), 1e3 * quantile(cpu, n, 0.9));
    }
    fflush(stdout);
}

static double percent(double ratio)
{
    return 100.0 * ratio;
}

static void show_cost(spl_connectome *connectome, size_t n_pairs)
{
    static const char *const settings[][2] = {
        {"1 s", "60 s"}, {"1 s", "1 s"}, {"50 ms", "1 s"}};
    /* some seconds of work */
    const double probe_s = run(connectome, "1 s", "1000 s", "inf").all_s;
    char duration[32];
    snprintf(duration, sizeof duration, "%.0f s", 1.0 + 4.0 / probe_s);
    printf("runs of %s                          share within safety, %%    "
           "whole run against none, %%\n"
           "flush_every  checkpoint_every         median    p90             "
           "of medians, of minima (p10, p90 of pairs)\n",
        duration);
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        double shares[MAX_SAMPLES];
        double ratios[MAX_SAMPLES];
        double all[2][MAX_SAMPLES];
        for (size_t i = 0; i < n_pairs; i++) {
            all[0][i] = run(connectome, duration, "1000 s", "inf").all_s;
            const cost safe = run(connectome, duration, settings[k][0], settings[k][1]);
            all[1][i] = safe.all_s;
            ratios[i] = percent(safe.all_s / all[0][i] - 1.0);
            shares[i] = percent(safe.safe_s / safe.all_s);
        }
        const double of_medians =
            quantile(all[1], n_pairs, 0.5) / quantile(all[0], n_pairs, 0.5);
        printf("%11s %17s %14.2f %6.2f %22.2f %10.2f (%.2f, %.2f)\n", settings[k][0],
            settings[k][1], quantile(shares, n_pairs, 0.5),
            quantile(shares, n_pairs, 0.9), percent(of_medians - 1.0),
            percent(all[1][0] / all[0][0] - 1.0), quantile(ratios, n_pairs, 0.1),
            quantile(ratios, n_pairs, 0.9));
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    spl_connectome *connectome = NULL;
    const size_t n_checkpoints = argc > 3 ? strtoul(argv[3], NULL, 10) : 60;
    const size_t n_pairs = argc > 4 ? strtoul(argv[4], NULL, 10) : 9;
    if (argc < 3 || n_checkpoints > MAX_SAMPLES || n_pairs > MAX_SAMPLES) {
        fprintf(stderr, "safety_cost CONNECTOME FOLDER [CHECKPOINTS [PAIRS]]\n");
        return EXIT_FAILURE;
    }
    const spl_connectome_options options = {.file = argv[1]};
    need(spl_connectome_load(&connectome, &options));
    if (chdir(argv[2]) != 0) {
        fprintf(stderr, "safety_cost: %s: no folder\n", argv[2]);
        return EXIT_FAILURE;
    }
    n_wanted = n_checkpoints;
    run(connectome, "1000 s", "1 s", "100 ms");
    n_wanted = 0;
    show_checkpoints();
    if (n_pairs > 0) {
        show_cost(connectome, n_pairs);
    }
    spl_connectome_free(connectome);
    unlink("safety.h5");
    unlink("safety.ckpt");
    unlink("safety.ckpt.prev");
    return EXIT_SUCCESS;
}
