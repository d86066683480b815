/* What a run keeps of its spiking populations: sums, rates, chosen neurons and spikes,
 * for the results file and for the caller. Steps of the transient leave nothing. */
#ifndef SPL_SIM_RECORDER_H
#define SPL_SIM_RECORDER_H

#include "config/settings.h"
#include "output/output.h"
#include "spiking/subnetwork.h"
#include "splenium/sim.h"

typedef struct spl_recorder spl_recorder;

/* `settings` and `connectome` outlive it; connectome NULL: no nodes. Result: SPL_OK;
 * SPL_ERR_CONFIG if nothing would be recorded; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_recorder_create(spl_recorder **out,
    const spl_settings *settings, const spl_connectome *connectome, size_t max_block);
void spl_recorder_free(spl_recorder *recorder);
uint64_t spl_recorder_memory(const spl_recorder *recorder);

/* Its streams in the results file, behind `first` others. */
size_t spl_recorder_streams(const spl_recorder *recorder, const spl_stream **streams);
/* Rows that each of them has after `step` steps. */
uint64_t spl_recorder_rows(const spl_recorder *recorder, uint64_t step);
/* Populations and subnetworks of the results file. */
void spl_recorder_describe(const spl_recorder *recorder, spl_output_spec *spec);

/* Who receives what was recorded; both may be NULL. */
typedef struct spl_recorder_sinks {
    spl_sim_spike_sink *sink;
    void *user;
    spl_output *output;
    size_t first_stream; /* of this recorder's among those of the output */
} spl_recorder_sinks;
/* Take the steps first_step + 1 .. first_step + n_steps of all subnetworks, in the order
 * of the settings; each block has at least these steps. `clips` are sums over the run.
 * Result: SPL_OK; what a sink or the output returns. */
SPL_MUST_CHECK spl_status spl_recorder_take(spl_recorder *recorder, uint64_t first_step,
    size_t n_steps, const spl_subnetwork_block *const *blocks, const uint64_t *clips,
    const spl_recorder_sinks *sinks);

size_t spl_recorder_n_populations(const spl_recorder *recorder);
/* `n_steps` of the run are done. */
void spl_recorder_population(const spl_recorder *recorder, size_t i, uint64_t n_steps,
    spl_sim_population *population);

/* The sums, which a resumed run continues: words that it gives and takes. */
size_t spl_recorder_state_size(const spl_recorder *recorder);
void spl_recorder_save(const spl_recorder *recorder, uint64_t *words);
void spl_recorder_restore(spl_recorder *recorder, const uint64_t *words);
/* Tell them, and the clips so far, to the writer, which else learns them with the next
 * block. */
void spl_recorder_count(
    const spl_recorder *recorder, const uint64_t *clips, spl_output *output);

#endif
