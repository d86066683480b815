/* izhikevich_ltc - quadratic integrate-and-fire neuron with recovery.
 *
 * Izhikevich 2003 (IEEE Trans Neural Netw 14:1569); "LTC" (liquid time constant) says
 * that input which depends on V is evaluated inside the right-hand side, so that what the
 * exponential integrator linearises contains the conductances. The page below is the
 * model's documentation. */
#include <string.h>

#include "spiking/draw.h"
#include "spiking/kernel_receptors.h"

#define MODEL_PAGE                                                                \
    "Quadratic integrate-and-fire neuron with recovery (Izhikevich 2003)\n"       \
    "  dV/dt = p1 V^2 + p2 V + p3 - u + I(V)\n"                                   \
    "  du/dt = a (b (V - V_r) - u_leak u)\n"                                      \
    "  V >= V_th:  V <- c,  u <- u + d\n"                                         \
    "I(V) = I_ext + sum over receptors of g (E - V), times B(V) where magnesium " \
    "blocks.\n"                                                                   \
    "V in mV, t in ms, u and I in mV/ms, g in 1/ms (C = 1). Scheme exp_euler "    \
    "linearises\n"                                                                \
    "V with the conductances: J = 2 p1 V + p2 - sum g."

/* clang-format off */
#define PARAMS(X) \
    X(p1,    0.04, "1/(mV ms)", 0.03,  0.05, FINITE, "coefficient of V^2")          \
    X(p2,    5.0,  "1/ms",      4.0,   6.0,  FINITE, "coefficient of V")            \
    X(p3,  140.0,  "mV/ms",   100.0, 150.0,  FINITE, "constant term")               \
    X(V_th, 30.0,  "mV",       20.0,  40.0,  FINITE, "peak at which V is reset")    \
    X(a,     0.02, "1/ms",      0.01,  0.1,  FINITE, "rate of the recovery")        \
    X(b,     0.2,  "1/ms",      0.1,   0.3,  FINITE, "sensitivity of the recovery") \
    X(c,   -65.0,  "mV",      -70.0, -45.0,  FINITE, "V after a spike")             \
    X(d,     8.0,  "mV/ms",     0.0,  10.0,  FINITE, "step of u at a spike")        \
    X(V_r,   0.0,  "mV",      -70.0,   0.0,  FINITE, "V of which u is a measure")   \
    X(u_leak, 1.0, "1",         0.0,   1.0,  NOT_NEGATIVE,                          \
        "leak of the recovery; 0: u integrates V - V_r (accommodation)")

/* of a neuron, formed from its parameters; the first is that of all models */
#define CONSTANTS(X) \
    X(scale, 1.0) \
    X(p1, p.p1) X(p2, p.p2) X(q3, p.p3 + current) X(V_th, p.V_th) \
    X(share, euler_u ? h * p.a : h * p.a * spl_exact_exprel(-h * p.a * p.u_leak)) \
    X(b, p.b) X(b_Vr, -p.b * p.V_r) X(c, p.c) X(d, p.d) X(a, p.a) X(u_leak, p.u_leak)
/* clang-format on */

#define FIELD_DOUBLE(name, ...) double name;
#define FIELD_VEC(name, ...)    vec name;
#define ENUM_PARAM(name, ...)   PARAM_##name,
#define ENUM_CONST(name, ...)   CONST_##name,
enum { PARAMS(ENUM_PARAM) N_PARAMS };
enum { CONSTANTS(ENUM_CONST) N_CONSTANTS };
_Static_assert(N_CONSTANTS <= SPL_NEURON_MAX_CONSTANTS, "too many constants");

typedef struct {
    CONSTANTS(FIELD_VEC)
} neuron_constants;

static void derive(const double *params, double current, double h,
    spl_neuron_scheme scheme, double *constants)
{
#define GET_PARAM(name, ...) params[PARAM_##name],
    const struct {
        PARAMS(FIELD_DOUBLE)
    } p = {PARAMS(GET_PARAM)};
    const bool euler_u = scheme != SPL_NEURON_EXP_EULER;
#define SET_CONST(name, expression) constants[CONST_##name] = (expression);
    CONSTANTS(SET_CONST)
}

static double follow(const double *params, double V)
{
    return params[PARAM_b] * (V - params[PARAM_V_r]);
}

