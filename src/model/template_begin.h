/* First half of every model's file: turns its tables STATES, PARAMS, DERIVED into types.
 * After it come MODEL_OBSERVABLE, MODEL_RHS and MODEL_JACOBIAN, then template_end.h. In
 * their bodies s   state, p parameters and derived constants (structs of vec) c coupling
 * input of this stage dp  result
 */
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

#define MODEL_OBSERVABLE \
    VEC_INLINE vec model_observable(const model_state s, const model_params p)
#define MODEL_RHS              \
    VEC_INLINE void model_rhs( \
        const model_state s, const model_params p, const vec c, model_state *dp)
#define MODEL_JACOBIAN              \
    VEC_INLINE void model_jacobian( \
        const model_state s, const model_params p, const vec c, model_state *dp)
