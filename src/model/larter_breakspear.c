/* larter_breakspear - conductance-based neural mass with excitatory and inhibitory pools.
 *
 * Larter, Speelman & Worth 1999 (Chaos 9:795); Breakspear, Terry & Friston 2003 (Network
 * 14:703, equations 3-9); parameters as in Alstott et al. 2009 and Roberts et al. 2019.
 * The page below is the model's documentation; `splenium models larter_breakspear` prints
 * it. */
#include <math.h>
#include <stdio.h>

#define MODEL                 larter_breakspear
#define MODEL_SUMMARY         "Larter-Breakspear neural mass: V, W (K channels), Z (inhibition)"
#define MODEL_OBSERVABLE_NAME "Q_V"
/* below this V the inhibitory pool no longer follows and Z grows for ever */
#define MODEL_ESCAPED_BELOW   (-1.0)
#define MODEL_LOCAL_TERMS
#define MODEL_PAGE                                                                       \
    "Equations (H(x) = (1 + tanh x) / 2 = 1 / (1 + exp(-2 x)), c = coupling input):\n"   \
    "  m_X = H((V - T_X) / d_X), X = Ca, Na, K\n"                                        \
    "  Q_V = QV_max H((V - VT) / d_V)          Q_Z = QZ_max H((Z - ZT) / d_Z)\n"         \
    "  E   = aee ((1 - C) Q_V + C c)\n"                                                  \
    "  dV/dt = t_scale [ -(gCa + rNMDA E) m_Ca (V - VCa) - gK W (V - VK) - gL (V - "     \
    "VL)\n"                                                                              \
    "                    -(gNa m_Na + E) (V - VNa) - aie Z Q_Z + ane Iext ]\n"           \
    "  dW/dt = t_scale phi (m_K - W) / tau_K\n"                                          \
    "  dZ/dt = t_scale b (ani Iext + aei V Q_V)\n"                                       \
    "Variables are dimensionless, time is in ms. The observable is the rate Q_V.\n"      \
    "\n"                                                                                 \
    "Source: Breakspear, Terry & Friston 2003, Network 14:703; Larter et al. 1999, "     \
    "Chaos\n"                                                                            \
    "9:795. The rates carry the factor 1/2 of the published code; TVB's documentation\n" \
    "omits it, TVB's code does not. TVB sends V and leaves the sigmoid to the "          \
    "coupling\n"                                                                         \
    "function; here the rate is sent, formed with the source's VT, d_V and QV_max.\n"    \
    "\n"                                                                                 \
    "Regimes of one node, c = 0, measured with RK4 at dt 0.05 (lambda: largest "         \
    "Lyapunov\n"                                                                         \
    "exponent per ms):\n"                                                                \
    "  defaults (gCa 1.1, aee 0.4, d_Z 0.7, C 0.1)\n"                                    \
    "    d_V <= 0.43   every start diverges (no fixed point below 0.430935)\n"           \
    "    0.48 - 0.515  fixed point; Hopf point at 0.51527, 108.0 Hz\n"                   \
    "    0.516 - 0.536 small limit cycle, 107-104 Hz; above it a bursting cycle\n"       \
    "    0.65          limit cycle with 5 maxima; 0.72 narrow chaos, lambda +0.0024\n"   \
    "  gCa 1, aee 0.36, d_Z = d_V, C 0.1\n"                                              \
    "    0.48 - 0.56   fixed point; Hopf point at 0.57071, 116.8 Hz\n"                   \
    "    0.575 - 0.616 limit cycle, 115-110 Hz\n"                                        \
    "    0.62 - 0.70   chaos, lambda +0.0134 (0.62), +0.0088 (0.65), +0.0067 (0.70)\n"   \
    "The often quoted borders 0.55 and 0.59 hold for the second set only, within "       \
    "0.03.\n"                                                                            \
    "\n"                                                                                 \
    "A node whose V falls below about -0.83 leaves the attractor for ever: Z then "      \
    "grows by\n"                                                                         \
    "b ani Iext per ms. The default start lies inside the basin; the box [-1.5, 1.5] "   \
    "that\n"                                                                             \
    "TVB draws from loses some 40 % of the nodes."

/* clang-format off */
#define STATES(X) \
    X(V, 0.0, "1", -0.6,  0.4,  FINITE, "mean membrane potential of the excitatory pool") \
    X(W, 0.0, "1",  0.0,  0.75, FINITE, "fraction of open potassium channels")            \
    X(Z, 0.0, "1",  0.0,  0.41, FINITE, "mean membrane potential of the inhibitory pool")

