/* Rows from the stepping thread to the disk. One I/O thread writes and syncs; the
 * stepping thread only copies, and waits if two blocks of rows are not yet written. */
#include <endian.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "output/internal.h"

#define NS_PER_S 1000000000LL

static int64_t clock_ns(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t spl_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* About two blocks, or all rows if one block holds them. The kernels place the rows of
 * many steps at once, if these lie together: as a rule they do in a ring of whole
 * AT_ONCE. */
static size_t ring_rows(const spl_stream *stream)
{
    enum { AT_ONCE = 128 };
    const size_t block = spl_rows_per_block(stream->width, stream->n_rows);
    if (stream->n_rows <= block) {
        return block;
    }
    return block < AT_ONCE ? 2 * block : 2 * block / AT_ONCE * AT_ONCE;
}

uint64_t spl_output_memory(const spl_output_spec *spec)
{
    uint64_t bytes = 0;
    for (size_t s = 0; s < spec->n_streams; s++) {
        const spl_stream *stream = &spec->streams[s];
        bytes += (uint64_t)ring_rows(stream) * stream->width * stream->n_variables *
                 (stream->f8 ? sizeof(double) : sizeof(float));
    }
    return bytes + (spec->n_populations > 0 ? spl_queue_memory() : 0);
}

static spl_status init_ring(spl_ring *ring, const spl_stream *stream, size_t first_place)
{
    size_t bytes;
    *ring = (spl_ring){
        .name = spl_strdup(stream->name),
        .n_variables = stream->n_variables,
        .width = stream->width,
        .item_bytes = stream->f8 ? sizeof(double) : sizeof(float),
        .rows_per_block = spl_rows_per_block(stream->width, stream->n_rows),
        .capacity = ring_rows(stream),
        .n_rows = stream->n_rows,
        .first_place = first_place,
    };
    if (__builtin_mul_overflow(ring->capacity, ring->width * ring->item_bytes, &bytes) ||
        __builtin_mul_overflow(bytes, ring->n_variables, &bytes)) {
        return spl_error(SPL_ERR_LIMIT, "monitor %s: rows too large", stream->name);
    }
    ring->data = spl_memory_take(bytes);
    ring->crc = calloc(ring->n_variables, sizeof *ring->crc);
    return ring->name != NULL && ring->data != NULL && ring->crc != NULL
               ? SPL_OK
               : spl_error(SPL_ERR_NO_MEMORY,
                     "monitor %s: out of memory for %zu bytes of rows", stream->name,
                     bytes);
}

static spl_status init_waiting(spl_output *output)
{
    pthread_condattr_t attributes;
    output->waitable = pthread_condattr_init(&attributes) == 0 &&
                       pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                       pthread_cond_init(&output->work, &attributes) == 0 &&
                       pthread_cond_init(&output->room, &attributes) == 0 &&
                       pthread_mutex_init(&output->mutex, NULL) == 0;
    return output->waitable
               ? SPL_OK
               : spl_error(SPL_ERR_NO_MEMORY, "%s: no lock for its writer", output->path);
}

/* Sums of population or subnetwork, and the I/O thread's copy. */
static spl_status init_counts(spl_output *output, const spl_output_spec *spec)
{
    output->no_spikes = calloc(output->n_populations + 1, sizeof *output->no_spikes);
    if (output->no_spikes == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", output->path);
    }
    for (size_t p = 0; p < output->n_populations; p++) {
        output->no_spikes[p] = spec->populations[p].no_spikes;
    }
    for (size_t i = 0; i < SPL_N_COUNTS; i++) {
        const size_t n =
            i == SPL_COUNT_CLIPS ? output->n_subnetworks : output->n_populations;
        output->counts[i] = calloc(n + 1, sizeof *output->counts[i]);
        output->counts_out[i] = calloc(n + 1, sizeof *output->counts_out[i]);
        if (output->counts[i] == NULL || output->counts_out[i] == NULL) {
            return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", output->path);
        }
    }
    return SPL_OK;
}

spl_status spl_writer_init(spl_output *output, const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    /* s; not without a pause, and no more than fits into a timespec */
    output->flush_every = fmin(fmax(spec->flush_every, 1e-3), 1e9);
    output->start_ns = spl_monotonic_ns();
    output->start[0] = (double)time(NULL);
    output->start[2] = spec->threads;
    output->n_streams = spec->n_streams;
    output->rings = calloc(spec->n_streams + 1, sizeof *output->rings);
    if (output->rings == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    output->n_populations = spec->n_populations;
    output->n_subnetworks = spec->n_subnetworks;
    SPL_TRY(init_waiting(output));
    SPL_TRY(spl_queue_init(&output->queue, spec->n_populations, spec->first_step));
    SPL_TRY(init_counts(output, spec));
    for (size_t s = 0; s < spec->n_streams; s++) {
        SPL_TRY(init_ring(
            &output->rings[s], &spec->streams[s], output->places.first_of_stream[s]));
    }
out:
    return status;
}

void spl_writer_deinit(spl_output *output)
{
    for (size_t s = 0; output->rings != NULL && s < output->n_streams; s++) {
        free(output->rings[s].name);
        free(output->rings[s].data);
        free(output->rings[s].crc);
        free(output->rings[s].compared);
    }
    free(output->rings);
    output->rings = NULL;
    for (size_t i = 0; i < SPL_N_COUNTS; i++) {
        free(output->counts[i]);
        free(output->counts_out[i]);
        output->counts[i] = output->counts_out[i] = NULL;
    }
    free(output->no_spikes);
    output->no_spikes = NULL;
    spl_queue_deinit(&output->queue);
    if (output->waitable) {
        pthread_cond_destroy(&output->work);
        pthread_cond_destroy(&output->room);
        pthread_mutex_destroy(&output->mutex);
        output->waitable = false;
    }
}

/* In the I/O thread from here on. */

/* Rows that were durable before this start must come out the same. */
static spl_status compare_rows(spl_output *output, const spl_ring *ring,
    const spl_place *rows, const unsigned char *data, uint64_t from, uint64_t to)
{
    spl_status status = SPL_OK;
    const size_t row_bytes = ring->width * ring->item_bytes;
    const uint64_t end = to < ring->durable ? to : ring->durable;
    if (from >= end) {
        return SPL_OK;
    }
    SPL_TRY(spl_file_read_at(output->fd, output->path, ring->compared,
        (size_t)(end - from) * row_bytes, rows->offset + from * row_bytes));
    for (uint64_t row = from; row < end; row++) {
        const size_t at = (size_t)(row - from) * row_bytes;
        if (memcmp(ring->compared + at, data + at, row_bytes) != 0) {
            SPL_FAIL(SPL_ERR_INTERNAL,
                "%s: %s: row %llu does not come out as it was stored: another processor, "
                "library or build computes differently; resume where it was begun, or "
                "overwrite with --accept-change",
                output->path, rows->path, (unsigned long long)row);
        }
    }
out:
    return status;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes of rows, and what they add to their checksum, in pieces that begin and end where
 * the system's larger pages may do so, 0.24 in place of 0.27 ns per byte, and stay in the
 * cache of a core. Adds the processor time of writing. */
static spl_status write_pieces(spl_output *output, const unsigned char *data,
    size_t bytes, uint64_t offset, uint32_t *crc, int64_t *ns)
{
    spl_status status = SPL_OK;
    const uint64_t piece = 1 << 19;
    const uint64_t end = offset + bytes;
    while (offset < end) {
        const size_t n = (size_t)(lower(end, (offset / piece + 1) * piece) - offset);
        const int64_t begin_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        SPL_TRY(spl_file_write_at(output->fd, output->path, data, n, offset));
        *ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
        *crc = spl_crc32c(*crc, data, n);
        data += n;
        offset += n;
    }
out:
    return status;
}

/* Rows [from, to) of one block, and its checksum if they end it. */
static spl_status write_rows(
    spl_output *output, spl_ring *ring, size_t v, uint64_t from, uint64_t to)
{
    spl_status status = SPL_OK;
    const spl_place *rows = &output->places.all[ring->first_place + 2 * v];
    const spl_place *checksums = rows + 1;
    const size_t row_bytes = ring->width * ring->item_bytes;
    const size_t slot = (size_t)(from % ring->capacity);
    const unsigned char *data = ring->data + (v * ring->capacity + slot) * row_bytes;
    const size_t bytes = (size_t)(to - from) * row_bytes;
    const uint64_t offset = rows->offset + from * row_bytes;
    int64_t ns = 0;
    SPL_TRY(compare_rows(output, ring, rows, data, from, to));
    if (from % ring->rows_per_block == 0) {
        ring->crc[v] = 0;
    }
    SPL_TRY(write_pieces(output, data, bytes, offset, &ring->crc[v], &ns));
    spl_cache_wrote(&output->cache, output->fd, rows->offset, offset, offset + bytes, ns);
    if (to % ring->rows_per_block == 0 || to == ring->n_rows) {
        const uint64_t block = from / ring->rows_per_block;
        const uint32_t crc = htole32(ring->crc[v]);
        SPL_TRY(spl_file_write_at(output->fd, output->path, &crc, sizeof crc,
            checksums->offset + block * sizeof crc));
    }
    atomic_fetch_add(&output->written_bytes, bytes);
out:
    return status;
}

/* Write all rows below `target`, block by block, giving their slots free as they go; in
 * two parts where the ring begins anew inside a block. */
static spl_status write_until(spl_output *output, spl_ring *ring, uint64_t target)
{
    spl_status status = SPL_OK;
    uint64_t from = ring->written; /* only this thread changes it */
    while (from < target) {
        const uint64_t end = (from / ring->rows_per_block + 1) * ring->rows_per_block;
        const uint64_t lap_end = (from / ring->capacity + 1) * ring->capacity;
        const uint64_t to = lower(target, lower(end, lap_end));
        for (size_t v = 0; v < ring->n_variables; v++) {
            SPL_TRY(write_rows(output, ring, v, from, to));
        }
        pthread_mutex_lock(&output->mutex);
        ring->written = from = to;
        pthread_cond_signal(&output->room);
        pthread_mutex_unlock(&output->mutex);
    }
out:
    return status;
}

void spl_writer_record(const spl_output *output, spl_record *record)
{
    /* the step first: rows of later steps do no harm */
    *record = (spl_record){.step = output->step, .n_streams = output->n_streams};
    for (size_t s = 0; s < output->n_streams; s++) {
        record->rows[s] = output->rings[s].appended;
    }
}

spl_slots spl_writer_slots(const spl_output *output, uint64_t n_rows[SPL_MAX_STREAMS])
{
    for (size_t s = 0; s < output->n_streams; s++) {
        n_rows[s] = output->rings[s].n_rows;
    }
    return (spl_slots){.fd = output->fd,
        .path = output->path,
        .offset = output->places.all[SPL_PLACE_PROGRESS].offset,
        .n_streams = output->n_streams,
        .n_rows = n_rows};
}

/* One frame of what was taken; every sync ends one, even if it is empty. */
static spl_status write_spikes(spl_output *output, const spl_spike_batch *batch)
{
    const size_t n_populations = output->n_populations;
    if (n_populations == 0 || batch->step_to == output->journal.end_step) {
        return SPL_OK;
    }
    spl_spike_columns *columns = malloc(n_populations * sizeof *columns);
    if (columns == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", output->journal.path);
    }
    for (size_t p = 0; p < n_populations; p++) {
        columns[p] = (spl_spike_columns){.n = batch->populations[p].n,
            .time = batch->populations[p].time,
            .neuron = batch->populations[p].neuron};
    }
    spl_status status = spl_journal_append(&output->journal, batch->step_to, columns);
    free(columns);
    return status;
}

static spl_status write_counts(spl_output *output)
{
    spl_status status = SPL_OK;
    for (size_t i = 0; output->n_populations > 0 && i < SPL_N_COUNTS; i++) {
        const spl_place *place = &output->places.all[output->places.first_count + i];
        for (size_t k = 0; k < place->dims[0]; k++) {
            output->counts_out[i][k] = htole64(output->counts_out[i][k]);
        }
        SPL_TRY(spl_file_write_at(output->fd, output->path, output->counts_out[i],
            (size_t)place->bytes, place->offset));
    }
out:
    return status;
}

/* Rows and spikes before their slot, with a sync between: what a slot promises is on the
 * disk. */
static spl_status flush_all(spl_output *output, spl_record *record)
{
    spl_status status = SPL_OK;
    uint64_t n_rows[SPL_MAX_STREAMS];
    SPL_TRY(write_counts(output));
    for (size_t s = 0; s < output->n_streams; s++) {
        SPL_TRY(write_until(output, &output->rings[s], record->rows[s]));
    }
    SPL_TRY(spl_file_sync_data(output->fd, output->path));
    if (output->n_populations > 0) {
        SPL_TRY(spl_file_sync_data(output->journal.fd, output->journal.path));
        record->journal_bytes = output->journal.bytes;
    }
    const spl_slots slots = spl_writer_slots(output, n_rows);
    SPL_TRY(spl_slots_publish(&slots, record));
    SPL_TRY(spl_output_check_path(output));
out:
    return status;
}

/* Rows and checksums are known now: everything up to the record is written, nothing
 * behind it. */
static void complete_checkpoint(
    const spl_output *output, spl_checkpoint *checkpoint, const spl_record *record)
{
    const spl_section *section = spl_checkpoint_find(checkpoint, SPL_SECTION_ROWS);
    unsigned char *rows = section->data;
    unsigned char *checksums =
        spl_checkpoint_find(checkpoint, SPL_SECTION_CHECKSUMS)->data;
    spl_bug_assert(section->bytes == output->n_streams * sizeof(uint64_t));
    for (size_t s = 0; s < output->n_streams; s++) {
        const spl_ring *ring = &output->rings[s];
        const uint64_t n = htole64(record->rows[s]);
        memcpy(rows, &n, sizeof n);
        rows += sizeof n;
        for (size_t v = 0; v < ring->n_variables; v++) {
            const bool between = record->rows[s] % ring->rows_per_block == 0;
            const uint32_t crc = htole32(between ? 0 : ring->crc[v]);
            memcpy(checksums, &crc, sizeof crc);
            checksums += sizeof crc;
        }
    }
    memcpy(checkpoint->uuid, output->uuid, sizeof checkpoint->uuid);
}

/* A checkpoint that cannot be written is told and tried again later: the rows do not
 * depend on it. */
static spl_status write_checkpoint(
    spl_output *output, spl_checkpoint *checkpoint, spl_record *record)
{
    spl_status status = flush_all(output, record);
    if (status != SPL_OK) {
        return status;
    }
    complete_checkpoint(output, checkpoint, record);
    spl_checkpoint_seal(checkpoint);
    const bool written = spl_checkpoint_write(checkpoint, output->path) == SPL_OK;
    pthread_mutex_lock(&output->mutex);
    if (!written) {
        snprintf(output->checkpoint_problem, sizeof output->checkpoint_problem, "%s",
            spl_last_error());
    }
    output->checkpoint = NULL;
    pthread_cond_signal(&output->room);
    pthread_mutex_unlock(&output->mutex);
    return SPL_OK;
}

/* Full blocks need not wait for the clock. */
static spl_status write_blocks(spl_output *output, const spl_record *record)
{
    spl_status status = SPL_OK;
    for (size_t s = 0; s < output->n_streams; s++) {
        spl_ring *ring = &output->rings[s];
        const uint64_t block = ring->rows_per_block;
        SPL_TRY(write_until(output, ring,
            record->rows[s] == ring->n_rows ? ring->n_rows
                                            : record->rows[s] / block * block));
    }
out:
    return status;
}

static bool has_full_block(const spl_output *output)
{
    if (spl_queue_waiting(&output->queue) >= SPL_QUEUE_FULL) {
        return true;
    }
    for (size_t s = 0; s < output->n_streams; s++) {
        const spl_ring *ring = &output->rings[s];
        if (ring->appended / ring->rows_per_block !=
            ring->written / ring->rows_per_block) {
            return true;
        }
    }
    return false;
}

/* Wait, under the mutex, for a full block, the clock or the end. */
static void wait_for_work(spl_output *output, int64_t deadline)
{
    const struct timespec until = {
        .tv_sec = deadline / NS_PER_S, .tv_nsec = deadline % NS_PER_S};
    while (!output->stop && output->checkpoint == NULL && !has_full_block(output) &&
           spl_monotonic_ns() < deadline) {
        pthread_cond_timedwait(&output->work, &output->mutex, &until);
    }
}

/* Under the mutex: all that is to be written now. */
static const spl_spike_batch *take_work(spl_output *output, spl_record *record)
{
    spl_writer_record(output, record);
    for (size_t i = 0; i < SPL_N_COUNTS; i++) {
        const size_t n =
            i == SPL_COUNT_CLIPS ? output->n_subnetworks : output->n_populations;
        memcpy(output->counts_out[i], output->counts[i], n * sizeof(uint64_t));
    }
    pthread_cond_signal(&output->room);
    return spl_queue_take(&output->queue);
}

static void *run_writer(void *user)
{
    spl_output *output = user;
    const int64_t interval = (int64_t)(output->flush_every * (double)NS_PER_S);
    spl_status status = SPL_OK;
    int64_t deadline = spl_monotonic_ns() + interval;
    bool stop = false;
    while (status == SPL_OK && !stop) {
        spl_record record;
        pthread_mutex_lock(&output->mutex);
        wait_for_work(output, deadline);
        spl_checkpoint *checkpoint = output->checkpoint;
        stop = output->stop && checkpoint == NULL;
        const spl_spike_batch *spikes = take_work(output, &record);
        pthread_mutex_unlock(&output->mutex);
        status = write_spikes(output, spikes);
        if (status != SPL_OK) {
            break;
        }
        if (checkpoint != NULL) {
            status = write_checkpoint(output, checkpoint, &output->checkpoint_record);
            deadline = spl_monotonic_ns() + interval;
        } else if (stop || spl_monotonic_ns() >= deadline) {
            status = flush_all(output, &record);
            deadline = spl_monotonic_ns() + interval;
        } else {
            status = write_blocks(output, &record);
        }
    }
    pthread_mutex_lock(&output->mutex);
    output->status = status;
    if (status != SPL_OK) {
        snprintf(output->message, sizeof output->message, "%s", spl_last_error());
    }
    output->checkpoint = NULL;
    pthread_cond_signal(&output->room);
    pthread_mutex_unlock(&output->mutex);
    return NULL;
}

/* In the stepping thread from here on. */

spl_status spl_writer_start(spl_output *output)
{
    sigset_t all;
    sigset_t before;
    /* signals are for the threads of the caller */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&output->thread, NULL, run_writer, output);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    output->running = error == 0;
    return error == 0 ? SPL_OK
                      : spl_error(SPL_ERR_INTERNAL, "%s: no thread for writing: %s",
                            output->path, strerror(error));
}

/* The error of the other thread becomes this thread's last error. */
static spl_status report(const spl_output *output)
{
    return output->status == SPL_OK ? SPL_OK
                                    : spl_error(output->status, "%s", output->message);
}

spl_status spl_writer_stop(spl_output *output)
{
    if (output->running) {
        pthread_mutex_lock(&output->mutex);
        output->stop = true;
        pthread_cond_signal(&output->work);
        pthread_mutex_unlock(&output->mutex);
        pthread_join(output->thread, NULL);
        output->running = false;
    }
    return report(output);
}

static inline void to_f4(
    unsigned char *restrict out, const double *restrict values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float value = (float)values[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits = htole32(bits);
        memcpy(out + i * sizeof bits, &bits, sizeof bits);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void to_f4_by_vectors(
    unsigned char *restrict out, const double *restrict values, size_t n)
{
    typedef double four_doubles __attribute__((vector_size(32)));
    typedef float four_floats __attribute__((vector_size(16)));
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        four_doubles from;
        memcpy(&from, values + i, sizeof from);
        const four_floats to = __builtin_convertvector(from, four_floats);
        memcpy(out + i * sizeof(float), &to, sizeof to);
    }
    /* The compiler leaves this out where no register has an upper half, but the processor
     * takes the instruction above for one that does, and all of SSE is then slow. */
    __builtin_ia32_vzeroupper();
    to_f4(out + i * sizeof(float), values + i, n - i);
}
#endif

/* Writing V of every step of 998 regions, the instructions that every x86-64 has took
 * 2 % of the run. */
static void store_f4(unsigned char *restrict out, const double *restrict values, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        to_f4_by_vectors(out, values, n);
        return;
    }
#endif
    to_f4(out, values, n);
}

static void store_f8(unsigned char *restrict out, const double *restrict values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = htole64(bits);
        memcpy(out + i * sizeof bits, &bits, sizeof bits);
    }
}

/* Copy `count` rows of the frame, from its row `first` on, into slots that lie together.
 */
static void copy_rows(spl_ring *ring, const spl_frame *frame, size_t variable_step,
    size_t row_step, size_t first, size_t count)
{
    const size_t width = frame->width;
    const size_t rows = row_step == width ? count : 1; /* that lie together */
    const size_t slot = (size_t)((frame->first_row + first) % ring->capacity);
    for (size_t v = 0; v < ring->n_variables; v++) {
        unsigned char *out =
            ring->data + (v * ring->capacity + slot) * width * ring->item_bytes;
        const double *values = frame->values + v * variable_step + first * row_step;
        for (size_t r = 0; r < count; r += rows) {
            if (ring->item_bytes == sizeof(float)) {
                store_f4(out, values, rows * width);
            } else {
                store_f8(out, values, rows * width);
            }
            out += width * ring->item_bytes;
            values += row_step;
        }
    }
}

static spl_status check_frame(const spl_output *output, const spl_frame *frame)
{
    if (frame->monitor >= output->n_streams) {
        return spl_error(SPL_ERR_INTERNAL, "%s: a frame of monitor %zu of %zu",
            output->path, frame->monitor, output->n_streams);
    }
    const spl_ring *ring = &output->rings[frame->monitor];
    if (frame->n_variables != ring->n_variables || frame->width != ring->width ||
        frame->first_row != ring->appended ||
        frame->n_rows > ring->n_rows - ring->appended) {
        return spl_error(SPL_ERR_INTERNAL,
            "%s: monitor %s: rows %llu + %zu of %zu x %zu values do not follow row %llu "
            "of %llu of %zu x %zu values",
            output->path, ring->name, (unsigned long long)frame->first_row, frame->n_rows,
            frame->n_variables, frame->width, (unsigned long long)ring->appended,
            (unsigned long long)ring->n_rows, ring->n_variables, ring->width);
    }
    return SPL_OK;
}

/* Wait until some slots are free. Result: how many; 0 after an error of the I/O thread.
 */
static size_t wait_for_room(spl_output *output, const spl_ring *ring)
{
    const uint64_t appended = atomic_load_explicit(&ring->appended, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    if (appended - written == ring->capacity) {
        pthread_mutex_lock(&output->mutex);
        while (output->status == SPL_OK && appended - ring->written == ring->capacity) {
            pthread_cond_wait(&output->room, &output->mutex);
        }
        written = ring->written;
        pthread_mutex_unlock(&output->mutex);
    }
    return output->status == SPL_OK ? ring->capacity - (size_t)(appended - written) : 0;
}

/* The I/O thread may have the rows; it is woken for a full block, and only when it will
 * not have to wait for the mutex: on one processor it would come and go twice. */
static void hand_over(spl_output *output, spl_ring *ring, uint64_t appended)
{
    const bool full = appended % ring->rows_per_block < appended - ring->appended;
    atomic_store_explicit(&ring->appended, appended, memory_order_release);
    if (full) {
        pthread_mutex_lock(&output->mutex);
        pthread_mutex_unlock(&output->mutex);
        pthread_cond_signal(&output->work);
    }
}

spl_status spl_output_append(spl_output *output, const spl_frame *frame)
{
    return spl_output_append_rows(
        output, frame, frame->n_rows * frame->width, frame->width);
}

spl_status spl_output_append_rows(
    spl_output *output, const spl_frame *frame, size_t variable_step, size_t row_step)
{
    spl_status status = check_frame(output, frame);
    size_t done = 0;
    while (status == SPL_OK && done < frame->n_rows) {
        spl_ring *ring = &output->rings[frame->monitor];
        const uint64_t appended = ring->appended;
        const size_t left = frame->n_rows - done;
        const size_t to_the_end = ring->capacity - (size_t)(appended % ring->capacity);
        size_t count = wait_for_room(output, ring);
        if (count == 0) {
            return spl_output_state(output);
        }
        count = count < to_the_end ? count : to_the_end;
        count = count < left ? count : left;
        copy_rows(ring, frame, variable_step, row_step, done, count);
        hand_over(output, ring, appended + count);
        done += count;
    }
    return status;
}

size_t spl_output_room(const spl_output *output, size_t stream)
{
    const spl_ring *ring = &output->rings[stream];
    const uint64_t appended = atomic_load_explicit(&ring->appended, memory_order_relaxed);
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    const size_t to_the_end = ring->capacity - (size_t)(appended % ring->capacity);
    return (size_t)lower(to_the_end, ring->capacity - (appended - written));
}

float *spl_output_place(spl_output *output, size_t stream, uint64_t first_row,
    size_t n_rows, size_t *variable_step)
{
    const spl_ring *ring = &output->rings[stream];
    const uint64_t appended = atomic_load_explicit(&ring->appended, memory_order_relaxed);
    if (first_row != appended || ring->item_bytes != sizeof(float) ||
        __BYTE_ORDER != __LITTLE_ENDIAN || n_rows > spl_output_room(output, stream)) {
        return NULL;
    }
    *variable_step = ring->capacity * ring->width;
    return (float *)ring->data + (size_t)(first_row % ring->capacity) * ring->width;
}

spl_status spl_output_append_placed(spl_output *output, const spl_frame *frame)
{
    spl_status status = check_frame(output, frame);
    if (status == SPL_OK) {
        hand_over(output, &output->rings[frame->monitor],
            output->rings[frame->monitor].appended + frame->n_rows);
        status = spl_output_state(output);
    }
    return status;
}

/* Add the spikes of one step once there is room for them. */
static spl_status add_step(spl_output *output, const spl_spike_columns *columns)
{
    pthread_mutex_lock(&output->mutex);
    while (output->status == SPL_OK &&
           spl_queue_waiting(&output->queue) >= 2 * SPL_QUEUE_FULL) {
        pthread_cond_wait(&output->room, &output->mutex);
    }
    spl_status status = output->status == SPL_OK ? spl_queue_add(&output->queue, columns)
                                                 : report(output);
    if (spl_queue_waiting(&output->queue) >= SPL_QUEUE_FULL) {
        pthread_cond_signal(&output->work);
    }
    pthread_mutex_unlock(&output->mutex);
    return status;
}

/* Only this thread adds steps, but the other one swaps the batches. */
static uint64_t added_to(spl_output *output)
{
    pthread_mutex_lock(&output->mutex);
    const uint64_t step = spl_queue_step(&output->queue);
    pthread_mutex_unlock(&output->mutex);
    return step;
}

spl_status spl_output_append_spikes(spl_output *output, uint64_t first_step,
    size_t n_steps, const spl_spike_block *populations)
{
    spl_status status = SPL_OK;
    const size_t n_populations = output->n_populations;
    const uint64_t there = added_to(output);
    spl_spike_columns *columns = calloc(n_populations + 1, sizeof *columns);
    if (columns == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory: spikes", output->path);
    }
    if (first_step > there) {
        SPL_FAIL(SPL_ERR_INTERNAL,
            "%s: spikes from step %llu on do not follow step %llu; report this",
            output->path, (unsigned long long)first_step, (unsigned long long)there);
    }
    for (size_t p = 0; p < n_populations; p++) {
        columns[p].time = populations[p].time_ms;
        columns[p].neuron = populations[p].neuron;
    }
    for (size_t k = 0; k < n_steps; k++) {
        for (size_t p = 0; p < n_populations; p++) {
            columns[p].n = output->no_spikes[p] ? 0 : (size_t)populations[p].counts[k];
        }
        if (first_step + k >= there) {
            SPL_TRY(add_step(output, columns));
        }
        for (size_t p = 0; p < n_populations; p++) {
            if (columns[p].n > 0) {
                columns[p].time += columns[p].n;
                columns[p].neuron += columns[p].n;
            }
        }
    }
out:
    free(columns);
    return status;
}

void spl_output_count(spl_output *output, const uint64_t *spikes, const uint64_t *events,
    const uint64_t *clips)
{
    const size_t bytes = output->n_populations * sizeof(uint64_t);
    pthread_mutex_lock(&output->mutex);
    memcpy(output->counts[SPL_COUNT_SPIKES], spikes, bytes);
    memcpy(output->counts[SPL_COUNT_EVENTS], events, bytes);
    memcpy(
        output->counts[SPL_COUNT_CLIPS], clips, output->n_subnetworks * sizeof(uint64_t));
    pthread_mutex_unlock(&output->mutex);
}

void spl_output_step(spl_output *output, uint64_t step)
{
    if (step > output->step) {
        atomic_store_explicit(&output->step, step, memory_order_release);
    }
}

spl_status spl_output_state(spl_output *output)
{
    if (output->status == SPL_OK) {
        return SPL_OK;
    }
    pthread_mutex_lock(&output->mutex); /* for the message */
    const spl_status status = report(output);
    pthread_mutex_unlock(&output->mutex);
    return status;
}

void spl_output_checkpoint(spl_output *output, spl_checkpoint *checkpoint)
{
    pthread_mutex_lock(&output->mutex);
    if (output->status == SPL_OK) {
        output->checkpoint = checkpoint;
        spl_writer_record(output, &output->checkpoint_record);
        pthread_cond_signal(&output->work);
    }
    pthread_mutex_unlock(&output->mutex);
}

bool spl_output_checkpoint_busy(spl_output *output)
{
    pthread_mutex_lock(&output->mutex);
    const bool busy = output->checkpoint != NULL;
    pthread_mutex_unlock(&output->mutex);
    return busy;
}

void spl_output_checkpoint_wait(spl_output *output)
{
    pthread_mutex_lock(&output->mutex);
    while (output->checkpoint != NULL) {
        pthread_cond_wait(&output->room, &output->mutex);
    }
    pthread_mutex_unlock(&output->mutex);
}

bool spl_output_checkpoint_problem(spl_output *output, char *text, size_t size)
{
    pthread_mutex_lock(&output->mutex);
    const bool any = *output->checkpoint_problem != '\0';
    snprintf(text, size, "%s", output->checkpoint_problem);
    *output->checkpoint_problem = '\0';
    pthread_mutex_unlock(&output->mutex);
    return any;
}

uint64_t spl_output_written(const spl_output *output)
{
    return atomic_load(&output->written_bytes);
}
