/* Simulate two coupled regions in memory and print the mean of V over the last second. */
#include <splenium/splenium.h>
#include <stdio.h>

typedef struct average {
    double sum;
    size_t n;
} average;

static spl_status add_rows(void *user, const spl_frame *frame)
{
    average *mean = user;
    for (size_t i = 0; i < frame->n_rows * frame->width; i++) {
        mean->sum += frame->values[i];
        mean->n++;
    }
    return SPL_OK;
}

int main(void)
{
    const double weights[] = {0, 1, 1, 0};
    const double tract_lengths[] = {0, 60, 60, 0};
    const char *const labels[] = {"left", "right"};
    const spl_connectome_arrays arrays = {.n_nodes = 2,
        .weights = weights,
        .tract_lengths = tract_lengths,
        .labels = labels};
    average mean = {0.0, 0};
    spl_connectome *connectome = NULL;
    spl_config *config = NULL;
    spl_sim *sim = NULL;
    int failed = spl_connectome_create(&connectome, &arrays, NULL) != SPL_OK ||
                 spl_config_defaults(&config) != SPL_OK ||
                 spl_config_set(config, "simulation.duration", "2 s") != SPL_OK ||
                 spl_config_set(config, "simulation.transient", "1 s") != SPL_OK ||
                 spl_config_set(config, "output.file", "") != SPL_OK ||
                 spl_config_set(config, "monitors",
                     "[{name: v, kind: subsample, period: 1 ms}]") != SPL_OK ||
                 spl_sim_create(&sim, config, connectome) != SPL_OK;
    if (!failed) {
        spl_sim_set_sink(sim, add_rows, &mean);
        failed = spl_sim_step(sim, 20000) != SPL_OK;
    }
    if (failed) {
        fprintf(stderr, "%s\n", spl_last_error());
    } else {
        printf("%zu values, mean V %.2f\n", mean.n, mean.sum / (double)mean.n);
    }
    spl_sim_free(sim);
    spl_config_free(config);
    spl_connectome_free(connectome);
    return failed;
}
