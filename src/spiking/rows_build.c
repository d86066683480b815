/* Making rows: a pass over the synapses counts them, a second one puts them in place.
 * Nothing is kept in between: both draw the same. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "spiking/connect.h"
#include "spiking/population.h"
#include "spiking/rows_layout.h"
#include "spiking/streams.h"

/* Synapses ahead of the one under way whose place is fetched. */
enum { AHEAD = 16 };

struct spl_rows_builder {
    spl_rows *rows;
    const spl_projection_spec *spec;
    bool positive; /* weights must not be negative */
    const spl_draw_kernels *kernels;
    uint64_t seed; /* of the projection */
    double h;
    double divisor;     /* of all weights */
    uint32_t *indegree; /* [n_to]: those of each target are divided by it too; or NULL */
    spl_connector connector;
    /* of the chunk under way */
    double weights[SPL_CONNECT_CHUNK], delays[SPL_CONNECT_CHUNK];
    uint32_t steps[SPL_CONNECT_CHUNK];
};

/* Where in-degrees are drawn too, a weight divided by them is one of each target. */
bool spl_rows_has_weights(const spl_projection_spec *spec)
{
    return spec->weight.kind != SPL_DRAW_CONSTANT || spec->list.weight != NULL ||
           (spec->by_indegree && !spl_connect_has_indegree(spec));
}

bool spl_rows_has_delays(const spl_projection_spec *spec)
{
    return spec->delay.kind != SPL_DRAW_CONSTANT || spec->list.delay != NULL;
}

/* What weights are divided by, or place to count it. */
static spl_status form_divisor(spl_rows_builder *b)
{
    const spl_projection_spec *spec = b->spec;
    b->divisor = 1.0;
    if (!spec->by_indegree) {
        return SPL_OK;
    }
    if (spl_connect_has_indegree(spec)) {
        const uint64_t n = spl_connect_indegree(spec, b->rows->n_from);
        b->divisor = n > 0 ? (double)n : 1.0; /* 0: there is no weight to divide */
        return SPL_OK;
    }
    b->indegree = calloc(b->rows->n_to + 1, sizeof *b->indegree);
    return b->indegree != NULL ? SPL_OK
                               : spl_error(SPL_ERR_NO_MEMORY,
                                     "out of memory: projection '%s'", spec->name);
}

spl_status spl_rows_builder_create(spl_rows_builder **out, spl_rows *rows,
    const spl_subnetwork_spec *spec, size_t p, const spl_rows_run *run)
{
    const spl_projection_spec *projection = &spec->projections[p];
    const spl_receptor *receptor =
        &spec->populations[projection->to].receptors[projection->receptor];
    spl_status status = SPL_OK;
    spl_rows_builder *builder = malloc(sizeof *builder);
    if (builder == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: projection '%s'", projection->name);
    }
    builder->rows = rows;
    builder->spec = projection;
    builder->indegree = NULL;
    builder->positive = receptor->effect == SPL_RECEPTOR_CONDUCTANCE &&
                        receptor->kernel != SPL_KERNEL_DELTA &&
                        receptor->kernel != SPL_KERNEL_PULSE;
    builder->kernels = spl_draw_kernels_of(run->target);
    builder->seed = spl_named_seed(run->seed, projection->name);
    builder->h = run->h;
    SPL_TRY(form_divisor(builder));
    SPL_TRY(spl_connector_init(&builder->connector, projection, rows->n_from, rows->n_to,
        builder->seed, builder->kernels));
    *out = builder;
    builder = NULL;
out:
    if (builder != NULL) {
        free(builder->indegree);
    }
    free(builder);
    return status;
}

void spl_rows_builder_free(spl_rows_builder *builder)
{
    if (builder != NULL) {
        spl_connector_deinit(&builder->connector);
        free(builder->indegree);
        free(builder);
    }
}

/* Where entries of a source go: counts, then places of the next one. */
static inline uint32_t *offset_of(const spl_rows *rows, size_t part, size_t source)
{
    return rows->offsets + part * (rows->n_from + 1) + source;
}

