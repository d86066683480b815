/* First half of every model's file: turns its tables STATES, PARAMS, GATES (optional) and
 * DERIVED into types. After it come MODEL_OBSERVABLE, MODEL_RHS and MODEL_JACOBIAN, then
 * template_end.h. Their bodies know
 *   s    the state,
 *   p    parameters and derived constants,
 *   h    the gates at this state (structs of vec),
 *   c    the coupling input of this stage,
 *   q    the observable, which local terms must take from here and not form again: of a
 *        node with neurons it may be what the node sends (local_feedback),
 *   dq   its derivative by the observable (MODEL_JACOBIAN only),
 *   dp   the result.
 * A model whose equations contain q defines MODEL_LOCAL_TERMS.
 * A sum is best written in the order in which its terms are known: state and parameters
 * first, then gates, then q, last c. A processor waits for each chain of operations.
 * A row X(name, x, T, d) of GATES is h.name = (1 + tanh((x - T) / d)) / 2 of the state x
 * with the parameters T and d: 1 / (1 + 2^(a x + b)) with the derived constants a_name
 * and b_name. They stand in a table because all are evaluated side by side.
 * A row X(name, base, n) of GATES_SHARED (optional) says that the gate `name` is n times
 * as steep as the gate `base` of the same state if the user chooses their widths so. In a
 * run where all nodes do, the exponential of `base` serves both: 2^(a_name x + b_name) =
 * k_name (2^(a_base x + b_base))^n. */
#include "model/kernel.h"
#include "simd/vec_math.h"

#ifndef GATES
#define GATES(X)
#endif
#ifdef GATES_SHARED
#define MODEL_SHARES_GATES
#else
#define GATES_SHARED(X)
#endif

#define FIELD_VEC(name, ...)     vec name;
#define FIELD_DOUBLE(name, ...)  double name;
#define GATE_VECS(name, ...)     vec a_##name, b_##name;
#define GATE_DOUBLES(name, ...)  double a_##name, b_##name;
#define FACTOR_VEC(name, ...)    vec k_##name;
#define FACTOR_DOUBLE(name, ...) double k_##name;

typedef struct {
    STATES(FIELD_VEC)
} model_state;

typedef struct {
    PARAMS(FIELD_VEC)
    GATES(GATE_VECS)
    GATES_SHARED(FACTOR_VEC)
    DERIVED(FIELD_VEC)
} model_params;

typedef struct {
    GATES(FIELD_VEC)
    vec unused; /* C has no empty struct */
} model_gates;

/* The parameters of one node, for what is not hot. */
typedef struct {
    PARAMS(FIELD_DOUBLE)
    GATES(GATE_DOUBLES)
    GATES_SHARED(FACTOR_DOUBLE)
    DERIVED(FIELD_DOUBLE)
} model_values;

#define MODEL_UNUSED __attribute__((unused))
#define MODEL_OBSERVABLE                                              \
    VEC_INLINE vec model_observable(const model_state s MODEL_UNUSED, \
        const model_params p MODEL_UNUSED, const model_gates h MODEL_UNUSED)
#define MODEL_RHS                                                            \
    VEC_INLINE void model_rhs(const model_state s MODEL_UNUSED,              \
        const model_params p MODEL_UNUSED, const model_gates h MODEL_UNUSED, \
        const vec c MODEL_UNUSED, const vec q MODEL_UNUSED, model_state *dp)
#define MODEL_JACOBIAN                                                                 \
    VEC_INLINE void model_jacobian(const model_state s MODEL_UNUSED,                   \
        const model_params p MODEL_UNUSED, const model_gates h MODEL_UNUSED,           \
        const vec c MODEL_UNUSED, const vec q MODEL_UNUSED, const vec dq MODEL_UNUSED, \
        model_state *dp)
/* Optional, with MODEL_HAS_CHECK defined: tell in `text` why the node can only diverge;
 * false if there is nothing to tell. */
#define MODEL_CHECK static bool model_check(const model_values p, char *text, size_t size)
