#include "spiking/connect.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spiking/streams.h"

/* A rule: how it starts a row, and how it writes the next other ends, at most
 * SPL_CONNECT_CHUNK; 0 at the end of the row. */
typedef struct spl_connect_kind {
    void (*begin)(spl_connector *connector);
    size_t (*fill)(spl_connector *connector);
} spl_connect_kind;

static spl_draw_key row_key(const spl_connector *c)
{
    return (spl_draw_key){c->seed, SPL_STREAM_CONNECT, (uint32_t)c->row};
}

static size_t available(const spl_connector *c)
{
    return c->n_others - (c->without_own ? 1 : 0);
}

/* Other end number `index` when the row's own is left out of the count. */
static uint32_t around_own(const spl_connector *c, uint64_t index)
{
    return (uint32_t)(index + (c->without_own && index >= c->row ? 1 : 0));
}

static void begin_plain(spl_connector *c)
{
    c->cursor = 0;
}

static size_t fill_all(spl_connector *c)
{
    size_t n = 0;
    while (n < SPL_CONNECT_CHUNK && c->cursor < available(c)) {
        c->others[n++] = around_own(c, c->cursor++);
    }
    return n;
}

static size_t fill_one(spl_connector *c)
{
    if (c->place > 0 || c->without_own) {
        return 0;
    }
    c->others[0] = (uint32_t)c->row;
    return 1;
}

static void begin_bernoulli(spl_connector *c)
{
    c->cursor = 0;
    c->next_block = 0;
    c->gap = SPL_CONNECT_GAPS;
}

/* How many pairs are left out before the next synapse: geometric, ln u / ln(1 - p). */
static double next_gap(spl_connector *c)
{
    if (c->gap == SPL_CONNECT_GAPS) {
        const size_t n_blocks = SPL_CONNECT_GAPS / SPL_BLOCK_UNIFORMS;
        c->kernels->uniforms(row_key(c), c->next_block, n_blocks, c->gaps);
        c->kernels->logs(c->gaps, SPL_CONNECT_GAPS);
        c->next_block += n_blocks;
        c->gap = 0;
    }
    return floor(c->gaps[c->gap++] / c->ln_not);
}

static size_t fill_bernoulli(spl_connector *c)
{
    size_t n = 0;
    while (n < SPL_CONNECT_CHUNK && c->cursor < available(c)) {
        const double gap = next_gap(c);
        if (!(gap < (double)(available(c) - c->cursor))) {
            c->cursor = available(c);
            break;
        }
        c->cursor += (uint64_t)gap;
        c->others[n++] = around_own(c, c->cursor++);
    }
    return n;
}

/* The next draw of the row that is allowed; what is not takes the next word. */
static uint32_t draw_other(spl_connector *c)
{
    const uint32_t stamp = (uint32_t)c->row + 1;
    for (;;) {
        const uint32_t other = spl_words_below(&c->words, (uint32_t)c->n_others);
        if (c->without_own && other == c->row) {
            continue;
        }
        if (!c->distinct) {
            return other;
        }
        if (c->mark[other] != stamp) {
            c->mark[other] = stamp;
            return other;
        }
    }
}

/* Of distinct other ends more than half are chosen by leaving out the rest: draws until
 * one is new stay below two on average. */
static void begin_degree(spl_connector *c)
{
    c->cursor = 0;
    spl_words_start(&c->words, c->kernels, row_key(c));
    if (c->complement) {
        for (uint64_t i = c->spec->number; i < available(c); i++) {
            (void)draw_other(c);
        }
    }
}

static size_t fill_unmarked(spl_connector *c)
{
    const uint32_t stamp = (uint32_t)c->row + 1;
    size_t n = 0;
    for (; n < SPL_CONNECT_CHUNK && c->cursor < available(c); c->cursor++) {
        const uint32_t other = around_own(c, c->cursor);
        if (c->mark[other] != stamp) {
            c->others[n++] = other;
        }
    }
    return n;
}

static size_t fill_degree(spl_connector *c)
{
    if (c->complement) {
        return fill_unmarked(c);
    }
    const uint64_t left = c->spec->number - c->place;
    const size_t n = left < SPL_CONNECT_CHUNK ? (size_t)left : SPL_CONNECT_CHUNK;
    for (size_t i = 0; i < n; i++) {
        c->others[i] = draw_other(c);
    }
    return n;
}

/* Pairs are numbered row by row, and come in that order. */
static void next_pair(spl_connector *c)
{
    c->pending = c->selection.n > 0 ? spl_selection_next(&c->selection) : UINT64_MAX;
}

static void begin_total(spl_connector *c)
{
    if (c->row == 0) {
        const spl_draw_key key = {c->seed, SPL_STREAM_CONNECT, 0};
        spl_selection_start(&c->selection, c->kernels, key, c->spec->number,
            (uint64_t)c->n_rows * available(c), c->spec->allow_multapses);
        next_pair(c);
    }
}

