/* linear - decaying node with an exact solution; the numeric tests rely on it, and it is
 * the smallest example of a model's file. */
#define MODEL                 linear
#define MODEL_SUMMARY         "linear decay: dx/dt = gamma x + c"
#define MODEL_OBSERVABLE_NAME "x"
#define MODEL_ESCAPED_BELOW   (-HUGE_VAL)
#define MODEL_PAGE                                                                   \
    "Equation: dx/dt = gamma x + c, c = coupling input.\n"                           \
    "Exact for constant c: x(t) = (x0 + c / gamma) exp(gamma t) - c / gamma.\n"      \
    "For tests of integrators, delays and noise; TVB has the same model under this " \
    "name."

/* clang-format off */
#define STATES(X) X(x,      0.0, "1",     -1.0, 1.0, FINITE, "activity")
#define PARAMS(X) X(gamma, -10.0, "1/ms", -20.0, 0.0, FINITE, "rate; negative is decay")
#define DERIVED(X)
/* clang-format on */

#include "model/template_begin.h"

MODEL_OBSERVABLE
{
    return s.x;
}

MODEL_RHS
{
    dp->x = vec_fma(p.gamma, s.x, c);
}

MODEL_JACOBIAN
{
    dp->x = p.gamma;
}

static const spl_start model_starts[] = {
    {.name = "uniform", .note = "x uniform in [-1, 1]", .low = {-1.0}, .high = {1.0}},
    {.name = "zero", .note = "x = 0"},
};
static const spl_setting preset_tvb[] = {{"model.gamma", "-10"}, {NULL, NULL}};
static const spl_preset model_presets[] = {
    {"tvb", "TVB's Linear", "The default decay.", preset_tvb},
};

#include "model/template_end.h"