/* Counts to starts: entry `source` of a part's offsets says where the row begins. Result:
 * false if the counts wrapped or a part holds more than 32 bits can number. */
static bool form_offsets(spl_rows *rows)
{
    uint64_t total = 0;
    for (size_t part = 0; part < rows->n_parts; part++) {
        uint32_t *offset = offset_of(rows, part, 0);
        uint64_t start = 0;
        for (size_t source = 0; source < rows->n_from; source++) {
            const uint32_t count = offset[source];
            offset[source] = (uint32_t)start;
            start += count;
        }
        offset[rows->n_from] = (uint32_t)start;
        rows->base[part] = total;
        total += start;
        if (start > UINT32_MAX) {
            return false;
        }
    }
    return total == rows->n_synapses;
}

static void count_sources(const spl_rows *rows, const spl_pairs *pairs)
{
    uint32_t *offset = offset_of(rows, pairs->row / rows->part_size, 0);
    for (size_t i = 0; i < pairs->n; i++) {
        if (i + AHEAD < pairs->n) {
            __builtin_prefetch(offset + pairs->other[i + AHEAD], 1);
        }
        offset[pairs->other[i]]++;
    }
}

static void count_targets(const spl_rows *rows, const spl_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        ++*offset_of(rows, pairs->other[i] / rows->part_size, pairs->row);
    }
}

/* Rows of targets all have the same in-degree: these are rows of sources. */
static void count_indegrees(uint32_t *indegree, const spl_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        indegree[pairs->other[i]]++;
    }
}

spl_status spl_rows_count(spl_rows_builder *builder)
{
    spl_rows *rows = builder->rows;
    const bool sparse = rows->kind == SPL_ROWS_SPARSE;
    const bool of_targets = spl_connect_rows_are_targets(builder->spec);
    spl_pairs pairs;
    if (!sparse && builder->indegree == NULL) {
        return SPL_OK;
    }
    spl_connector_rewind(&builder->connector);
    rows->n_synapses = 0;
    while (spl_connector_next(&builder->connector, &pairs)) {
        rows->n_synapses += pairs.n;
        if (sparse) {
            (of_targets ? count_sources : count_targets)(rows, &pairs);
        }
        if (builder->indegree != NULL) {
            count_indegrees(builder->indegree, &pairs);
        }
    }
    if (sparse && !form_offsets(rows)) {
        return spl_error(SPL_ERR_LIMIT,
            "projection '%s': %" PRIu64 " synapses, more than 2^32 of them on %zu "
            "targets; divide the projection",
            builder->spec->name, rows->n_synapses, rows->part_size);
    }
    return SPL_OK;
}

/* The last entry of a part put in place, every offset is the start of the next row. */
static void restore_offsets(spl_rows *rows)
{
    for (size_t part = 0; part < rows->n_parts; part++) {
        uint32_t *offset = offset_of(rows, part, 0);
        for (size_t source = rows->n_from; source > 0; source--) {
            offset[source] = offset[source - 1];
        }
        offset[0] = 0;
    }
}

static void draw_chunk(spl_rows_builder *b, const spl_pairs *pairs, const spl_draw *draw,
    uint32_t stream, const double *listed, double *out)
{
    if (listed != NULL) {
        for (size_t i = 0; i < pairs->n; i++) {
            out[i] = listed[pairs->first + i];
        }
        return;
    }
    const spl_draw_key key = {b->seed, stream, pairs->row};
    spl_draw_values(b->kernels, draw, key, pairs->first, pairs->n, out);
}

static spl_status check_weight(const spl_rows_builder *b, double weight)
{
    const double most = b->rows->single ? (double)FLT_MAX : DBL_MAX;
    if (!(fabs(weight) <= most)) {
        return spl_error(SPL_ERR_CONFIG,
            "projection '%s': weight %g is no finite number of precision %s; bound the "
            "weights with low and high",
            b->spec->name, weight, b->rows->single ? "float32" : "float64");
    }
    if (b->positive && weight < 0.0) {
        return spl_error(SPL_ERR_CONFIG,
            "projection '%s': weight %g of a conductance is negative; the sign comes "
            "from "
            "E of the receptor, bound the weights with low: 0",
            b->spec->name, weight);
    }
    return SPL_OK;
}

