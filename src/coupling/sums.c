/* Delayed sums in time blocks: an edge of at least a block is one contiguous multiply-add
 * over time, with the accumulators in registers; one of at least a window or half a
 * window, which are longer, over these, whose sums are kept until their blocks come. To
 * these near edges are added step by step, edges without delay row by row or as columns
 * of a matrix, always in list order, so that a sum has the same bits whichever way its
 * edges go. History runs over time, the lanes of the node kernels over nodes: tiles are
 * transposed in between. */
#include "coupling/sums.h"

#include <string.h>

#include "simd/vec.h"

enum {
    N_VECTORS = SPL_PANEL / SPL_LANES,
    ALL_OF_WINDOW = SPL_WINDOW / SPL_LANES,
    /* sums that stay in registers; what is left of a window goes in further passes */
    LONG_VECTORS = ALL_OF_WINDOW < 12 ? ALL_OF_WINDOW : 12
};
_Static_assert(ALL_OF_WINDOW % LONG_VECTORS == 0, "a window goes in whole passes");

/* A history that does not fit the caches of a core is fetched some edges ahead. Measured
 * on Zen 3, ns per edge-step: 998 nodes (8 MB) 0.28 without, 0.23 with; 76 nodes (0.3 MB)
 * 0.13 without, 0.15 with. */
enum { AHEAD = 32, LONG_AHEAD = 16, PANEL_BYTES = SPL_PANEL * sizeof(spl_real) };
_Static_assert((int)AHEAD <= SPL_EDGE_PADDING, "edges are read ahead of the last one");
static const size_t FITS_BYTES = (size_t)1 << 20;

/* How a node is summed; all are constants for the compiler. */
typedef struct {
    size_t n_vectors; /* of the panel */
    size_t n_whole;   /* the first of them, of which every lane is wanted */
    bool masked;      /* the others have too few lanes that are wanted */
    bool ahead;       /* the history is fetched ahead */
} sum_form;

/* Vectors that are not whole end with the last column and overlap the one before; of
 * fewer columns than lanes the first lanes are wanted. */
typedef struct {
    size_t at[N_VECTORS];
    vec_lanes wanted;
} panel_columns;

VEC_INLINE vec load_columns(
    const sum_form form, const panel_columns *columns, size_t v, const spl_real *from)
{
    return v < form.n_whole ? vec_load(from + v * SPL_LANES)
           : form.masked    ? vec_load_lanes(from, columns->wanted)
                            : vec_load(from + columns->at[v]);
}

VEC_INLINE const spl_real *window_of(
    const spl_plan *plan, const spl_real *history, int64_t k, size_t e)
{
    return history + (size_t)plan->source[e] * plan->pitch +
           spl_plan_slot(plan, k - plan->delay[e]);
}

/* Windows of the next edges, of edge e in place e mod AHEAD: found once, for the cache,
 * and kept. */
typedef struct {
    const spl_real *at[AHEAD];
} next_windows;

VEC_INLINE void fetch_ahead(const spl_plan *plan, const spl_real *history, int64_t k,
    size_t e, next_windows *next)
{
    const spl_real *window = window_of(plan, history, k, e);
    next->at[e % AHEAD] = window;
    vec_fetch(window, PANEL_BYTES);
    __builtin_prefetch((const char *)window + PANEL_BYTES - 1);
}

/* A node's long edges. Those that are fetched ahead may be the next node's. */
VEC_INLINE void sum_long(const spl_plan *plan, const spl_real *history, int64_t k,
    const bool ahead, size_t node, spl_real *out)
{
    const size_t end = plan->long_end[node];
    const size_t skip = plan->start[node + 1] - end;
    for (size_t c = 0; c < SPL_WINDOW; c += LONG_VECTORS * SPL_LANES) {
        vec sum[LONG_VECTORS] = {0};
        for (size_t e = plan->start[node]; e < end; e++) {
            const spl_real *samples = window_of(plan, history, k, e) + c;
            const vec weight = vec_set(plan->weight[e]);
            if (ahead && c == 0) {
                const size_t later =
                    e + LONG_AHEAD < end ? e + LONG_AHEAD : e + LONG_AHEAD + skip;
                const spl_real *window = window_of(plan, history, k, later);
                vec_fetch(window, SPL_WINDOW * sizeof *window);
                __builtin_prefetch(window + SPL_WINDOW - 1);
            }
            SPL_UNROLL
            for (size_t v = 0; v < LONG_VECTORS; v++) {
                sum[v] = vec_fma(weight, vec_load(samples + v * SPL_LANES), sum[v]);
            }
        }
        for (size_t v = 0; v < LONG_VECTORS; v++) {
            vec_store(out + c + v * SPL_LANES, sum[v]);
        }
    }
}

