/* Where the states of the steps go that the monitors see at once: to rows for these, step
 * by step or as sums over pieces, or in f4 past them. */
#include <string.h>

#include "integrate/internal.h"

/* Row of the step that is `n_steps` behind the first. */
static size_t row_behind(const spl_network *network, size_t n_steps)
{
    const size_t piece = network->recording.piece_steps;
    const uint64_t first = network->recorded_from;
    return piece > 0 ? (size_t)((first + n_steps) / piece - first / piece) : n_steps;
}

/* Rows of the piece that is under way go on where a sum has begun. */
static void begin_pieces(const spl_network *network)
{
    for (size_t v = 0; v < network->n_states; v++) {
        const double *begun = network->recording.begun[v];
        const int slot = network->run.slot[v];
        for (size_t i = 0; begun != NULL && slot >= 0 && i < network->n_nodes; i++) {
            network->rows[(size_t)slot * network->stride + i] = (spl_real)begun[i];
        }
    }
}

static size_t fewer(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

void spl_record_begin(
    spl_network *network, const spl_block_hooks *hooks, uint64_t n_steps)
{
    spl_recording *recording = &network->recording;
    *recording = (spl_recording){
        .n_steps = fewer(network->n_rows, n_steps),
        .n_steps_in_pieces = fewer(network->n_steps_in_pieces, n_steps),
        .n_steps_in_f4 = fewer(network->n_steps_in_f4, n_steps),
    };
    network->recorded_from = network->step;
    network->keeps_rows = false;
    if (hooks->place != NULL) {
        hooks->place(hooks->user, network->step + 1, recording);
    }
    for (size_t v = 0; v < SPL_MAX_STATES + 2; v++) {
        network->run.slot[v] = recording->not_f8[v] ? -1 : network->slot[v];
        network->keeps_rows = network->keeps_rows || network->run.slot[v] >= 0;
    }
    network->most_kept = recording->f4_alone          ? recording->n_steps_in_f4
                         : recording->piece_steps > 0 ? network->n_steps_in_pieces
                                                      : network->n_rows;
    begin_pieces(network);
}

void spl_record_behind(spl_network *network, size_t n_steps)
{
    const spl_recording *recording = &network->recording;
    const size_t piece = recording->piece_steps;
    if (network->keeps_rows) {
        network->record = network->rows + row_behind(network, n_steps) *
                                              network->run.n_slots * network->stride;
    }
    network->piece_left =
        piece > 0 ? piece - (size_t)((network->recorded_from + n_steps) % piece) : 1;
    for (size_t s = 0; s < network->n_states; s++) {
        float *row = recording->f4[s];
        network->f4[s] = row != NULL ? row + n_steps * recording->f4_pitch : NULL;
    }
}

void spl_record_save(spl_network *network, size_t first, size_t last)
{
    if (network->piece_left >= network->recording.piece_steps) {
        return;
    }
    for (size_t slot = 0; slot < network->run.n_slots; slot++) {
        const size_t at = slot * network->stride + first;
        memcpy(network->piece_backup + at, network->record + at,
            (last - first) * sizeof(spl_real));
    }
}

void spl_record_repeat(const spl_network *network)
{
    if (network->piece_left < network->recording.piece_steps) {
        memcpy(network->record, network->piece_backup,
            network->run.n_slots * network->stride * sizeof(spl_real));
    }
}

spl_samples spl_record_samples(const spl_network *network, size_t n_steps)
{
    return (spl_samples){
        .first_step = network->recorded_from + 1,
        .n_steps = n_steps,
        .n_variables = network->run.n_slots,
        .stride = network->stride,
        .piece_steps = network->recording.piece_steps,
        .values = network->shown,
    };
}

void spl_record_widen(
    const spl_network *network, size_t n_steps, size_t begin, size_t end)
{
    const spl_kernel_run *run = &network->run;
    if ((const void *)network->shown == (const void *)network->rows) {
        return;
    }
    for (size_t v = 0; v < SPL_MAX_STATES + 2; v++) {
        for (size_t step = 0; step < n_steps && run->slot[v] >= 0; step++) {
            const size_t row =
                (step * run->n_slots + (size_t)run->slot[v]) * network->stride;
            for (size_t i = begin; i < end; i++) {
                network->shown[row + i] = (double)network->rows[row + i];
            }
        }
    }
}
