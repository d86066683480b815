/* The keys of spiking subnetworks, in tables as those of schema.h: of a subnetwork, of
 * its receptors, populations, backgrounds and projections. A default in parentheses is no
 * value but says where it comes from. */
#ifndef SPL_CONFIG_SPIKING_KEYS_H
#define SPL_CONFIG_SPIKING_KEYS_H

#include "config/schema.h"

/* clang-format off */
#define SPL_SUBNETWORK_KEYS(X)                                                                                             \
    /* id                  name                  type    default               unit   rule          special or words */    \
    X(SUB_NAME,           "name",               NAME,   "(required)",         "",    FINITE,       "subnetwork", "1 to 64 letters, digits, _ or -; names its streams of random numbers and its groups in the results") \
    X(SUB_REGION,         "region",             NAME,   "(none)",             "",    FINITE,       "region", "label or index of the node that carries it; without one it runs alone") \
    X(SUB_SIZE,           "size",               COUNT,  "1000",               "",    FINITE,       "", "neurons, shared out to populations that give no size of their own") \
    X(SUB_INHIBITORY,     "inhibitory_fraction", NUMBER, "0.2",               "",    NOT_NEGATIVE, "", "share of inhibitory neurons in size") \
    X(SUB_K,              "K",                  COUNT,  "100",                "",    FINITE,       "", "in-degree in the default network; its weights are 1.2 / K and 20 / K") \
    X(SUB_MODEL,          "model",              NAME,   "izhikevich_ltc",     "",    FINITE,       "neuron model", "of populations that name none") \
    X(SUB_SCHEME,         "scheme",             WORD,   "exp_euler",          "",    FINITE,       "exp_euler | euler | izh2003 | izh2004", "numerical scheme of the neurons") \
    X(SUB_CROSSING,       "crossing",           WORD,   "grid",               "",    FINITE,       "grid | located", "spike at the end of a sub-step, or where V crosses the threshold inside it") \
    X(SUB_LINEARISE,      "linearise_input",    FLAG,   "true",               "",    FINITE,       "", "LTC: the linearisation of exp_euler contains the conductances") \
    X(SUB_PRECISION,      "precision",          WORD,   "float32",            "",    FINITE,       "float32 | float64", "numbers of neurons and synapses") \
    X(SUB_SUBSTEP,        "substep",            TIME,   "(largest dt / m <= 0.5 ms)", "ms", POSITIVE, "", "step h of the neurons; a whole number of them makes simulation.dt") \
    X(SUB_MODE,           "mode",               WORD,   "replace",            "",    FINITE,       "probe | replace | attach", "what the node takes from the neurons: nothing, everything, or a mixture") \
    X(SUB_ALPHA,          "alpha",              NUMBER, "(by mode: 1, 0, 1 - beta)", "",  NOT_NEGATIVE, "", "weight of the node's own Q_V in what it sends") \
    X(SUB_BETA,           "beta",               NUMBER, "(by mode: 0, 1, 0.5)", "",  NOT_NEGATIVE, "", "weight of the neurons' filtered rate in what the node sends") \
    X(SUB_KC,             "kc",                 NUMBER, "(by mode: C, 1, C of the node)", "",  NOT_NEGATIVE, "", "weight of the coupling input in the drive") \
    X(SUB_KL,             "kl",                 NUMBER, "(by mode: 1 - C, 0, 1 - C)", "",  NOT_NEGATIVE, "", "weight of the node's own Q_V in the drive") \
    X(SUB_LOCAL_FEEDBACK, "local_feedback",     FLAG,   "false",              "",    FINITE,       "", "mode: attach: the node's own equations take what it sends in place of Q_V") \
    X(SUB_DRIVE,          "drive",              WORD,   "poisson",            "",    FINITE,       "poisson | conductance | current", "external events as random numbers, as their mean conductance, or as a current") \
    X(SUB_J,              "J",                  NUMBER, "0.024",              "",    FINITE,       "", "weight of one external event, 1/ms for a conductance") \
    X(SUB_R_MAX,          "r_max",              RATE,   "14 Hz",              "kHz", POSITIVE,     "", "rate of the excitatory neurons that stands for Q = Q_max") \
    X(SUB_K_EXT,          "K_ext",              NUMBER, "143",                "",    NOT_NEGATIVE, "", "virtual afferents of a neuron; nu = nu0 + K_ext r_max D / Q_max") \
    X(SUB_K_I,            "k_I",                NUMBER, "1",                  "",    NOT_NEGATIVE, "", "K_ext of inhibitory populations is k_I times that") \
    X(SUB_NU0,            "nu0",                RATE,   "0",                  "kHz", NOT_NEGATIVE, "", "external events without drive") \
    X(SUB_TAU_F,          "tau_f",              TIME,   "5",                  "ms",  POSITIVE,     "", "time constant of the rate filter") \
    X(SUB_SECOND_POLE,    "second_pole",        FLAG,   "false",              "",    FINITE,       "", "filter the rate twice") \
    X(SUB_SCALED,         "scaled",             FLAG,   "true",               "",    FINITE,       "", "external events times (e^(h/tau) - 1) / (h/tau): the mean conductance does not depend on h") \
    X(SUB_X0,             "x0",                 RATE,   "0",                  "kHz", NOT_NEGATIVE, "", "filtered rate at the start") \
    X(SUB_V_REF,          "V_ref",              NUMBER, "-60",                "",    FINITE,       "", "mV, where drive: current takes the driving force") \
    X(SUB_RECEPTOR,       "receptor",           NAME,   "AMPA",               "",    FINITE,       "receptor", "receptor that external events enter") \
    X(SUB_CALIBRATION,    "calibration",        TEXT,   "",                   "",    FINITE,       "", "what `splenium calibrate` measured; kept with the results") \
    X(SUB_RECORD_SPIKES,  "record_spikes",      FLAG,   "true",               "",    FINITE,       "", "write the spikes of its populations") \
    X(SUB_RECEPTORS,      "receptors",          TREE,   "(AMPA, GABA_A, NMDA, GABA_B, delta, pulse)", "", FINITE, "map by name", "receptors, changed or added to those predefined") \
    X(SUB_POPULATIONS,    "populations",        TREE,   "(E, I)",             "",    FINITE,       "list of maps", "groups of like neurons") \
    X(SUB_PROJECTIONS,    "projections",        TREE,   "(of the default network)", "", FINITE,   "list of maps", "connections between populations; none if only populations are given")