#define PARAMS(X) \
    X(gCa,     1.1,   "1",    0.9,  1.5,  FINITE,   "conductance of calcium channels")           \
    X(gK,      2.0,   "1",    1.95, 2.05, FINITE,   "conductance of potassium channels")         \
    X(gL,      0.5,   "1",    0.45, 0.55, FINITE,   "conductance of leak channels")              \
    X(gNa,     6.7,   "1",    0.0,  10.0, FINITE,   "conductance of sodium channels")            \
    X(TCa,    -0.01,  "1",   -0.02, 0.0,  FINITE,   "threshold of calcium channels")             \
    X(TK,      0.0,   "1",    0.0,  0.01, FINITE,   "threshold of potassium channels")           \
    X(TNa,     0.3,   "1",    0.25, 0.3,  FINITE,   "threshold of sodium channels")              \
    X(d_Ca,    0.15,  "1",    0.1,  0.2,  POSITIVE, "width of the calcium threshold")            \
    X(d_K,     0.3,   "1",    0.1,  0.4,  POSITIVE, "width of the potassium threshold")          \
    X(d_Na,    0.15,  "1",    0.1,  0.2,  POSITIVE, "width of the sodium threshold")             \
    X(VCa,     1.0,   "1",    0.9,  1.1,  FINITE,   "reversal potential of calcium")             \
    X(VK,     -0.7,   "1",   -0.8,  1.0,  FINITE,   "reversal potential of potassium")           \
    X(VL,     -0.5,   "1",   -0.7, -0.4,  FINITE,   "reversal potential of the leak")            \
    X(VNa,     0.53,  "1",    0.51, 0.55, FINITE,   "reversal potential of sodium")              \
    X(phi,     0.7,   "1",    0.3,  0.9,  FINITE,   "temperature factor of potassium")           \
    X(tau_K,   1.0,   "ms",   0.01, 2.0,  POSITIVE, "relaxation time of potassium")              \
    X(aee,     0.4,   "1",    0.0,  0.6,  FINITE,   "excitatory to excitatory strength")         \
    X(aei,     2.0,   "1",    0.1,  2.0,  FINITE,   "excitatory to inhibitory strength")         \
    X(aie,     2.0,   "1",    0.5,  2.0,  FINITE,   "inhibitory to excitatory strength")         \
    X(ane,     1.0,   "1",    0.4,  1.0,  FINITE,   "external to excitatory strength")           \
    X(ani,     0.4,   "1",    0.3,  0.5,  FINITE,   "external to inhibitory strength")           \
    X(b,       0.1,   "1/ms", 0.0,  1.0,  FINITE,   "rate of the inhibitory pool")               \
    X(C,       0.1,   "1",    0.0,  1.0,  FINITE,   "share of long-range excitation")            \
    X(Iext,    0.3,   "1",    0.0,  0.5,  FINITE,   "non-specific subcortical input")            \
    X(rNMDA,   0.25,  "1",    0.2,  0.3,  FINITE,   "ratio of NMDA to AMPA receptors")           \
    X(VT,      0.0,   "1",    0.0,  0.7,  FINITE,   "threshold of the excitatory rate")          \
    X(d_V,     0.65,  "1",    0.44, 0.8,  POSITIVE, "width of the excitatory threshold")         \
    X(QV_max,  1.0,   "1",    0.1,  1.0,  FINITE,   "maximal excitatory rate")                   \
    X(ZT,      0.0,   "1",    0.0,  0.1,  FINITE,   "threshold of the inhibitory rate")          \
    X(d_Z,     0.7,   "1",    0.44, 0.8,  POSITIVE, "width of the inhibitory threshold")         \
    X(QZ_max,  1.0,   "1",    0.1,  1.0,  FINITE,   "maximal inhibitory rate")                   \
    X(t_scale, 1.0,   "1",    0.1,  1.0,  FINITE,   "factor on all three equations")

/* gate, m = (1 + tanh((x - T) / d)) / 2: of x, threshold T, width d; those of one x side by
 * side, for two of these share a division */
#define GATES(X) \
    X(m_Z,  Z, ZT,  d_Z)  \
    X(m_K,  V, TK,  d_K)  \
    X(m_V,  V, VT,  d_V)  \
    X(m_Ca, V, TCa, d_Ca) \
    X(m_Na, V, TNa, d_Na)