static bool fits_cache(const spl_plan *plan)
{
    return plan->n_nodes * plan->pitch * sizeof(spl_real) <= FITS_BYTES;
}

static void window(
    const spl_plan *plan, const spl_real *history, int64_t k, size_t first, spl_real *out)
{
    const bool fits = fits_cache(plan);
    for (size_t i = first; i < first + SPL_TILE; i++, out += SPL_WINDOW) {
        if (i >= plan->n_nodes) {
            memset(out, 0, SPL_WINDOW * sizeof *out);
        } else if (fits) {
            sum_long(plan, history, k, false, i, out);
        } else {
            sum_long(plan, history, k, true, i, out);
        }
    }
}

/* First column of vector v of half a window; the last may overlap the one before. */
enum { HALF_VECTORS = (SPL_HALF_WINDOW + SPL_LANES - 1) / SPL_LANES };
VEC_INLINE size_t half_column(size_t v)
{
    return v + 1 < HALF_VECTORS ? v * SPL_LANES : SPL_HALF_WINDOW - SPL_LANES;
}

/* Half a window, whose sums go on from those of the long edges. */
static void half_window(const spl_plan *plan, const spl_real *history, int64_t k,
    size_t first, spl_real *sums)
{
    for (size_t i = first; i < first + SPL_TILE && i < plan->n_nodes;
         i++, sums += SPL_WINDOW) {
        const uint32_t end = plan->half_end[i];
        vec sum[HALF_VECTORS];
        for (size_t v = 0; v < HALF_VECTORS; v++) {
            sum[v] = vec_load(sums + half_column(v));
        }
        for (size_t e = plan->long_end[i]; e < end; e++) {
            const spl_real *samples = window_of(plan, history, k, e);
            const vec weight = vec_set(plan->weight[e]);
            SPL_UNROLL
            for (size_t v = 0; v < HALF_VECTORS; v++) {
                sum[v] = vec_fma(weight, vec_load(samples + half_column(v)), sum[v]);
            }
        }
        for (size_t v = 0; v < HALF_VECTORS; v++) {
            vec_store(sums + half_column(v), sum[v]);
        }
    }
}

/* Columns of one node over edges [begin, end), to which `before` are added, zero if it is
 * NULL. Column c reads slot (k + c - d) mod ring; the mirrored head keeps the panel
 * contiguous. */
VEC_INLINE void sum_node(const spl_plan *plan, const spl_real *history, int64_t k,
    const sum_form form, const panel_columns *columns, size_t node, size_t begin,
    size_t end, const spl_real *before, next_windows *next, spl_real *out)
{
    vec sum[N_VECTORS] = {0};
    for (size_t v = 0; v < form.n_vectors && before != NULL; v++) {
        sum[v] = load_columns(form, columns, v, before);
    }
    for (size_t e = begin; e < end; e++) {
        const spl_real *window =
            form.ahead ? next->at[e % AHEAD] : window_of(plan, history, k, e);
        const vec weight = vec_set(plan->weight[e]);
        if (form.ahead) {
            fetch_ahead(plan, history, k, e + AHEAD, next);
        }
        SPL_UNROLL
        for (size_t v = 0; v < form.n_vectors; v++) {
            sum[v] = vec_fma(weight, load_columns(form, columns, v, window), sum[v]);
        }
    }
    for (size_t e = end; form.ahead && e < plan->start[node + 1]; e++) {
        fetch_ahead(plan, history, k, e + AHEAD, next);
    }
    for (size_t v = 0; v < form.n_vectors; v++) {
        vec_store(
            out + (v < form.n_whole || form.masked ? v * SPL_LANES : columns->at[v]),
            sum[v]);
    }
}