#define SPL_RECEPTOR_KEYS(X)                                                                                               \
    X(REC_KERNEL,         "kernel",             WORD,   "exponential",        "",    FINITE,       "exponential | dual | alpha | delta | pulse", "course after an event: decay, difference of two exponentials, alpha function, jump of V, current of one sub-step") \
    X(REC_EFFECT,         "effect",             WORD,   "conductance",        "",    FINITE,       "conductance | current", "g (E - V), or g itself") \
    X(REC_BLOCK,          "block",              WORD,   "none",               "",    FINITE,       "none | jahr_stevens | izhikevich2008", "voltage-dependent block of a conductance") \
    X(REC_TAU,            "tau",                TIME,   "(required)",         "ms",  POSITIVE,     "", "time constant of an exponential or alpha kernel") \
    X(REC_TAU_RISE,       "tau_rise",           TIME,   "(required)",         "ms",  POSITIVE,     "", "rise of a dual kernel") \
    X(REC_TAU_DECAY,      "tau_decay",          TIME,   "(required)",         "ms",  POSITIVE,     "", "decay of a dual kernel") \
    X(REC_E,              "E",                  NUMBER, "(required)",         "",    FINITE,       "", "mV, reversal potential of a conductance") \
    X(REC_MG,             "Mg",                 NUMBER, "1.2",                "",    NOT_NEGATIVE, "", "mM, magnesium of block: jahr_stevens")

#define SPL_POPULATION_KEYS(X)                                                                                             \
    X(POP_NAME,           "name",               NAME,   "(required)",         "",    FINITE,       "population", "1 to 64 letters, digits, _ or -") \
    X(POP_SIZE,           "size",               COUNT,  "(by fraction)",      "",    FINITE,       "", "neurons") \
    X(POP_FRACTION,       "fraction",           NUMBER, "(by inhibitory_fraction)", "",  POSITIVE, "", "share in the size of the subnetwork; else populations of a type share what is theirs") \
    X(POP_TYPE,           "type",               WORD,   "excitatory",         "",    FINITE,       "excitatory | inhibitory", "excitatory neurons make the rate that the node sends") \
    X(POP_MODEL,          "model",              NAME,   "(of the subnetwork)", "",   FINITE,       "neuron model", "its parameters are keys of the population") \
    X(POP_PRESET,         "preset",             NAME,   "",                   "",    FINITE,       "preset", "named values of parameters and initial state, below those given") \
    X(POP_HETEROGENEITY,  "heterogeneity",      WORD,   "none",               "",    FINITE,       "none | izhikevich2003", "one random r per neuron drives c and d of excitatory, a and b of inhibitory neurons") \
    X(POP_INIT,           "init",               TREE,   "(V: -70 or of the preset; u: b (V - V_r))", "", FINITE, "map by state: number or distribution", "initial state") \
    X(POP_TAU_REF,        "tau_ref",            TIME,   "0",                  "ms",  NOT_NEGATIVE, "", "refractory time: V held after a spike") \
    X(POP_V_MIN,          "V_min",              NUMBER, "none",               "",    FINITE,       " or none", "mV, lower bound of V") \
    X(POP_CURRENT,        "current",            TREE,   "0",                  "",    FINITE,       "number or distribution", "mV/ms, constant current of each neuron") \
    X(POP_CURRENT_STEPS,  "current_steps",      TREE,   "",                   "",    FINITE,       "list of [time, current], or {file: F}", "added to current, each from its time on") \
    X(POP_SIGMA,          "sigma",              TREE,   "0",                  "",    NOT_NEGATIVE, "number for V, or map by state", "white noise, mV/sqrt(ms)") \
    X(POP_BACKGROUND,     "background",         TREE,   "",                   "",    FINITE,       "list of maps", "independent Poisson events of each neuron: receptor, rate, weight, scaled") \
    X(POP_RECORD,         "record",             TREE,   "",                   "",    FINITE,       "list of indices, or all", "neurons whose V, u and conductances are recorded at every step") \
    X(POP_RECORD_SPIKES,  "record_spikes",      FLAG,   "(of the subnetwork)", "",   FINITE,       "", "write its spikes") \
    X(POP_DRIVEN,         "driven",             FLAG,   "true",               "",    FINITE,       "", "external events of the node reach it")

