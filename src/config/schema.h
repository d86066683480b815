/* The keys with a fixed name, in one table: type, default, unit, rule, meaning. Names
 * that belong to components (parameters, options, variables) come from their registries.
 */
#ifndef SPL_CONFIG_SCHEMA_H
#define SPL_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/tree.h"
#include "splenium/component.h"
#include "splenium/config.h"

/* clang-format off */
#define SPL_CONFIG_KEYS(X)                                                                                                            \
    /* id                   key                            type    default           unit    rule          special or words */        \
    X(FORMAT,             "format",                      COUNT,  "1",              "",      FINITE,       "", "version of the configuration schema")              \
    X(TITLE,              "title",                       TEXT,   "",               "",      FINITE,       "", "free text, stored in the results")                 \
    X(DURATION,           "simulation.duration",         TIME,   "10 s",           "ms",    POSITIVE,     "", "recorded time")                                    \
    X(DT,                 "simulation.dt",               TIME,   "0.1",            "ms",    POSITIVE,     "", "time step")                                        \
    X(TRANSIENT,          "simulation.transient",        TIME,   "0",              "ms",    NOT_NEGATIVE, "", "time integrated before the recording starts")      \
    X(INTEGRATOR,         "simulation.integrator",       NAME,   "heun",           "",      FINITE,       "scheme", "time stepping scheme: euler, heun, rk4, exp_euler") \
    X(COUPLING_STAGES,    "simulation.coupling_stages",  WORD,   "per-stage",      "",      FINITE,       "per-stage | frozen", "coupling evaluated at every stage, or once per step as in TVB") \
    X(FROM,               "simulation.from",             PATH,   "",               "",      FINITE,       "", "checkpoint or results file in whose state the run begins; empty: model.init") \
    X(SEED,               "simulation.seed",             COUNT,  "42",             "",      FINITE,       "", "seed of initial state and noise")                  \
    X(THREADS,            "simulation.threads",          COUNT,  "0",              "",      FINITE,       "", "0 = automatic")                                    \
    X(BLOCK,              "simulation.block",            COUNT,  "0",              "",      FINITE,       "", "steps advanced at once, 0 = automatic; no result depends on it")\
    X(ENGINE,             "simulation.engine",           WORD,   "production",     "",      FINITE,       "production | reference", "vector kernels, or the plain loops they are compared with") \
    X(UNDELAYED,          "simulation.undelayed",        WORD,   "auto",           "",      FINITE,       "auto | dense | sparse", "sums of an undelayed network") \
    X(DIVERGENCE_LIMIT,   "simulation.divergence_limit", NUMBER, "50",             "",      POSITIVE,     " or inf", "a state beyond it ends the run")            \
    X(ESCAPED,            "simulation.escaped",          WORD,   "warn",           "",      FINITE,       "warn | error", "what to do about nodes that left the attractor") \
    X(PRECISION,          "simulation.precision",        WORD,   "double",         "",      FINITE,       "double | single", "numbers of the run: states, parameters, history, noise; single is faster, for statistics") \
    X(FILE,               "connectome.file",             PATH,   "",               "",      FINITE,       "", "archive, folder, .npz or HDF5; empty: the data set shipped with the program") \
    X(WEIGHTS,            "connectome.weights",          PATH,   "",               "",      FINITE,       "", "separate files: weights")                          \
    X(LENGTHS,            "connectome.lengths",          PATH,   "",               "",      FINITE,       "", "separate files: tract lengths")                    \
    X(LABELS,             "connectome.labels",           PATH,   "",               "",      FINITE,       "", "separate files: labels")                           \
    X(CENTRES,            "connectome.centres",          PATH,   "",               "",      FINITE,       "", "separate files: centres")                          \
    X(ORIENTATION,        "connectome.orientation",      WORD,   "to-from",        "",      FINITE,       "to-from | from-to", "meaning of rows and columns in the file") \
    X(LENGTH_UNIT,        "connectome.length_unit",      WORD,   "mm",             "",      FINITE,       "mm | m", "unit of the tract lengths in the file")      \
    X(ALLOW_NEGATIVE,     "connectome.allow_negative",   FLAG,   "false",          "",      FINITE,       "", "accept negative weights")                          \
    X(SELF_CONNECTIONS,   "connectome.self_connections", WORD,   "keep",           "",      FINITE,       "keep | drop | error", "nonzero diagonal")              \
    X(ZERO_LENGTH,        "connectome.zero_length",      WORD,   "warn",           "",      FINITE,       "warn | error | accept", "off-diagonal edges of length 0") \
    X(TRIANGULAR,         "connectome.triangular",       WORD,   "error",          "",      FINITE,       "error | symmetrise | accept", "weights with one triangle all 0") \
    X(NORMALISE,          "connectome.normalise",        WORD,   "none",           "",      FINITE,       "none | tract | region | spectral", "one global factor: largest weight, largest row sum, spectral radius") \
    X(MISSING_LENGTHS,    "connectome.missing_lengths",  WORD,   "error",          "",      FINITE,       "error | euclidean", "tract lengths that are needed but absent") \
    X(SPEED,              "connectome.speed",            SPEED,  "3",              "mm/ms", POSITIVE,     " or inf", "conduction speed; inf = no delays")         \
    X(DELAYS,             "connectome.delays",           FLAG,   "true",           "",      FINITE,       "", "false: no delays, whatever lengths and speed")     \
    X(DELAY,              "connectome.delay",            TIME,   "none",           "ms",    NOT_NEGATIVE, " or none", "one delay for all edges in place of length / speed") \
    X(MAX_NODES,          "connectome.max_nodes",        COUNT,  "20000",          "",      FINITE,       "", "largest matrix accepted; sparse connectomes may be larger")                      \
    X(MAX_MEMBER_BYTES,   "connectome.max_member_bytes", COUNT,  "1073741824",     "",      FINITE,       "", "largest archive member accepted")                  \
    X(COUPLING_FUNCTION,  "coupling.function",           NAME,   "mean_rate",      "",      FINITE,       "coupling function", "form of the coupling; its parameters are keys of this section") \
    X(COUPLING_NORMALISE, "coupling.normalise",          WORD,   "auto",           "",      FINITE,       "auto | in_strength | none", "divide each node's sum by its in-strength; auto: as the function usually is") \
    X(OBSERVABLE,         "coupling.observable",         NAME,   "auto",           "",      FINITE,       "variable", "what the sources send: the model's observable or a state; auto: as the function usually is") \
    X(MODEL_NAME,         "model.name",                  NAME,   "larter_breakspear", "",   FINITE,       "model", "node model; its parameters are keys of this section, per region") \
    X(PRESET,             "model.preset",                NAME,   "",               "",      FINITE,       "preset", "named settings, below everything set explicitly") \
    X(INIT,               "model.init",                  TREE,   "",               "",      FINITE,       "start rule, or map by state: number, [low, high], {file: F}", "initial state; a map may name a rule for the other states: {rule: NAME, ...}") \
    X(NOISE_KIND,         "noise.kind",                  WORD,   "additive",       "",      FINITE,       "none | additive | multiplicative | ou", "white, white times (a x + b), or Ornstein-Uhlenbeck") \
    X(SIGMA,              "noise.sigma",                 TREE,   "",               "",      NOT_NEGATIVE, "map by state, per region; or a number for the first state", "strength g of g dW; for ou the stationary standard deviation") \
    X(NSIG,               "noise.nsig",                  TREE,   "",               "",      NOT_NEGATIVE, "map by state, per region; or a number for the first state", "TVB's dispersion D, g = sqrt(2 D); 1.0e-5 on the first state if neither is given") \
    X(TAU,                "noise.tau",                   TIME,   "10",             "ms",    POSITIVE,     "", "ou: correlation time")                             \
    X(MEAN,               "noise.mean",                  NUMBER, "0",              "",      FINITE,       "", "ou: mean")                                         \
    X(NOISE_A,            "noise.a",                     NUMBER, "1",              "",      FINITE,       "", "multiplicative: slope a")                          \
    X(NOISE_B,            "noise.b",                     NUMBER, "0",              "",      FINITE,       "", "multiplicative: offset b")                         \
    X(MONITORS,           "monitors",                    TREE,   "tavg, bold",     "",      FINITE,       "list of maps", "what is recorded: name, kind, period, variables, dtype, options of the kind") \
    X(SUBNETWORKS,        "subnetworks",                 TREE,   "",               "",      FINITE,       "list of maps", "spiking neurons inside nodes, or alone") \
    X(OUTPUT_FILE,        "output.file",                 PATH,   "results.h5",     "",      FINITE,       "", "results file; empty: none")                        \
    X(FLUSH_EVERY,        "output.flush_every",          TIME,   "1 s",            "ms",    POSITIVE,     "", "wall-clock time between two progress records")     \
    X(CHECKPOINT_EVERY,   "output.checkpoint_every",     TIME,   "60 s",           "ms",    POSITIVE,     " or inf", "wall-clock time between two checkpoints")   \
    X(STOP_AFTER,         "output.stop_after",           TIME,   "inf",            "ms",    POSITIVE,     " or inf", "wall-clock time after which the run stops as after Ctrl-C, to be resumed") \
    X(FORCE,              "output.force",                FLAG,   "false",          "",      FINITE,       "", "replace an existing results file")
