/* Makes results files without a simulator, for the tests of other readers:
 *   fake_run FILE complete|interrupted|running|killed
 * running: half of the rows, then waits until its input ends; killed: half, then dies. */
#include <signal.h>
#include <unistd.h>

#include "unit/output/support.h"

static void wait_until_durable(void)
{
    usleep(300000);
}

int main(int argc, char **argv)
{
    fake_run run;
    spl_output *output = NULL;
    char byte;
    if (argc != 3) {
        return 2;
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
        wait_until_durable();
        puts("ready");
        fflush(stdout);
        if (strcmp(argv[2], "killed") == 0) {
            kill(getpid(), SIGKILL);
        }
        while (read(STDIN_FILENO, &byte, 1) > 0) {
        }
    }
    if (status != SPL_OK) {
        fprintf(stderr, "fake_run: %s\n", spl_last_error());
    }
    spl_output_free(output);
    fake_deinit(&run);
    return status == SPL_OK ? 0 : 1;
}
