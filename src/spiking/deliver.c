/* Delivery of spikes along rows, to the input of one part. */
#include "simd/vec.h"
#include "spiking/rows_layout.h"

/* Sources between the stages of delivery along sparse rows, and how much of a row is
 * fetched ahead: the processor then sees where it goes on. */
enum { AHEAD = 4, FETCHED_BYTES = 256 };

/* Dense rows that are added in one pass over the input. */
enum { ROWS_AT_ONCE = 4 };

typedef struct delivery {
    const spl_rows *rows;
    const uint32_t *offset; /* of the part */
    const uint16_t *targets;
    const spl_real *weights;
    const uint8_t *delays8;
    const uint16_t *delays16;
    spl_real weight;
    spl_real *ring; /* of the first target of the part */
    size_t slot, n_slots, stride;
} delivery;

VEC_INLINE spl_real *slot_after(const delivery *d, size_t delay)
{
    const size_t slot = d->slot + delay;
    return d->ring + (slot < d->n_slots ? slot : slot - d->n_slots) * d->stride;
}

VEC_INLINE void add_run(const delivery *d, const bool own_weights, size_t first,
    size_t end, spl_real *restrict input)
{
    const uint16_t *restrict targets = d->targets;
    const spl_real *restrict weights = d->weights;
    const spl_real weight = d->weight;
    __asm__("" : "+r"(input));
    size_t i = first;
    for (; i + 4 <= end; i += 4) {
        SPL_UNROLL
        for (size_t k = 0; k < 4; k++) {
            input[targets[i + k]] += own_weights ? weights[i + k] : weight;
        }
    }
    for (; i < end; i++) {
        input[targets[i]] += own_weights ? weights[i] : weight;
    }
}

/* Without a branch on where runs of equal delays end: one wrong guess costs as much as
 * ten entries, and stops those behind it from waiting for the cache together. */
VEC_INLINE void add_delayed(const delivery *d, const bool own_weights,
    const int delay_bytes, size_t first, size_t end)
{
    const uint16_t *restrict targets = d->targets;
    const spl_real *restrict weights = d->weights;
    const spl_real weight = d->weight;
    const size_t slot = d->slot;
    const size_t n_slots = d->n_slots;
    const size_t stride = d->stride;
    spl_real *restrict ring = d->ring;
    const uint8_t *restrict delays8 = d->delays8;
    const uint16_t *restrict delays16 = d->delays16;
    for (size_t i = first; i < end; i++) {
        const size_t delayed = slot + (delay_bytes == 1 ? delays8[i] : delays16[i]);
        const size_t wrapped = delayed - n_slots;
        const size_t at = (delayed < n_slots ? delayed : wrapped) * stride;
        ring[at + targets[i]] += own_weights ? weights[i] : weight;
    }
}

VEC_INLINE void add_row(const delivery *d, const bool own_weights, const int delay_bytes,
    size_t first, size_t end)
{
    if (delay_bytes == 0) {
        add_run(d, own_weights, first, end, slot_after(d, d->rows->min_delay));
    } else {
        add_delayed(d, own_weights, delay_bytes, first, end);
    }
}

VEC_INLINE void fetch(const void *first, size_t bytes)
{
    vec_fetch(first, bytes < FETCHED_BYTES ? bytes : FETCHED_BYTES);
}

VEC_INLINE void fetch_row(
    const delivery *d, const bool own_weights, const int delay_bytes, uint32_t source)
{
    const size_t first = d->offset[source];
    const size_t n = d->offset[source + 1] - first;
    fetch(d->targets + first, n * sizeof *d->targets);
    if (own_weights) {
        fetch(d->weights + first, n * sizeof *d->weights);
    }
    if (delay_bytes == 1) {
        fetch(d->delays8 + first, n);
    } else if (delay_bytes == 2) {
        fetch(d->delays16 + first, 2 * n);
    }
}

/* In three stages, each some sources behind the one before: fetch where the row is, fetch
 * its start, add it. */
VEC_INLINE void add_sparse(const delivery *d, const bool own_weights,
    const int delay_bytes, const uint32_t *sources, size_t n_sources)
{
    for (size_t k = 0; k < n_sources + 2 * AHEAD; k++) {
        if (k < n_sources) {
            __builtin_prefetch(d->offset + sources[k]);
        }
        if (k >= AHEAD && k - AHEAD < n_sources) {
            fetch_row(d, own_weights, delay_bytes, sources[k - AHEAD]);
        }
        if (k >= 2 * AHEAD) {
            const uint32_t *bounds = d->offset + sources[k - 2 * AHEAD];
            add_row(d, own_weights, delay_bytes, bounds[0], bounds[1]);
        }
    }
}

