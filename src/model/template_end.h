/* Second half of every model's file: generates the kernels of all schemes and the table
 * that describes the model. One text for every target; nothing here knows which one it
 * is. */
#include <string.h>

#include "model/template_params.h"

VEC_INLINE model_state load_state(const spl_real *state, size_t stride, size_t i)
{
#define LOAD_STATE(name, ...) .name = vec_load(state + STATE_##name * stride + i),
    return (model_state){STATES(LOAD_STATE)};
}

VEC_INLINE void store_state(spl_real *state, size_t stride, size_t i, model_state s)
{
#define STORE_STATE(name, ...) vec_store(state + STATE_##name * stride + i, s.name);
    STATES(STORE_STATE)
}

/* x + factor * k */
VEC_INLINE model_state state_fma(vec factor, model_state k, model_state x)
{
#define FMA_STATE(name, ...) .name = vec_fma(factor, k.name, x.name),
    return (model_state){STATES(FMA_STATE)};
}

/* How the nodes are coupled, known when a kernel is compiled: the inner loops of the two
 * common forms have no branch and no call. */
typedef enum {
    AFFINE_OBSERVABLE, /* c = scale sum + shift + own x, x the model's observable */
    AFFINE_STATE,      /* the same, x a state */
    ANY_COUPLING
} coupling_form;

/* What a node at the state s shows to others: the model's observable q unless a state is
 * asked for. */
VEC_INLINE vec shown(
    const spl_kernel_run *run, const coupling_form form, const model_state *s, vec q)
{
    const int state = run->coupling->sends_state;
    if (form == AFFINE_OBSERVABLE || (form == ANY_COUPLING && state < 0)) {
        return q;
    }
    return vec_load((const spl_real *)s + state * SPL_LANES);
}

/* scale * sum + shift + own * x: every coupling that is affine in the sum */
VEC_INLINE vec affine_input(const spl_coupling_run *coupling, size_t i, vec sum, vec x)
{
    vec c = vec_fma(vec_load(coupling->scale + i), sum, vec_load(coupling->shift + i));
    return vec_fma(vec_load(coupling->own + i), x, c);
}

/* Coupling input of the nodes from i on, which show x; fills what they send, one vec per
 * channel. */
VEC_INLINE vec couple_nodes(const spl_kernel_run *run, const coupling_form form, size_t i,
    const spl_real *sums, vec x, vec *sent)
{
    const spl_coupling_run *coupling = run->coupling;
    if (form != ANY_COUPLING) {
        sent[0] = x;
        sent[SPL_MAX_CHANNELS - 1] = x; /* nobody asks for it */
        return affine_input(coupling, i, vec_load(sums), x);
    }
    spl_real shown_x[SPL_LANES];
    spl_real input[SPL_LANES];
    spl_real out[SPL_MAX_CHANNELS * SPL_TILE];
    vec_store(shown_x, x);
    coupling->couple(coupling, i, SPL_LANES, sums, shown_x, input, out);
    sent[0] = vec_load(out);
    sent[1] = vec_load(out + SPL_TILE * (coupling->n_channels - 1));
    return vec_load(input);
}

VEC_INLINE void store_sent(
    const spl_kernel_run *run, const coupling_form form, spl_real *out, const vec *sent)
{
    vec_store(out, sent[0]);
    if (form == ANY_COUPLING && run->coupling->n_channels > 1) {
        vec_store(out + SPL_TILE, sent[1]);
    }
}

/* What local terms take for the observable, and its derivative by that. */
typedef struct {
    vec q, dq;
} local_input;

VEC_INLINE local_input own_input(vec q)
{
    return (local_input){q, vec_set(1.0)};
}

/* The same where nodes with neurons may take something else: see spl_kernel_stage. */
VEC_INLINE local_input input_of(const spl_real *local, size_t pitch, vec q)
{
    if (local == NULL) {
        return own_input(q);
    }
    const vec given = vec_load(local);
    return (local_input){vec_select(given == given, given, q), vec_load(local + pitch)};
}

VEC_INLINE model_state slope_of(const spl_scheme *scheme, vec dt, const model_state y,
    const model_params p, const model_gates h, const vec c, const local_input local)
{
    model_state k;
    model_rhs(y, p, h, c, local.q, &k);
    if (scheme->exponential) {
        model_state jacobian;
        model_jacobian(y, p, h, c, local.q, local.dq, &jacobian);
#define EXPREL_STATE(name, ...) k.name = k.name * vec_exprel(dt * jacobian.name);
        STATES(EXPREL_STATE)
    }
    return k;
}

