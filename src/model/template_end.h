/* Second half of every model's file: generates the kernels of all schemes and the table
 * that describes the model. One text for every target; nothing here knows which one it
 * is. */
#define ENUM_STATE(name, ...)   STATE_##name,
#define ENUM_PARAM(name, ...)   PARAM_##name,
#define ENUM_DERIVED(name, ...) PARAM_##name,
enum { STATES(ENUM_STATE) N_STATES };
enum {
    PARAMS(ENUM_PARAM) N_PARAMS,
    DERIVED_BEFORE_FIRST = N_PARAMS - 1,
    DERIVED(ENUM_DERIVED) N_ALL
};
enum { N_VECTORS = SPL_TILE / SPL_LANES };

_Static_assert(N_STATES <= SPL_MAX_STATES, "too many states");

/* All parameters of the nodes from i on; the compiler loads those that are used. */
VEC_INLINE model_params load_params(const double *params, size_t stride, size_t i)
{
#define LOAD_PARAM(name, ...) .name = vec_load(params + PARAM_##name * stride + i),
    return (model_params){PARAMS(LOAD_PARAM) DERIVED(LOAD_PARAM)};
}

VEC_INLINE model_state load_state(const double *state, size_t stride, size_t i)
{
#define LOAD_STATE(name, ...) .name = vec_load(state + STATE_##name * stride + i),
    return (model_state){STATES(LOAD_STATE)};
}

VEC_INLINE void store_state(double *state, size_t stride, size_t i, model_state s)
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

VEC_INLINE model_state state_scale(vec factor, model_state k)
{
#define SCALE_STATE(name, ...) .name = factor * k.name,
    return (model_state){STATES(SCALE_STATE)};
}

/* What a node shows to others: the model's observable q unless a state is asked for. */
VEC_INLINE vec shown(const spl_kernel_run *run, const model_state s, vec q)
{
    if (run->coupling->sends_state >= 0) {
#define SHOW_STATE(name, ...)                         \
    if (run->coupling->sends_state == STATE_##name) { \
        q = s.name;                                   \
    }
        STATES(SHOW_STATE)
    }
    return q;
}

/* scale * sum + shift + own * x: every coupling that is affine in the sum */
VEC_INLINE vec affine_input(const spl_coupling_run *coupling, size_t i, vec sum, vec x)
{
    vec c = vec_fma(vec_load(coupling->scale + i), sum, vec_load(coupling->shift + i));
    return vec_fma(vec_load(coupling->own + i), x, c);
}

/* Coupling input of the nodes from i on, which show x; fills what they send, one vec per
 * channel. `affine` is a constant: that path neither calls nor stores. */
VEC_INLINE vec couple_nodes(const spl_kernel_run *run, const bool affine, size_t i,
    const double *sums, vec x, vec *sent)
{
    const spl_coupling_run *coupling = run->coupling;
    if (affine) {
        sent[0] = x;
        return affine_input(coupling, i, vec_load(sums), x);
    }
    double shown_x[SPL_LANES];
    double input[SPL_LANES];
    double out[SPL_MAX_CHANNELS * SPL_TILE];
    vec_store(shown_x, x);
    coupling->couple(coupling, i, SPL_LANES, sums, shown_x, input, out);
    sent[0] = vec_load(out);
    sent[1] = vec_load(out + SPL_TILE * (coupling->n_channels - 1));
    return vec_load(input);
}

VEC_INLINE void store_sent(
    const spl_kernel_run *run, const bool affine, double *out, const vec *sent)
{
    vec_store(out, sent[0]);
    if (!affine && run->coupling->n_channels > 1) {
        vec_store(out + SPL_TILE, sent[1]);
    }
}

VEC_INLINE model_state slope_of(const spl_scheme *scheme, vec dt, const model_state y,
    const model_params p, const vec c)
{
    model_state k;
    model_rhs(y, p, c, &k);
    if (scheme->exponential) {
        model_state jacobian;
        model_jacobian(y, p, c, &jacobian);
#define EXPREL_STATE(name, ...) k.name = k.name * vec_exprel(dt * jacobian.name);
        STATES(EXPREL_STATE)
    }
    return k;
}