/* out[r][c] = in[c][r] for n_in rows, zero where there is no row; n_out rows of `width`
 * are written. */
VEC_INLINE void transpose_tile(const spl_real *in, size_t in_step, size_t n_in,
    spl_real *out, size_t out_step, size_t n_out, const size_t width)
{
    for (size_t r = 0; r < n_out; r += SPL_LANES) {
        for (size_t c = 0; c < width; c += SPL_LANES) {
            vec part[SPL_LANES] = {0};
            SPL_UNROLL
            for (size_t k = 0; k < SPL_LANES; k++) {
                if (c + k < n_in) {
                    part[k] = vec_load(in + (c + k) * in_step + r);
                }
            }
            vec_transpose(part);
            SPL_UNROLL
            for (size_t k = 0; k < SPL_LANES; k++) {
                if (r + k < n_out) {
                    vec_store(out + (r + k) * out_step + c, part[k]);
                }
            }
        }
    }
}

/* Where the node's samples of these steps will be put, and what is known of the next
 * node's sums. */
VEC_INLINE void fetch_for(const spl_plan *plan, const spl_sum_edges *edges,
    const spl_real *history, int64_t k, size_t node, size_t lane)
{
    vec_fetch(history + node * plan->pitch + spl_plan_slot(plan, k), PANEL_BYTES);
    if (edges->before != NULL) {
        vec_fetch(edges->before + (lane + 1) * SPL_WINDOW, PANEL_BYTES);
    }
}

/* A tile, node by node. */
VEC_INLINE void sum_tile(const spl_plan *plan, const spl_sum_edges *edges,
    const spl_real *history, int64_t k, const sum_form form, const panel_columns *columns,
    size_t first, spl_real (*out)[SPL_PANEL])
{
    const bool large = !fits_cache(plan);
    next_windows next;
    for (size_t a = 0; form.ahead && a < AHEAD; a++) {
        fetch_ahead(plan, history, k, plan->start[first] + a, &next);
    }
    for (size_t lane = 0; lane < SPL_TILE; lane++) {
        if (first + lane < plan->n_nodes) {
            if (large) {
                fetch_for(plan, edges, history, k, first + lane, lane);
            }
            sum_node(plan, history, k, form, columns, first + lane,
                edges->begin[first + lane], edges->end[first + lane],
                edges->before != NULL ? edges->before + lane * SPL_WINDOW : NULL, &next,
                out[lane]);
        } else {
            memset(out[lane], 0, sizeof out[lane]);
        }
    }
}

/* Where the long edges are taken out, the rest of the samples are so young that they are
 * in a cache, whatever the size of the history. */
static void delayed(const spl_plan *plan, const spl_sum_edges *edges,
    const spl_real *history, int64_t k, size_t n_columns, size_t first, spl_real *out,
    size_t out_step)
{
    enum {
        HALF = N_VECTORS > 1 ? N_VECTORS / 2 : 1,
        QUARTER = HALF > 1 ? HALF / 2 : 1,
        THREE_QUARTERS = HALF + QUARTER
    };
    _Alignas(VEC_BYTES) spl_real sums[SPL_TILE][SPL_PANEL];
    panel_columns columns = {.wanted = vec_first_lanes(n_columns)};
    for (size_t v = 0; v < N_VECTORS && n_columns >= SPL_LANES; v++) {
        const size_t last = n_columns - SPL_LANES;
        columns.at[v] = v * SPL_LANES < last ? v * SPL_LANES : last;
    }
    const bool fits = edges->begin != plan->start || fits_cache(plan);
    if (n_columns == SPL_PANEL && fits) {
        const sum_form form = {N_VECTORS, N_VECTORS, false, false};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    } else if (n_columns == SPL_PANEL) {
        const sum_form form = {N_VECTORS, N_VECTORS, false, true};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    } else if (n_columns < SPL_LANES) {
        const sum_form form = {1, 0, true, false};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    } else if (n_columns <= QUARTER * SPL_LANES) {
        const sum_form form = {QUARTER, 0, false, false};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    } else if (n_columns <= HALF * SPL_LANES) {
        const sum_form form = {HALF, QUARTER, false, false};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    } else if (n_columns <= THREE_QUARTERS * SPL_LANES) {
        const sum_form form = {THREE_QUARTERS, HALF, false, false};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    } else {
        const sum_form form = {N_VECTORS, HALF, false, false};
        sum_tile(plan, edges, history, k, form, &columns, first, sums);
    }
    transpose_tile(&sums[0][0], SPL_PANEL, SPL_TILE, out, out_step, n_columns, SPL_TILE);
}

