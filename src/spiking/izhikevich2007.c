/* izhikevich2007 - the neuron of Izhikevich's book, with a capacitance and the two
 * potentials at which its slope vanishes; it runs as izhikevich_ltc.
 *
 * Izhikevich 2007, Dynamical Systems in Neuroscience, chapter 8. */
#include "spiking/parameterisation.h"

#define MODEL_PAGE                                                                     \
    "Quadratic integrate-and-fire neuron with recovery (Izhikevich 2007)\n"            \
    "  C dV/dt = k (V - v_r) (V - v_t) - u + I(V)\n"                                   \
    "  du/dt = a (b (V - v_r) - u)\n"                                                  \
    "  V >= v_peak:  V <- c,  u <- u + d\n"                                            \
    "V in mV, t in ms, C in pF, u and I in pA, g in nS: weights and rates of current " \
    "too.\n"                                                                           \
    "It runs as izhikevich_ltc with p1 = k/C, p2 = -k (v_r + v_t)/C, p3 = k v_r "      \
    "v_t/C,\n"                                                                         \
    "V_r = v_r, and u, I, g, b and d divided by C: recorded u and g are those, in "    \
    "mV/ms\n"                                                                          \
    "and 1/ms."

/* clang-format off */
#define PARAMS(X) \
    X(C,     100.0, "pF",         20.0, 200.0, POSITIVE, "capacitance")                       \
    X(k,       0.7, "pA/mV^2",     0.5,   3.0, FINITE,   "coefficient of V^2")                \
    X(v_r,   -60.0, "mV",        -75.0, -55.0, FINITE,   "resting potential")                 \
    X(v_t,   -40.0, "mV",        -50.0, -38.0, FINITE,   "threshold of the upstroke")         \
    X(v_peak, 35.0, "mV",         25.0,  50.0, FINITE,   "peak at which V is reset")          \
    X(a,       0.03, "1/ms",       0.01,  0.2, FINITE,   "rate of the recovery")              \
    X(b,      -2.0, "nS",         -2.0,   8.0, FINITE,   "sensitivity of the recovery")       \
    X(c,     -50.0, "mV",        -66.0, -45.0, FINITE,   "V after a spike")                   \
    X(d,     100.0, "pA",          0.0, 300.0, FINITE,   "step of u at a spike")
/* clang-format on */

#define ENUM_PARAM(name, ...) PARAM_##name,
enum { PARAMS(ENUM_PARAM) N_PARAMS };

static double convert(const double *p, double *base)
{
    const double C = p[PARAM_C];
    const double k = p[PARAM_k];
    const double v_r = p[PARAM_v_r];
    const double v_t = p[PARAM_v_t];
    /* in the order of izhikevich_ltc's table: p1 p2 p3 V_th a b c d V_r u_leak */
    const double converted[] = {k / C, -k * (v_r + v_t) / C, k * v_r * v_t / C,
        p[PARAM_v_peak], p[PARAM_a], p[PARAM_b] / C, p[PARAM_c], p[PARAM_d] / C, v_r,
        1.0};
    memcpy(base, converted, sizeof converted);
    return 1.0 / C;
}

#define FINITE   SPL_RULE_FINITE
#define POSITIVE SPL_RULE_POSITIVE
#define PARAM_FIELD(name, value, unit, low, high, rule, meaning) \
    {#name, value, unit, low, high, rule, meaning},
static const spl_field params[] = {PARAMS(PARAM_FIELD)};
static const char *const states[] = {"V", "u"};
static const spl_field initial[] = {
    {"V", -60.0, "mV", -80.0, -50.0, SPL_RULE_FINITE, "membrane potential"},
    {"u", 0.0, "pA", -100.0, 100.0, SPL_RULE_FINITE, "recovery"},
};

#define SOURCE "Izhikevich 2007, chapter 8"
static const spl_neuron_preset presets[] = {
    {"RS", SOURCE ", figure 8.12: regular spiking, layer 5 of rat visual cortex",
        "C=100 k=0.7 v_r=-60 v_t=-40 v_peak=35 a=0.03 b=-2 c=-50 d=100 V=-60"},
};

const spl_neuron_parameterisation spl_neuron_izhikevich2007;
const spl_neuron_parameterisation spl_neuron_izhikevich2007 = {
    .model =
        {
            .name = "izhikevich2007",
            .doc = MODEL_PAGE,
            .n_params = N_PARAMS,
            .n_states = 2,
            .params = params,
            .states = states,
            .initial = initial,
            .presets = presets,
            .n_presets = sizeof presets / sizeof *presets,
        },
    .base = "izhikevich_ltc",
    .convert = convert,
};
