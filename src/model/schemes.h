/* The integration schemes: one row each, explicit one-step methods whose stage s uses
 * stage s-1 only. y_1 = x,  k_s = f(y_s, c(t + time_s dt)),  y_s+1 = x + step_s+1 dt k_s,
 * x' = x + dt sum w_s k_s, formed as ((x + noise) + dt w_1 k_1) + dt w_2 k_2 ... An
 * exponential scheme multiplies each k by exprel(dt J), J the diagonal of the Jacobian.
 */
#ifndef SPL_MODEL_SCHEMES_H
#define SPL_MODEL_SCHEMES_H

#include <stdbool.h>
#include <stddef.h>

#define SPL_MAX_STAGES 4

typedef struct spl_scheme {
    const char *name;
    const char *formula;
    int order;
    size_t n_stages;
    double step[SPL_MAX_STAGES];
    double weight[SPL_MAX_STAGES];
    double time[SPL_MAX_STAGES]; /* 0, 1/2 or 1 */
    bool noise_in_stages;        /* the same increment enters predictor and corrector */
    bool exponential;
} spl_scheme;

/* clang-format off */
static const spl_scheme spl_schemes[] = {
    { .name = "euler", .order = 1, .n_stages = 1,
      .formula = "x' = x + dt f(x, c(t))",
      .step = { 0.0 }, .weight = { 1.0 }, .time = { 0.0 } },
    /* TVB's Heun; braintools calls it rk2, its own "heun" is a third-order method */
    { .name = "heun", .order = 2, .n_stages = 2,
      .formula = "k1 = f(x, c(t)); k2 = f(x + dt k1, c(t + dt)); x' = x + dt (k1 + k2) / 2",
      .step = { 0.0, 1.0 }, .weight = { 0.5, 0.5 }, .time = { 0.0, 1.0 },
      .noise_in_stages = true },
    { .name = "rk4", .order = 4, .n_stages = 4,
      .formula = "classical Runge-Kutta; inputs at t, t + dt/2 (twice), t + dt",
      .step = { 0.0, 0.5, 0.5, 1.0 }, .weight = { 1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6 },
      .time = { 0.0, 0.5, 0.5, 1.0 } },
    /* brainmass' exp_euler, for parity: every variable alone, all arguments old */
    { .name = "exp_euler", .order = 1, .n_stages = 1,
      .formula = "x' = x + dt exprel(dt J) f(x, c(t)), J the diagonal of the Jacobian",
      .step = { 0.0 }, .weight = { 1.0 }, .time = { 0.0 }, .exponential = true },
};
/* clang-format on */

enum {
    SPL_SCHEME_EULER,
    SPL_SCHEME_HEUN,
    SPL_SCHEME_RK4,
    SPL_SCHEME_EXP_EULER,
    SPL_N_SCHEMES = sizeof spl_schemes / sizeof *spl_schemes
};

#endif
