/* Second half of every coupling function's file: the kernel and the descriptor. */
#ifndef COUPLING_CHANNELS
#define COUPLING_CHANNELS 1
#endif
#ifndef COUPLING_DIFFERENCE
#define COUPLING_DIFFERENCE false
#endif

#ifdef COUPLING_AFFINE
#define COUPLING_SENDS_X true
#endif
#ifndef COUPLING_SENDS_X
#define COUPLING_SENDS_X false
#endif

#define COUPLING_ENUM(name, ...) PARAM_##name,
enum { PARAMS(COUPLING_ENUM) N_PARAMS };
_Static_assert(N_PARAMS <= SPL_COUPLING_MAX_PARAMS, "too many parameters");

#ifndef COUPLING_AFFINE
static void couple(const spl_coupling_run *run, size_t first, size_t count,
    const spl_real *sums, const spl_real *x, spl_real *c, spl_real *sent)
{
#define COUPLING_VALUE(name, ...) .name = run->params[PARAM_##name],
    const coupling_params p = {PARAMS(COUPLING_VALUE)};
    for (size_t u = 0; u < count; u += SPL_LANES) {
        const vec self = vec_load(run->self + first + u);
        const vec norm = vec_load(run->norm + first + u);
        const vec here = vec_load(x + u);
        vec out[SPL_MAX_CHANNELS];
        vec sum[SPL_MAX_CHANNELS];
        pre(p, here, out);
        for (size_t channel = 0; channel < COUPLING_CHANNELS; channel++) {
            vec_store(sent + channel * SPL_TILE + u, out[channel]);
            sum[channel] = norm * vec_fma(self, out[channel],
                                      vec_load(sums + channel * SPL_TILE + u));
        }
        vec_store(c + u, post(p, sum, here, run->n_nodes));
    }
}
#endif

#define COUPLING_ROW(name, value, unit, low, high, rule, meaning) \
    {#name, value, unit, low, high, SPL_RULE_##rule, meaning},
static const spl_field param_table[] = {PARAMS(COUPLING_ROW)};

#define COUPLING_STRING2(x) #x
#define COUPLING_STRING(x)  COUPLING_STRING2(x)
static const spl_coupling coupling_table = {
    .name = COUPLING_STRING(COUPLING),
    .summary = COUPLING_SUMMARY,
    .sends_observable = COUPLING_SENDS_OBSERVABLE,
    .in_strength = COUPLING_IN_STRENGTH,
    .n_params = N_PARAMS,
    .params = param_table,
};

const spl_coupling_kernels SPL_TARGETED(SPL_PASTE(spl_coupling, COUPLING));
const spl_coupling_kernels SPL_TARGETED(SPL_PASTE(spl_coupling, COUPLING)) = {
    .info = &coupling_table,
    .n_channels = COUPLING_CHANNELS,
    .difference = COUPLING_DIFFERENCE,
    .sends_x = COUPLING_SENDS_X,
#ifdef COUPLING_AFFINE
    .affine = true,
#else
    .couple = couple,
#endif
};
