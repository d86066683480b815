#include "unit/config/support.h"

/* What can be wrong with a subnetwork: the place, the value, what to do. */

#define HOSTED           "subnetworks: [{name: a, region: rA1, "
#define AT(column, text) "t.yaml:1:" #column ": " text
#define ONE              "subnetworks: [{name: a, populations: [{name: P, size: 3, "
#define TWO                                                                           \
    "subnetworks: [{name: a, populations: [{name: P, size: 3}, {name: Q, size: 4}], " \
    "projections: ["

typedef struct bad_input {
    const char *yaml, *message;
} bad_input;

static const bad_input bad_inputs[] = {
    {"subnetworks: 3", AT(14, "subnetworks must be a list of at most 4096 maps, e.g. "
                              "[{name: thal, region: rA1, size: 1000}]")},
    {"subnetworks: [3]", AT(15, "a subnetwork must be a map with a name, e.g. {name: "
                                "thal, region: rA1, size: 1000}")},
    {"subnetworks: [{region: rA1}]",
        AT(15, "a subnetwork must be a map with a name, e.g. {name: thal, region: rA1, "
               "size: 1000}")},
    {"subnetworks: [{name: \"a.b\"}]",
        AT(22, "subnetwork name 'a.b'; use 1 to 64 letters, digits, '_' or '-'")},
    {"subnetworks: [{name: a, region: rA2}]",
        AT(33,
            "subnetworks.a.region: no region has the label 'rA2'; did you mean 'rA1'?")},
    {"subnetworks: [{name: a, region: 4}]",
        AT(33, "subnetworks.a.region: there is no node 4; they are 0 to 3")},
    {HOSTED "size: 9}, {name: a}]",
        AT(55, "a second subnetwork named 'a'; give each its own name")},
    {HOSTED "size: 9}, {name: b, region: 0}]",
        AT(66, "subnetworks.b.region: 'rA1' carries subnetwork a already; put all "
               "populations of a node into one subnetwork")},
    {"subnetworks: [{name: a, sise: 3}]",
        AT(25, "unknown key 'sise' in subnetworks.a; did you mean 'size'?")},
    {"subnetworks: [{name: a, size: 0}]",
        AT(31, "subnetworks.a.populations.E: a population of no neurons; make it larger, "
               "or leave it out")},
    {"subnetworks: [{name: a, size: 3000000000}]",
        AT(31, "subnetworks.a.populations.E: 3000000000 neurons; at most 2147483647 in a "
               "population")},
    {"subnetworks: [{name: a, size: 2}]",
        AT(15, "subnetworks.a.populations.I: a population of no neurons; make it larger, "
               "or leave it out")},
    {"subnetworks: [{name: a, inhibitory_fraction: 1.5}]",
        AT(46, "subnetworks.a.inhibitory_fraction: '1.5' must not be above 1")},
    {"subnetworks: [{name: a, inhibitory_fraction: 0}]",
        AT(15, "subnetworks.a.populations.I: a population of no neurons; make it larger, "
               "or leave it out")},
    {"subnetworks: [{name: a, K: 0}]",
        AT(28, "subnetworks.a.K: 0; from 1 to 4294967295")},
    {"subnetworks: [{name: a, model: izikevich_ltc}]",
        AT(32, "unknown neuron model 'izikevich_ltc'; did you mean 'izhikevich_ltc'?")},
    {"subnetworks: [{name: a, model: izhikevich2007}]",
        AT(15, "subnetworks.a: there is no default network of izhikevich2007; give "
               "populations")},
    {"subnetworks: [{name: a, scheme: heun}]",
        AT(33, "subnetworks.a.scheme: 'heun' is not one of: exp_euler | euler | izh2003 "
               "| izh2004")},
    {"subnetworks: [{name: a, precision: double}]",
        AT(36, "subnetworks.a.precision: 'double' is not one of: float32 | float64")},
    {"subnetworks: [{name: a, substep: 0.03}]",
        AT(34, "subnetworks.a.substep: 0.03 ms does not divide simulation.dt = 0.1 ms; "
               "give dt or a whole fraction of it")},
    {"subnetworks: [{name: a, substep: 1.0e-6}]",
        AT(34,
            "subnetworks.a: 100000 sub-steps in simulation.dt = 0.1 ms; at most 10000")},
    {"subnetworks: [{name: a, mode: probe}]",
        AT(25, "subnetworks.a.mode: unused without region; name the node that carries "
               "the subnetwork")},
    {"subnetworks: [{name: a, K_ext: 3}]",
        AT(25, "subnetworks.a.K_ext: unused without region; name the node that carries "
               "the subnetwork")},
    {"subnetworks: [{name: a, nu0: 1, populations: [{name: P, driven: false}]}]",
        AT(25, "subnetworks.a.nu0: unused; set driven: true of a population")},
    {HOSTED "mode: probe, beta: 0.5}]",
        AT(51, "subnetworks.a.beta: mode: probe leaves the node as it is, with alpha 1 "
               "and beta 0; use mode: attach")},
    {HOSTED "alpha: 0.5}]",
        AT(38, "subnetworks.a.alpha: must be 0 in mode: replace, where the node has no "
               "Q_V of its own; use mode: attach")},
    {HOSTED "kl: 0.1}]", AT(38, "subnetworks.a.kl: must be 0 in mode: replace, where the "
                                "node has no Q_V of its own; use mode: attach")},
    {HOSTED "mode: attach, beta: 1.5}]",
        AT(52, "subnetworks.a.beta: above 1 makes the other weight negative; give both "
               "alpha and beta")},
    {HOSTED "local_feedback: true}]",
        AT(38, "subnetworks.a.local_feedback: only in mode: attach the node has "
               "equations that could take what it sends")},
    {HOSTED "mode: probe, local_feedback: true}]",
        AT(51, "subnetworks.a.local_feedback: only in mode: attach the node has "
               "equations that could take what it sends")},
    {HOSTED "mode: attach, local_feedback: 1}]",
        AT(68, "subnetworks.a.local_feedback: '1' is neither true nor false")},
    {"model: {name: linear}\n" HOSTED "mode: attach, local_feedback: true}]",
        "t.yaml:2:68: subnetworks.a.local_feedback: the equations of linear do not "
        "contain its observable; leave it out"},
    {"subnetworks: [{name: a, local_feedback: true}]",
        AT(25, "subnetworks.a.local_feedback: unused without region; name the node that "
               "carries the subnetwork")},
    {HOSTED "mode: atach}]",
        AT(44, "subnetworks.a.mode: 'atach' is not one of: probe | replace | attach")},
    {HOSTED "r_max: 11}]", AT(45, "subnetworks.a.r_max: 11 kHz is more than one spike in "
                                  "each sub-step of 0.1 ms; at most 10 kHz")},
    {HOSTED "nu0: 1001}]", AT(43, "subnetworks.a.nu0: 1001 events per ms are 100.1 in a "
                                  "sub-step of 0.1 ms; at most 100, that is 1000 kHz")},
    {HOSTED "K_ext: 1.0e6}]",
        AT(45, "subnetworks.a.K_ext: 14000 events per ms are 1400 in a sub-step of 0.1 "
               "ms; at most 100, that is 1000 kHz")},
    {HOSTED "r_max: 0}]", AT(45, "subnetworks.a.r_max: '0' must be greater than 0")},
    {HOSTED "J: -0.1}]", AT(41, "subnetworks.a.J: the conductance AMPA cannot be -0.1; "
                                "weights must be at least 0, the sign comes from E")},
    {HOSTED "receptor: AMPPA}]",
        AT(48, "unknown receptor 'AMPPA'; did you mean 'AMPA'?")},
    {HOSTED "tau_f: 0}]", AT(45, "subnetworks.a.tau_f: '0' must be greater than 0")},
    {HOSTED "receptors: {AMPA: {tau: 0}}}]",
        AT(62, "subnetworks.a.receptors.AMPA.tau: '0' must be greater than 0")},
    {HOSTED "receptors: {AMPA: {taw: 1}}}]",
        AT(57, "unknown key 'taw' in subnetworks.a.receptors.AMPA; did you mean 'tau'?")},
    {HOSTED "receptors: {NMDA: {tau: 100}}}]",
        AT(50, "subnetworks.a.receptors.NMDA: unused; no projection, background or drive "
               "enters it")},
    {HOSTED "receptors: {\"x y\": {tau: 1}}}]",
        AT(50, "receptor name 'x y'; use 1 to 64 letters, digits, '_' or '-'")},
    {HOSTED "receptor: X, receptors: {X: {tau: 9}}}]",
        AT(66, "subnetworks.a.receptors.X has no E; add one")},
    {HOSTED "receptor: X, receptors: {X: {E: 9}}}]",
        AT(66, "subnetworks.a.receptors.X has no tau; add one")},
    {HOSTED "receptor: X, receptors: {X: {kernel: dual, tau: 3, E: 1}}}]",
        AT(81, "subnetworks.a.receptors.X.tau: unused with this kernel; a dual one takes "
               "tau_rise and tau_decay")},
    {HOSTED "receptor: X, receptors: {X: {kernel: dual, tau_decay: 3, E: 1}}}]",
        AT(66, "subnetworks.a.receptors.X has no tau_rise; add one")},
    {HOSTED "receptor: delta, receptors: {delta: {E: 3}}}]",
        AT(75, "subnetworks.a.receptors.delta.E: unused; only a conductance has a "
               "reversal potential")},
    {HOSTED "receptors: {AMPA: {Mg: 1}}}]",
        AT(57, "subnetworks.a.receptors.AMPA.Mg: unused; only block: jahr_stevens takes "
               "it")},
    {HOSTED "receptors: [AMPA]}]",
        AT(49, "subnetworks.a.receptors must be a map by name, e.g. {AMPA: {tau: 5}}")},
    {HOSTED "receptors: {AMPA: 3}}]",
        AT(56, "subnetworks.a.receptors.AMPA must be a map of keys, e.g. {key: value}")},
    {HOSTED "populations: [{name: P, type: inhibitory}]}]",
        AT(15, "subnetworks.a: no population is excitatory, so the node has nothing to "
               "send; give one type: excitatory")},
    {"subnetworks: [{name: a, populations: []}]",
        AT(38, "subnetworks.a.populations must be a list of 1 to 64 maps, e.g. [{name: "
               "E, size: 800}]")},
    {"subnetworks: [{name: a, populations: [{size: 3}]}]",
        AT(39, "subnetworks.a: a population must be a map with a name, e.g. {name: E, "
               "size: 800}")},
    {ONE "tau_ref: 1}, {name: P}]}]",
        AT(78, "subnetworks.a: a second population named 'P'; give each its own name")},
    {"subnetworks: [{name: a, populations: [{name: P, size: 0}]}]",
        AT(55, "subnetworks.a.populations.P: a population of no neurons; make it larger, "
               "or leave it out")},
    {"subnetworks: [{name: a, populations: [{name: P, fraction: 1.2}]}]",
        AT(59, "subnetworks.a.populations.P: the fractions add up to 1.2; they must not "
               "exceed 1")},
    {ONE "fraction: 0.2}]}]",
        AT(58, "subnetworks.a.populations.P.fraction: size is given as well; give one")},
    {"subnetworks: [{name: a, size: 3, populations: [{name: P, size: 3}]}]",
        AT(25, "subnetworks.a.size: unused; every population gives its own size")},
    {"subnetworks: [{name: a, inhibitory_fraction: 0.3, populations: [{name: P, size: "
     "3}]}]",
        AT(25, "subnetworks.a.inhibitory_fraction: unused; every population gives its "
               "size or fraction")},
    {"subnetworks: [{name: a, K: 3, populations: [{name: P, size: 3}]}]",
        AT(25, "subnetworks.a.K: unused; it is the in-degree of the default network")},
    {ONE "tau_rev: x}]}]", AT(58, "unknown key 'tau_rev' in subnetworks.a.populations.P; "
                                  "did you mean 'tau_ref'?")},
    {ONE "preset: rs}]}]", AT(66, "unknown preset 'rs'; did you mean 'RS'?")},
    {ONE "preset: RS, heterogeneity: izhikevich2003}]}]",
        AT(58, "subnetworks.a.populations.P.preset: heterogeneity gives the same "
               "numbers; leave one of them out")},
    {ONE "c: 3, heterogeneity: izhikevich2003}]}]",
        AT(58, "subnetworks.a.populations.P.c: heterogeneity: izhikevich2003 draws it; "
               "set heterogeneity to none as well")},
    {ONE "model: poisson_relay, heterogeneity: izhikevich2003}]}]",
        AT(95, "subnetworks.a.populations.P.heterogeneity: poisson_relay has no "
               "parameter a for izhikevich2003 to vary; leave it out")},
    {ONE "a: {unifrom: [0, 1]}}]}]",
        AT(62, "unknown key 'unifrom' in subnetworks.a.populations.P.a; did you mean "
               "'uniform'?")},
    {ONE "a: {uniform: [1, 0]}}]}]", AT(71, "subnetworks.a.populations.P.a: the range "
                                            "[1, 0] is upside down; give [low, high]")},
    {ONE "a: {uniform: [1]}}]}]",
        AT(71, "subnetworks.a.populations.P.a must be two numbers, [low, high]")},
    {ONE "a: {normal: [1, -1]}}]}]", AT(70, "subnetworks.a.populations.P.a: the standard "
                                            "deviation must not be negative")},
    {ONE "a: {normal: [1, 1], low: 2, high: 1}}]}]",
        AT(78, "subnetworks.a.populations.P.a: low 2 is above high 1")},
    {ONE "a: {low: 2}}]}]",
        AT(61, "subnetworks.a.populations.P.a: no distribution; give a number, {uniform: "
               "[low, high]}, {normal: [mean, sd], low: x, high: y}, {lognormal: "
               "{log_mean: m, log_sd: s}}, {file: F} or {values: [...]}")},
    {ONE "a: {uniform: [0, 1], normal: [0, 1]}}]}]",
        AT(79, "subnetworks.a.populations.P.a: both uniform and normal; give one")},
    {ONE "a: {lognormal: [0, 1]}}]}]",
        AT(73, "subnetworks.a.populations.P.a: lognormal must be {log_mean: m, log_sd: "
               "s}, both of the logarithm")},
    {ONE "a: {lognormal: {mean: 1, log_sd: 2}}}]}]",
        AT(74, "unknown key 'mean' in subnetworks.a.populations.P.a; known: log_mean, "
               "log_sd")},
    {ONE "a: {lognormal: {log_sd: 2}}}]}]",
        AT(73,
            "subnetworks.a.populations.P.a: lognormal needs both log_mean and log_sd")},
    {ONE "a: [1, 2, 3]}]}]", AT(61, "subnetworks.a.populations.P.a is a list; give a "
                                    "number, {uniform: [low, high]} or {values: [...]}")},
    {ONE "a: {values: [1, 2]}}]}]",
        AT(70, "subnetworks.a.populations.P.a: 2 values for 3 neurons; give one number "
               "for all or one for each")},
    {ONE "a: 1.0e300}]}]", AT(61, "subnetworks.a.populations.P.a: 1e+300 is too large")},
    {ONE "init: 3}]}]", AT(64, "subnetworks.a.populations.P.init must be a map by state, "
                               "e.g. {V: {uniform: [-70, -50]}}")},
    {ONE "init: {v: 3}}]}]",
        AT(65, "unknown key 'v' in subnetworks.a.populations.P.init; did you mean 'V'?")},
    {ONE "sigma: [3]}]}]", AT(65, "subnetworks.a.populations.P.sigma must be a number "
                                  "for V, or a map by state, e.g. {V: 5, u: 0}")},
    {ONE "u_leak: -1}]}]",
        AT(66, "subnetworks.a.populations.P.u_leak: '-1' must not be negative")},
    {ONE "sigma: -3}]}]",
        AT(65, "subnetworks.a.populations.P.sigma: '-3' must not be negative")},
    {ONE "model: poisson_relay, sigma: 3}]}]",
        AT(80, "subnetworks.a.populations.P.sigma: unused; poisson_relay has no state")},
    {ONE "current_steps: 3}]}]",
        AT(73, "subnetworks.a.populations.P.current_steps must be a list of at most "
               "1000000 [time, current], or {file: F} with two columns")},
    {ONE "current_steps: [3]}]}]", AT(74, "subnetworks.a.populations.P.current_steps: "
                                          "each step must be [time, current]")},
    {ONE "current_steps: [[3, 1], [3, 2]]}]}]",
        AT(73, "subnetworks.a.populations.P.current_steps: step 2, at 3 ms, does not "
               "come after the one before it")},
    {ONE "record: [3]}]}]", AT(67, "subnetworks.a.populations.P.record: there is no "
                                   "neuron 3; those of this population are 0 to 2")},
    {ONE "record: [1, 1]}]}]",
        AT(66, "subnetworks.a.populations.P.record names neuron 1 twice")},
    {ONE "record: 1}]}]", AT(66, "subnetworks.a.populations.P.record must be a list of "
                                 "indices, e.g. [0, 1, 2], or all")},
    {ONE "tau_ref: -1}]}]",
        AT(67, "subnetworks.a.populations.P.tau_ref: '-1' must not be negative")},
    {ONE "background: 1}]}]",
        AT(70, "subnetworks.a.populations.P.background must be a list of at most 16 "
               "maps, e.g. [{receptor: AMPA, rate: 1, weight: 0.024}]")},
    {ONE "background: [{rate: 1}]}]}]",
        AT(71, "subnetworks.a.populations.P.background has no weight; add one")},
    {ONE "background: [{weight: 1}]}]}]",
        AT(71, "subnetworks.a.populations.P.background has no rate; add one")},
    {ONE "background: [{rate: 2000, weight: 1}]}]}]",
        AT(78, "subnetworks.a.populations.P.background: 2000 events per ms are 200 in a "
               "sub-step of 0.1 ms; at most 100, that is 1000 kHz")},
    {ONE "background: [{rate: 2, weight: -1}]}]}]",
        AT(89, "subnetworks.a.populations.P.background: the conductance AMPA cannot be "
               "-1; weights must be at least 0, the sign comes from E")},
    {ONE "background: [{rate: 2, weight: 1, receptor: ampa}]}]}]",
        AT(102, "unknown receptor 'ampa'; did you mean 'AMPA'?")},
    {"subnetworks: [{name: a, populations: [{name: P, size: 3}, {name: Q, size: 4}], "
     "projections: 3}]",
        AT(93, "subnetworks.a.projections must be a list of at most 4096 maps, e.g. "
               "[{from: E, to: I, K: 80, weight: 0.012}]")},
    {TWO "3]}]",
        AT(94, "subnetworks.a.projections[0] must be a map of keys, e.g. {key: value}")},
    {TWO "{}]}]", AT(94, "subnetworks.a.projections[0] has no from; add one")},
    {TWO "{from: P}]}]", AT(94, "subnetworks.a.projections[0] has no to; add one")},
    {TWO "{from: P, to: R}]}]", AT(108, "unknown population 'R'; known: P, Q")},
    {TWO "{from: P, to: Q, weight: 1}]}]",
        AT(94, "subnetworks.a.projections.P>Q:AMPA has no K; add one")},
    {TWO "{from: P, to: Q, K: 1, weight: 1, normalise: in_strength}]}]",
        AT(139, "subnetworks.a.projections[0].normalise: 'in_strength' is not one of: "
                "none | indegree")},
    {TWO "{from: P, to: Q, K: 1}]}]",
        AT(94, "subnetworks.a.projections.P>Q:AMPA has no weight; add one")},
    {TWO "{from: P, to: Q, K: 4, weight: 1, allow_multapses: false}]}]",
        AT(114, "subnetworks.a.projections.P>Q:AMPA.K: 4 of 3 possible sources without "
                "multapses; lower it, or allow multapses")},
    {TWO "{from: Q, to: P, rule: fixed_outdegree, K: 4, weight: 1, allow_multapses: "
         "false}]}]",
        AT(137, "subnetworks.a.projections.Q>P:AMPA.K: 4 of 3 possible targets without "
                "multapses; lower it, or allow multapses")},
    {TWO "{from: P, to: P, K: 3, weight: 1, allow_multapses: false, allow_autapses: "
         "false}]}]",
        AT(114, "subnetworks.a.projections.P>P:AMPA.K: 3 of 2 possible sources without "
                "multapses; lower it, or allow multapses")},
    {TWO "{from: P, to: Q, K: 5000000000, weight: 1}]}]",
        AT(114, "subnetworks.a.projections.P>Q:AMPA.K: 5000000000; at most 4294967295")},
    {TWO "{from: P, to: Q, rule: fixed_total_number, M: 13, weight: 1, allow_multapses: "
         "false}]}]",
        AT(140, "subnetworks.a.projections.P>Q:AMPA.M: 13 of 12 possible pairs without "
                "multapses; lower it, or allow multapses")},
    {TWO "{from: P, to: Q, rule: fixed_total_number, K: 13, weight: 1}]}]",
        AT(137, "subnetworks.a.projections.P>Q:AMPA.K: unused; only rule: fixed_indegree "
                "and fixed_outdegree take a degree")},
    {TWO "{from: P, to: Q, rule: one_to_one, weight: 1}]}]",
        AT(94, "subnetworks.a.projections.P>Q:AMPA: one_to_one from 3 to 4 neurons; make "
               "the populations equal")},
    {TWO "{from: P, to: Q, rule: pairwise_bernoulli, p: 1.2}]}]",
        AT(140, "subnetworks.a.projections.P>Q:AMPA.p: '1.2' must not be above 1")},
    {TWO "{from: P, to: Q, rule: all_to_all, p: 0.2}]}]",
        AT(129, "subnetworks.a.projections.P>Q:AMPA.p: unused; only rule: "
                "pairwise_bernoulli takes a probability")},
    {TWO "{from: P, to: Q, rule: all}]}]",
        AT(117, "subnetworks.a.projections[0].rule: 'all' is not one of: all_to_all | "
                "one_to_one | pairwise_bernoulli | fixed_indegree | fixed_outdegree | "
                "fixed_total_number | list")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: -1}]}]",
        AT(137, "subnetworks.a.projections.P>Q:AMPA: the conductance AMPA cannot be -1; "
                "weights must be at least 0, the sign comes from E")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: {normal: [1, 1]}}]}]",
        AT(137, "subnetworks.a.projections.P>Q:AMPA: weights without lower bound for the "
                "conductance AMPA; give the distribution low: 0")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: {uniform: [-1, 1]}}]}]",
        AT(137, "subnetworks.a.projections.P>Q:AMPA: the conductance AMPA cannot be -1; "
                "weights must be at least 0, the sign comes from E")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: {values: [1, 1]}}]}]",
        AT(138, "subnetworks.a.projections.P>Q:AMPA.weight: single numbers for "
                "unnumbered connections; give a number or a distribution")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: 1, delay: 0.04}]}]",
        AT(147, "subnetworks.a.projections.P>Q:AMPA.delay: 0.04 ms is less than half a "
                "sub-step of 0.1 ms; lengthen it, or shorten substep")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: 1, delay: 7 s}]}]",
        AT(147, "subnetworks.a.projections.P>Q:AMPA.delay: 7000 ms is more than 65535 "
                "sub-steps of 0.1 ms; at most 6553.5 ms")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: 1, delay: {uniform: [0, 0.04]}}]}]",
        AT(147, "subnetworks.a.projections.P>Q:AMPA.delay: 0.04 ms is less than half a "
                "sub-step of 0.1 ms; lengthen it, or shorten substep")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: 1, delay: {uniform: [0, 7 s]}}]}]",
        AT(147, "subnetworks.a.projections.P>Q:AMPA.delay: 7000 ms is more than 65535 "
                "sub-steps of 0.1 ms; at most 6553.5 ms")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: 1, receptor: gaba_a}]}]",
        AT(150, "unknown receptor 'gaba_a'; did you mean 'GABA_A'?")},
    {TWO "{from: P, to: Q, rule: all_to_all, weight: 1, sha256: x}]}]",
        AT(140, "subnetworks.a.projections.P>Q:AMPA.sha256: unused without file")},
    {TWO "{from: P, to: Q, rule: list, weight: 1}]}]",
        AT(94, "subnetworks.a.projections.P>Q:AMPA has no file; add one")},
    {TWO "{from: P, to: Q, rule: list, file: nix.txt}]}]",
        AT(129, "nix.txt: cannot be opened: No such file or directory; check the path")},
    {"{model: {d_V: 0.6}, subnetworks: [{name: a}]}",
        AT(10, "model: unused, there are no nodes; give a subnetwork a region, or name a "
               "connectome")},
    {"{monitors: [{kind: raw}], subnetworks: [{name: a}]}",
        AT(13, "monitors: unused, there are no nodes; give a subnetwork a region, or "
               "name a connectome")},
    {"monitors: [{name: s, kind: spikes}]",
        AT(28, "monitors.s: spikes are recorded without a monitor; remove it (a "
               "population with record_spikes: false has none)")},
};

