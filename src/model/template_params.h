/* Parameters and gates of a model as vectors: what its tables PARAMS, GATES, GATES_SHARED
 * and DERIVED turn into. Part of template_end.h. */
#define ENUM_STATE(name, ...)          STATE_##name,
#define ENUM_PARAM(name, ...)          PARAM_##name,
#define ENUM_DERIVED(name, ...)        PARAM_##name,
#define ENUM_GATE(name, ...)           GATE_##name,
#define ENUM_GATE_CONSTANTS(name, ...) PARAM_a_##name, PARAM_b_##name,
#define ENUM_FACTOR(name, ...)         PARAM_k_##name,
#define ENUM_SHARED(name, ...)         SHARED_##name,
enum { STATES(ENUM_STATE) N_STATES };
enum {
    PARAMS(ENUM_PARAM) N_PARAMS,
    DERIVED_BEFORE_FIRST = N_PARAMS - 1,
    GATES(ENUM_GATE_CONSTANTS) GATES_SHARED(ENUM_FACTOR) DERIVED(ENUM_DERIVED) N_ALL
};
enum { GATES(ENUM_GATE) N_GATES };
enum { GATES_SHARED(ENUM_SHARED) N_SHARED, N_UNSHARED = N_GATES - N_SHARED };
enum { N_VECTORS = SPL_TILE / SPL_LANES };

_Static_assert(N_STATES <= SPL_MAX_STATES, "too many states");
_Static_assert((int)N_GATES <= (int)VEC_MAX_GATES, "too many gates");
#define ASSERT_ORDER(name, base, power)                                            \
    _Static_assert(                                                                \
        (int)GATE_##name >= (int)N_UNSHARED && (int)GATE_##base < (int)N_UNSHARED, \
        "gates that share the exponential of another stand last in GATES");        \
    _Static_assert((power) < 8, "too high a power");
GATES_SHARED(ASSERT_ORDER)

/* Gates of one state share a division, two at a time: of another they would take its NaN,
 * which then went on to other nodes before it is found. With 2^t = b / a a gate is
 * a / (a + b), one that shares the exponential of another a^power / (a^power + k b^power)
 * for k <= 2^FACTOR_LIMIT. The product of two such denominators must not overflow: of
 * each an exponent is at most that of the term with b, and one more. */
