/* The Virtual Brain in a Python of its own, in turns with a run that does the same. */
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "network.h"
#include "tvb_peer.h"

extern char **environ;

/* TVB with its history in double precision: 1e-14 was measured after 100 steps at 76
 * nodes, and the dynamics amplify rounding. */
static const double ALLOWED_DV = 1e-12;

/* TVB's HyperbolicTangent with a = 0.5 and the sigma of the model sends the rate Q_V. */
static const spl_setting as_tvb[] = {
    {"simulation.coupling_stages", "frozen"},
    {"coupling.function", "mean_rate"},
    {"coupling.normalise", "none"},
    {"model.preset", "tvb"},
    {"model.C", "0.1"},
    {"model.init", "{V: [-0.4, 0.4], W: [0, 0.5], Z: [-0.2, 0.2]}"},
    {"monitors", "[{name: raw, kind: raw, variables: [V]}]"},
    {NULL, NULL},
};
enum { N_AS_TVB = sizeof as_tvb / sizeof *as_tvb - 1 };
static const char DT[] = "0.1";
static const char SPEED[] = "3";
static const char DISPERSION[] = "1e-5";

typedef struct tvb_process {
    pid_t pid;
    FILE *to, *from;
    char answer[512];
} tvb_process;

/* One line of the peer without its newline. Result: false if there was none. */
static bool hear(tvb_process *peer)
{
    if (fgets(peer->answer, sizeof peer->answer, peer->from) == NULL) {
        return false;
    }
    peer->answer[strcspn(peer->answer, "\n")] = '\0';
    return true;
}

/* What follows `word` in the answer, else NULL. */
static const char *answer_to(const tvb_process *peer, const char *word)
{
    const size_t length = strlen(word);
    return strncmp(peer->answer, word, length) == 0 && peer->answer[length] == ' '
               ? peer->answer + length + 1
               : NULL;
}

static const char *ask(
    tvb_process *peer, const char *what, uint64_t n, const char *expected)
{
    fprintf(peer->to, "%s %llu\n", what, (unsigned long long)n);
    fflush(peer->to);
    return hear(peer) ? answer_to(peer, expected) : NULL;
}

