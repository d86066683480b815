#include "spiking/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "spiking/connect.h"
#include "spiking/rows_layout.h"

/* A part has up to PART neurons, more only where there would be more than MOST_PARTS, and
 * never more than 16 bits number. Every part breaks each row once more: 100 000 neurons
 * with 100 synapses each took 3.6 ns per event in 7 parts and 5.4 ns in 13. */
enum { PART = 16384, MOST_PARTS = 16, MOST_PART = 65536 };

/* A dense row takes 4 B for each pair, a sparse entry with its own weight 6: dense where
 * that makes at most 9 B for a synapse. Delivery would gain from 30 % on. */
#define DENSE_ABOVE (4.0 / 9.0)

static size_t whole_blocks(size_t n)
{
    return (n + SPL_NEURON_BLOCK - 1) / SPL_NEURON_BLOCK * SPL_NEURON_BLOCK;
}

size_t spl_part_size(size_t n)
{
    const size_t needed = (n + PART - 1) / PART;
    const size_t n_parts = needed < 1 ? 1 : needed < MOST_PARTS ? needed : MOST_PARTS;
    const size_t part = whole_blocks((n + n_parts - 1) / n_parts);
    return part < 1 ? SPL_NEURON_BLOCK : part < MOST_PART ? part : MOST_PART;
}

uint32_t spl_rows_predict_delay(const spl_projection_spec *projection, double h)
{
    double longest = 0.0;
    if (projection->list.delay == NULL) {
        longest = spl_synapse_draw_most(&projection->delay);
    } else {
        for (size_t i = 0; i < projection->list.n; i++) {
            longest = fmax(longest, projection->list.delay[i]);
        }
    }
    const double steps = round(longest / h);
    if (!(steps < SPL_MAX_DELAY_STEPS)) {
        return SPL_MAX_DELAY_STEPS;
    }
    return steps < 1.0 ? 1 : (uint32_t)steps;
}

/* Rows with several synapses of one pair cannot be dense. */
static spl_rows_kind choose_kind(
    const spl_projection_spec *spec, double n_synapses, double n_pairs)
{
    const bool repeats =
        spec->rule == SPL_CONNECT_LIST ||
        (spec->allow_multapses && (spec->rule == SPL_CONNECT_FIXED_INDEGREE ||
                                      spec->rule == SPL_CONNECT_FIXED_OUTDEGREE ||
                                      spec->rule == SPL_CONNECT_FIXED_TOTAL_NUMBER));
    if (spl_rows_has_delays(spec) || repeats || n_pairs == 0.0) {
        return SPL_ROWS_SPARSE;
    }
    if (!spl_rows_has_weights(spec)) {
        return spec->rule == SPL_CONNECT_ALL_TO_ALL ? SPL_ROWS_ALL : SPL_ROWS_SPARSE;
    }
    return n_synapses >= DENSE_ABOVE * n_pairs ? SPL_ROWS_DENSE : SPL_ROWS_SPARSE;
}

/* Kind and sizes; nothing is taken. Returns the expected number of synapses. */
static double describe(
    spl_rows *rows, const spl_subnetwork_spec *spec, size_t p, const spl_rows_run *run)
{
    const spl_projection_spec *projection = &spec->projections[p];
    *rows = (spl_rows){.single = spec->single};
    rows->n_from = spec->populations[projection->from].size;
    rows->n_to = spec->populations[projection->to].size;
    rows->part_size = run->part_size > 0 ? run->part_size : spl_part_size(rows->n_to);
    rows->n_parts = (rows->n_to + rows->part_size - 1) / rows->part_size;
    rows->without_own = projection->from == projection->to && !projection->allow_autapses;
    const double n = spl_connect_expected(projection, rows->n_from, rows->n_to);
    rows->kind = choose_kind(projection, n, (double)rows->n_from * (double)rows->n_to);
    return n;
}

static size_t weight_bytes(const spl_rows *rows)
{
    return rows->single ? sizeof(float) : sizeof(double);
}

/* Bytes of one delay: none if all are the same. */
static size_t delay_bytes(const spl_projection_spec *spec, double h)
{
    if (!spl_rows_has_delays(spec)) {
        return 0;
    }
    return spl_rows_predict_delay(spec, h) <= UINT8_MAX ? 1 : 2;
}

