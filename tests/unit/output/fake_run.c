/* Makes results files without a simulator, for the tests of other readers:
 *   fake_run FILE complete|interrupted|running|killed|spiking
 * running: half of the rows, then the rest for a byte of input, then waits for its end;
 * killed: half, then dies; spiking: complete, with populations of neurons. */
#include <signal.h>
#include <unistd.h>

#include "splenium/results.h"
#include "unit/output/spiking_run.h"

static bool is_durable(const char *path, uint64_t step)
{
    spl_results_info *info = NULL;
    const bool durable =
        spl_results_describe(path, &info) == SPL_OK && info->step >= step;
    spl_results_free(info);
    return durable;
}

/* Say `word` once all steps below `step` are durable. */
static void announce(const char *path, uint64_t step, const char *word)
{
    while (!is_durable(path, step)) {
        usleep(10000);
    }
    puts(word);
    fflush(stdout);
}

/* What the tests of a live file ask for. */
static spl_status stay(spl_output *output, const fake_run *run, bool die)
{
    char byte;
    spl_status status = SPL_OK;
    announce(run->spec.path, FAKE_ROWS / 2, "ready");
    if (die) {
        kill(getpid(), SIGKILL);
    }
    if (read(STDIN_FILENO, &byte, 1) > 0) {
        status = fake_steps(output, run, FAKE_ROWS / 2, FAKE_ROWS);
        announce(run->spec.path, FAKE_ROWS, "more");
        while (read(STDIN_FILENO, &byte, 1) > 0) {
        }
    }
    return status;
}

static int make_spiking(const char *path)
{
    spiking_run run;
    spiking_init(&run, path, true);
    const spl_status status = spiking_make(&run, SPL_RUN_COMPLETE, 10, FAKE_ROWS);
    if (status != SPL_OK) {
        fprintf(stderr, "fake_run: %s\n", spl_last_error());
    }
    spiking_deinit(&run);
    return status == SPL_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    fake_run run;
    spl_output *output = NULL;
    if (argc != 3) {
        return 2;
    }
    if (strcmp(argv[2], "spiking") == 0) {
        return make_spiking(argv[1]);
    }
    fake_init(&run, argv[1]);
    spl_status status = spl_output_create(&output, &run.spec);
    const bool whole = strcmp(argv[2], "complete") == 0;
    if (status == SPL_OK) {
        status = fake_steps(output, &run, 0, whole ? FAKE_ROWS : FAKE_ROWS / 2);
    }
    if (status == SPL_OK && whole) {
        status = fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS);
    } else if (status == SPL_OK && strcmp(argv[2], "interrupted") == 0) {
        status = fake_finish(output, SPL_RUN_INTERRUPTED, "signal 2", FAKE_ROWS / 2);
    } else if (status == SPL_OK) {
        status = stay(output, &run, strcmp(argv[2], "killed") == 0);
    }
    if (status != SPL_OK) {
        fprintf(stderr, "fake_run: %s\n", spl_last_error());
    }
    spl_output_free(output);
    fake_deinit(&run);
    return status == SPL_OK ? 0 : 1;
}