static size_t fill_total(spl_connector *c)
{
    const uint64_t start = (uint64_t)c->row * available(c);
    size_t n = 0;
    while (n < SPL_CONNECT_CHUNK && c->pending < start + available(c)) {
        c->others[n++] = around_own(c, c->pending - start);
        next_pair(c);
    }
    return n;
}

/* A row of a list is one entry; spl_connector_next knows. */
static size_t fill_entry(spl_connector *c)
{
    if (c->place > 0) {
        return 0;
    }
    c->others[0] = c->spec->list.target[c->row];
    return 1;
}

static const spl_connect_kind kinds[] = {
    [SPL_CONNECT_ALL_TO_ALL] = {begin_plain, fill_all},
    [SPL_CONNECT_ONE_TO_ONE] = {begin_plain, fill_one},
    [SPL_CONNECT_PAIRWISE_BERNOULLI] = {begin_bernoulli, fill_bernoulli},
    [SPL_CONNECT_FIXED_INDEGREE] = {begin_degree, fill_degree},
    [SPL_CONNECT_FIXED_OUTDEGREE] = {begin_degree, fill_degree},
    [SPL_CONNECT_FIXED_TOTAL_NUMBER] = {begin_total, fill_total},
    [SPL_CONNECT_LIST] = {begin_plain, fill_entry},
};

/* Autapses exist only within a population. */
static bool leaves_out_own(const spl_projection_spec *spec)
{
    return spec->from == spec->to && !spec->allow_autapses;
}

bool spl_connect_rows_are_targets(const spl_projection_spec *spec)
{
    return spec->rule == SPL_CONNECT_FIXED_INDEGREE;
}

bool spl_connect_has_indegree(const spl_projection_spec *spec)
{
    return spec->rule == SPL_CONNECT_ALL_TO_ALL || spec->rule == SPL_CONNECT_ONE_TO_ONE ||
           spec->rule == SPL_CONNECT_FIXED_INDEGREE;
}

uint64_t spl_connect_indegree(const spl_projection_spec *spec, size_t n_from)
{
    const uint64_t own = leaves_out_own(spec) ? 1 : 0;
    return spec->rule == SPL_CONNECT_FIXED_INDEGREE ? spec->number
           : spec->rule == SPL_CONNECT_ALL_TO_ALL   ? n_from - own
                                                    : 1 - own;
}

bool spl_connect_is_sorted(const spl_projection_spec *spec)
{
    return spec->rule != SPL_CONNECT_FIXED_OUTDEGREE && spec->rule != SPL_CONNECT_LIST;
}

double spl_connect_expected(const spl_projection_spec *spec, size_t n_from, size_t n_to)
{
    const double own = leaves_out_own(spec) ? 1.0 : 0.0;
    const double pairs = (double)n_from * ((double)n_to - own);
    switch (spec->rule) {
    case SPL_CONNECT_ALL_TO_ALL:
        return pairs;
    case SPL_CONNECT_ONE_TO_ONE:
        return (double)n_from * (1.0 - own);
    case SPL_CONNECT_PAIRWISE_BERNOULLI:
        return pairs * spec->p;
    case SPL_CONNECT_FIXED_INDEGREE:
        return (double)n_to * (double)spec->number;
    case SPL_CONNECT_FIXED_OUTDEGREE:
        return (double)n_from * (double)spec->number;
    case SPL_CONNECT_FIXED_TOTAL_NUMBER:
        return (double)spec->number;
    case SPL_CONNECT_LIST:
        return (double)spec->list.n;
    }
    return 0.0;
}

static spl_status check_degree(
    const spl_projection_spec *spec, size_t n_others, const char *side)
{
    const size_t own = leaves_out_own(spec) ? 1 : 0;
    const size_t some = n_others > own ? n_others - own : 0;
    spl_status status = SPL_OK;
    if (spec->number > UINT32_MAX) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "projection '%s': degree %" PRIu64 " is above the limit of %u", spec->name,
            spec->number, UINT32_MAX);
    }
    if (spec->number > 0 && some == 0) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "projection '%s': no %s is left without autapses; allow them or connect "
            "other populations",
            spec->name, side);
    }
    if (!spec->allow_multapses && spec->number > some) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "projection '%s': %" PRIu64 " distinct %ss of %zu available; lower the "
            "degree or allow multapses",
            spec->name, spec->number, side, some);
    }
out:
    return status;
}

static spl_status check_total(const spl_projection_spec *spec, size_t n_from, size_t n_to)
{
    const size_t own = leaves_out_own(spec) && n_to > 0 ? 1 : 0;
    const uint64_t pairs = (uint64_t)n_from * (n_to - own);
    spl_status status = SPL_OK;
    if (pairs > SPL_SELECTION_MOST) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "projection '%s': %" PRIu64 " pairs to choose from, above the limit of "
            "%" PRIu64 "; use fixed_indegree or smaller populations",
            spec->name, pairs, SPL_SELECTION_MOST);
    }
    if (spec->number > pairs && (pairs == 0 || !spec->allow_multapses)) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "projection '%s': %" PRIu64 " synapses on %" PRIu64 " available pairs; lower "
            "the number%s",
            spec->name, spec->number, pairs, pairs > 0 ? " or allow multapses" : "");
    }
