/* First half of every model's file: turns its tables STATES, PARAMS, DERIVED into types.
 * After it come MODEL_OBSERVABLE, MODEL_RHS and MODEL_JACOBIAN, then template_end.h.
 * Their bodies know s, the state, p, parameters and derived constants (both structs of
 * vec), c, the coupling input of this stage, and dp, the result. */
#include "model/kernel.h"
#include "simd/vec_math.h"

#define FIELD_VEC(name, ...)    vec name;
#define FIELD_DOUBLE(name, ...) double name;

typedef struct {
    STATES(FIELD_VEC)
} model_state;

typedef struct {
    PARAMS(FIELD_VEC)
    DERIVED(FIELD_VEC)
} model_params;

/* The same of one node, for what is not hot. */
typedef struct {
    PARAMS(FIELD_DOUBLE)
    DERIVED(FIELD_DOUBLE)
} model_values;

#define MODEL_OBSERVABLE \
    VEC_INLINE vec model_observable(const model_state s, const model_params p)
#define MODEL_RHS              \
    VEC_INLINE void model_rhs( \
        const model_state s, const model_params p, const vec c, model_state *dp)
#define MODEL_JACOBIAN              \
    VEC_INLINE void model_jacobian( \
        const model_state s, const model_params p, const vec c, model_state *dp)
/* Optional, with MODEL_HAS_CHECK defined: tell in `text` why the node can only diverge;
 * false if there is nothing to tell. */
#define MODEL_CHECK static bool model_check(const model_values p, char *text, size_t size)