enum {
    FACTOR_LIMIT = VEC_PICK(60, 12),
    PRODUCT_LIMIT = VEC_PICK(1022, 126),
    POWER_LIMIT = VEC_GATE_LIMIT + VEC_COTH_BITS
};
#define GATE_STATE(name, x, ...) STATE_##x,
#define SHARED_EXPONENT(name, base, power) \
    [GATE_##name] = (power)*POWER_LIMIT + FACTOR_LIMIT + 1,
#define SHARED_NUMERATOR(name, base, power) [GATE_##name] = GATE_##base * 8 + (power),
static const int gate_state[] = {GATES(GATE_STATE)(-1)};
static const int shared_exponent[N_GATES + 1] = {
    [N_GATES] = 0, GATES_SHARED(SHARED_EXPONENT)};
static const int shared_numerator[N_GATES + 1] = {
    [N_GATES] = 0, GATES_SHARED(SHARED_NUMERATOR)};

/* Whether a gate is the only one of its state, by the numbers of gates of all states,
 * four bits each. */
_Static_assert(N_STATES <= 7 && N_GATES <= 15, "too many states or gates");
#define IN_STATE(name, x, ...) (1u << 4 * STATE_##x) +
enum { GATES_OF_STATES = (int)(GATES(IN_STATE) 0u) };
#define GATE_IS_ALONE(name, x, ...) (GATES_OF_STATES >> 4 * STATE_##x & 15) == 1,
static const bool gate_is_alone[] = {GATES(GATE_IS_ALONE) false};

VEC_INLINE int exponent_of_gate(const bool shared, const size_t gate)
{
    return shared && shared_exponent[gate] > 0 ? shared_exponent[gate] : POWER_LIMIT + 1;
}

/* Number of gates from `first` on that share a division, and whether they have the same
 * numerator; the compiler computes both. */
VEC_INLINE size_t gates_of_division(const bool shared, const size_t first)
{
    return gate_state[first + 1] == gate_state[first] &&
                   exponent_of_gate(shared, first) +
                           exponent_of_gate(shared, first + 1) <=
                       PRODUCT_LIMIT
               ? 2
               : 1;
}

VEC_INLINE bool have_same_numerator(const bool shared, const size_t first)
{
    return shared && shared_numerator[first] > 0 &&
           shared_numerator[first] == shared_numerator[first + 1];
}

/* All parameters of the nodes from i on; the compiler loads those that are used. */
VEC_INLINE model_params load_params(const spl_real *params, size_t stride, size_t i)
{
#define LOAD_PARAM(name, ...) .name = vec_load(params + PARAM_##name * stride + i),
#define LOAD_GATE_CONSTANTS(name, ...) \
    LOAD_PARAM(a_##name, __VA_ARGS__) LOAD_PARAM(b_##name, __VA_ARGS__)
#define LOAD_FACTOR(name, ...) LOAD_PARAM(k_##name, __VA_ARGS__)
    return (model_params){PARAMS(LOAD_PARAM) GATES(LOAD_GATE_CONSTANTS)
            GATES_SHARED(LOAD_FACTOR) DERIVED(LOAD_PARAM)};
}

/* Those of a tile of the run. */
VEC_INLINE model_params tile_params(const spl_kernel_run *run, size_t first, size_t lane)
{
    return load_params(run->params + first * N_ALL, SPL_TILE, lane);
}

/* x^power; the compiler knows the power. */
VEC_INLINE vec whole_power(vec x, const int power)
{
    vec product = x;
    SPL_UNROLL
    for (int i = 1; i < power; i++) {
        product = product * x;
    }
    return product;
}

/* The exponentials of a vector of nodes' gates, on their way or formed, as quotients; of
 * one that is alone in its state, which shares nothing, the gate itself is formed. */
typedef struct {
    vec_power of[N_GATES + 1]; /* C has no empty array */
} model_exponentials;

/* How many exponentials are formed: all, unless they are shared as GATES_SHARED says. The
 * compiler knows `shared`. */
VEC_INLINE size_t n_exponentials(const bool shared)
{
    return shared ? N_UNSHARED : N_GATES;
}

/* Begins the exponentials of the vector of nodes from i on, at their states. */
VEC_INLINE void begin_exponentials(const bool shared, const model_state *s MODEL_UNUSED,
    const spl_real *params MODEL_UNUSED, size_t stride MODEL_UNUSED,
    size_t i MODEL_UNUSED, model_exponentials *e)
{
    vec t[VEC_MAX_GATES];
#define GATE_ARGUMENT(name, x, ...)                                                    \
    if (GATE_##name < n_exponentials(shared)) {                                        \
        t[GATE_##name] = vec_fma(s->x, vec_load(params + PARAM_a_##name * stride + i), \
            vec_load(params + PARAM_b_##name * stride + i));                           \
    }
    GATES(GATE_ARGUMENT)
    vec_begin_powers(n_exponentials(shared), t, e->of);
}

VEC_INLINE void finish_exponentials(const bool shared, model_exponentials *e)
{
    vec_end_powers(n_exponentials(shared), gate_is_alone, e->of);
}

/* The gates of a vector of nodes while their divisions are under way. */
typedef struct {
    vec_quotients of[N_GATES + 1]; /* at the first gate of each division */
} model_divisions;

VEC_INLINE model_divisions begin_divisions(const bool shared,
    const spl_real *params MODEL_UNUSED, size_t stride MODEL_UNUSED,
    size_t i MODEL_UNUSED, const model_exponentials *e MODEL_UNUSED)
{
    model_divisions divisions = {0}; /* there may be no gate */
    vec a[N_GATES + 1];
    vec d[N_GATES + 1];
#define SHARED_GATE(name, base, power)                                       \
    a[GATE_##name] = whole_power(e->of[GATE_##base].a, power);               \
    d[GATE_##name] = vec_fma(vec_load(params + PARAM_k_##name * stride + i), \
        whole_power(e->of[GATE_##base].b, power), a[GATE_##name]);
#define OWN_GATE(name, ...)                                     \
    if (gate_is_alone[GATE_##name]) {                           \
        divisions.of[GATE_##name].by = e->of[GATE_##name].gate; \
    } else if (GATE_##name < n_exponentials(shared)) {          \
        a[GATE_##name] = e->of[GATE_##name].a;                  \
        d[GATE_##name] = a[GATE_##name] + e->of[GATE_##name].b; \
    }
    GATES(OWN_GATE)
    if (shared) {
        GATES_SHARED(SHARED_GATE)
    }
    const size_t n_gates = N_GATES;
    size_t next = 0;
    SPL_UNROLL
    for (size_t k = 0; k < n_gates; k++) {
        if (k == next) {
            const size_t n = gates_of_division(shared, k);
            next += n;
            if (!gate_is_alone[k]) {
                divisions.of[k] =
                    vec_begin_quotients(n, have_same_numerator(shared, k), a + k, d + k);
            }
        }
    }
    return divisions;
}

VEC_INLINE model_gates end_divisions(const bool shared, const model_divisions divisions)
{
    const size_t n_gates = N_GATES;
    vec gate[N_GATES + 1] MODEL_UNUSED;
    size_t first = 0;
    SPL_UNROLL
    for (size_t k = 0; k < n_gates; k++) {
        const size_t n = gates_of_division(shared, first);
        gate[k] = vec_end_quotient(n, divisions.of[first], k - first);
        first = k + 1 == first + n ? k + 1 : first;
    }
#define SET_GATE(name, ...) .name = gate[GATE_##name],
    return (model_gates){GATES(SET_GATE).unused = vec_set(0.0)};
}

VEC_INLINE model_gates gates_at(const bool shared, const model_state s,
    const spl_real *params, size_t stride, size_t i)
{
    model_exponentials e;
    begin_exponentials(shared, &s, params, stride, i, &e);
    finish_exponentials(shared, &e);
    return end_divisions(shared, begin_divisions(shared, params, stride, i, &e));
}

VEC_INLINE model_gates tile_gates(const bool shared, const model_state s,
    const spl_kernel_run *run, size_t first, size_t lane)
{
    return gates_at(shared, s, run->params + first * N_ALL, SPL_TILE, lane);
}

/* Derived constants take the divisions out of the loop. */
static void derive(spl_real *params, size_t stride)
{
    for (size_t i = 0; i < stride; i++) {
        model_values p;
#define GET_PARAM(name, ...) p.name = params[PARAM_##name * stride + i];
#define SET_DERIVED(name, expression) \
    p.name = (expression);            \
    params[PARAM_##name * stride + i] = (spl_real)p.name;
#define SET_GATE_CONSTANTS(name, x, T, d)       \
    SET_DERIVED(a_##name, -2.0 / (p.d * M_LN2)) \
    SET_DERIVED(b_##name, 2.0 * p.T / (p.d * M_LN2))
/* 2^x of the kernels: that of the C library may differ elsewhere */
#define SET_FACTOR(name, base, power) \
    SET_DERIVED(k_##name, vec_exp2(vec_set(p.b_##name - (power)*p.b_##base))[0])
        PARAMS(GET_PARAM)
        GATES(SET_GATE_CONSTANTS)
        GATES_SHARED(SET_FACTOR)
        DERIVED(SET_DERIVED)
        (void)p;
    }
}

#ifdef MODEL_SHARES_GATES
/* Whether the slopes of a node stand in the ratios of GATES_SHARED, to the last bit.
 * Factors within the limit keep the meaning of the clamp: where the base's exponential is
 * cut off, the other gate is 0 or 1 as well, and nothing overflows. */
static bool node_shares_gates(const spl_real *params, size_t stride, size_t node)
{
    bool shares = true;
#define NODE_PARAM(name) params[PARAM_##name * stride + node]
#define NODE_SHARES(name, base, power)                                         \
    shares = shares && NODE_PARAM(a_##name) == (power)*NODE_PARAM(a_##base) && \
             NODE_PARAM(k_##name) >= ldexp(1.0, -VEC_GATE_LIMIT) &&            \
             NODE_PARAM(k_##name) <= ldexp(1.0, FACTOR_LIMIT);
    GATES_SHARED(NODE_SHARES)
    return shares;
}
#endif