VEC_INLINE neuron_constants load_constants(const spl_neuron_run *run, size_t i)
{
#define LOAD_CONST(name, ...) .name = load_constant(&run->constant[CONST_##name], i),
    return (neuron_constants){CONSTANTS(LOAD_CONST)};
}

/* p1 V^2 + (p2 - G) V + H - u, H with p3 in it */
VEC_INLINE vec slope_V(const neuron_constants *k, vec p2_G, vec H_u, vec V)
{
    return vec_fma(V, vec_fma(k->p1, V, p2_G), H_u);
}

/* u + share (b (V - V_r) - u_leak u) */
VEC_INLINE vec next_u(const neuron_constants *k, vec share, vec V, vec u)
{
    return vec_fma(share, vec_fnma(k->u_leak, u, vec_fma(k->b, V, k->b_Vr)), u);
}

/* V and u after h, without what comes after the integration. `linearise`: input that
 * depends on V follows it, else it is that of the old V. Neurons that are held keep V. */
VEC_INLINE void integrate(const spl_neuron_scheme scheme, const bool linearise, vec h,
    vec share, const neuron_constants *k, const neuron_input *in, vec_mask held, vec *V,
    vec *u)
{
    const vec old_V = *V;
    const vec old_u = *u;
    const vec G = linearise ? in->G : vec_set(0.0);
    const vec H = linearise ? in->H : vec_fnma(in->G, old_V, in->H);
    const vec p2_G = k->p2 - G;
    const vec H_u = H - old_u;
    if (scheme == SPL_NEURON_IZH2003) {
        const vec half = vec_set(0.5) * h;
        *V = vec_fma(half, slope_V(k, p2_G, H_u, *V), *V);
        *V = vec_fma(half, slope_V(k, p2_G, H_u, *V), *V);
    } else if (scheme == SPL_NEURON_EXP_EULER) {
        vec J = vec_fma(k->p1 + k->p1, old_V, p2_G);
        J = linearise ? J + in->dJ : J;
        *V = vec_fma(h * vec_exprel_small(h * J), slope_V(k, p2_G, H_u, old_V), old_V);
    } else {
        *V = vec_fma(h, slope_V(k, p2_G, H_u, old_V), old_V);
    }
    *V = vec_select(held, old_V, *V);
    const bool jacobi = scheme == SPL_NEURON_EXP_EULER || scheme == SPL_NEURON_EULER;
    *u = next_u(k, share, jacobi ? old_V : *V, old_u);
}

VEC_INLINE vec_mask crosses(const spl_neuron_scheme scheme, vec V, vec V_th)
{
    return scheme == SPL_NEURON_IZH2004 ? V > V_th : V >= V_th;
}

/* Spikes of the neurons of one vector inside one sub-step. */
typedef struct {
    unsigned n[SPL_LANES];
    double fraction[SPL_LANES][SPL_LOCATED_SPIKES + 1];
} located_spikes;

static void note_spikes(located_spikes *spikes, vec_mask mask, vec fraction)
{
    for (size_t lane = 0; lane < SPL_LANES; lane++) {
        if (mask[lane] != 0) {
            spikes->fraction[lane][spikes->n[lane]++] = (double)fraction[lane];
        }
    }
}

/* Find where V crosses V_th, take V and u as linear up to there, reset, and finish the
 * sub-step from the reset values; again if they cross again. V, u: in old and new values,
 * out those of the end. */
VEC_INLINE vec_mask locate(const spl_neuron_scheme scheme, const spl_neuron_run *run,
    const neuron_constants *k, const neuron_input *in, vec_mask held, vec old_V,
    vec old_u, vec *V, vec *u, located_spikes *spikes)
{
    const vec h = vec_set(run->h);
    const vec_mask rests = run->held != NULL ? (vec_mask){0} - 1 : (vec_mask){0};
    vec left = h;
    vec_mask fired = {0};
    vec_mask mask = crosses(scheme, *V, k->V_th) & ~held;
    for (size_t n = 1; vec_any(mask); n++) {
        const vec share = vec_max(
            vec_set(0.0), vec_min(vec_set(1.0), (k->V_th - old_V) / (*V - old_V)));
        const vec at_u = vec_fma(share, *u - old_u, old_u);
        left = vec_select(mask, vec_fnma(share, left, left), left);
        note_spikes(spikes, mask, (h - left) / h);
        old_V = vec_select(mask, k->c, old_V);
        old_u = vec_select(mask, at_u + k->d, old_u);
        fired |= mask;
        vec next_V = old_V;
        vec next_u = old_u;
        vec u_share = left * k->a;
        if (scheme == SPL_NEURON_EXP_EULER) {
            u_share = u_share * vec_exprel(-u_share * k->u_leak);
        }
        const vec_mask last = n == SPL_LOCATED_SPIKES ? ~(vec_mask){0} : rests;
        integrate(
            scheme, run->linearise_input, left, u_share, k, in, last, &next_V, &next_u);
        *V = vec_select(mask, next_V, *V);
        *u = vec_select(mask, next_u, *u);
        mask &= crosses(scheme, *V, k->V_th) & ~last;
    }
    return fired;
}

