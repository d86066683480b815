#include "driver.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SETTINGS = 8 };

/* Where a repetition of the run began. Processor time is that of the process without
 * what the others took in the run's thread: the rows are written by a thread of their
 * own, and its work may fall into a repetition of the others. */
typedef struct turn {
    bench_driver *driver;
    spl_sim *sim;
    bool warm, failed;
    double process_s, wall_s;
    double others_s; /* so far */
    uint64_t step;
} turn;

static void begin_turn(turn *now, uint64_t step)
{
    now->step = step;
    now->process_s = clock_process() - now->others_s;
    now->wall_s = clock_wall();
}

/* Called by the run about ten times a second. */
static void take_turns(void *user, const spl_sim_progress *progress)
{
    turn *now = user;
    bench_driver *driver = now->driver;
    if (!now->warm) {
        now->warm = true;
        begin_turn(now, progress->step);
        return;
    }
    const double wall_s = clock_wall() - now->wall_s;
    const double process_s = clock_process() - now->others_s - now->process_s;
    if (wall_s < driver->window_s || driver->us.count >= driver->rounds) {
        return;
    }
    driver->n_steps = progress->step - now->step;
    const double us = 1e6 / (double)driver->n_steps;
    sample_add(&driver->us, us * process_s);
    sample_add(&driver->wall_us, us * wall_s);
    const double begin_s = clock_thread();
    for (size_t i = 0; i < driver->n_others; i++) {
        now->failed = !contender_repeat(&driver->others[i]) || now->failed;
    }
    if (now->failed || driver->us.count >= driver->rounds) {
        spl_sim_stop(now->sim);
    }
    now->others_s += clock_thread() - begin_s;
    begin_turn(now, progress->step);
}

/* Long enough for all repetitions, a machine that gets faster meanwhile included. */
static double duration_ms(const bench_driver *driver, double step_us)
{
    static const double DT_MS = 0.1;
    static const double MARGIN = 1.5;
    const double seconds = (double)(driver->rounds + 3) * (driver->window_s + 0.1);
    return ceil(MARGIN * seconds * 1e6 / step_us * DT_MS / 1000.0) * 1000.0;
}

spl_status driver_run(bench_driver *driver, const bench_setting *setting,
    bench_network *network, const spl_setting *settings, double step_us)
{
    spl_status status = SPL_OK;
    spl_sim *sim = NULL;
    spl_setting all[MAX_SETTINGS + 3] = {{NULL, NULL}};
    char duration[32];
    char path[4200];
    size_t n = 0;
    snprintf(duration, sizeof duration, "%.0f", duration_ms(driver, step_us));
    snprintf(path, sizeof path, "%s/results.h5", setting->folder);
    while (settings[n].key != NULL && n < MAX_SETTINGS) {
        all[n] = settings[n];
        n++;
    }
    all[n++] = (spl_setting){"simulation.duration", duration};
    all[n++] = (spl_setting){"output.file", path};
    TOOL_TRY(network_sim(&sim, network, network->connectome, all, NULL));
    network_facts(network, sim, &driver->facts);
    driver->facts.file = true;
    turn now = {.driver = driver, .sim = sim};
    spl_sim_info info;
    status = spl_sim_run(sim, "splenium bench", take_turns, &now);
    if (status == SPL_ERR_INTERRUPTED && !now.failed) {
        status = SPL_OK;
    } else if (now.failed) {
        status = SPL_ERR_INTERNAL;
    }
    spl_sim_describe(sim, &info);
    driver->escaped_nodes = info.escaped_nodes;
out:
    spl_sim_free(sim);
    unlink(path);
    return status;
}