static double bytes_of(
    const spl_rows *rows, const spl_projection_spec *spec, double h, double n)
{
    const double own = sizeof *rows;
    if (rows->kind == SPL_ROWS_ALL) {
        return own;
    }
    if (rows->kind == SPL_ROWS_DENSE) {
        const size_t last = rows->n_parts - 1;
        const double columns =
            (double)(last * rows->part_size) + (double)spl_rows_dense_length(rows, last);
        return own + (double)rows->n_from * columns * (double)weight_bytes(rows);
    }
    const double pointers = ((double)rows->n_from + 1.0) * (double)rows->n_parts;
    const size_t entry = sizeof *rows->targets + delay_bytes(spec, h) +
                         (spl_rows_has_weights(spec) ? weight_bytes(rows) : 0);
    return own + pointers * sizeof *rows->offsets +
           (double)(rows->n_parts * sizeof *rows->base) + n * (double)entry;
}

static uint64_t whole_bytes(double bytes)
{
    return bytes < 0x1p63 ? (uint64_t)bytes : UINT64_MAX;
}

uint64_t spl_rows_predict_bytes(
    const spl_subnetwork_spec *spec, size_t p, const spl_rows_run *run)
{
    spl_rows rows;
    const double n = describe(&rows, spec, p, run);
    return whole_bytes(bytes_of(&rows, &spec->projections[p], run->h, n));
}

uint64_t spl_rows_bytes(const spl_rows *rows)
{
    return sizeof *rows + rows->index.size + rows->entries.size;
}

/* Ask for what a projection of n synapses will take. */
static spl_status check_memory(
    const spl_rows *rows, const spl_projection_spec *spec, double h, double n)
{
    char what[256];
    snprintf(what, sizeof what, "projection '%.200s', %.4g synapses,", spec->name, n);
    const uint64_t bytes = whole_bytes(bytes_of(rows, spec, h, n));
    if (bytes == UINT64_MAX) {
        return spl_error(SPL_ERR_LIMIT, "%s cannot be counted; make it smaller", what);
    }
    return spl_memory_check(bytes, what);
}

static void take_index(spl_rows *rows)
{
    rows->base = spl_arena_take(&rows->index, rows->n_parts, sizeof *rows->base);
    rows->offsets = spl_arena_take(
        &rows->index, rows->n_parts * (rows->n_from + 1), sizeof *rows->offsets);
}

static void take_entries(spl_rows *rows, const spl_projection_spec *spec, double h)
{
    const size_t n = rows->n_synapses;
    if (rows->kind == SPL_ROWS_DENSE) {
        rows->weights = spl_arena_take(&rows->entries,
            spl_rows_dense_row(rows, rows->n_parts - 1, rows->n_from),
            weight_bytes(rows));
        return;
    }
    rows->targets = spl_arena_take(&rows->entries, n, sizeof *rows->targets);
    if (spl_rows_has_weights(spec)) {
        rows->weights = spl_arena_take(&rows->entries, n, weight_bytes(rows));
    }
    if (delay_bytes(spec, h) == 1) {
        rows->delays8 = spl_arena_take(&rows->entries, n, sizeof *rows->delays8);
    } else if (delay_bytes(spec, h) == 2) {
        rows->delays16 = spl_arena_take(&rows->entries, n, sizeof *rows->delays16);
    }
}

static spl_status build(
    spl_rows *rows, spl_rows_builder *builder, const spl_projection_spec *spec, double h)
{
    spl_status status = SPL_OK;
    if (rows->kind == SPL_ROWS_SPARSE) {
        take_index(rows);
        SPL_TRY(spl_arena_commit(&rows->index));
        take_index(rows);
    }
    SPL_TRY(spl_rows_count(builder));
    if (rows->kind == SPL_ROWS_SPARSE) {
        SPL_TRY(check_memory(rows, spec, h, (double)rows->n_synapses));
    }
    if (rows->kind != SPL_ROWS_ALL) {
        take_entries(rows, spec, h);
        SPL_TRY(spl_arena_commit(&rows->entries));
        take_entries(rows, spec, h);
    }
    SPL_TRY(spl_rows_fill(builder));
    if (rows->delays8 != NULL || rows->delays16 != NULL ||
        (rows->kind == SPL_ROWS_SPARSE && !spl_connect_is_sorted(spec))) {
        SPL_TRY(spl_rows_sort(rows));
    }
out:
    return status;
}