/* clang-format on */

#define SPL_CONFIG_ID(id, ...) SPL_KEY_##id,
typedef enum { SPL_CONFIG_KEYS(SPL_CONFIG_ID) SPL_N_KEYS } spl_key_id;
#undef SPL_CONFIG_ID

typedef enum {
    SPL_TYPE_COUNT,  /* whole number up to 2^64 - 1 */
    SPL_TYPE_TEXT,   /* anything printable */
    SPL_TYPE_PATH,   /* relative paths start at the origin's directory */
    SPL_TYPE_NAME,   /* a word that a registry knows */
    SPL_TYPE_WORD,   /* one of the words of the row */
    SPL_TYPE_FLAG,   /* true or false */
    SPL_TYPE_NUMBER, /* a quantity; the special word may be "inf" or "none" */
    SPL_TYPE_TIME,
    SPL_TYPE_SPEED,
    SPL_TYPE_RATE,
    SPL_TYPE_TREE /* resolved by its own code */
} spl_key_type;

typedef struct spl_schema_row {
    spl_config_key key;
    spl_key_type type;
    spl_rule rule;
    const char *words;
} spl_schema_row;

extern const spl_schema_row spl_schema[SPL_N_KEYS];

/* A typed value; the text is borrowed from the tree or static. */
typedef struct spl_value {
    const spl_node *node; /* NULL: the default */
    double number;        /* NAN for "none" */
    uint64_t count;
    size_t word; /* index in the words of the row */
    bool flag;
    const char *text;
} spl_value;

