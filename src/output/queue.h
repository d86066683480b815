/* Spikes between the stepping thread, which adds them step by step, and the I/O thread,
 * which takes them as frames of the journal. The owner locks. */
#ifndef SPL_OUTPUT_QUEUE_H
#define SPL_OUTPUT_QUEUE_H

#include "output/journal.h"
#include "output/output.h"

typedef struct spl_spike_batch {
    uint64_t step_to;
    uint64_t n; /* spikes of all populations */
    struct spl_spike_buffer {
        size_t n, capacity;
        double *time;
        uint32_t *neuron;
    } * populations;
} spl_spike_batch;

typedef struct spl_spike_queue {
    size_t n_populations;
    spl_spike_batch batches[2];
    int filling; /* the other one is the I/O thread's */
} spl_spike_queue;

/* Spikes after which the I/O thread is woken, and twice as many after which the stepping
 * thread waits for it. */
#define SPL_QUEUE_FULL ((uint64_t)1 << 19)

SPL_MUST_CHECK spl_status spl_queue_init(
    spl_spike_queue *queue, size_t n_populations, uint64_t first_step);
void spl_queue_deinit(spl_spike_queue *queue);

/* Spikes that wait, and the step up to which they are there. */
uint64_t spl_queue_waiting(const spl_spike_queue *queue);
uint64_t spl_queue_step(const spl_spike_queue *queue);
/* Add those of one more step: counts[p] of each population, from its columns on. Result:
 * SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_queue_add(
    spl_spike_queue *queue, const spl_spike_columns *populations);
/* Take all that wait; valid until the next call. */
spl_spike_batch *spl_queue_take(spl_spike_queue *queue);

/* Bytes that the queue of a run may take. */
uint64_t spl_queue_memory(void);

#endif
