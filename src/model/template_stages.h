/* Kernels of single stages, for tied tiles; part of template_end.h. What the stages of a
 * tile share lies in memory of the tile, the gates of its present state too. */
VEC_INLINE model_gates load_gates(const spl_real *gates MODEL_UNUSED)
{
#define LOAD_GATE(name, ...) .name = vec_load(gates + GATE_##name * SPL_TILE),
    return (model_gates){GATES(LOAD_GATE).unused = vec_set(0.0)};
}

VEC_INLINE void store_gates(
    spl_real *gates MODEL_UNUSED, const model_gates h MODEL_UNUSED)
{
#define STORE_GATE(name, ...) vec_store(gates + GATE_##name * SPL_TILE, h.name);
    GATES(STORE_GATE)
}

VEC_INLINE local_input local_of(const spl_kernel_stage *st, size_t lane, vec q)
{
    return input_of(st->local != NULL ? st->local + lane : NULL, SPL_TILE, q);
}

/* Sample half a step before the present state x, whose slope is k. */
VEC_INLINE void show_half(const coupling_form form, const bool shared,
    const spl_kernel_run *run, const spl_kernel_stage *st, size_t lane,
    const model_state x, const model_state k)
{
    const vec dt = vec_set(run->dt);
    const model_params p = tile_params(run, st->first, lane);
    const model_state half = half_step(dt, load_state(st->x_before + lane, SPL_TILE, 0),
        load_state(st->f_before + lane, SPL_TILE, 0), x, k);
    const vec q =
        model_observable(half, p, tile_gates(shared, half, run, st->first, lane));
    vec sent[SPL_MAX_CHANNELS];
    couple_nodes(
        run, form, st->first + lane, st->sums + lane, shown(run, form, &half, q), sent);
    store_sent(run, form, st->sent_half + lane, sent);
    store_state(st->x_before + lane, SPL_TILE, 0, x);
    store_state(st->f_before + lane, SPL_TILE, 0, k);
}

/* A stage of the network's: slope and next state of the nodes of one vector, y in and
 * out, h the gates at y. */
VEC_INLINE void network_stage(const spl_scheme *scheme, const coupling_form form,
    const bool shared, const size_t stage, const spl_kernel_run *run,
    const spl_kernel_stage *st, size_t lane, model_state *y, const model_gates h)
{
    const size_t i = st->first + lane;
    const vec dt = vec_set(run->dt);
    const bool last = stage + 1 == scheme->n_stages;
    const model_params p = tile_params(run, st->first, lane);
    const model_state x = load_state(run->state, run->stride, i);
    const vec q = model_observable(*y, p, h);
    vec sent[SPL_MAX_CHANNELS];
    vec c = vec_load(st->c + lane);
    if (stage == 0 || !run->frozen) {
        c = couple_nodes(run, form, i, st->sums + lane, shown(run, form, y, q), sent);
        if (st->row_before != NULL) {
            record_vec(run, N_STATES, st->row_before, i, q);
            record_vec(run, N_STATES + 1, st->row_before, i, c);
        }
    }
    const model_state k = slope_of(scheme, dt, *y, p, h, c, local_of(st, lane, q));
    vec_store(st->c + lane, c);
    if (scheme->n_stages == 4 && st->x_before != NULL && stage == 0) {
        show_half(form, shared, run, st, lane, x, k);
    }
    const model_demands demands = demands_of(run, st->noise != NULL, false);
    const model_state noisy = with_noise(run, &demands, st->noise, lane, i, x);
    const model_state sum = state_fma(vec_set(scheme->weight[stage]) * dt, k,
        stage == 0 ? noisy : load_state(st->sum + lane, SPL_TILE, 0));
    if (!last) {
        *y = state_fma(vec_set(scheme->step[stage + 1]) * dt, k,
            scheme->noise_in_stages ? noisy : x);
        store_state(st->sum + lane, SPL_TILE, 0, sum);
        store_state(st->y + lane, SPL_TILE, 0, *y);
        return;
    }
    *y = sum;
    store_state(run->state, run->stride, i, *y);
    vec_store(st->extreme + lane, furthest(vec_load(st->extreme + lane), *y));
    if (st->row != NULL) {
        record_state(run, st->row, st->adds, i, *y);
    }
    if (st->f4 != NULL) {
        record_state_f4(st, lane, *y);
    }
}

/* One stage of one tile; the network couples the tiles between two calls. Vectors take
 * turns as in a block, and the gates stay for the next stage. */
VEC_SPECIALISED void stage_of(const spl_scheme *scheme, const coupling_form form,
    const bool shared, const size_t stage, const spl_kernel_run *run,
    const spl_kernel_stage *st)
{
    model_work work[N_VECTORS];
    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        work[u].y = stage == 0 ? load_state(run->state, run->stride, st->first + lane)
                               : load_state(st->y + lane, SPL_TILE, 0);
        network_stage(scheme, form, shared, stage, run, st, lane, &work[u].y,
            load_gates(st->gates + lane));
    }
    const spl_real *params = run->params + st->first * N_ALL;
    form_exponentials(shared, params, IN_STEP, N_VECTORS, work);
    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        const model_params p = tile_params(run, st->first, lane);
        const model_gates h = end_divisions(
            shared, begin_divisions(shared, params, SPL_TILE, lane, &work[u].e));
        const vec q = model_observable(work[u].y, p, h);
        vec sent[SPL_MAX_CHANNELS];
        couple_nodes(run, form, st->first + lane, st->sums + lane,
            shown(run, form, &work[u].y, q), sent);
        store_sent(run, form, st->sent + lane, sent);
        store_gates(st->gates + lane, h);
    }
}

VEC_SPECIALISED void open_of(
    const bool shared, const spl_kernel_run *run, size_t first, spl_real *gates)
{
    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        const model_state x = load_state(run->state, run->stride, first + lane);
        store_gates(gates + lane, tile_gates(shared, x, run, first, lane));
    }
}

VEC_SPECIALISED void half_of(
    const bool shared, const spl_kernel_run *run, const spl_kernel_stage *st)
{
    const coupling_form form = form_of(run);
    for (size_t u = 0; u < N_VECTORS; u++) {
        const size_t lane = u * SPL_LANES;
        const model_params p = tile_params(run, st->first, lane);
        const model_state x = load_state(run->state, run->stride, st->first + lane);
        const model_gates h = load_gates(st->gates + lane);
        const vec q = model_observable(x, p, h);
        vec sent[SPL_MAX_CHANNELS];
        const vec c = couple_nodes(
            run, form, st->first + lane, st->sums + lane, shown(run, form, &x, q), sent);
        model_state k;
        model_rhs(x, p, h, c, local_of(st, lane, q).q, &k);
        show_half(form, shared, run, st, lane, x, k);
    }
}