/* What is asked of the stages of a block, found out once: behind a pointer it would be
 * read again for each vector, as a store may have changed it. */
typedef struct {
    bool noisy[N_STATES];
    bool multiplicative; /* noise */
    bool frozen;         /* coupling input */
    bool inputs;         /* rows of the observable or the coupling input */
} model_demands;

VEC_INLINE model_demands demands_of(
    const spl_kernel_run *run, const bool noise, const bool record)
{
    model_demands demands = {.multiplicative = run->multiplicative,
        .frozen = run->frozen,
        .inputs = record && (run->slot[N_STATES] >= 0 || run->slot[N_STATES + 1] >= 0)};
#define DEMAND_NOISE(name, ...) \
    demands.noisy[STATE_##name] = noise && run->noise_scale[STATE_##name] != NULL;
    STATES(DEMAND_NOISE)
    return demands;
}

/* What most runs ask: additive noise on the first state, no more but that the coupling
 * may be frozen. A kernel that knows has no branches for the rest: 3 % of its time, 5 %
 * on AVX2. */
static const model_demands usual_demands = {.noisy = {true}};
static const model_demands usual_frozen = {.noisy = {true}, .frozen = true};

VEC_INLINE bool are_same(const model_demands a, const model_demands b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* x with the noise increments of one step, evaluated at x (Ito). */
VEC_INLINE model_state with_noise(const spl_kernel_run *run, const model_demands *demands,
    const spl_real *noise, size_t lane, size_t i, const model_state x)
{
    model_state sum = x;
#define NOISE_STATE(name, ...)                                                     \
    if (demands->noisy[STATE_##name]) {                                            \
        vec step = vec_load(noise + STATE_##name * SPL_TILE + lane) *              \
                   vec_load(run->noise_scale[STATE_##name] + i);                   \
        if (demands->multiplicative) {                                             \
            step *= vec_fma(vec_set(run->noise_a), x.name, vec_set(run->noise_b)); \
        }                                                                          \
        sum.name = x.name + step;                                                  \
    }
    STATES(NOISE_STATE)
    return sum;
}

/* Cubic Hermite interpolation half a step back: order 4 between samples, and blind to
 * kinks of the history at whole steps. (x0 + x1) / 2 + dt / 8 (f0 - f1) */
VEC_INLINE model_state half_step(
    vec dt, model_state x0, model_state f0, model_state x1, model_state f1)
{
    model_state y;
#define HALF_STATE(name, ...) \
    y.name = vec_fma(         \
        vec_set(0.125) * dt, f0.name - f1.name, vec_set(0.5) * (x0.name + x1.name));
    STATES(HALF_STATE)
    return y;
}

/* Largest absolute value of any state, or NaN if one is in x. */
VEC_INLINE vec furthest(vec extreme, const model_state x)
{
#define FURTHEST_STATE(name, ...) extreme = vec_max(extreme, vec_abs(x.name));
    STATES(FURTHEST_STATE)
    return extreme;
}

VEC_INLINE void record_state(
    const spl_kernel_run *run, spl_real *row, bool adds, size_t i, model_state x)
{
#define RECORD_STATE(name, ...)                                                 \
    if (run->slot[STATE_##name] >= 0) {                                         \
        spl_real *at = row + (size_t)run->slot[STATE_##name] * run->stride + i; \
        vec_store(at, adds ? vec_load(at) + x.name : x.name);                   \
    }
    STATES(RECORD_STATE)
}

VEC_INLINE void record_state_f4(const spl_kernel_stage *st, size_t lane, model_state x)
{
    const size_t count = st->n_nodes > lane ? st->n_nodes - lane : 0;
#define RECORD_STATE_F4(name, ...)                                               \
    if (st->f4[STATE_##name] != NULL) {                                          \
        vec_store_f4(                                                            \
            st->f4[STATE_##name] + st->f4_at + st->first + lane, x.name, count); \
    }
    STATES(RECORD_STATE_F4)
}

VEC_INLINE void record_vec(
    const spl_kernel_run *run, int which, spl_real *row, size_t i, vec value)
{
    if (run->slot[which] >= 0) {
        vec_store(row + (size_t)run->slot[which] * run->stride + i, value);
    }
}

/* What a vector of nodes keeps during a block. */
typedef struct {
    model_state x;                  /* state at the start of the step, with its noise if
                                       that enters the stages */
    model_state y;                  /* state of the stage */
    model_exponentials e;           /* of the gates at the state of the stage */
    model_state sum;                /* state, noise and weighted slopes so far */
    vec c;                          /* frozen: coupling input at the start of the step */
    model_state x_before, f_before; /* for the samples half a step back */
    vec extreme;                    /* largest absolute value of any state that is a
                                       number: a NaN stays in x */
} model_work;

/* What a kernel has to do; all but dt, the pointers and unusual demands are constants for
 * the compiler. */
typedef struct {
    const spl_scheme *scheme;
    coupling_form form;
    bool shared; /* exponentials of gates are shared */
    bool dense;  /* samples half a step back are asked for */
    model_demands demands;
    double dt;
    const spl_kernel_run *run;
    const spl_kernel_block *b;
} model_task;

/* What the monitors want of a block, found out once: most runs record one state. */
typedef struct {
    size_t pitch; /* from row to row */
    size_t n_states;
    size_t which[N_STATES];
    spl_real *row[N_STATES]; /* of the next step, at the first node of the tile */
    size_t left;             /* steps that are added to it from now on, */
    vec zero;                /* the first to this, which leaves -0 as it is or not */
    size_t n_f4;             /* states that go to their place in f4 */
    size_t which_f4[N_STATES];
    float *row_f4[N_STATES];
} model_rows;

VEC_INLINE model_rows rows_of(const spl_kernel_run *run, const spl_kernel_block *b)
{
    model_rows rows = {.pitch = run->n_slots * run->stride,
        .left = b->piece_left,
        .zero = vec_set(b->piece_steps > 1 ? 0.0 : -0.0)};
    if (b->record == NULL) {
        return rows;
    }
    for (size_t s = 0; s < N_STATES; s++) {
        if (run->slot[s] >= 0) {
            rows.which[rows.n_states] = s;
            rows.row[rows.n_states++] =
                b->record + (size_t)run->slot[s] * run->stride + b->first;
        }
        if (b->f4 != NULL && b->f4[s] != NULL) {
            rows.which_f4[rows.n_f4] = s;
            rows.row_f4[rows.n_f4++] = b->f4[s] + b->first;
        }
    }
    return rows;
}

/* Samples half a step before the present x, whose slope is k. */
VEC_INLINE void send_half(
    const model_task t, size_t step, size_t lane, model_work *w, const model_state k)
{
    const size_t width = t.run->coupling->n_channels * SPL_TILE;
    const model_params p = tile_params(t.run, t.b->first, lane);
    const model_state half = half_step(vec_set(t.dt), w->x_before, w->f_before, w->x, k);
    const vec q =
        model_observable(half, p, tile_gates(t.shared, half, t.run, t.b->first, lane));
    vec sent[SPL_MAX_CHANNELS];
    couple_nodes(t.run, t.form, t.b->first + lane, t.b->sums + lane,
        shown(t.run, t.form, &half, q), sent);
    if (step > 0) {
        store_sent(t.run, t.form, t.b->sent_half + (step - 1) * width + lane, sent);
    }
    w->x_before = w->x;
    w->f_before = k;
}

/* What a stage makes of its slope k: the state of the next stage, which begins at
 * `start`, or of the next step. A vector is stored only where it must be, for on some
 * processors a store costs as much as two multiply-adds. */
VEC_INLINE void finish_stage(const model_task t, const size_t stage, model_work *w,
    const model_state start, const model_state before, const model_state k)
{
    const vec dt = vec_set(t.dt);
    const model_state sum = state_fma(vec_set(t.scheme->weight[stage]) * dt, k, before);
    if (stage + 1 == t.scheme->n_stages) {
        w->x = sum;
        return;
    }
    w->sum = sum;
    w->y = state_fma(vec_set(t.scheme->step[stage + 1]) * dt, k, start);
}

/* Stage 0 of step `step`: samples to send, rows of the observable and the input, and the
 * first slope. At the end of the block, `last`, there is no stage to prepare. Up to the
 * slope there is no store and no branch: parameters are then read as operands. */
VEC_INLINE void first_stage(const model_task t, size_t pitch, size_t step,
    const bool last, size_t lane, model_work *w, const model_gates h)
{
    const spl_kernel_run *run = t.run;
    const spl_kernel_block *b = t.b;
    const size_t i = b->first + lane;
    const size_t width = run->coupling->n_channels * SPL_TILE;
    const vec dt = vec_set(t.dt);
    const model_params p = tile_params(run, b->first, lane);
    const vec q = model_observable(w->x, p, h);
    vec sent[SPL_MAX_CHANNELS];
    const vec c = couple_nodes(run, t.form, i, b->sums + step * width + lane,
        shown(run, t.form, &w->x, q), sent);
    model_state k = {0};
    if (!last || t.dense) {
        k = slope_of(t.scheme, dt, w->x, p, h, c, own_input(q));
    }
    store_sent(run, t.form, b->sent + step * width + lane, sent);
    if (t.demands.inputs && step > 0) {
        spl_real *row = b->record + (step - 1) * pitch;
        record_vec(run, N_STATES, row, i, q);
        record_vec(run, N_STATES + 1, row, i, c);
    }
    if (t.dense) {
        send_half(t, step, lane, w, k);
    }
    if (last) {
        for (size_t channel = 0; channel < run->coupling->n_channels; channel++) {
            vec_store(b->carry + channel * run->stride + i,
                vec_load(b->sums + step * width + channel * SPL_TILE + lane));
        }
        return;
    }
    const spl_real *noise =
        b->noise != NULL ? b->noise + step * N_STATES * SPL_TILE : NULL;
    const model_state noisy = with_noise(run, &t.demands, noise, lane, i, w->x);
    const model_state start = t.scheme->noise_in_stages ? noisy : w->x;
    if (t.scheme->n_stages > 2) { /* the last stage does not ask for it */
        w->x = start;
    }
    if (t.demands.frozen) {
        w->c = c;
    }
    finish_stage(t, 0, w, start, noisy, k);
}

/* Stage 1, 2, ... of step `step`. */
VEC_INLINE void later_stage(const model_task t, size_t step, const size_t stage,
    size_t lane, model_work *w, const model_gates h)
{
    const spl_kernel_run *run = t.run;
    const spl_kernel_block *b = t.b;
    const size_t width = run->coupling->n_channels * SPL_TILE;
    const vec dt = vec_set(t.dt);
    const spl_real *sums =
        t.scheme->time[stage] == 0.5
            ? b->half + step * width
            : b->sums + (step + (t.scheme->time[stage] == 1.0)) * width;
    const model_params p = tile_params(run, b->first, lane);
    const vec q = model_observable(w->y, p, h);
    const vec x = shown(run, t.form, &w->y, q);
    vec sent[SPL_MAX_CHANNELS];
    const vec now = couple_nodes(run, t.form, b->first + lane, sums + lane, x, sent);
    const vec c = t.demands.frozen ? w->c : now;
    finish_stage(
        t, stage, w, w->x, w->sum, slope_of(t.scheme, dt, w->y, p, h, c, own_input(q)));
}

VEC_INLINE void record_vectors(const bool first, vec zero, spl_real *row,
    const spl_real *x, size_t apart, const size_t n_vectors)
{
    SPL_UNROLL
    for (size_t u = 0; u < n_vectors; u++) {
        spl_real *at = row + u * SPL_LANES;
        vec_store(at, (first ? zero : vec_load(at)) + vec_load(x + u * apart));
    }
}

/* A constant number of vectors for the compiler in the usual case. */
VEC_INLINE void record_row(const bool first, vec zero, spl_real *row, const spl_real *x,
    size_t apart, size_t n_vectors)
{
    if (n_vectors == N_VECTORS) {
        record_vectors(first, zero, row, x, apart, N_VECTORS);
    } else {
        record_vectors(first, zero, row, x, apart, n_vectors);
    }
}

/* Keep the sums that the first steps are added to. */
VEC_INLINE void save_rows(const model_rows *rows, const model_task t)
{
    for (size_t r = 0; r < rows->n_states && rows->left < t.b->piece_steps; r++) {
        spl_real *backup = t.b->piece_backup + (rows->row[r] - t.b->record);
        for (size_t u = 0; u < N_VECTORS; u++) {
            vec_store(backup + u * SPL_LANES, vec_load(rows->row[r] + u * SPL_LANES));
        }
    }
}

/* The new states that the monitors want, or their sums. The row of the next step comes
 * into the nearest cache meanwhile: a block's sums have pushed it out. */
VEC_INLINE void record_states(
    model_rows *rows, const spl_kernel_block *b, size_t n_vectors, const model_work *work)
{
    const size_t apart = sizeof *work / sizeof(spl_real);
    const bool first = rows->left == b->piece_steps;
    rows->left--;
    for (size_t r = 0; r < rows->n_states; r++) {
        const spl_real *x = (const spl_real *)&work->x + rows->which[r] * SPL_LANES;
        if (first) {
            record_row(true, rows->zero, rows->row[r], x, apart, n_vectors);
        } else {
            record_row(false, rows->zero, rows->row[r], x, apart, n_vectors);
        }
        if (rows->left == 0) {
            rows->row[r] += rows->pitch;
            vec_fetch(rows->row[r], SPL_TILE * sizeof *rows->row[r]);
        }
    }
    rows->left = rows->left > 0 ? rows->left : b->piece_steps;
}

/* The same of those in f4, whose rows are far from any cache. */
VEC_INLINE void record_f4(const model_rows *rows, const spl_kernel_block *b, size_t step,
    size_t n_vectors, const model_work *work)
{
    for (size_t r = 0; r < rows->n_f4; r++) {
        const size_t state = rows->which_f4[r] * SPL_LANES;
        float *row = rows->row_f4[r] + step * b->f4_pitch;
        vec_fetch(row + b->f4_pitch, SPL_TILE * sizeof *row);
        for (size_t u = 0; u < n_vectors; u++) {
            vec_store_f4(row + u * SPL_LANES,
                vec_load((const spl_real *)&work[u].x + state),
                b->n_nodes - u * SPL_LANES);
        }
    }
}

/* At which state exponentials are formed. */
typedef enum {
    BEFORE_BLOCK, /* x */
    IN_STEP,      /* y, of a stage */
    AFTER_STEP    /* x, whose extremes are kept while it is at hand */
} model_moment;

/* Exponentials of the gates of all vectors; params are the tile's. The divisions of those
 * that share one come with the rest of the stage, the divider works beside the
 * multiplications. */
VEC_INLINE void form_exponentials(const bool shared, const spl_real *params,
    const model_moment moment, size_t n_vectors, model_work *work)
{
    SPL_RELOAD();
    for (size_t u = 0; u < n_vectors; u++) {
        begin_exponentials(shared, moment == IN_STEP ? &work[u].y : &work[u].x, params,
            SPL_TILE, u * SPL_LANES, &work[u].e);
        if (moment == AFTER_STEP) {
            vec extreme = work[u].extreme;
#define FURTHER_STATE(name, ...) extreme = vec_further(extreme, work[u].x.name);
            STATES(FURTHER_STATE)
            work[u].extreme = extreme;
        }
    }
    SPL_RELOAD();
    for (size_t u = 0; u < n_vectors; u++) {
        finish_exponentials(shared, &work[u].e);
    }
    SPL_RELOAD();
}

/* Those at the state before the first step, which the block before this one has formed
 * for the samples it sent, or not. */
VEC_INLINE void take_exponentials(const model_task t, size_t n_vectors, model_work *work)
{
    if (!t.b->known) {
        form_exponentials(
            t.shared, t.run->params + t.b->first * N_ALL, BEFORE_BLOCK, n_vectors, work);
        return;
    }
    for (size_t u = 0; u < n_vectors; u++) {
        for (size_t k = 0; k < n_exponentials(t.shared); k++) {
            const spl_real *kept = t.b->exponentials + 2 * k * SPL_TILE + u * SPL_LANES;
            work[u].e.of[k].a = vec_load(kept);
            work[u].e.of[k].b = vec_load(kept + SPL_TILE);
        }
    }
}

VEC_INLINE void keep_exponentials(
    const model_task t, size_t n_vectors, const model_work *work)
{
    for (size_t u = 0; u < n_vectors; u++) {
        for (size_t k = 0; k < n_exponentials(t.shared); k++) {
            spl_real *kept = t.b->exponentials + 2 * k * SPL_TILE + u * SPL_LANES;
            vec_store(kept, work[u].e.of[k].a);
            vec_store(kept + SPL_TILE, work[u].e.of[k].b);
        }
    }
}

/* Divisions of the gates of vector u, and those of the next one begun: a division takes
 * so long that a processor, which looks ahead too little to overlap it with the stage of
 * another vector, waits for it. Not with 16 registers, which do not hold what is under
 * way. */
enum { DIVIDES_AHEAD = VEC_BYTES == 64 };
VEC_INLINE model_divisions divisions_of(
    const model_task t, size_t u, const model_work *work)
{
    return begin_divisions(t.shared, t.run->params + t.b->first * N_ALL, SPL_TILE,
        u * SPL_LANES, &work[u].e);
}

VEC_INLINE model_gates gates_in_turn(const model_task t, size_t u, size_t n_vectors,
    const model_work *work, model_divisions *ahead)
{
    const model_divisions now = DIVIDES_AHEAD ? *ahead : divisions_of(t, u, work);
    if (DIVIDES_AHEAD) {
        *ahead = divisions_of(t, u + 1 < n_vectors ? u + 1 : 0, work);
    }
    return end_divisions(t.shared, now);
}

/* B steps of one tile. Its vectors take turns, first for the gates, then for the rest of
 * a stage: what follows each other depends on nothing just computed, so that the
 * processor overlaps it. */
VEC_SPECIALISED void block_of(const model_task t)
{
    const spl_kernel_block *b = t.b;
    model_rows rows = rows_of(t.run, b);
    const size_t n_vectors = (b->n_nodes + SPL_LANES - 1) / SPL_LANES;
    const spl_real *params = t.run->params + b->first * N_ALL;
    model_work work[N_VECTORS];
    for (size_t u = 0; u < N_VECTORS; u++) {
        work[u].x = load_state(t.run->state, t.run->stride, b->first + u * SPL_LANES);
        store_state(b->backup, t.run->stride, b->first + u * SPL_LANES, work[u].x);
        work[u].y = work[u].x;
        work[u].c = vec_set(0.0);
        work[u].extreme = vec_set(0.0);
        if (t.dense) {
            work[u].x_before = work[u].f_before = work[u].x;
        }
    }
    save_rows(&rows, t);
    take_exponentials(t, n_vectors, work);
    for (size_t step = 0; step < b->n_steps; step++) {
        model_divisions ahead = divisions_of(t, 0, work);
        for (size_t u = 0; u < n_vectors; u++) {
            const model_gates h = gates_in_turn(t, u, n_vectors, work, &ahead);
            first_stage(t, rows.pitch, step, false, u * SPL_LANES, &work[u], h);
        }
        SPL_UNROLL
        for (size_t stage = 1; stage < t.scheme->n_stages; stage++) {
            form_exponentials(t.shared, params, IN_STEP, n_vectors, work);
            ahead = divisions_of(t, 0, work);
            for (size_t u = 0; u < n_vectors; u++) {
                const model_gates h = gates_in_turn(t, u, n_vectors, work, &ahead);
                later_stage(t, step, stage, u * SPL_LANES, &work[u], h);
            }
        }
        record_states(&rows, b, n_vectors, work);
        record_f4(&rows, b, step, n_vectors, work);
        form_exponentials(t.shared, params, AFTER_STEP, n_vectors, work);
    }
    keep_exponentials(t, n_vectors, work);
    for (size_t u = 0; u < n_vectors; u++) {
        const model_gates h = end_divisions(t.shared, divisions_of(t, u, work));
        first_stage(t, rows.pitch, b->n_steps, true, u * SPL_LANES, &work[u], h);
        store_state(t.run->state, t.run->stride, b->first + u * SPL_LANES, work[u].x);
        vec_store(b->extreme + u * SPL_LANES, furthest(work[u].extreme, work[u].x));
    }
}

VEC_INLINE coupling_form form_of(const spl_kernel_run *run)
{
    return run->coupling->couple != NULL    ? ANY_COUPLING
           : run->coupling->sends_state < 0 ? AFFINE_OBSERVABLE
                                            : AFFINE_STATE;
}

#include "model/template_stages.h"

VEC_SPECIALISED void present_of(const bool shared, const spl_kernel_run *run,
    size_t first, const spl_real *sums, spl_real *sent, spl_real *row)
{
    const coupling_form form = form_of(run);
    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        const size_t i = first + lane;
        const model_state x = load_state(run->state, run->stride, i);
        const model_params p = tile_params(run, first, lane);
        const vec q = model_observable(x, p, tile_gates(shared, x, run, first, lane));
        vec out[SPL_MAX_CHANNELS];
        const vec c =
            couple_nodes(run, form, i, sums + lane, shown(run, form, &x, q), out);
        store_sent(run, form, sent + lane, out);
        if (row != NULL) {
            record_state(run, row, false, i, x);
            record_vec(run, N_STATES, row, i, q);
            record_vec(run, N_STATES + 1, row, i, c);
        }
    }
}

/* A constant form for the compiler in each branch. */
#define SCHEME_KERNELS(name, id, gates, shared)                                       \
    static void block_##name##_##gates(                                               \
        const spl_kernel_run *run, const spl_kernel_block *block)                     \
    {                                                                                 \
        const spl_scheme *scheme = &spl_schemes[id];                                  \
        const bool dense = scheme->n_stages == 4 && block->sent_half != NULL;         \
        const model_demands demands =                                                 \
            demands_of(run, block->noise != NULL, block->record != NULL);             \
        /* what most runs are, compiled for the default scheme alone */               \
        if (scheme->n_stages == 2 && form_of(run) == AFFINE_OBSERVABLE) {             \
            if (are_same(demands, usual_demands)) {                                   \
                block_of((model_task){scheme, AFFINE_OBSERVABLE, shared, dense,       \
                    usual_demands, run->dt, run, block});                             \
                return;                                                               \
            }                                                                         \
            if (are_same(demands, usual_frozen)) {                                    \
                block_of((model_task){scheme, AFFINE_OBSERVABLE, shared, dense,       \
                    usual_frozen, run->dt, run, block});                              \
                return;                                                               \
            }                                                                         \
        }                                                                             \
        switch (form_of(run)) {                                                       \
        case AFFINE_OBSERVABLE:                                                       \
            block_of((model_task){scheme, AFFINE_OBSERVABLE, shared, dense, demands,  \
                run->dt, run, block});                                                \
            break;                                                                    \
        case AFFINE_STATE:                                                            \
            block_of((model_task){                                                    \
                scheme, AFFINE_STATE, shared, dense, demands, run->dt, run, block});  \
            break;                                                                    \
        case ANY_COUPLING:                                                            \
            block_of((model_task){                                                    \
                scheme, ANY_COUPLING, shared, dense, demands, run->dt, run, block});  \
            break;                                                                    \
        }                                                                             \
    }                                                                                 \
    static void stage_##name##_##gates(                                               \
        const spl_kernel_run *run, const spl_kernel_stage *stage)                     \
    {                                                                                 \
        const spl_scheme *scheme = &spl_schemes[id];                                  \
        const bool plain = form_of(run) == AFFINE_OBSERVABLE;                         \
        if (plain && stage->stage == 0) {                                             \
            stage_of(scheme, AFFINE_OBSERVABLE, shared, 0, run, stage);               \
        } else if (plain && stage->stage + 1 == scheme->n_stages) {                   \
            stage_of(                                                                 \
                scheme, AFFINE_OBSERVABLE, shared, scheme->n_stages - 1, run, stage); \
        } else if (run->coupling->couple == NULL) {                                   \
            stage_of(scheme, form_of(run), shared, stage->stage, run, stage);         \
        } else {                                                                      \
            stage_of(scheme, ANY_COUPLING, shared, stage->stage, run, stage);         \
        }                                                                             \
    }

/* All functions that evaluate gates. Single evaluations are for SPL_LANES nodes; state
 * and out are [N_STATES][SPL_LANES]. */
#define FORM_KERNELS(gates, shared)                                                     \
    SCHEME_KERNELS(euler, SPL_SCHEME_EULER, gates, shared)                              \
    SCHEME_KERNELS(heun, SPL_SCHEME_HEUN, gates, shared)                                \
    SCHEME_KERNELS(rk4, SPL_SCHEME_RK4, gates, shared)                                  \
    SCHEME_KERNELS(exp_euler, SPL_SCHEME_EXP_EULER, gates, shared)                      \
    static void present_##gates(const spl_kernel_run *run, size_t first,                \
        const spl_real *sums, spl_real *sent, spl_real *row)                            \
    {                                                                                   \
        present_of(shared, run, first, sums, sent, row);                                \
    }                                                                                   \
    static void open_##gates(const spl_kernel_run *run, size_t first, spl_real *out)    \
    {                                                                                   \
        open_of(shared, run, first, out);                                               \
    }                                                                                   \
    static void half_##gates(const spl_kernel_run *run, const spl_kernel_stage *stage)  \
    {                                                                                   \
        half_of(shared, run, stage);                                                    \
    }                                                                                   \
    static void rhs_##gates(const spl_real *params, size_t stride, size_t node,         \
        const spl_real *state, const spl_real *c, const spl_real *local, spl_real *out) \
    {                                                                                   \
        const model_state x = load_state(state, SPL_LANES, 0);                          \
        const model_params p = load_params(params, stride, node);                       \
        const model_gates h = gates_at(shared, x, params, stride, node);                \
        model_state dx;                                                                 \
        model_rhs(x, p, h, vec_load(c),                                                 \
            input_of(local, SPL_LANES, model_observable(x, p, h)).q, &dx);              \
        store_state(out, SPL_LANES, 0, dx);                                             \
    }                                                                                   \
    static void jacobian_##gates(const spl_real *params, size_t stride, size_t node,    \
        const spl_real *state, const spl_real *c, const spl_real *local, spl_real *out) \
    {                                                                                   \
        const model_state x = load_state(state, SPL_LANES, 0);                          \
        const model_params p = load_params(params, stride, node);                       \
        const model_gates h = gates_at(shared, x, params, stride, node);                \
        const local_input in = input_of(local, SPL_LANES, model_observable(x, p, h));   \
        model_state jacobian;                                                           \
        model_jacobian(x, p, h, vec_load(c), in.q, in.dq, &jacobian);                   \
        store_state(out, SPL_LANES, 0, jacobian);                                       \
    }                                                                                   \
    static void observe_##gates(const spl_real *params, size_t stride, size_t node,     \
        const spl_real *state, spl_real *out)                                           \
    {                                                                                   \
        const model_state x = load_state(state, SPL_LANES, 0);                          \
        const model_params p = load_params(params, stride, node);                       \
        vec_store(                                                                      \
            out, model_observable(x, p, gates_at(shared, x, params, stride, node)));    \
    }
FORM_KERNELS(separate, false)
#ifdef MODEL_SHARES_GATES
FORM_KERNELS(shared, true)
#endif

static spl_real exprel(spl_real x)
{
    return vec_exprel(vec_set(x))[0];
}

#ifdef MODEL_HAS_CHECK
static bool check_node(
    const spl_real *params, size_t stride, size_t node, char *text, size_t size)
{
#define NODE_VALUE(name, ...) .name = params[PARAM_##name * stride + node],
#define NODE_GATE_CONSTANTS(name, ...) \
    NODE_VALUE(a_##name, __VA_ARGS__) NODE_VALUE(b_##name, __VA_ARGS__)
#define NODE_FACTOR(name, ...) NODE_VALUE(k_##name, __VA_ARGS__)
    return model_check((model_values){PARAMS(NODE_VALUE) GATES(NODE_GATE_CONSTANTS)
                               GATES_SHARED(NODE_FACTOR) DERIVED(NODE_VALUE)},
        text, size);
}
#endif

#define TABLE_ROW(name, value, unit, low, high, rule, meaning) \
    {#name, value, unit, low, high, SPL_RULE_##rule, meaning},
static const spl_field state_table[] = {STATES(TABLE_ROW)};
static const spl_field param_table[] = {PARAMS(TABLE_ROW)};

#define MODEL_STRING2(x) #x
#define MODEL_STRING(x)  MODEL_STRING2(x)
static const spl_model model_table = {
    .name = MODEL_STRING(MODEL),
    .summary = MODEL_SUMMARY,
    .page = MODEL_PAGE,
    .observable = MODEL_OBSERVABLE_NAME,
    .n_states = N_STATES,
    .n_params = N_PARAMS,
    .n_presets = sizeof model_presets / sizeof *model_presets,
    .n_starts = sizeof model_starts / sizeof *model_starts,
    .states = state_table,
    .params = param_table,
    .presets = model_presets,
    .starts = model_starts,
    .escaped_below = MODEL_ESCAPED_BELOW,
#ifdef MODEL_LOCAL_TERMS
    .local_terms = true,
#endif
};

#ifdef MODEL_HAS_CHECK
#define MODEL_CHECK_NODE check_node
#else
#define MODEL_CHECK_NODE NULL
#endif
#define FORM_TABLE(form)                                                              \
    .model = &model_table, .n_derived = N_ALL - N_PARAMS, .n_gates = N_GATES,         \
    .derive = derive, .check = MODEL_CHECK_NODE, .exprel = exprel, .rhs = rhs_##form, \
    .jacobian = jacobian_##form, .observe = observe_##form,                           \
    .block = {block_euler_##form, block_heun_##form, block_rk4_##form,                \
        block_exp_euler_##form},                                                      \
    .stage = {stage_euler_##form, stage_heun_##form, stage_rk4_##form,                \
        stage_exp_euler_##form},                                                      \
    .open = open_##form, .half = half_##form, .present = present_##form

#ifdef MODEL_SHARES_GATES
static const spl_model_kernels shared_kernels = {
    FORM_TABLE(shared),
    .shares_gates = true,
};
#endif
const spl_model_kernels SPL_TARGETED(SPL_PASTE(spl_model, MODEL));
const spl_model_kernels SPL_TARGETED(SPL_PASTE(spl_model, MODEL)) = {
    FORM_TABLE(separate),
#ifdef MODEL_SHARES_GATES
    .shared = &shared_kernels,
    .node_shares_gates = node_shares_gates,
#endif
};