/* To the precision of the store; + 0 keeps -0 from standing for SPL_ROWS_ABSENT. */
static double stored(const spl_rows *rows, double weight)
{
    return (rows->single ? (double)(float)weight : weight) + 0.0;
}

/* Whole sub-steps; those below one are one, and counted. */
static spl_status form_steps(
    const spl_rows_builder *b, size_t n, const double *delays, uint32_t *steps)
{
    for (size_t i = 0; i < n; i++) {
        const double whole = round(delays[i] / b->h);
        if (!(whole <= SPL_MAX_DELAY_STEPS)) {
            return spl_error(SPL_ERR_CONFIG,
                "projection '%s': a delay of %g ms is %g sub-steps of %g ms, the limit "
                "is "
                "%d; bound the delays with high",
                b->spec->name, delays[i], whole, b->h, SPL_MAX_DELAY_STEPS);
        }
        b->rows->n_short += whole < 1.0;
        steps[i] = whole < 1.0 ? 1 : (uint32_t)whole;
        b->rows->min_delay =
            steps[i] < b->rows->min_delay ? steps[i] : b->rows->min_delay;
        b->rows->max_delay =
            steps[i] > b->rows->max_delay ? steps[i] : b->rows->max_delay;
    }
    return SPL_OK;
}

/* A weight by the in-degree of its target, which is `other` where those are counted. */
static double divided(const spl_rows_builder *b, uint32_t other, double weight)
{
    return weight / (b->indegree != NULL ? (double)b->indegree[other] : b->divisor);
}

/* Weights and delays of a chunk, where they are not the same for all. */
static spl_status draw_synapses(spl_rows_builder *b, const spl_pairs *pairs)
{
    spl_status status = SPL_OK;
    if (b->rows->weights != NULL) {
        draw_chunk(b, pairs, &b->spec->weight, SPL_STREAM_WEIGHT, b->spec->list.weight,
            b->weights);
        for (size_t i = 0; i < pairs->n; i++) {
            SPL_TRY(check_weight(b, b->weights[i]));
            b->weights[i] = stored(b->rows, divided(b, pairs->other[i], b->weights[i]));
        }
    }
    if (b->rows->delays8 != NULL || b->rows->delays16 != NULL) {
        draw_chunk(
            b, pairs, &b->spec->delay, SPL_STREAM_DELAY, b->spec->list.delay, b->delays);
        SPL_TRY(form_steps(b, pairs->n, b->delays, b->steps));
    }
out:
    return status;
}

static inline void put_weight(const spl_rows *rows, size_t place, double weight)
{
    if (rows->single) {
        ((float *)rows->weights)[place] = (float)weight;
    } else {
        ((double *)rows->weights)[place] = weight;
    }
}

/* The weight and delay of synapse i of the chunk, which is entry `place`. */
static inline void put_values(const spl_rows_builder *b, size_t i, size_t place)
{
    const spl_rows *rows = b->rows;
    if (rows->weights != NULL) {
        put_weight(rows, place, b->weights[i]);
    }
    if (rows->delays8 != NULL) {
        rows->delays8[place] = (uint8_t)b->steps[i];
    } else if (rows->delays16 != NULL) {
        rows->delays16[place] = (uint16_t)b->steps[i];
    }
}

static inline void put_entry(
    const spl_rows_builder *b, size_t i, size_t source, size_t part, size_t target)
{
    const spl_rows *rows = b->rows;
    const size_t place = rows->base[part] + (*offset_of(rows, part, source))++;
    rows->targets[place] = (uint16_t)(target - part * rows->part_size);
    put_values(b, i, place);
}

/* One row of targets: sources are anywhere, so their place is fetched ahead, and then
 * that of the entry. */
