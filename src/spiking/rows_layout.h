/* How rows lie in memory; for those who make them and those who deliver along them. */
#ifndef SPL_SPIKING_ROWS_LAYOUT_H
#define SPL_SPIKING_ROWS_LAYOUT_H

#include "base/arena.h"
#include "spiking/rows.h"

typedef enum {
    /* entries of a row sorted by delay, then target */
    SPL_ROWS_SPARSE,
    /* one weight for every target of the part, SPL_ROWS_ABSENT where there is no synapse;
     * one delay */
    SPL_ROWS_DENSE,
    /* every pair, but for autapses if without_own; one weight, one delay */
    SPL_ROWS_ALL
} spl_rows_kind;

/* Adding it changes no number, not even a zero's sign; a stored weight is never this. */
#define SPL_ROWS_ABSENT (-0.0)

struct spl_rows {
    spl_rows_kind kind;
    bool single; /* weights are float */
    bool without_own;
    size_t n_from, n_to;
    size_t part_size, n_parts;
    uint64_t n_synapses, n_short;
    uint32_t min_delay, max_delay;
    double weight; /* of all synapses, if weights is NULL; rounded to the precision */
    /* sparse: row `source` of a part is entries offset[source] .. offset[source + 1] - 1
     * from base[part] on, offset = offsets + part * (n_from + 1) */
    uint64_t *base; /* [n_parts] */
    uint32_t *offsets;
    uint16_t *targets; /* in the part */
    /* sparse: of the entries; dense: rows of spl_rows_dense_length, see
     * spl_rows_dense_row */
    void *weights;
    /* one of both, or none: min_delay of all */
    uint8_t *delays8;
    uint16_t *delays16;
    spl_arena index, entries;
};

static inline size_t spl_rows_part_length(const struct spl_rows *rows, size_t part)
{
    const size_t left = rows->n_to - part * rows->part_size;
    return left < rows->part_size ? left : rows->part_size;
}

/* Weights in a dense row: whole tiles. */
static inline size_t spl_rows_dense_length(const struct spl_rows *rows, size_t part)
{
    const size_t tile = rows->single ? 32 : 16;
    return (spl_rows_part_length(rows, part) + tile - 1) / tile * tile;
}

/* Place of the weight of the first target of a dense row. */
static inline size_t spl_rows_dense_row(
    const struct spl_rows *rows, size_t part, size_t source)
{
    return rows->n_from * rows->part_size * part +
           source * spl_rows_dense_length(rows, part);
}

/* Whether weights and delays are of each synapse, not one for all. */
bool spl_rows_has_weights(const spl_projection_spec *spec);
bool spl_rows_has_delays(const spl_projection_spec *spec);

/* A pass over the synapses of a projection. */
typedef struct spl_rows_builder spl_rows_builder;

/* `rows` is described, `run` as in spl_rows_create. Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_rows_builder_create(spl_rows_builder **out,
    struct spl_rows *rows, const spl_subnetwork_spec *spec, size_t p,
    const spl_rows_run *run);
void spl_rows_builder_free(spl_rows_builder *builder);
/* Count what filling needs to know: of sparse rows, whose index is taken and zero, the
 * entries of every row; base and offsets follow, and n_synapses. And the in-degrees by
 * which weights are divided. Result: SPL_OK; SPL_ERR_LIMIT. */
SPL_MUST_CHECK spl_status spl_rows_count(spl_rows_builder *builder);
/* Put all synapses in place. Result: SPL_OK; SPL_ERR_CONFIG. */
SPL_MUST_CHECK spl_status spl_rows_fill(spl_rows_builder *builder);

/* Sort every row by delay and target, keeping the order of equals. Result: SPL_OK;
 * SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_rows_sort(struct spl_rows *rows);

#endif