/* gate, gate whose exponential it shares where d_Ca = d_Na = d_K / 2, power of that */
#define GATES_SHARED(X) \
    X(m_Ca, m_K, 2)     \
    X(m_Na, m_K, 2)

/* t_scale is in all of them: rates per ms */
#define DERIVED(X) \
    X(local,  p.t_scale * (1.0 - p.C) * p.aee)             \
    X(far,    p.t_scale * p.C * p.aee)                     \
    X(G_Ca,   p.t_scale * p.gCa)                           \
    X(G_K,    p.t_scale * p.gK)                            \
    X(G_L,    p.t_scale * p.gL)                            \
    X(G_Na,   p.t_scale * p.gNa)                           \
    X(I_V,    p.t_scale * (p.ane * p.Iext + p.gL * p.VL))  \
    X(rate_Q, p.t_scale * p.aie * p.QZ_max)                \
    X(rate_W, p.t_scale * p.phi / p.tau_K)                 \
    X(rate_Z, p.t_scale * p.b * p.aei)                     \
    X(I_Z,    p.t_scale * p.b * p.ani * p.Iext)
/* clang-format on */

#include "model/template_begin.h"

MODEL_OBSERVABLE
{
    return p.QV_max * h.m_V;
}

/* The page's dV/dt with the terms that E drives taken together,
 *   I_V - G_L V - G_K W (V - VK) - rate_Q Z m_Z - G_Ca m_Ca (V - VCa)
 *       - G_Na m_Na (V - VNa) - E (rNMDA m_Ca (V - VCa) + V - VNa),
 * where t_scale is in every G, in I_V, rate_Q and E, and gL VL in I_V. It is summed in
 * the order in which the terms are known, those without gates first, last E, which waits
 * for the input and that for Q_V: a tenth of the kernel's time on AVX-512. */
MODEL_RHS
{
    const vec Ca = h.m_Ca * (s.V - p.VCa);
    const vec Na = s.V - p.VNa;
    const vec E = vec_fma(p.far, c, p.local * q);
    vec dV = vec_fnma(p.G_L, s.V, p.I_V);
    dV = vec_fnma(p.G_K * s.W, s.V - p.VK, dV);
    dV = vec_fnma(p.rate_Q * s.Z, h.m_Z, dV);
    dV = vec_fnma(p.G_Ca, Ca, dV);
    dV = vec_fnma(p.G_Na * h.m_Na, Na, dV);

    dp->V = vec_fnma(E, vec_fma(p.rNMDA, Ca, Na), dV);
    dp->W = p.rate_W * (h.m_K - s.W);
    dp->Z = vec_fma(p.rate_Z * s.V, q, p.I_Z);
}

/* Diagonal of the Jacobian, c held: with m' = 2 m (1 - m) / d = -a ln 2 m (1 - m). */
MODEL_JACOBIAN
{
    const vec dm_Ca = vec_set(-M_LN2) * p.a_m_Ca * h.m_Ca * (1.0 - h.m_Ca);
    const vec dm_Na = vec_set(-M_LN2) * p.a_m_Na * h.m_Na * (1.0 - h.m_Na);
    const vec dQ_V = dq * vec_set(-M_LN2) * p.a_m_V * p.QV_max * h.m_V * (1.0 - h.m_V);
    const vec E = vec_fma(p.far, c, p.local * q);
    const vec dE = p.local * dQ_V;
    const vec dCa = vec_fma(dm_Ca, s.V - p.VCa, h.m_Ca);
    const vec Na = s.V - p.VNa;

    vec J = vec_fma(p.G_K, s.W, p.G_L);
    J = vec_fma(vec_fma(p.rNMDA, E, p.G_Ca), dCa, J);
    J = vec_fma(p.G_Na, vec_fma(dm_Na, Na, h.m_Na), J);
    J = vec_fma(dE, vec_fma(p.rNMDA * h.m_Ca, s.V - p.VCa, Na), J + E);

    dp->V = -J;
    dp->W = -p.rate_W;
    dp->Z = vec_set(0.0);
}

/* dZ = 0 needs V Q_V(V) = -ani Iext / aei, and with VT = 0 the smallest value of V Q_V is
 * d_V QV_max min x H(x), min x H(x) = -0.13923227: below d_SN there is no fixed point and
 * Z grows for ever. */
