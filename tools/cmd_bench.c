/* bench - how fast this machine simulates, and how that compares. */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "json.h"
#include "talk.h"
#include "tool.h"

/* In the order of the page. */
static const bench_case cases[] = {
    {"dk68", BENCH_FULL, NULL, false, true, 0, 0},
    {"66", BENCH_FULL, "connectivity_66.zip", false, false, 0, 0},
    {"68", BENCH_FULL, "connectivity_68.zip", false, false, 0, 0},
    {"76", BENCH_FULL, "connectivity_76.zip", false, true, 0, 0},
    {"192", BENCH_FULL, "connectivity_192.zip", false, false, 0, 0},
    {"998", BENCH_FULL, "connectivity_998.zip", false, true, 0, 0},
    {"76-undelayed", BENCH_FULL, "connectivity_76.zip", true, false, 0, 0},
    {"998-undelayed", BENCH_FULL, "connectivity_998.zip", true, false, 0, 0},
    {"16k", BENCH_FULL, NULL, false, false, 16384, 0},
    {"76-file", BENCH_FILE, "connectivity_76.zip", false, false, 0, 0},
    {"76-stream", BENCH_STREAM, "connectivity_76.zip", false, false, 0, 0},
    {"998-stream", BENCH_STREAM, "connectivity_998.zip", false, false, 0, 0},
    {"998-threads", BENCH_THREADS, "connectivity_998.zip", false, true, 0, 0},
    {"dk68-ensemble", BENCH_ENSEMBLE, NULL, false, true, 0, 0},
    {"76-ensemble", BENCH_ENSEMBLE, "connectivity_76.zip", false, false, 0, 0},
    {"dk68-tvb", BENCH_TVB, NULL, false, false, 0, 0},
    {"76-tvb", BENCH_TVB, "connectivity_76.zip", false, false, 0, 0},
    {"192-tvb", BENCH_TVB, "connectivity_192.zip", false, false, 0, 0},
    {"998-tvb", BENCH_TVB, "connectivity_998.zip", false, false, 0, 0},
    {"spiking-100", BENCH_SPIKING, NULL, false, true, 0, 100},
    {"spiking-1000", BENCH_SPIKING, NULL, false, false, 0, 1000},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static const bench_effort thorough = {
    .rounds = 11, .window_s = 0.2, .part_window_s = 0.1, .warm_up = 300};
static const bench_effort quick = {
    .rounds = 5, .window_s = 0.1, .part_window_s = 0.03, .warm_up = 300};
static const bench_effort thorough_pair = {
    .rounds = 31, .window_s = 0.1, .part_window_s = 0.1, .warm_up = 300};

static int remove_one(
    const char *path, const struct stat *what, int kind, struct FTW *where)
{
    (void)what;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_folder(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A thread that waits for signals, since a folder cannot be removed in a handler. */
static void *wait_for_signals(void *user)
{
    sigset_t signals;
    int number = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigwait(&signals, &number);
    remove_folder(user);
    _exit(EXIT_INTERRUPTED);
}

static void catch_signals(char *folder)
{
    sigset_t signals;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0 &&
        pthread_create(&thread, NULL, wait_for_signals, folder) == 0) {
        pthread_detach(thread);
    } else {
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that dies */
    spl_log_set(NULL, NULL);  /* isolated nodes are wanted here */
}

/* Whether --cases names it, or --quick has it, or neither was given. */
static bool is_chosen(const bench_case *what, const tool_arguments *arguments)
{
    const char *list = argument_of(arguments, "cases");
    if (list == NULL) {
        return what->quick || argument_of(arguments, "quick") == NULL;
    }
    const size_t length = strlen(what->name);
    for (const char *word = list; *word != '\0'; word += strcspn(word, ",")) {
        word += *word == ',';
        if (strncmp(word, what->name, length) == 0 &&
            (word[length] == ',' || word[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Result: 0, or the exit code after a message about a name that no case has. */
static int check_names(const char *list)
{
    const char *names[N_CASES + 1] = {NULL};
    for (size_t i = 0; i < N_CASES; i++) {
        names[i] = cases[i].name;
    }
    char *copy = strdup(list);
    char *rest = copy;
    int code = copy != NULL ? 0 : EXIT_INTERNAL;
    for (char *word = strsep(&rest, ","); code == 0 && word != NULL;
         word = strsep(&rest, ",")) {
        size_t i = 0;
        while (i < N_CASES && strcmp(names[i], word) != 0) {
            i++;
        }
        if (i == N_CASES) {
            const char *closest = closest_name(word, names);
            talk_error("--cases: no case '%s'%s%s%s; see splenium bench --help", word,
                closest != NULL ? "; did you mean '" : "", closest != NULL ? closest : "",
                closest != NULL ? "'?" : "");
            code = EXIT_USAGE;
        }
    }
    free(copy);
    return code;
}

static bool make_folder(bench_setting *setting)
{
    const char *parent = getenv("TMPDIR");
    snprintf(setting->folder, sizeof setting->folder, "%s/splenium-bench-XXXXXX",
        parent != NULL && *parent != '\0' ? parent : "/tmp");
    if (mkdtemp(setting->folder) == NULL) {
        talk_error(
            "%s: cannot make a temporary folder: %s", setting->folder, strerror(errno));
        return false;
    }
    return true;
}

/* Measure the chosen cases and show each as soon as it is there; count those that were
 * not timed because results differed. */
static spl_status run_cases(const bench_setting *setting, const tool_arguments *arguments,
    json_writer *json, size_t *n_refused)
{
    spl_status status = SPL_OK;
    bench_result *result = malloc(sizeof *result);
    if (result == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < N_CASES; i++) {
        if (!is_chosen(&cases[i], arguments)) {
            continue;
        }
        talk_note("measuring %s", cases[i].name);
        TOOL_TRY(bench_run(&cases[i], setting, result));
        if (json == NULL || json->file != stdout) {
            bench_print(result);
        }
        if (json != NULL) {
            bench_write(json, result);
        }
        if (*result->refused != '\0') {
            talk_error("%s: %s: not timed", cases[i].name, result->refused);
            ++*n_refused;
        }
    }
out:
    free(result);
    return status;
}

/* Whether the SIMD target that SPL_TARGET may name can run. */
static spl_status try_target(void)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    spl_sim *sim = NULL;
    TOOL_TRY(spl_config_defaults(&config));
    TOOL_TRY(spl_config_connectome(config, &connectome));
    TOOL_TRY(spl_sim_create(&sim, config, connectome));
out:
    spl_sim_free(sim);
    spl_connectome_free(connectome);
    spl_config_free(config);
    return status;
}

static spl_status measure(bench_setting *setting, const tool_arguments *arguments,
    FILE *file, size_t *n_refused)
{
    spl_build_info build;
    json_writer json = {.file = file};
    const spl_status runs = try_target();
    if (runs != SPL_OK) {
        return runs;
    }
    spl_build_describe(&build);
    processors_pin();
    if (!roofline_measure(build.target, &setting->roofline)) {
        return SPL_ERR_NO_MEMORY;
    }
    if (file != stdout) {
        bench_print_machine(setting);
    }
    if (file != NULL) {
        json_begin(&json, NULL, '{');
        bench_write_machine(&json, setting);
        json_begin(&json, "cases", '[');
    }
    const spl_status status =
        run_cases(setting, arguments, file != NULL ? &json : NULL, n_refused);
    if (file != NULL) {
        double load[3] = {0.0};
        json_end(&json, ']');
        getloadavg(load, 3);
        json_real(&json, "load_after", load[0]);
        json_end(&json, '}');
    }
    return status;
}

static int run(const tool_arguments *arguments)
{
    static bench_setting setting;
    const char *json = argument_of(arguments, "json");
    const char *data = argument_of(arguments, "data");
    const char *python = argument_of(arguments, "python");
    const char *list = argument_of(arguments, "cases");
    const bool only_quick = argument_of(arguments, "quick") != NULL;
    FILE *file = NULL;
    int code = list != NULL ? check_names(list) : 0;
    if (code != 0) {
        return code;
    }
    setting = (bench_setting){
        .effort = only_quick ? quick : thorough,
        .pair_effort = only_quick ? quick : thorough_pair,
        .data = data != NULL ? data : "tvb-data",
        .python = python != NULL ? python : "python3",
    };
    if (json != NULL) {
        file = *json != '\0' ? fopen(json, "w") : stdout;
        if (file == NULL) {
            talk_error("--json=%s: %s", json, strerror(errno));
            return EXIT_NO_OUTPUT;
        }
    }
    if (!make_folder(&setting)) {
        return EXIT_NO_OUTPUT;
    }
    catch_signals(setting.folder);
    size_t n_refused = 0;
    const spl_status status = measure(&setting, arguments, file, &n_refused);
    remove_folder(setting.folder);
    if (file != NULL && file != stdout && fclose(file) != 0) {
        talk_error("--json=%s: %s", json, strerror(errno));
        return EXIT_IO;
    }
    if (status != SPL_OK) {
        return report_error(status);
    }
    return n_refused == 0 ? EXIT_DONE : EXIT_INTERNAL;
}

static const tool_option options[] = {
    {"quick", 0, NULL, NULL,
        "few and short repetitions of the most important cases: about 20 s; to see that "
        "all works, not to be published"},
    {"json", 0, "[=FILE]", NULL,
        "write everything as JSON, to a file or in place of the page"},
    {"cases", 0, "NAME,...", NULL, "only these cases"},
    {"data", 0, "FOLDER", NULL,
        "folder of connectivity_66.zip, _68, _76, _192, _998; else tvb-data, where "
        "tools/get-tvb-data puts them"},
    {"python", 0, "PROGRAM", NULL, "a Python that has tvb-library; else python3"},
    OPTION_HELP,
};

const tool_verb verb_bench = {
    .name = "bench",
    .operands = "",
    .summary = "measure how fast this machine simulates, and how that compares",
    .page =
        "Time steps of real networks on this machine, after checking that what is "
        "compared computes the same.\n"
        "\n"
        "The run that is timed is the one that users start: default settings (Heun, dt "
        "0.1 ms, 3 mm/ms, coupling at every stage, noise on V, default monitors and a "
        "results file in a temporary folder), a parameter that differs from region to "
        "region, one thread on one processor. It takes turns with a naive program: plain "
        "C, one loop, the C library's functions, of the kind one writes for a single "
        "study, which must agree to 1e-12 after 100 steps. A ratio is the median of "
        "those of neighbouring repetitions, with its 10th and 90th percentile; one that "
        "spreads by more than 30 % is marked: the machine was too busy.\n"
        "\n"
        "The step is taken apart by runs that each do a little more than the one before: "
        "dynamics, history, coupling, noise, monitors, output. 'core' is the step "
        "without monitors and file. Its bound follows from small loops timed at the "
        "start: multiply-adds, divisions, loads and random words at the speed at which "
        "the processor can do them.\n"
        "\n"
        "Cases: dk68 (shipped with the program), 66, 68, 76, 192, 998 (connectomes of "
        "The Virtual Brain); 16k: 16,384 nodes with 50 random edges each, made in "
        "memory; NAME-undelayed: infinite speed; NAME-file: the run against the one "
        "without monitors and file, in more repetitions; NAME-stream: the same with V "
        "of every step; 998-threads: two threads; NAME-ensemble: many runs on all "
        "processors, each on one thread; NAME-tvb: The Virtual Brain (tvb-library) in "
        "turns with a "
        "run of the same settings, coupling frozen over the step and without file on "
        "either side; spiking-100, spiking-1000: 10,000 spiking neurons with so many "
        "synapses each, without regions (tools/compare-spiking compares them with "
        "Brian2 and NEST). Cases whose connectome or Python is absent are skipped with a "
        "line.\n"
        "\n"
        "Times are processor times of all threads of the run, and wall time where "
        "several threads are compared. Ratios hold for a machine; microseconds for a "
        "machine and an hour. The exit status is 70 if results differed.",
    .examples = "  splenium bench --quick\n"
                "  splenium bench --data tvb-data --json=bench.json\n"
                "  splenium bench --cases 76,76-tvb --python tvb/bin/python",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
