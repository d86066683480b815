/* A projection between two populations, for tests of its synapses. */
#ifndef SPL_TEST_PROJECTION_H
#define SPL_TEST_PROJECTION_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spiking/rows.h"
#include "support/test_main.h"

typedef struct projection {
    spl_subnetwork_spec spec;
    spl_population_spec populations[2];
    spl_projection_spec projection;
    spl_rows_run run;
} projection;

#define DRAW_CONSTANT(x) \
    ((spl_draw){.kind = SPL_DRAW_CONSTANT, .a = (x), .low = -INFINITY, .high = INFINITY})
#define DRAW_BETWEEN(x, y)                \
    ((spl_draw){.kind = SPL_DRAW_UNIFORM, \
        .a = (x),                         \
        .b = (y),                         \
        .low = -INFINITY,                 \
        .high = INFINITY})

/* From n_from neurons to n_to others, or, if n_to is 0, among themselves; constant
 * weight 0.1 and delay of 15 sub-steps. In place: the spec points into it. */
static inline void projection_init(
    projection *p, spl_connect_rule rule, size_t n_from, size_t n_to)
{
    *p = (projection){0};
    for (size_t i = 0; i < 2; i++) {
        p->populations[i].name = (char *)(i == 0 ? "net.E" : "net.I");
        p->populations[i].size = i == 0 ? n_from : n_to;
        p->populations[i].n_receptors = 1;
    }
    p->projection.name = (char *)"net.E>net.I:AMPA";
    p->projection.to = n_to > 0 ? 1 : 0;
    p->projection.rule = rule;
    p->projection.allow_autapses = true;
    p->projection.allow_multapses = true;
    p->projection.weight = DRAW_CONSTANT(0.1);
    p->projection.delay = DRAW_CONSTANT(1.5);
    p->spec.n_populations = 2;
    p->spec.populations = p->populations;
    p->spec.n_projections = 1;
    p->spec.projections = &p->projection;
#ifdef SPL_SINGLE
    p->spec.single = true;
#endif
    p->run = (spl_rows_run){.h = 0.1, .seed = 1};
    ck_assert_int_eq(spl_target_choose(&p->run.target), SPL_OK);
}

static inline spl_rows *projection_rows(const projection *p)
{
    spl_rows *rows = NULL;
    const spl_status status = spl_rows_create(&rows, &p->spec, 0, &p->run);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    return rows;
}

/* All synapses, source by source, and where those of each source start. */
typedef struct synapses {
    size_t n, n_from, n_to;
    spl_synapse *all;
    size_t *start; /* [n_from + 1] */
} synapses;

static inline synapses synapses_of(const spl_rows *rows, size_t n_from, size_t n_to)
{
    synapses s = {.n_from = n_from, .n_to = n_to};
    s.start = calloc(n_from + 1, sizeof *s.start);
    s.all = calloc(spl_rows_n_synapses(rows) + 1, sizeof *s.all);
    for (uint32_t source = 0; source < n_from; source++) {
        const size_t total = spl_rows_n_synapses(rows);
        s.start[source] = s.n;
        s.n += spl_rows_copy(rows, source, s.n < total ? total - s.n : 0, s.all + s.n);
    }
    s.start[n_from] = s.n;
    ck_assert_uint_eq(s.n, spl_rows_n_synapses(rows));
    return s;
}

static inline synapses projection_synapses(const projection *p)
{
    spl_rows *rows = projection_rows(p);
    const synapses s =
        synapses_of(rows, p->populations[0].size, p->populations[p->projection.to].size);
    spl_rows_free(rows);
    return s;
}

static inline void synapses_deinit(synapses *s)
{
    free(s->start);
    free(s->all);
}

static inline size_t out_degree(const synapses *s, size_t source)
{
    return s->start[source + 1] - s->start[source];
}

/* Synapses of each pair: [n_from][n_to]. (An assertion of Check is a system call: one for
 * all.) */
static inline uint32_t *synapses_matrix(const synapses *s)
{
    uint32_t *matrix = calloc(s->n_from * s->n_to, sizeof *matrix);
    size_t n_outside = 0;
    for (size_t source = 0; source < s->n_from; source++) {
        for (size_t i = s->start[source]; i < s->start[source + 1]; i++) {
            const bool inside = s->all[i].target < s->n_to;
            n_outside += !inside;
            matrix[inside ? source * s->n_to + s->all[i].target : 0]++;
        }
    }
    ck_assert_uint_eq(n_outside, 0);
    return matrix;
}

static inline bool synapses_equal(const synapses *a, const synapses *b)
{
    bool equal = a->n == b->n &&
                 memcmp(a->start, b->start, (a->n_from + 1) * sizeof *a->start) == 0;
    for (size_t i = 0; equal && i < a->n; i++) {
        equal = a->all[i].target == b->all[i].target &&
                a->all[i].delay == b->all[i].delay &&
                a->all[i].weight == b->all[i].weight;
    }
    return equal;
}

#endif
