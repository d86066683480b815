/* One node at constant input, evaluated by the scalar kernels: right-hand side, Jacobian,
 * fixed point, stability. */
#ifndef SPL_TEST_SINGLE_NODE_H
#define SPL_TEST_SINGLE_NODE_H

#include <math.h>
#include <string.h>

#include "model/registry.h"
#include "support/test_main.h"

enum { STATE_V, STATE_W, STATE_Z, NODE_STATES };

typedef struct single_node {
    const spl_model_kernels *kernels;
    double params[96]; /* then the derived constants */
    double c;
} single_node;

static inline void node_set(single_node *node, const char *name, double value)
{
    const spl_model *model = node->kernels->model;
    for (size_t p = 0; p < model->n_params; p++) {
        if (strcmp(model->params[p].name, name) == 0) {
            node->params[p] = value;
            node->kernels->derive(node->params, 1);
            return;
        }
    }
    ck_abort_msg("no parameter %s", name);
}

/* A node of defaults. */
static inline void node_init(single_node *node)
{
    const spl_model *model = spl_model_find("larter_breakspear");
    *node = (single_node){.kernels = spl_model_kernels_of(model, SPL_TARGET_SCALAR)};
    ck_assert(model->n_params + node->kernels->n_derived <= 96);
    for (size_t p = 0; p < model->n_params; p++) {
        node->params[p] = model->params[p].value;
    }
    node->kernels->derive(node->params, 1);
}

static inline void node_rhs(
    const single_node *node, const double x[NODE_STATES], double f[NODE_STATES])
{
    node->kernels->rhs(node->params, 1, 0, x, &node->c, NULL, f);
}

static inline double node_slope(
    const single_node *node, int state, double v, double w, double z)
{
    const double x[NODE_STATES] = {v, w, z};
    double f[NODE_STATES];
    node_rhs(node, x, f);
    return f[state];
}

/* V at which dZ/dt is least: golden section on the interval where V Q_V has its only
 * minimum. */
static inline double node_lowest(const single_node *node)
{
    const double ratio = (sqrt(5.0) - 1.0) / 2.0;
    double low = -5.0;
    double high = 0.0;
    while (high - low > 1e-9) {
        const double a = high - ratio * (high - low);
        const double b = low + ratio * (high - low);
        if (node_slope(node, STATE_Z, a, 0.0, 0.0) <
            node_slope(node, STATE_Z, b, 0.0, 0.0)) {
            high = b;
        } else {
            low = a;
        }
    }
    return low;
}

/* Root of the slope of `state` in component `which`, between x[which] and `other`. */
static inline void node_root(
    const single_node *node, int state, int which, double other, double x[NODE_STATES])
{
    double near = x[which];
    double f[NODE_STATES];
    node_rhs(node, x, f);
    const bool positive = f[state] > 0.0;
    for (int k = 0; k < 200; k++) {
        x[which] = 0.5 * (near + other);
        node_rhs(node, x, f);
        if ((f[state] > 0.0) == positive) {
            near = x[which];
        } else {
            other = x[which];
        }
    }
}

/* The fixed point: dZ = 0 gives the larger V, dW = 0 then W, dV = 0 then Z, which may be
 * negative: Z Q_Z rises from Z = -0.3 on for every d_Z above 0.24. */
static inline void node_fixed_point(const single_node *node, double x[NODE_STATES])
{
    x[STATE_V] = x[STATE_W] = 0.0;
    x[STATE_Z] = -0.3;
    node_root(node, STATE_Z, STATE_V, node_lowest(node), x);
    node_root(node, STATE_W, STATE_W, 1.0, x);
    node_root(node, STATE_V, STATE_Z, 1.0, x);
}

/* Central differences of fourth order; both errors are near 1e-12 at this step. */
static inline void node_jacobian(const single_node *node, const double x[NODE_STATES],
    double J[NODE_STATES][NODE_STATES])
{
    static const double h = 1e-4;
    static const double shift[] = {-2.0, -1.0, 1.0, 2.0};
    static const double weight[] = {1.0 / 12, -2.0 / 3, 2.0 / 3, -1.0 / 12};
    for (int column = 0; column < NODE_STATES; column++) {
        for (int row = 0; row < NODE_STATES; row++) {
            J[row][column] = 0.0;
        }
        for (int k = 0; k < 4; k++) {
            double y[NODE_STATES] = {x[0], x[1], x[2]};
            double f[NODE_STATES];
            y[column] += shift[k] * h;
            node_rhs(node, y, f);
            for (int row = 0; row < NODE_STATES; row++) {
                J[row][column] += weight[k] * f[row] / h;
            }
        }
    }
}

/* Characteristic polynomial lambda^3 + a[2] lambda^2 + a[1] lambda + a[0] at x. */
static inline void node_polynomial(
    const single_node *node, const double x[NODE_STATES], double a[3])
{
    double J[NODE_STATES][NODE_STATES];
    node_jacobian(node, x, J);
    const double m01 = J[0][0] * J[1][1] - J[0][1] * J[1][0];
    const double m02 = J[0][0] * J[2][2] - J[0][2] * J[2][0];
    const double m12 = J[1][1] * J[2][2] - J[1][2] * J[2][1];
    a[2] = -(J[0][0] + J[1][1] + J[2][2]);
    a[1] = m01 + m02 + m12;
    a[0] = -(J[0][0] * m12 - J[0][1] * (J[1][0] * J[2][2] - J[1][2] * J[2][0]) +
             J[0][2] * (J[1][0] * J[2][1] - J[1][1] * J[2][0]));
}

/* Positive where the fixed point is stable, 0 at a Hopf point (Routh and Hurwitz); the
 * frequency there in Hz. */
static inline double node_stability(
    const single_node *node, double x[NODE_STATES], double *frequency)
{
    double a[3];
    node_fixed_point(node, x);
    node_polynomial(node, x, a);
    *frequency = 1000.0 * sqrt(fmax(a[1], 0.0)) / (2.0 * M_PI);
    return a[2] * a[1] - a[0];
}

/* Largest real part of the eigenvalues at the fixed point: one real root by bisection,
 * the other two from the remaining quadratic. */
static inline double node_exponent(const single_node *node)
{
    double x[NODE_STATES];
    double a[3];
    node_fixed_point(node, x);
    node_polynomial(node, x, a);
    double low = -1.0 - fabs(a[2]) - fabs(a[1]) - fabs(a[0]);
    double high = -low;
    for (int k = 0; k < 200; k++) {
        const double root = 0.5 * (low + high);
        if (((root + a[2]) * root + a[1]) * root + a[0] > 0.0) {
            high = root;
        } else {
            low = root;
        }
    }
    const double half = 0.5 * (a[2] + low);
    const double product = a[1] + low * (a[2] + low);
    const double discriminant = half * half - product;
    const double pair = discriminant > 0.0 ? -half + sqrt(discriminant) : -half;
    return fmax(low, pair);
}

#endif