static char *join_lines(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    for (size_t i = 0; file != NULL && tvb_peer[i] != NULL; i++) {
        fprintf(file, "%s\n", tvb_peer[i]);
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* Single threads everywhere: the peer stays on the processor of this process. */
static void set_peer_environment(const bench_setting *setting)
{
    static const char *const names[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv(names[i], "1", 1);
    }
    setenv("TVB_USER_HOME", setting->folder, 1);
    setenv("PYTHONWARNINGS", "ignore", 1);
}

static bool start(tvb_process *peer, const bench_setting *setting, size_t n_nodes)
{
    int to[2];
    int from[2] = {-1, -1};
    char nodes[24];
    char *program = join_lines();
    posix_spawn_file_actions_t actions;
    snprintf(nodes, sizeof nodes, "%zu", n_nodes);
    char *const arguments[] = {(char *)setting->python, "-c", program,
        (char *)setting->folder, nodes, (char *)DT, (char *)SPEED, (char *)DISPERSION,
        NULL};
    if (program == NULL || pipe(to) != 0) {
        free(program);
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    bool started = pipe(from) == 0;
    if (started) {
        set_peer_environment(setting);
        posix_spawn_file_actions_adddup2(&actions, to[0], 0);
        posix_spawn_file_actions_adddup2(&actions, from[1], 1);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
        posix_spawn_file_actions_addclose(&actions, to[1]);
        posix_spawn_file_actions_addclose(&actions, from[0]);
        started = posix_spawnp(&peer->pid, setting->python, &actions, NULL, arguments,
                      environ) == 0;
        close(from[1]);
    }
    close(to[0]);
    posix_spawn_file_actions_destroy(&actions);
    free(program);
    peer->to = fdopen(to[1], "w");
    peer->from = started ? fdopen(from[0], "r") : NULL;
    return started && peer->to != NULL && peer->from != NULL;
}

static void stop(tvb_process *peer)
{
    if (peer->to != NULL) {
        fclose(peer->to);
    }
    if (peer->from != NULL) {
        fclose(peer->from);
    }
    if (peer->pid > 0) {
        waitpid(peer->pid, NULL, 0);
    }
}

static double advance_peer(void *user, uint64_t n_steps)
{
    const char *seconds = ask(user, "step", n_steps, "seconds");
    return seconds != NULL ? strtod(seconds, NULL) : -1.0;
}

static bool write_doubles(
    const bench_setting *setting, const char *name, const double *values, size_t n)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", setting->folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    const bool written = fwrite(values, sizeof *values, n, file) == n;
    return fclose(file) == 0 && written;
}

static void remove_files(const bench_setting *setting)
{
    static const char *const names[] = {"weights", "tract_lengths", "state", "checked"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%s", setting->folder, names[i]);
        unlink(path);
    }
}

static spl_status write_network(
    const bench_setting *setting, const bench_network *network, const spl_sim *sim)
{
    spl_status status = SPL_OK;
    const size_t n = network->n_nodes;
    double *state = calloc(3 * n, sizeof *state);
    if (state == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    TOOL_TRY(spl_sim_state(sim, "V", state));
    TOOL_TRY(spl_sim_state(sim, "W", state + n));
    TOOL_TRY(spl_sim_state(sim, "Z", state + 2 * n));
    if (!write_doubles(
            setting, "weights", spl_connectome_weights(network->connectome), n * n) ||
        !write_doubles(setting, "tract_lengths",
            spl_connectome_tract_lengths(network->connectome), n * n) ||
        !write_doubles(setting, "state", state, 3 * n)) {
        status = SPL_ERR_FILE_WRITE;
    }
out:
    free(state);
    return status;
}

/* Difference of V between a run without noise and TVB. */
static spl_status check(spl_sim *plain, tvb_process *peer, size_t n, bench_result *result)
{
    spl_status status = SPL_OK;
    double *V = calloc(2 * n, sizeof *V);
    const char *path = ask(peer, "check", BENCH_CHECKED_STEPS, "checked");
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    result->max_abs_dV = NAN;
    if (V == NULL) {
        status = SPL_ERR_NO_MEMORY;
        goto out;
    }
    TOOL_TRY(spl_sim_step(plain, BENCH_CHECKED_STEPS));
    TOOL_TRY(spl_sim_state(plain, "V", V));
    if (file != NULL && fread(V + n, sizeof *V, n, file) == n) {
        result->max_abs_dV = 0.0;
        for (size_t i = 0; i < n; i++) {
            const double difference = fabs(V[i] - V[n + i]);
            if (!(difference <= result->max_abs_dV)) {
                result->max_abs_dV = difference;
            }
        }
    }
    result->allowed_dV = ALLOWED_DV;
    if (file == NULL) {
        snprintf(result->refused, sizeof result->refused, "TVB: %.400s", peer->answer);
    } else if (!(result->max_abs_dV <= ALLOWED_DV)) {
        snprintf(result->refused, sizeof result->refused,
            "V differs from TVB's by %g after %d steps, more than %g", result->max_abs_dV,
            BENCH_CHECKED_STEPS, ALLOWED_DV);
    }
out:
    if (file != NULL) {
        fclose(file);
    }
    free(V);
    return status;
}

static spl_status time_pairs(
    spl_sim *sim, tvb_process *peer, const bench_effort *effort, bench_result *result)
{
    bench_contender ours = {.advance = advance_sim, .user = sim};
    bench_contender theirs = {.advance = advance_peer, .user = peer};
    bool good = contender_prepare(&ours, effort->warm_up, effort->window_s) &&
                contender_prepare(&theirs, effort->warm_up, effort->window_s);
    for (size_t round = 0; good && round < effort->rounds; round++) {
        good = contender_repeat(&ours) && contender_repeat(&theirs);
    }
    if (!good) {
        snprintf(result->refused, sizeof result->refused, "TVB: %.400s", peer->answer);
        return SPL_OK;
    }
    spl_sim_info info;
    spl_sim_describe(sim, &info);
    result->escaped_nodes = info.escaped_nodes;
    result->steps_per_repeat = ours.n_steps;
    result->product_us = ours.us;
    result->against_us = theirs.us;
    sample_divide(&theirs.us, &ours.us, &result->ratio);
    return SPL_OK;
}

spl_status bench_run_tvb(
    const bench_setting *setting, bench_network *network, bench_result *result)
{
    spl_status status = SPL_OK;
    spl_sim *plain = NULL;
    spl_sim *noisy = NULL;
    tvb_process peer = {0};
    spl_setting settings[N_AS_TVB + 2];
    memcpy(settings, as_tvb, sizeof as_tvb);
    settings[N_AS_TVB] = (spl_setting){"noise.nsig.V", DISPERSION};
    settings[N_AS_TVB + 1] = (spl_setting){NULL, NULL};
    TOOL_TRY(network_sim(&noisy, network, network->connectome, settings, NULL));
    settings[N_AS_TVB] = (spl_setting){"noise.kind", "none"};
    TOOL_TRY(network_sim(&plain, network, network->connectome, settings, NULL));
    network_facts(network, noisy, &result->facts);
    result->facts.by_region = false;
    TOOL_TRY(write_network(setting, network, noisy));
    if (!start(&peer, setting, network->n_nodes)) {
        snprintf(result->skipped, sizeof result->skipped, "%s cannot be started",
            setting->python);
        goto out;
    }
    const char *version = hear(&peer) ? answer_to(&peer, "ready") : NULL;
    if (version == NULL) {
        snprintf(result->skipped, sizeof result->skipped,
            "%s has no tvb-library that works (%.200s); give --python", setting->python,
            peer.answer);
        goto out;
    }
    snprintf(result->against, sizeof result->against, "TVB %.56s", version);
    TOOL_TRY(check(plain, &peer, network->n_nodes, result));
    if (*result->refused == '\0') {
        TOOL_TRY(time_pairs(noisy, &peer, &setting->effort, result));
    }
out:
    stop(&peer);
    remove_files(setting);
    spl_sim_free(plain);
    spl_sim_free(noisy);
    return status;
}