/* Copy a few numbers without a call: the last vector overlaps the one before. */
VEC_INLINE void copy_samples(spl_real *to, const spl_real *from, size_t n)
{
    if (n < SPL_LANES) {
        for (size_t s = 0; s < n; s++) {
            to[s] = from[s];
        }
        return;
    }
    for (size_t s = 0; s + SPL_LANES < n; s += SPL_LANES) {
        vec_store(to + s, vec_load(from + s));
    }
    vec_store(to + n - SPL_LANES, vec_load(from + n - SPL_LANES));
}

static void put(const spl_plan *plan, spl_real *history, int64_t k, size_t n_steps,
    size_t first, const spl_real *sent, size_t sent_step)
{
    _Alignas(VEC_BYTES) spl_real samples[SPL_TILE][SPL_PANEL];
    const size_t slot = spl_plan_slot(plan, k);
    const size_t before_end = plan->ring - slot;
    const size_t left = plan->n_nodes - first;
    if (n_steps == SPL_PANEL && before_end >= SPL_PANEL && slot >= SPL_WINDOW) {
        /* most often: neither end of the ring */
        transpose_tile(sent, sent_step, SPL_PANEL, history + first * plan->pitch + slot,
            plan->pitch, left < SPL_TILE ? left : SPL_TILE, SPL_PANEL);
        return;
    }
    transpose_tile(
        sent, sent_step, n_steps, &samples[0][0], SPL_PANEL, SPL_TILE, SPL_PANEL);
    for (size_t lane = 0; lane < SPL_TILE && first + lane < plan->n_nodes; lane++) {
        spl_real *node = history + (first + lane) * plan->pitch;
        /* what runs over the end lands in the mirror of the head, where it belongs too */
        copy_samples(node + slot, samples[lane], n_steps);
        if (n_steps > before_end) {
            copy_samples(node, samples[lane] + before_end, n_steps - before_end);
        }
        if (slot < SPL_WINDOW) {
            const size_t rest = SPL_WINDOW - slot;
            copy_samples(
                node + plan->ring + slot, samples[lane], n_steps < rest ? n_steps : rest);
        }
    }
}

/* Samples of a near edge are those of the block itself once they exist. */
static void near(const spl_plan *plan, const spl_real *history, const spl_recent *recent,
    int64_t at, size_t first, spl_real *sums)
{
    for (size_t lane = 0; lane < SPL_TILE && first + lane < plan->n_nodes; lane++) {
        const size_t i = first + lane;
        spl_real sum = sums[lane];
        for (size_t e = plan->near[i]; e < plan->undelayed[i]; e++) {
            const int64_t sample = at - plan->delay[e];
            const size_t j = (size_t)plan->source[e];
            const spl_real x =
                sample < recent->first
                    ? history[j * plan->pitch + spl_plan_slot(plan, recent->k0 + sample)]
                    : recent->sent[j / SPL_TILE][recent->channel * SPL_TILE +
                                                 (size_t)sample * recent->step +
                                                 j % SPL_TILE];
            sum = spl_fma(plan->weight[e], x, sum);
        }
        sums[lane] = sum;
    }
}

/* Add the edges without delay of n_rows <= ROWS_AT_ONCE nodes, each in list order. A sum
 * is a chain of dependent operations; those of several rows overlap. */