static void append_located(spl_neuron_step *step, size_t i, const located_spikes *spikes)
{
    for (size_t lane = 0; lane < SPL_LANES && i + lane < step->n; lane++) {
        for (unsigned s = 0; s < spikes->n[lane]; s++) {
            step->spike[step->n_spikes] = (uint32_t)(step->first + i + lane);
            step->fraction[step->n_spikes++] = spikes->fraction[lane][s];
        }
    }
}

/* Everything that a plain population lacks, after the arrivals: hold, noise, jumps, the
 * lower bound, crossings inside the sub-step. Neurons from i of the block on. */
VEC_INLINE vec_mask advance_neurons(const spl_neuron_scheme scheme,
    const spl_neuron_run *run, spl_neuron_step *step, const neuron_constants *k,
    neuron_input *in, size_t i, vec *V, vec *u)
{
    const size_t at = step->first + i;
    const vec old_V = *V;
    const vec old_u = *u;
    vec_mask held = {0};
    vec left = vec_set(0.0);
    if (run->held != NULL) {
        left = vec_load(run->held + at);
        held = left > vec_set(0.0);
        left = vec_max(vec_set(0.0), left - vec_set(1.0));
    }
    if (step->noise[0] != NULL) {
        in->H = vec_fma(run->sigma[0] - (vec){0}, vec_load(step->noise[0] + i), in->H);
    }
    const vec h = vec_set(run->h);
    if (run->linearise_input) {
        integrate(scheme, true, h, k->share, k, in, held, V, u);
    } else {
        integrate(scheme, false, h, k->share, k, in, held, V, u);
    }
    located_spikes spikes;
    vec_mask fired = {0};
    if (run->located) {
        memset(spikes.n, 0, sizeof spikes.n);
        fired = locate(scheme, run, k, in, held, old_V, old_u, V, u, &spikes);
    }
    if (step->noise[1] != NULL) {
        *u = vec_fma(run->sigma[1] - (vec){0}, vec_load(step->noise[1] + i), *u);
    }
    *V = vec_select(held, *V, *V + in->jump);
    *V = vec_max(run->V_min - (vec){0}, *V);
    const vec_mask over = crosses(scheme, *V, k->V_th);
    if (run->located) {
        note_spikes(&spikes, over, vec_set(1.0));
        append_located(step, i, &spikes);
    }
    if (run->held != NULL) {
        vec_store(run->held + at, vec_select(fired | over, run->n_held - (vec){0}, left));
    }
    return over;
}

/* V and u of the neurons of one vector after their spikes. */
VEC_INLINE void reset(const neuron_constants *k, vec_mask fired, vec *V, vec *u)
{
    *V = vec_select(fired, k->c, *V);
    *u = *u + vec_from_bits(vec_bits(k->d) & (vec_uint)fired);
}

/* A population of any kind. */
VEC_SPECIALISED void advance_any(
    const spl_neuron_scheme scheme, const spl_neuron_run *run, spl_neuron_step *step)
{
    for (size_t group = 0; group < step->n; group += SPL_NEURON_GROUP) {
        uint64_t spikes = 0;
        for (size_t v = 0; v < SPL_NEURON_GROUP; v += SPL_LANES) {
            const size_t at = step->first + group + v;
            const neuron_constants k = load_constants(run, at);
            vec V = vec_load(run->state[0] + at);
            vec u = vec_load(run->state[1] + at);
            neuron_input in = {.H = vec_fma(k.scale, step->current - (vec){0}, k.q3)};
            for (size_t r = 0; r < run->n_receptors; r++) {
                const vec a = take_arrivals(step->arrivals[r], at);
                add_receptor(
                    &run->receptor[r], step->drive->inflow[r], k.scale, at, a, V, &in);
            }
            in.jump = in.jump + step->drive->jump;
            const vec_mask fired =
                advance_neurons(scheme, run, step, &k, &in, group + v, &V, &u);
            reset(&k, fired, &V, &u);
            vec_store(run->state[0] + at, V);
            vec_store(run->state[1] + at, u);
            spikes |= (uint64_t)vec_mask_bits(fired) << v;
        }
        if (spikes != 0 && !run->located) {
            append_spikes(step, group, spikes);
        }
    }
}