static void deliver_sparse(
    delivery *d, size_t part, const uint32_t *sources, size_t n_sources)
{
    const spl_rows *rows = d->rows;
    const uint64_t base = rows->base[part];
    const spl_real *weights = rows->weights;
    const int delay_bytes = rows->delays8 != NULL ? 1 : rows->delays16 != NULL ? 2 : 0;
    d->offset = rows->offsets + part * (rows->n_from + 1);
    d->targets = rows->targets + base;
    d->weights = weights != NULL ? weights + base : NULL;
    d->delays8 = delay_bytes == 1 ? rows->delays8 + base : NULL;
    d->delays16 = delay_bytes == 2 ? rows->delays16 + base : NULL;
    switch (3 * (weights != NULL) + delay_bytes) {
    case 0:
        add_sparse(d, false, 0, sources, n_sources);
        break;
    case 1:
        add_sparse(d, false, 1, sources, n_sources);
        break;
    case 2:
        add_sparse(d, false, 2, sources, n_sources);
        break;
    case 3:
        add_sparse(d, true, 0, sources, n_sources);
        break;
    case 4:
        add_sparse(d, true, 1, sources, n_sources);
        break;
    default:
        add_sparse(d, true, 2, sources, n_sources);
        break;
    }
}

VEC_INLINE void add_dense(
    const size_t n_rows, const spl_real *const *weights, size_t n, spl_real *input)
{
    for (size_t i = 0; i < n; i += SPL_LANES) {
        vec sum = vec_load(input + i);
        SPL_UNROLL
        for (size_t row = 0; row < n_rows; row++) {
            sum += vec_load(weights[row] + i);
        }
        vec_store(input + i, sum);
    }
}

static void deliver_dense(
    const delivery *d, size_t part, const uint32_t *sources, size_t n_sources)
{
    const spl_real *weights = d->rows->weights;
    const size_t n = spl_rows_dense_length(d->rows, part);
    spl_real *input = slot_after(d, d->rows->min_delay);
    size_t k = 0;
    for (; k + ROWS_AT_ONCE <= n_sources; k += ROWS_AT_ONCE) {
        const spl_real *rows[ROWS_AT_ONCE];
        for (size_t row = 0; row < ROWS_AT_ONCE; row++) {
            rows[row] = weights + spl_rows_dense_row(d->rows, part, sources[k + row]);
        }
        add_dense(ROWS_AT_ONCE, rows, n, input);
    }
    for (; k < n_sources; k++) {
        const spl_real *row = weights + spl_rows_dense_row(d->rows, part, sources[k]);
        add_dense(1, &row, n, input);
    }
}

static void add_same(spl_real *input, size_t n, spl_real weight, size_t times)
{
    for (size_t k = 0; k < times; k++) {
        for (size_t i = 0; i < n; i++) {
            input[i] += weight;
        }
    }
}

/* The same weight from every source to all targets but, without autapses, itself. */
static void deliver_all(
    const delivery *d, size_t part, const uint32_t *sources, size_t n_sources)
{
    const size_t start = part * d->rows->part_size;
    const size_t n = spl_rows_part_length(d->rows, part);
    spl_real *input = slot_after(d, d->rows->min_delay);
    size_t done = 0;
    for (size_t k = 0; k < n_sources && d->rows->without_own; k++) {
        const size_t own = sources[k] - start; /* huge below the part */
        if (own < n) {
            add_same(input + done, own - done, d->weight, n_sources);
            add_same(input + own, 1, d->weight, n_sources - 1);
            done = own + 1;
        }
    }
    add_same(input + done, n - done, d->weight, n_sources);
}

static void deliver(const spl_rows *rows, size_t part, const uint32_t *sources,
    size_t n_sources, uint64_t substep, spl_real *ring, size_t n_slots, size_t stride)
{
    delivery d = {
        .rows = rows,
        .weight = (spl_real)rows->weight,
        .ring = ring + part * rows->part_size,
        .slot = (size_t)(substep % n_slots),
        .n_slots = n_slots,
        .stride = stride,
    };
    switch (rows->kind) {
    case SPL_ROWS_SPARSE:
        deliver_sparse(&d, part, sources, n_sources);
        break;
    case SPL_ROWS_DENSE:
        deliver_dense(&d, part, sources, n_sources);
        break;
    case SPL_ROWS_ALL:
        deliver_all(&d, part, sources, n_sources);
        break;
    }
}

const spl_delivery_kernels SPL_TARGETED(spl_delivery_kernels);
const spl_delivery_kernels SPL_TARGETED(spl_delivery_kernels) = {.deliver = deliver};