/* Noise increments of one step, evaluated at the old state (Ito). */
VEC_INLINE model_state increments(const spl_kernel_run *run, const double *noise,
    size_t lane, size_t i, const model_state x)
{
    model_state g;
#define NOISE_STATE(name, ...)                                                       \
    g.name = vec_set(0.0);                                                           \
    if (run->noise_scale[STATE_##name] != NULL) {                                    \
        g.name = vec_load(noise + STATE_##name * SPL_TILE + lane) *                  \
                 vec_load(run->noise_scale[STATE_##name] + i);                       \
        if (run->multiplicative) {                                                   \
            g.name *= vec_fma(vec_set(run->noise_a), x.name, vec_set(run->noise_b)); \
        }                                                                            \
    }
    STATES(NOISE_STATE)
    return g;
}

VEC_INLINE model_state state_add(const model_state x, const model_state g)
{
#define ADD_STATE(name, ...) .name = x.name + g.name,
    return (model_state){STATES(ADD_STATE)};
}

/* Cubic Hermite interpolation half a step back: order 4 between samples, and blind to
 * kinks of the history at whole steps. (x0 + x1) / 2 + dt / 8 (f0 - f1) */
VEC_INLINE model_state half_step(
    vec dt, model_state x0, model_state f0, model_state x1, model_state f1)
{
    model_state y;
#define HALF_STATE(name, ...) \
    y.name = vec_fma(0.125 * dt, f0.name - f1.name, 0.5 * (x0.name + x1.name));
    STATES(HALF_STATE)
    return y;
}

/* Largest absolute value of any state, or NaN: a NaN in x gets through, and stays,
 * because it stays in x. */
VEC_INLINE vec furthest(vec extreme, const model_state x)
{
#define FURTHEST_STATE(name, ...) extreme = vec_max(extreme, vec_abs(x.name));
    STATES(FURTHEST_STATE)
    return extreme;
}

VEC_INLINE void record_state(
    const spl_kernel_run *run, double *row, size_t i, model_state x)
{
#define RECORD_STATE(name, ...)                                                     \
    if (run->slot[STATE_##name] >= 0) {                                             \
        vec_store(row + (size_t)run->slot[STATE_##name] * run->stride + i, x.name); \
    }
    STATES(RECORD_STATE)
}

VEC_INLINE void record_vec(
    const spl_kernel_run *run, int which, double *row, size_t i, vec value)
{
    if (run->slot[which] >= 0) {
        vec_store(row + (size_t)run->slot[which] * run->stride + i, value);
    }
}

/* B steps of one tile. Vectors take turns within a step: the processor overlaps them, and
 * one at a time keeps its state in registers. Nothing is stored before a stage's slope is
 * complete. */
VEC_INLINE void block_of(const spl_scheme *scheme, const bool affine,
    const spl_kernel_run *run, const spl_kernel_block *b)
{
    const size_t stride = run->stride;
    const size_t width = run->coupling->n_channels * SPL_TILE;
    const vec dt = vec_set(run->dt);
    const bool dense = scheme->n_stages == 4 && b->sent_half != NULL;
    model_state x_before[N_VECTORS] = {0};
    model_state f_before[N_VECTORS] = {0};
    vec extreme[N_VECTORS] = {0};

    for (size_t step = 0; step <= b->n_steps; step++) {
        const double *sums = b->sums + step * width;
        double *row = b->record != NULL ? b->record + step * run->n_slots * stride : NULL;
        const bool last = step == b->n_steps;

        for (size_t u = 0; u < N_VECTORS; u++) {
            const size_t lane = u * SPL_LANES;
            const size_t i = b->first + lane;
            const model_state x = load_state(run->state, stride, i);
            const model_params p = load_params(run->params, stride, i);
            const vec q = model_observable(x, p);
            vec sent[SPL_MAX_CHANNELS];
            vec c = couple_nodes(run, affine, i, sums + lane, shown(run, x, q), sent);
            model_state k = {0};
            if (!last || dense) {
                k = slope_of(scheme, dt, x, p, c);
            }
            store_sent(run, affine, b->sent + step * width + lane, sent);
            if (row != NULL && step > 0) {
                record_vec(run, N_STATES, row - run->n_slots * stride, i, q);
                record_vec(run, N_STATES + 1, row - run->n_slots * stride, i, c);
            }
            if (dense) {
                const model_state half = half_step(dt, x_before[u], f_before[u], x, k);
                const vec q_half =
                    model_observable(half, load_params(run->params, stride, i));
                couple_nodes(run, affine, i, sums + lane, shown(run, half, q_half), sent);
                if (step > 0) {
                    store_sent(
                        run, affine, b->sent_half + (step - 1) * width + lane, sent);
                }
                x_before[u] = x;
                f_before[u] = k;
            }
            if (last) {
                continue;
            }
            model_state g = {0};
            if (b->noise != NULL) {
                g = increments(run, b->noise + step * N_STATES * SPL_TILE, lane, i, x);
            }
            model_state slope = state_scale(vec_set(scheme->weight[0]), k);
            SPL_UNROLL
            for (size_t stage = 1; stage < scheme->n_stages; stage++) {
                model_state y = state_fma(scheme->step[stage] * dt, k, x);
                if (scheme->noise_in_stages) {
                    y = state_add(y, g);
                }
                SPL_RELOAD();
                const model_params again = load_params(run->params, stride, i);
                if (!run->frozen) {
                    const double *at = scheme->time[stage] == 0.5 ? b->half + step * width
                                       : scheme->time[stage] == 1.0 ? sums + width
                                                                    : sums;
                    const vec q_stage = model_observable(y, again);
                    c = couple_nodes(
                        run, affine, i, at + lane, shown(run, y, q_stage), sent);
                }
                k = slope_of(scheme, dt, y, again, c);
                slope = state_fma(vec_set(scheme->weight[stage]), k, slope);
            }
            const model_state next = state_add(state_fma(dt, slope, x), g);
            store_state(run->state, stride, i, next);
            extreme[u] = furthest(extreme[u], next);
            if (row != NULL) {
                record_state(run, row, i, next);
            }
        }
    }
    for (size_t u = 0; u < N_VECTORS; u++) {
        vec_store(b->extreme + u * SPL_LANES, extreme[u]);
    }
}

/* One stage of one tile; the network couples the tiles between two calls. */
VEC_INLINE void stage_of(const spl_scheme *scheme, const bool affine,
    const spl_kernel_run *run, const spl_kernel_stage *st)
{
    const size_t stride = run->stride;
    const vec dt = vec_set(run->dt);
    const bool dense = scheme->n_stages == 4 && st->x_before != NULL && st->stage == 0;
    const bool last = st->stage + 1 == scheme->n_stages;

    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        const size_t i = st->first + lane;
        const model_params p = load_params(run->params, stride, i);
        const model_state x = load_state(run->state, stride, i);
        model_state y = load_state(st->y, stride, i);
        vec q = model_observable(y, p);
        vec sent[SPL_MAX_CHANNELS];
        vec c = vec_load(st->c + i);
        if (st->stage == 0 || !run->frozen) {
            c = couple_nodes(run, affine, i, st->sums + lane, shown(run, y, q), sent);
        }
        const model_state k = slope_of(scheme, dt, y, p, c);
        vec_store(st->c + i, c);
        if (dense) {
            const model_state half = half_step(dt, load_state(st->x_before, stride, i),
                load_state(st->f_before, stride, i), x, k);
            q = model_observable(half, p);
            couple_nodes(run, affine, i, st->sums + lane, shown(run, half, q), sent);
            store_sent(run, affine, st->sent_half + lane, sent);
            store_state(st->x_before, stride, i, x);
            store_state(st->f_before, stride, i, k);
        }
        const vec weight = vec_set(scheme->weight[st->stage]);
        const model_state slope =
            st->stage == 0 ? state_scale(weight, k)
                           : state_fma(weight, k, load_state(st->slope, stride, i));
        store_state(st->slope, stride, i, slope);
        y = last ? state_fma(dt, slope, x)
                 : state_fma(scheme->step[st->stage + 1] * dt, k, x);
        if (last || scheme->noise_in_stages) {
            model_state g = {0};
            if (st->noise != NULL) {
                g = increments(run, st->noise, lane, i, x);
            }
            y = state_add(y, g);
        }
        store_state(st->y, stride, i, y);
        if (last) {
            store_state(run->state, stride, i, y);
        }
        q = model_observable(y, p);
        couple_nodes(run, affine, i, st->sums + lane, shown(run, y, q), sent);
        store_sent(run, affine, st->sent + lane, sent);
    }
}

#define SCHEME_KERNELS(name, id)                                                       \
    static void block_##name(const spl_kernel_run *run, const spl_kernel_block *block) \
    {                                                                                  \
        if (run->coupling->couple == NULL) {                                           \
            block_of(&spl_schemes[id], true, run, block);                              \
        } else {                                                                       \
            block_of(&spl_schemes[id], false, run, block);                             \
        }                                                                              \
    }                                                                                  \
    static void stage_##name(const spl_kernel_run *run, const spl_kernel_stage *stage) \
    {                                                                                  \
        if (run->coupling->couple == NULL) {                                           \
            stage_of(&spl_schemes[id], true, run, stage);                              \
        } else {                                                                       \
            stage_of(&spl_schemes[id], false, run, stage);                             \
        }                                                                              \
    }
SCHEME_KERNELS(euler, SPL_SCHEME_EULER)
SCHEME_KERNELS(heun, SPL_SCHEME_HEUN)
SCHEME_KERNELS(rk4, SPL_SCHEME_RK4)
SCHEME_KERNELS(exp_euler, SPL_SCHEME_EXP_EULER)

static void present(const spl_kernel_run *run, size_t first, const double *sums,
    double *sent, double *row)
{
    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        const size_t i = first + lane;
        const model_state x = load_state(run->state, run->stride, i);
        const vec q = model_observable(x, load_params(run->params, run->stride, i));
        vec out[SPL_MAX_CHANNELS];
        const bool affine = run->coupling->couple == NULL;
        const vec c = couple_nodes(run, affine, i, sums + lane, shown(run, x, q), out);
        store_sent(run, affine, sent + lane, out);
        if (row != NULL) {
            record_state(run, row, i, x);
            record_vec(run, N_STATES, row, i, q);
            record_vec(run, N_STATES + 1, row, i, c);
        }
    }
}

/* One evaluation for SPL_LANES nodes; state and out are [N_STATES][SPL_LANES]. */
static void evaluate_rhs(const double *params, size_t stride, size_t node,
    const double *state, const double *c, double *out)
{
    model_state dx;
    model_rhs(load_state(state, SPL_LANES, 0), load_params(params, stride, node),
        vec_load(c), &dx);
    store_state(out, SPL_LANES, 0, dx);
}

static void evaluate_jacobian(const double *params, size_t stride, size_t node,
    const double *state, const double *c, double *out)
{
    model_state jacobian;
    model_jacobian(load_state(state, SPL_LANES, 0), load_params(params, stride, node),
        vec_load(c), &jacobian);
    store_state(out, SPL_LANES, 0, jacobian);
}

static void evaluate_observable(
    const double *params, size_t stride, size_t node, const double *state, double *out)
{
    vec_store(out, model_observable(load_state(state, SPL_LANES, 0),
                       load_params(params, stride, node)));
}

static double exprel(double x)
{
    return vec_exprel(vec_set(x))[0];
}

#ifdef MODEL_HAS_CHECK
static bool check_node(
    const double *params, size_t stride, size_t node, char *text, size_t size)
{
#define NODE_VALUE(name, ...) .name = params[PARAM_##name * stride + node],
    return model_check(
        (model_values){PARAMS(NODE_VALUE) DERIVED(NODE_VALUE)}, text, size);
}
#endif

/* Derived constants take the divisions out of the loop. */
static void derive(double *params, size_t stride)
{
    for (size_t i = 0; i < stride; i++) {
        model_values p;
#define GET_PARAM(name, ...) p.name = params[PARAM_##name * stride + i];
#define SET_DERIVED(name, expression) \
    p.name = (expression);            \
    params[PARAM_##name * stride + i] = p.name;
        PARAMS(GET_PARAM)
        DERIVED(SET_DERIVED)
        (void)p;
    }
}

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
};

const spl_model_kernels SPL_TARGETED(SPL_PASTE(spl_model, MODEL));
const spl_model_kernels SPL_TARGETED(SPL_PASTE(spl_model, MODEL)) = {
    .model = &model_table,
    .n_derived = N_ALL - N_PARAMS,
    .derive = derive,
#ifdef MODEL_HAS_CHECK
    .check = check_node,
#endif
    .rhs = evaluate_rhs,
    .jacobian = evaluate_jacobian,
    .observe = evaluate_observable,
    .exprel = exprel,
    .block = {block_euler, block_heun, block_rk4, block_exp_euler},
    .stage = {stage_euler, stage_heun, stage_rk4, stage_exp_euler},
    .present = present,
};