spl_status spl_rows_create(
    spl_rows **out, const spl_subnetwork_spec *spec, size_t p, const spl_rows_run *run)
{
    const spl_projection_spec *projection = &spec->projections[p];
    spl_rows_builder *builder = NULL;
    spl_rows *rows = NULL;
    spl_status status = SPL_OK;
    if (projection->weight.kind == SPL_DRAW_GIVEN ||
        projection->delay.kind == SPL_DRAW_GIVEN) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "projection '%s': values for each synapse belong to the rule list",
            projection->name);
    }
    SPL_TRY(spl_connect_check(projection, spec->populations[projection->from].size,
        spec->populations[projection->to].size));
    rows = malloc(sizeof *rows);
    if (rows == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: projection '%s'", projection->name);
    }
    const double n = describe(rows, spec, p, run);
    SPL_TRY(check_memory(rows, projection, run->h, n));
    SPL_TRY(spl_rows_builder_create(&builder, rows, spec, p, run));
    SPL_TRY(build(rows, builder, projection, run->h));
    *out = rows;
    rows = NULL;
out:
    spl_rows_builder_free(builder);
    spl_rows_free(rows);
    return status;
}

void spl_rows_free(spl_rows *rows)
{
    if (rows != NULL) {
        spl_arena_deinit(&rows->index);
        spl_arena_deinit(&rows->entries);
        free(rows);
    }
}

uint64_t spl_rows_n_synapses(const spl_rows *rows)
{
    return rows->n_synapses;
}

uint64_t spl_rows_n_short(const spl_rows *rows)
{
    return rows->n_short;
}

uint32_t spl_rows_min_delay(const spl_rows *rows)
{
    return rows->min_delay;
}

uint32_t spl_rows_max_delay(const spl_rows *rows)
{
    return rows->max_delay;
}

static double weight_at(const spl_rows *rows, size_t place)
{
    if (rows->weights == NULL) {
        return rows->weight;
    }
    return rows->single ? (double)((const float *)rows->weights)[place]
                        : ((const double *)rows->weights)[place];
}

static uint32_t delay_at(const spl_rows *rows, size_t place)
{
    if (rows->delays8 != NULL) {
        return rows->delays8[place];
    }
    return rows->delays16 != NULL ? rows->delays16[place] : rows->min_delay;
}

/* Synapses written so far, and how many there is place for. */
typedef struct copy {
    size_t n, most;
    spl_synapse *out;
} copy;

static void append(copy *c, size_t target, uint32_t delay, double weight)
{
    if (c->n < c->most) {
        c->out[c->n] = (spl_synapse){(uint32_t)target, delay, weight};
    }
    c->n++;
}

static void copy_sparse(const spl_rows *rows, size_t part, uint32_t source, copy *c)
{
    const uint32_t *offset = rows->offsets + part * (rows->n_from + 1) + source;
    for (size_t i = offset[0]; i < offset[1]; i++) {
        const size_t place = rows->base[part] + i;
        append(c, part * rows->part_size + rows->targets[place], delay_at(rows, place),
            weight_at(rows, place));
    }
}

static void copy_dense(const spl_rows *rows, size_t part, uint32_t source, copy *c)
{
    const size_t row = spl_rows_dense_row(rows, part, source);
    const size_t first = part * rows->part_size;
    for (size_t i = 0; i < spl_rows_part_length(rows, part); i++) {
        const bool all = rows->kind == SPL_ROWS_ALL;
        const double weight = all ? rows->weight : weight_at(rows, row + i);
        const bool absent = all ? rows->without_own && first + i == source
                                : weight == 0.0 && signbit(weight);
        if (!absent) {
            append(c, first + i, rows->min_delay, weight);
        }
    }
}

size_t spl_rows_copy(const spl_rows *rows, uint32_t source, size_t most, spl_synapse *out)
{
    copy c = {0, most, out};
    for (size_t part = 0; part < rows->n_parts; part++) {
        (rows->kind == SPL_ROWS_SPARSE ? copy_sparse : copy_dense)(
            rows, part, source, &c);
    }
    return c.n;
}