#define SPL_BACKGROUND_KEYS(X)                                                                                             \
    X(BACK_RECEPTOR,      "receptor",           NAME,   "AMPA",               "",    FINITE,       "receptor", "receptor that the events enter") \
    X(BACK_RATE,          "rate",               RATE,   "(required)",         "kHz", NOT_NEGATIVE, "", "events per neuron") \
    X(BACK_WEIGHT,        "weight",             NUMBER, "(required)",         "",    FINITE,       "", "of one event") \
    X(BACK_SCALED,        "scaled",             FLAG,   "true",               "",    FINITE,       "", "as that of the subnetwork")

#define SPL_PROJECTION_KEYS(X)                                                                                             \
    X(PROJ_FROM,          "from",               NAME,   "(required)",         "",    FINITE,       "population", "source") \
    X(PROJ_TO,            "to",                 NAME,   "(required)",         "",    FINITE,       "population", "target") \
    X(PROJ_RECEPTOR,      "receptor",           NAME,   "(AMPA or GABA_A, by the type of the source)", "", FINITE, "receptor", "receptor of the target") \
    X(PROJ_RULE,          "rule",               WORD,   "fixed_indegree",     "",    FINITE,       "all_to_all | one_to_one | pairwise_bernoulli | fixed_indegree | fixed_outdegree | fixed_total_number | list", "who is connected to whom") \
    X(PROJ_P,             "p",                  NUMBER, "(required)",         "",    NOT_NEGATIVE, "", "probability of a pair: pairwise_bernoulli") \
    X(PROJ_K,             "K",                  COUNT,  "(required)",         "",    FINITE,       "", "degree: fixed_indegree, fixed_outdegree") \
    X(PROJ_M,             "M",                  COUNT,  "(required)",         "",    FINITE,       "", "connections: fixed_total_number") \
    X(PROJ_FILE,          "file",               PATH,   "(required)",         "",    FINITE,       "", "connections of rule list: SONATA edges in HDF5, or text with source, target and perhaps weight and delay in a row") \
    X(PROJ_SHA256,        "sha256",             TEXT,   "",                   "",    FINITE,       "", "hash that the file must have; written into resolved configurations") \
    X(PROJ_AUTAPSES,      "allow_autapses",     FLAG,   "true",               "",    FINITE,       "", "a neuron may connect to itself") \
    X(PROJ_MULTAPSES,     "allow_multapses",    FLAG,   "true",               "",    FINITE,       "", "a pair may be connected several times") \
    X(PROJ_NORMALISE,     "normalise",          WORD,   "none",               "",    FINITE,       "none | indegree", "divide each weight by the number of synapses that the projection has on its target") \
    X(PROJ_WEIGHT,        "weight",             TREE,   "(required)",         "",    FINITE,       "number or distribution", "1/ms for a conductance, mV/ms for a current, mV for delta") \
    X(PROJ_DELAY,         "delay",              TREE,   "1.5",                "ms",  POSITIVE,     "time or distribution", "from a spike to the sub-step that adds it")
/* clang-format on */

#define SPL_SPIKING_ID(id, ...) SPL_##id,
enum { SPL_SUBNETWORK_KEYS(SPL_SPIKING_ID) SPL_N_SUBNETWORK_KEYS };
enum { SPL_RECEPTOR_KEYS(SPL_SPIKING_ID) SPL_N_RECEPTOR_KEYS };
enum { SPL_POPULATION_KEYS(SPL_SPIKING_ID) SPL_N_POPULATION_KEYS };
enum { SPL_BACKGROUND_KEYS(SPL_SPIKING_ID) SPL_N_BACKGROUND_KEYS };
enum { SPL_PROJECTION_KEYS(SPL_SPIKING_ID) SPL_N_PROJECTION_KEYS };
#undef SPL_SPIKING_ID

extern const spl_schema_row spl_subnetwork_rows[SPL_N_SUBNETWORK_KEYS];
extern const spl_schema_row spl_receptor_rows[SPL_N_RECEPTOR_KEYS];
extern const spl_schema_row spl_population_rows[SPL_N_POPULATION_KEYS];
extern const spl_schema_row spl_background_rows[SPL_N_BACKGROUND_KEYS];
extern const spl_schema_row spl_projection_rows[SPL_N_PROJECTION_KEYS];

#endif