/* values.c: scalars */

/* Read a quantity in `unit` ("1" or "": a bare number). The message names `what`.
 *   special   " or inf" also allows inf, " or none" the word none (NAN) */
SPL_MUST_CHECK spl_status spl_read_quantity(double *value, const spl_node *node,
    const char *what, const char *unit, spl_rule rule, const char *special);
/* Read a value as the row of the schema says; `what` names it in messages. */
SPL_MUST_CHECK spl_status spl_read_value(
    spl_value *value, const spl_node *node, const char *what, const spl_schema_row *row);
/* Read a scalar that must be one of `words`, separated by " | ". */
SPL_MUST_CHECK spl_status spl_read_word(
    size_t *index, const spl_node *node, const char *what, const char *words);
/* Raise "unknown WHAT 'WORD'; did you mean ...". `names` ends with NULL. */
spl_status spl_unknown_name(
    const spl_node *node, const char *what, const char *word, const char *const *names);
/* The same for a key of a map: "unknown key 'WORD' in PLACE; ..."; "" is the root. */
spl_status spl_unknown_key(
    const spl_node *node, const char *key, const char *place, const char *const *names);
/* Look a row up by section ("" for the root) and name; NULL if there is none. */
const spl_schema_row *spl_schema_find(const char *section, const char *name);
/* Write word `index` of `words` to `word`. */
void spl_schema_word(const char *words, size_t index, char word[32]);

#endif