START_TEST(bad_subnetworks_say_where_and_what)
{
    const bad_input *bad = &bad_inputs[_i];
    spl_connectome *regions = make_regions(false);
    spl_config *config = NULL;
    spl_settings settings = {0};
    spl_status status =
        spl_config_from_text(&config, "t.yaml", bad->yaml, strlen(bad->yaml));
    if (status == SPL_OK) {
        status = spl_config_resolve(config, regions, &settings);
    }
    ck_assert_int_ne(status, SPL_OK);
    ck_assert_str_eq(spl_last_error(), bad->message);
    spl_settings_free(&settings);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

static const struct {
    const char *key, *value, *message;
} bad_settings[] = {
    {"subnetworks.b.size", "3",
        "--set subnetworks.b.size=3: nothing is named 'b'; known: a"},
    {"subnetworks.a", "3",
        "--set subnetworks.a=3: unknown key 'subnetworks.a'; subnetworks are set by "
        "subnetworks.NAME.KEY"},
    {"subnetworks.a.sise", "3",
        "--set subnetworks.a.sise=3: unknown key 'sise' in subnetworks.a; did you mean "
        "'size'?"},
    {"subnetworks.a.populations.X.a", "3",
        "--set subnetworks.a.populations.X.a=3: nothing is named 'X'; known: E, I"},
    {"subnetworks.a.populations.I.a", "3",
        "--set subnetworks.a.populations.I.a=3: subnetworks.a.populations.I.a: "
        "heterogeneity: izhikevich2003 draws it; set heterogeneity to none as well"},
    {"subnetworks.a.projections.E>E.K", "3",
        "--set subnetworks.a.projections.E>E.K=3: unknown key "
        "'subnetworks.a.projections.E>E.K'; the subnetwork lists none; list them to set "
        "one"},
    {"subnetworks.a.b.c.d.e.f.g", "3",
        "--set subnetworks.a.b.c.d.e.f.g=3: unknown key 'subnetworks.a.b.c.d.e.f.g'; "
        "subnetworks are set by subnetworks.NAME.KEY"},
    {"subnetworks.a.region", "rA2",
        "--set subnetworks.a.region=rA2: subnetworks.a.region: no region has the label "
        "'rA2'; did you mean 'rA1'?"},
};

START_TEST(bad_settings_of_subnetworks_say_what)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("subnetworks: [{name: a, region: rA1}]\n");
    spl_settings settings = {0};
    spl_status status =
        spl_config_set(config, bad_settings[_i].key, bad_settings[_i].value);
    if (status == SPL_OK) {
        status = spl_config_resolve(config, regions, &settings);
    }
    ck_assert_int_eq(status, SPL_ERR_USAGE);
    ck_assert_str_eq(spl_last_error(), bad_settings[_i].message);
    spl_settings_free(&settings);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("subnetwork_errors");
    TCase *tests = tcase_create("subnetwork_errors");
    tcase_add_loop_test(tests, bad_subnetworks_say_where_and_what, 0,
        sizeof bad_inputs / sizeof *bad_inputs);
    tcase_add_loop_test(tests, bad_settings_of_subnetworks_say_what, 0,
        sizeof bad_settings / sizeof *bad_settings);
    suite_add_tcase(suite, tests);
    return suite;
}