static void put_sources(const spl_rows_builder *b, const spl_pairs *pairs)
{
    const spl_rows *rows = b->rows;
    const size_t part = pairs->row / rows->part_size;
    const uint32_t *offset = offset_of(rows, part, 0);
    const uint16_t *targets = rows->targets + rows->base[part];
    for (size_t i = 0; i < pairs->n; i++) {
        if (i + AHEAD < pairs->n) {
            __builtin_prefetch(offset + pairs->other[i + AHEAD], 1);
        }
        if (i + AHEAD / 2 < pairs->n) {
            __builtin_prefetch(targets + offset[pairs->other[i + AHEAD / 2]], 1);
        }
        put_entry(b, i, pairs->other[i], part, pairs->row);
    }
}

static void put_targets(const spl_rows_builder *b, const spl_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        const size_t part = pairs->other[i] / b->rows->part_size;
        put_entry(b, i, pairs->row, part, pairs->other[i]);
    }
}

static void put_dense(const spl_rows_builder *b, const spl_pairs *pairs)
{
    const spl_rows *rows = b->rows;
    const bool of_targets = spl_connect_rows_are_targets(b->spec);
    for (size_t i = 0; i < pairs->n; i++) {
        const size_t source = of_targets ? pairs->other[i] : pairs->row;
        const size_t target = of_targets ? pairs->row : pairs->other[i];
        const size_t part = target / rows->part_size;
        put_weight(rows,
            spl_rows_dense_row(rows, part, source) + target - part * rows->part_size,
            b->weights[i]);
    }
}

/* What all synapses share. */
static spl_status form_constants(spl_rows_builder *b)
{
    spl_rows *rows = b->rows;
    spl_status status = SPL_OK;
    rows->n_short = 0;
    rows->min_delay = SPL_MAX_DELAY_STEPS;
    rows->max_delay = 1;
    if (!spl_rows_has_weights(b->spec)) {
        spl_draw_values(
            b->kernels, &b->spec->weight, (spl_draw_key){0}, 0, 1, &rows->weight);
        SPL_TRY(check_weight(b, rows->weight));
        rows->weight = stored(rows, rows->weight / b->divisor);
    }
    if (!spl_rows_has_delays(b->spec)) {
        spl_draw_values(b->kernels, &b->spec->delay, (spl_draw_key){0}, 0, 1, b->delays);
        SPL_TRY(form_steps(b, 1, b->delays, b->steps));
    }
out:
    return status;
}

static void fill_absent(spl_rows *rows)
{
    const size_t n = spl_rows_dense_row(rows, rows->n_parts - 1, rows->n_from);
    for (size_t i = 0; i < n; i++) {
        put_weight(rows, i, SPL_ROWS_ABSENT);
    }
}

spl_status spl_rows_fill(spl_rows_builder *builder)
{
    spl_rows *rows = builder->rows;
    spl_pairs pairs;
    uint64_t n = 0;
    spl_status status = SPL_OK;
    const bool of_targets = spl_connect_rows_are_targets(builder->spec);
    void (*put)(const spl_rows_builder *, const spl_pairs *) =
        rows->kind == SPL_ROWS_DENSE ? put_dense
        : of_targets                 ? put_sources
                                     : put_targets;
    SPL_TRY(form_constants(builder));
    if (rows->kind == SPL_ROWS_DENSE && rows->n_parts > 0) {
        fill_absent(rows);
    }
    spl_connector_rewind(&builder->connector);
    while (
        rows->kind != SPL_ROWS_ALL && spl_connector_next(&builder->connector, &pairs)) {
        n += pairs.n;
        SPL_TRY(draw_synapses(builder, &pairs));
        put(builder, &pairs);
    }
    if (rows->kind == SPL_ROWS_SPARSE) {
        restore_offsets(rows);
    }
    if (rows->kind == SPL_ROWS_ALL) {
        n = (uint64_t)rows->n_from * (rows->n_to - (rows->without_own ? 1 : 0));
    }
    rows->n_synapses = n;
    if (!spl_rows_has_delays(builder->spec)) {
        rows->n_short *= n; /* all have the one that was counted */
    }
    if (n == 0) {
        rows->min_delay = 1;
        rows->max_delay = 1;
    }
out:
    return status;
}