out:
    return status;
}

static spl_status check_list(const spl_projection_spec *spec, size_t n_from, size_t n_to)
{
    const spl_synapse_list *list = &spec->list;
    spl_status status = SPL_OK;
    if (list->n > UINT32_MAX) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "projection '%s': a list of %zu synapses is above the limit of %u; split it",
            spec->name, list->n, UINT32_MAX);
    }
    for (size_t i = 0; i < list->n; i++) {
        const bool bad_source = list->source[i] >= n_from;
        if (bad_source || list->target[i] >= n_to) {
            SPL_FAIL(SPL_ERR_CONFIG,
                "projection '%s': %s %" PRIu32 " of synapse %zu is outside its "
                "population of %zu; indices count from 0",
                spec->name, bad_source ? "source" : "target",
                bad_source ? list->source[i] : list->target[i], i,
                bad_source ? n_from : n_to);
        }
    }
out:
    return status;
}

spl_status spl_connect_check(const spl_projection_spec *spec, size_t n_from, size_t n_to)
{
    if (n_from > UINT32_MAX || n_to > UINT32_MAX) {
        return spl_error(SPL_ERR_LIMIT,
            "projection '%s': populations of %zu and %zu are above the limit of %u",
            spec->name, n_from, n_to, UINT32_MAX);
    }
    switch (spec->rule) {
    case SPL_CONNECT_ONE_TO_ONE:
        if (n_from != n_to) {
            return spl_error(SPL_ERR_CONFIG,
                "projection '%s': one_to_one connects populations of one size, not of "
                "%zu and %zu; use another rule",
                spec->name, n_from, n_to);
        }
        return SPL_OK;
    case SPL_CONNECT_PAIRWISE_BERNOULLI:
        if (!(spec->p >= 0.0 && spec->p <= 1.0)) {
            return spl_error(SPL_ERR_CONFIG,
                "projection '%s': p = %g is no probability; give 0 to 1", spec->name,
                spec->p);
        }
        return SPL_OK;
    case SPL_CONNECT_FIXED_INDEGREE:
        return check_degree(spec, n_from, "source");
    case SPL_CONNECT_FIXED_OUTDEGREE:
        return check_degree(spec, n_to, "target");
    case SPL_CONNECT_FIXED_TOTAL_NUMBER:
        return check_total(spec, n_from, n_to);
    case SPL_CONNECT_LIST:
        return check_list(spec, n_from, n_to);
    default:
        return SPL_OK;
    }
}

spl_status spl_connector_init(spl_connector *connector, const spl_projection_spec *spec,
    size_t n_from, size_t n_to, uint64_t seed, const spl_draw_kernels *kernels)
{
    const bool of_targets = spl_connect_rows_are_targets(spec);
    const bool degree = of_targets || spec->rule == SPL_CONNECT_FIXED_OUTDEGREE;
    spl_connector *c = connector;
    c->spec = spec;
    c->kernels = kernels;
    c->kind = &kinds[spec->rule];
    c->seed = seed;
    c->n_rows = of_targets ? n_to : n_from;
    if (spec->rule == SPL_CONNECT_LIST) {
        c->n_rows = spec->list.n;
    }
    c->n_others = of_targets ? n_from : n_to;
    c->without_own = leaves_out_own(spec) && c->n_others > 0;
    c->distinct = degree && !spec->allow_multapses;
    c->complement = c->distinct && spec->number > available(c) / 2;
    c->ln_not = log1p(-spec->p);
    c->mark = NULL;
    spl_connector_rewind(c);
    if (c->distinct && c->n_others > 0) {
        c->mark = calloc(c->n_others, sizeof *c->mark);
        if (c->mark == NULL) {
            return spl_error(
                SPL_ERR_NO_MEMORY, "out of memory: projection '%s'", spec->name);
        }
    }
    return SPL_OK;
}

void spl_connector_deinit(spl_connector *connector)
{
    free(connector->mark);
    connector->mark = NULL;
}

void spl_connector_rewind(spl_connector *connector)
{
    connector->row = 0;
    connector->in_row = false;
    connector->place = 0;
    if (connector->mark != NULL) {
        memset(connector->mark, 0, connector->n_others * sizeof *connector->mark);
    }
}

bool spl_connector_next(spl_connector *connector, spl_pairs *out)
{
    spl_connector *c = connector;
    while (c->row < c->n_rows) {
        if (!c->in_row) {
            c->in_row = true;
            c->place = 0;
            c->kind->begin(c);
        }
        const size_t n = c->kind->fill(c);
        if (n > 0) {
            const bool list = c->spec->rule == SPL_CONNECT_LIST;
            out->row = list ? c->spec->list.source[c->row] : (uint32_t)c->row;
            out->first = list ? c->row : c->place;
            out->n = n;
            out->other = c->others;
            c->place += n;
            return true;
        }
        c->row++;
        c->in_row = false;
    }
    return false;
}
