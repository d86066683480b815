#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

/* The run that signals end. */
static spl_sim *volatile running;
/* Two threads may each handle one at the same time. */
static atomic_int n_signals;

enum { LAST = 3 };

static void stop(int signal_number)
{
    spl_sim *sim = running;
    (void)signal_number;
    if (atomic_fetch_add(&n_signals, 1) + 1 >= LAST || sim == NULL) {
        _exit(EXIT_INTERRUPTED);
    }
    spl_sim_stop(sim);
}

void signals_catch(spl_sim *sim)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
    running = sim;
    atomic_store(&n_signals, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

void signals_release(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    running = NULL;
}