#define MODEL_HAS_CHECK
MODEL_CHECK
{
    const double d_SN = p.ani * p.Iext / (p.aei * p.QV_max * 0.13923227);
    const bool known = p.VT == 0.0 && p.aei > 0.0 && p.QV_max > 0.0;
    if (!known || p.d_V > d_SN) {
        return false;
    }
    snprintf(text, size,
        "d_V = %.6g is not above ani Iext / (0.139232 aei QV_max) = %.6g: there is no "
        "fixed "
        "point and every start diverges; raise d_V or lower Iext",
        p.d_V, d_SN);
    return true;
}

static const spl_start model_starts[] = {
    {.name = "btf2003",
        .note = "independent draws: V = U/2.3 - 0.167, W = U/2.6 + 0.27, Z = U/10",
        .low = {-0.167, 0.27, 0.0},
        .high = {1 / 2.3 - 0.167, 1 / 2.6 + 0.27, 0.1}},
    {.name = "roberts2019",
        .note = "one draw per node: V = 0.8 (U - 0.5) - 0.2, W = 0.6 (U - 0.5) + 0.3, "
                "Z = 0.16 (U - 0.5) + 0.05",
        .shared = true,
        .low = {-0.6, 0.0, -0.03},
        .high = {0.2, 0.6, 0.13}},
    {.name = "zero", .note = "V = W = Z = 0, brainmass' start"},
};

static const spl_setting preset_tvb[] = {{"model.gCa", "1.1"}, {"model.aee", "0.4"},
    {"model.d_V", "0.65"}, {"model.d_Z", "0.7"}, {"model.C", "0.1"}, {NULL, NULL}};
static const spl_setting preset_btf2003[] = {{"model.gCa", "1.1"}, {"model.aee", "0.4"},
    {"model.d_V", "0.7"}, {"model.d_Z", "0.7"}, {"model.C", "0"},
    {"model.init", "btf2003"}, {"coupling.function", "mean_rate"},
    {"coupling.normalise", "in_strength"}, {"connectome.delays", "false"}, {NULL, NULL}};
static const spl_setting preset_alstott2009[] = {{"model.gCa", "1.0"},
    {"model.aee", "0.36"}, {"model.d_V", "0.65"}, {"model.d_Z", "0.65"},
    {"model.C", "0.1"}, {"coupling.function", "mean_rate"},
    {"coupling.normalise", "in_strength"}, {NULL, NULL}};
static const spl_setting preset_roberts2019[] = {{"model.gCa", "1.0"},
    {"model.aee", "0.36"}, {"model.d_V", "0.65"}, {"model.d_Z", "0.65"},
    {"model.C", "0.6"}, {"model.init", "roberts2019"}, {"coupling.function", "mean_rate"},
    {"coupling.normalise", "in_strength"}, {"connectome.delay", "1 ms"},
    {"connectome.self_connections", "drop"}, {"noise.kind", "none"}, {NULL, NULL}};
static const spl_setting preset_endo2020[] = {{"model.gCa", "1.0"}, {"model.aee", "0.36"},
    {"model.d_V", "0.61"}, {"model.d_Z", "0.61"}, {"model.C", "0.35"},
    {"coupling.function", "mean_rate"}, {"coupling.normalise", "in_strength"},
    {NULL, NULL}};

static const spl_preset model_presets[] = {
    {"tvb", "defaults of The Virtual Brain's LarterBreakspear, and of brainmass",
        "One node: limit cycle. Coupling and delays are free.", preset_tvb},
    {"btf2003", "Breakspear, Terry & Friston 2003; bdtoolbox BTF2003.m",
        "One node: limit cycle. No delays.", preset_btf2003},
    {"alstott2009", "Alstott et al. 2009, PLoS Comput Biol 5:e1000408; table in TVB",
        "One node: chaos, lambda +0.0088 per ms. The paper's coupling and delays are not "
        "known; "
        "<Q_V> divided by in-strength is used.",
        preset_alstott2009},
    {"roberts2019", "Roberts et al. 2019, Nat Commun 10:1056; brainwaves_sim.m",
        "One node: limit cycle, 113.5 Hz. <Q_V> divided by in-strength, one lag of 1 ms "
        "on all "
        "edges, no self-connections, no noise.",
        preset_roberts2019},
    {"endo2020",
        "Endo et al. 2020, Front Comput Neurosci 13:91; defaults of Neuroblox.jl",
        "One node: limit cycle, 114.9 Hz. The normalisation of the coupling is not "
        "known; "
        "in-strength is used.",
        preset_endo2020},
};

#include "model/template_end.h"