enum { ROWS_AT_ONCE = 4 };
VEC_INLINE void add_rows(const spl_plan *plan, const spl_real *sent, size_t row,
    const size_t n_rows, spl_real *sums)
{
    size_t edge[ROWS_AT_ONCE];
    spl_real sum[ROWS_AT_ONCE];
    size_t common = SIZE_MAX;
    for (size_t r = 0; r < n_rows; r++) {
        edge[r] = plan->undelayed[row + r];
        sum[r] = sums[r];
        const size_t length = plan->start[row + r + 1] - edge[r];
        common = length < common ? length : common;
    }
    for (size_t e = 0; e < common; e++) {
        SPL_UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const size_t at = edge[r] + e;
            sum[r] = spl_fma(plan->weight[at], sent[plan->source[at]], sum[r]);
        }
    }
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t at = edge[r] + common; at < plan->start[row + r + 1]; at++) {
            sum[r] = spl_fma(plan->weight[at], sent[plan->source[at]], sum[r]);
        }
        sums[r] = sum[r];
    }
}

static void undelayed(
    const spl_plan *plan, const spl_real *sent, size_t begin, size_t end, spl_real *sums)
{
    const size_t last = end < plan->n_nodes ? end : plan->n_nodes;
    size_t i = begin;
    for (; i + ROWS_AT_ONCE <= last; i += ROWS_AT_ONCE) {
        size_t n_edges = 0;
        for (size_t r = i; r < i + ROWS_AT_ONCE; r++) {
            n_edges += plan->start[r + 1] - plan->undelayed[r];
        }
        if (n_edges == 0) {
            continue;
        }
        add_rows(plan, sent, i, ROWS_AT_ONCE, sums + (i - begin));
    }
    for (; i < last; i++) {
        add_rows(plan, sent, i, 1, sums + (i - begin));
    }
}

/* A row of the matrix for a few runs: each column is loaded once, the sums stay in
 * registers, and follow the sources in the order of the list. */
enum { TILE_VECTORS = SPL_TILE / SPL_LANES, RUNS_AT_ONCE = 3 };
VEC_INLINE void multiply_runs(const spl_real *matrix, size_t n_nodes, const size_t n_runs,
    const spl_real *sent, size_t sent_step, spl_real *sums, size_t sums_step)
{
    vec sum[RUNS_AT_ONCE][TILE_VECTORS];
    for (size_t r = 0; r < n_runs; r++) {
        for (size_t v = 0; v < TILE_VECTORS; v++) {
            sum[r][v] = vec_load(sums + r * sums_step + v * SPL_LANES);
        }
    }
    for (size_t j = 0; j < n_nodes; j++) {
        const spl_real *column = matrix + j * SPL_TILE;
        SPL_UNROLL
        for (size_t r = 0; r < n_runs; r++) {
            const vec x = vec_set(sent[r * sent_step + j]);
            SPL_UNROLL
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                sum[r][v] = vec_fma(vec_load(column + v * SPL_LANES), x, sum[r][v]);
            }
        }
    }
    for (size_t r = 0; r < n_runs; r++) {
        for (size_t v = 0; v < TILE_VECTORS; v++) {
            vec_store(sums + r * sums_step + v * SPL_LANES, sum[r][v]);
        }
    }
}

static void dense(const spl_plan *plan, const spl_real *matrix, size_t first,
    size_t n_runs, const spl_real *sent, size_t sent_step, spl_real *sums,
    size_t sums_step)
{
    const size_t n = plan->n_nodes;
    const spl_real *rows = matrix + first * n;
    for (; n_runs >= RUNS_AT_ONCE; n_runs -= RUNS_AT_ONCE) {
        multiply_runs(rows, n, RUNS_AT_ONCE, sent, sent_step, sums, sums_step);
        sent += RUNS_AT_ONCE * sent_step;
        sums += RUNS_AT_ONCE * sums_step;
    }
    for (; n_runs > 0; n_runs--) {
        multiply_runs(rows, n, 1, sent, sent_step, sums, sums_step);
        sent += sent_step;
        sums += sums_step;
    }
}

const spl_sum_kernels SPL_TARGETED(spl_sum_kernels);
const spl_sum_kernels SPL_TARGETED(spl_sum_kernels) = {.window = window,
    .half_window = half_window,
    .delayed = delayed,
    .near = near,
    .put = put,
    .undelayed = undelayed,
    .dense = dense};
