#include "output/queue.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_CAPACITY = 1024 };

uint64_t spl_queue_memory(void)
{
    /* two batches of twice the mark, in buffers that double */
    return 2 * 2 * 2 * SPL_QUEUE_FULL * (sizeof(double) + sizeof(uint32_t));
}

spl_status spl_queue_init(
    spl_spike_queue *queue, size_t n_populations, uint64_t first_step)
{
    *queue = (spl_spike_queue){.n_populations = n_populations};
    for (int b = 0; b < 2; b++) {
        queue->batches[b].step_to = first_step;
        queue->batches[b].populations =
            calloc(n_populations + 1, sizeof *queue->batches[b].populations);
        if (queue->batches[b].populations == NULL) {
            return spl_error(SPL_ERR_NO_MEMORY, "out of memory: spikes");
        }
    }
    return SPL_OK;
}

void spl_queue_deinit(spl_spike_queue *queue)
{
    for (int b = 0; b < 2; b++) {
        spl_spike_batch *batch = &queue->batches[b];
        for (size_t p = 0; batch->populations != NULL && p < queue->n_populations; p++) {
            free(batch->populations[p].time);
            free(batch->populations[p].neuron);
        }
        free(batch->populations);
    }
    *queue = (spl_spike_queue){0};
}

uint64_t spl_queue_waiting(const spl_spike_queue *queue)
{
    return queue->batches[queue->filling].n;
}

uint64_t spl_queue_step(const spl_spike_queue *queue)
{
    return queue->batches[queue->filling].step_to;
}

static spl_status reserve(struct spl_spike_buffer *buffer, size_t n)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : LEAST_CAPACITY;
    if (buffer->n + n <= buffer->capacity) {
        return SPL_OK;
    }
    while (capacity < buffer->n + n) {
        capacity *= 2;
    }
    double *time = realloc(buffer->time, capacity * sizeof *time);
    buffer->time = time != NULL ? time : buffer->time;
    uint32_t *neuron = realloc(buffer->neuron, capacity * sizeof *neuron);
    buffer->neuron = neuron != NULL ? neuron : buffer->neuron;
    if (time == NULL || neuron == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "out of memory: %zu spikes on their way", capacity);
    }
    buffer->capacity = capacity;
    return SPL_OK;
}

spl_status spl_queue_add(spl_spike_queue *queue, const spl_spike_columns *populations)
{
    spl_status status = SPL_OK;
    spl_spike_batch *batch = &queue->batches[queue->filling];
    for (size_t p = 0; p < queue->n_populations; p++) {
        SPL_TRY(reserve(&batch->populations[p], populations[p].n));
    }
    for (size_t p = 0; p < queue->n_populations; p++) {
        struct spl_spike_buffer *buffer = &batch->populations[p];
        const size_t n = populations[p].n;
        if (n > 0) {
            memcpy(buffer->time + buffer->n, populations[p].time, n * sizeof(double));
            memcpy(
                buffer->neuron + buffer->n, populations[p].neuron, n * sizeof(uint32_t));
        }
        buffer->n += n;
        batch->n += n;
    }
    batch->step_to++;
out:
    return status;
}

spl_spike_batch *spl_queue_take(spl_spike_queue *queue)
{
    spl_spike_batch *full = &queue->batches[queue->filling];
    queue->filling = 1 - queue->filling;
    spl_spike_batch *empty = &queue->batches[queue->filling];
    empty->step_to = full->step_to;
    empty->n = 0;
    for (size_t p = 0; p < queue->n_populations; p++) {
        empty->populations[p].n = 0;
    }
    return full;
}