/* The networks of the literature: two exponential conductances and nothing that needs
 * advance_neurons; constants stay in registers, or next to them. */
enum { PLAIN = 2 };

/* Which constants differ between neurons; those of Izhikevich's two kinds of 2003. */
typedef enum { NOTHING_VARIES, RESET_VARIES, RECOVERY_VARIES, ANYTHING_VARIES } variety;

static variety variety_of(const spl_neuron_run *run)
{
#define VARIES(name, ...)                               \
    if (run->constant[CONST_##name].mask == SIZE_MAX) { \
        varying |= 1u << CONST_##name;                  \
    }
    const unsigned of_reset = 1u << CONST_c | 1u << CONST_d;
    const unsigned of_recovery =
        1u << CONST_share | 1u << CONST_b | 1u << CONST_b_Vr | 1u << CONST_a;
    unsigned varying = 0;
    CONSTANTS(VARIES)
    return varying == 0                    ? NOTHING_VARIES
           : (varying & ~of_reset) == 0    ? RESET_VARIES
           : (varying & ~of_recovery) == 0 ? RECOVERY_VARIES
                                           : ANYTHING_VARIES;
}

VEC_INLINE void load_varying(
    const variety varies, const spl_neuron_run *run, size_t i, neuron_constants *k)
{
#define LOAD_ONE(name) k->name = load_constant(&run->constant[CONST_##name], i);
    if (varies == RESET_VARIES) {
        LOAD_ONE(c)
        LOAD_ONE(d)
    } else if (varies == RECOVERY_VARIES) {
        LOAD_ONE(share)
        LOAD_ONE(b)
        LOAD_ONE(b_Vr)
    } else if (varies == ANYTHING_VARIES) {
        *k = load_constants(run, i);
    }
}

VEC_SPECIALISED void advance_plain(const spl_neuron_scheme scheme, const variety varies,
    const spl_neuron_run *run, spl_neuron_step *step)
{
    const vec h = vec_set(run->h);
    const vec current = step->current - (vec){0};
    spl_real *const states[] = {run->state[0] + step->first, run->state[1] + step->first};
    spl_real *arrivals[PLAIN];
    spl_real *g[PLAIN];
    vec decay[PLAIN];
    vec E[PLAIN];
    for (size_t r = 0; r < PLAIN; r++) {
        arrivals[r] = step->arrivals[r] + step->first;
        g[r] = run->receptor[r].g[0] + step->first;
        decay[r] = run->receptor[r].decay[0] - (vec){0};
        E[r] = run->receptor[r].E - (vec){0};
    }
    neuron_constants k = load_constants(run, step->first);
    for (size_t group = 0; group < step->n; group += SPL_NEURON_GROUP) {
        uint64_t spikes = 0;
        SPL_UNROLL
        for (size_t v = 0; v < SPL_NEURON_GROUP; v += SPL_LANES) {
            const size_t i = group + v;
            load_varying(varies, run, step->first + i, &k);
            vec V = vec_load(states[0] + i);
            vec u = vec_load(states[1] + i);
            neuron_input in = {.H = k.q3 + current};
            SPL_UNROLL
            for (size_t r = 0; r < PLAIN; r++) {
                const vec a = take_arrivals(arrivals[r], i);
                const vec now = receive_exponential(g[r], i, a, decay[r]);
                in.G = r == 0 ? now : in.G + now;
                in.H = vec_fma(now, E[r], in.H);
            }
            integrate(scheme, true, h, k.share, &k, &in, (vec_mask){0}, &V, &u);
            const vec_mask fired = crosses(scheme, V, k.V_th);
            reset(&k, fired, &V, &u);
            vec_store(states[0] + i, V);
            vec_store(states[1] + i, u);
            spikes |= (uint64_t)vec_mask_bits(fired) << v;
        }
        if (spikes != 0) {
            append_spikes(step, group, spikes);
        }
    }
}

VEC_INLINE void advance(
    const spl_neuron_scheme scheme, const spl_neuron_run *run, spl_neuron_step *step)
{
    if (!run->plain || run->n_receptors != PLAIN || step->drive->flows) {
        advance_any(scheme, run, step);
        return;
    }
    switch (variety_of(run)) {
    case NOTHING_VARIES:
        advance_plain(scheme, NOTHING_VARIES, run, step);
        break;
    case RESET_VARIES:
        advance_plain(scheme, RESET_VARIES, run, step);
        break;
    case RECOVERY_VARIES:
        advance_plain(scheme, RECOVERY_VARIES, run, step);
        break;
    case ANYTHING_VARIES:
        advance_plain(scheme, ANYTHING_VARIES, run, step);
        break;
    }
}

static void step_exp_euler(const spl_neuron_run *run, spl_neuron_step *step)
{
    advance(SPL_NEURON_EXP_EULER, run, step);
}

static void step_euler(const spl_neuron_run *run, spl_neuron_step *step)
{
    advance(SPL_NEURON_EULER, run, step);
}

static void step_izh2003(const spl_neuron_run *run, spl_neuron_step *step)
{
    advance_any(SPL_NEURON_IZH2003, run, step);
}

static void step_izh2004(const spl_neuron_run *run, spl_neuron_step *step)
{
    advance_any(SPL_NEURON_IZH2004, run, step);
}

static void advance_substep(const spl_neuron_run *run, spl_neuron_step *step)
{
    static void (*const steps[SPL_N_NEURON_SCHEMES])(
        const spl_neuron_run *, spl_neuron_step *) = {
        [SPL_NEURON_EXP_EULER] = step_exp_euler,
        [SPL_NEURON_EULER] = step_euler,
        [SPL_NEURON_IZH2003] = step_izh2003,
        [SPL_NEURON_IZH2004] = step_izh2004,
    };
    steps[run->scheme](run, step);
}

#define FINITE       SPL_RULE_FINITE
#define NOT_NEGATIVE SPL_RULE_NOT_NEGATIVE
#define PARAM_FIELD(name, value, unit, low, high, rule, meaning) \
    {#name, value, unit, low, high, rule, meaning},
static const spl_field params[] = {PARAMS(PARAM_FIELD)};
static const char *const states[] = {"V", "u"};
static const spl_field initial[] = {
    {"V", -70.0, "mV", -80.0, -50.0, SPL_RULE_FINITE, "membrane potential"},
    {"u", -14.0, "mV/ms", -20.0, 0.0, SPL_RULE_FINITE, "recovery"},
};

#define SOURCE_2003 "Izhikevich 2003, figure 2; the author's script"
static const spl_neuron_preset presets[] = {
    {"RS", SOURCE_2003 ": regular spiking", "a=0.02 b=0.2 c=-65 d=8 V=-63"},
    {"IB", SOURCE_2003 ": intrinsically bursting", "a=0.02 b=0.2 c=-55 d=4 V=-70"},
    {"CH", SOURCE_2003 ": chattering", "a=0.02 b=0.2 c=-50 d=2 V=-70"},
    {"FS", SOURCE_2003 ": fast spiking", "a=0.1 b=0.2 c=-65 d=2 V=-70"},
    {"TC", SOURCE_2003 ": thalamo-cortical, from rest",
        "a=0.02 b=0.25 c=-65 d=0.05 V=-63"},
    {"TC_burst", SOURCE_2003 ": thalamo-cortical, released from hyperpolarisation",
        "a=0.02 b=0.25 c=-65 d=0.05 V=-87"},
    {"RZ", SOURCE_2003 ": resonator", "a=0.1 b=0.26 c=-65 d=2 V=-70"},
    {"LTS", SOURCE_2003 ": low-threshold spiking", "a=0.02 b=0.25 c=-65 d=2 V=-63"},
};

static const spl_neuron_model model = {
    .name = "izhikevich_ltc",
    .doc = MODEL_PAGE,
    .n_params = N_PARAMS,
    .n_states = 2,
    .params = params,
    .states = states,
    .initial = initial,
    .presets = presets,
    .n_presets = sizeof presets / sizeof *presets,
};

const spl_neuron_kernels SPL_TARGETED(spl_neuron_izhikevich_ltc);
const spl_neuron_kernels SPL_TARGETED(spl_neuron_izhikevich_ltc) = {
    .model = &model,
    .n_constants = N_CONSTANTS,
    .derive = derive,
    .follow = follow,
    .step = advance_substep,
};
