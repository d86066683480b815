/* balloon - BOLD by the Balloon-Windkessel model, integrated alongside the run.
 *
 * Friston, Harrison & Penny, NeuroImage 19 (2003) 1273, with vasodilatory
 * signal x, inflow f, volume v, deoxyhaemoglobin q, all rates per second:
 *
 *   x' = z - kappa x - gamma (f - 1)
 *   f' = x
 *   v' = (f - v^(1/alpha)) / tau
 *   q' = (f E(f) / E(1) - q v^(1/alpha) / v) / tau,   E(f) = 1 - (1 - rho)^(1/f)
 *
 *   BOLD = V_0 (k1 (1 - q) + k2 (1 - q / v) + k3 (1 - v))
 *   k1 = 7 rho, k2 = 2, k3 = 2 rho - 0.2
 *
 * E(1) is rho up to rounding; dividing by what the same code gives for f = 1 keeps rest
 * (z = 0, x = 0, f = v = q = 1) at exactly 0. The input z is the mean of the observed
 * variable over one internal step, from the start of the run on, the transient included;
 * internal steps end where rows end. Heun's method: error 3e-9 at 1 ms.
 *
 * brainmass divides by rho where q / v belongs and starts at x = 1: not followed. The
 * constants are not those of The Virtual Brain's off-line balloon model. */
#include <math.h>

#include "monitor/balloon_kernel.h"
#include "monitor/kind.h"

enum { KAPPA, GAMMA, TAU, ALPHA, RHO, V_0, STEP };
static const spl_field options[] = {
    [KAPPA] = {"kappa", 0.65, "1/s", 0.4, 1.0, SPL_RULE_NOT_NEGATIVE,
        "decay rate of the signal"},
    [GAMMA] = {"gamma", 0.41, "1/s^2", 0.2, 0.6, SPL_RULE_NOT_NEGATIVE,
        "rate of the feedback of the flow"},
    [TAU] = {"tau", 0.98, "s", 0.5, 2.0, SPL_RULE_POSITIVE, "transit time"},
    [ALPHA] = {"alpha", 0.32, "1", 0.2, 0.5, SPL_RULE_POSITIVE, "Grubb's exponent"},
    [RHO] = {"rho", 0.34, "1", 0.2, 0.6, SPL_RULE_POSITIVE,
        "resting oxygen extraction, below 1"},
    [V_0] = {"V_0", 0.02, "1", 0.0, 0.1, SPL_RULE_FINITE, "resting blood volume"},
    [STEP] = {"step", 1.0, "ms", 0.1, 10.0, SPL_RULE_POSITIVE, "internal step"},
};

/* State arrays of one variable, each [n_nodes]. */
enum { X, F, V, Q, BAD_STEP, N_ARRAYS };

static double *array(const spl_monitor *monitor, size_t v, size_t which)
{
    return monitor->state + (v * N_ARRAYS + which) * monitor->run.n_nodes;
}

static spl_status plan(spl_monitor *monitor)
{
    spl_status status = SPL_OK;
    const spl_monitor_spec *spec = &monitor->spec;
    if (spec->options[RHO] >= 1.0) {
        SPL_FAIL(SPL_ERR_CONFIG, "monitors.%s.rho: %.10g must be below 1", spec->name,
            spec->options[RHO]);
    }
    status = spl_whole_steps(
        "step", spec->options[STEP], monitor->run.dt_ms, &monitor->bin_steps);
    if (status != SPL_OK) {
        return spl_error_prefix(status, "monitors.%s", spec->name);
    }
    if (monitor->row_steps % monitor->bin_steps != 0) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "monitors.%s.step: %.10g ms does not divide the period of %.10g ms; choose "
            "one that does",
            spec->name, spec->options[STEP], spec->period_ms);
    }
    monitor->bin_origin = monitor->run.n_transient % monitor->bin_steps;
    monitor->n_state = spec->n_variables * N_ARRAYS * monitor->run.n_nodes;
    for (size_t v = 0; v < spec->n_variables; v++) {
        monitor->shape.unit[v] = "1";
    }
out:
    return status;
}

static void start(spl_monitor *monitor)
{
    for (size_t v = 0; v < monitor->spec.n_variables; v++) {
        for (size_t i = 0; i < monitor->run.n_nodes; i++) {
            array(monitor, v, F)[i] = 1.0;
            array(monitor, v, V)[i] = 1.0;
            array(monitor, v, Q)[i] = 1.0;
        }
    }
}

static const spl_balloon_kernels *const kernels[SPL_N_TARGETS] = {
    [SPL_TARGET_SCALAR] = &spl_balloon_kernels_scalar,
    [SPL_TARGET_V3] = &spl_balloon_kernels_v3,
    [SPL_TARGET_V4] = &spl_balloon_kernels_v4,
};

/* A node that leaves the domain keeps the step at which it did; spl_monitor_flush tells.
 * A sum that is not finite differs from itself by NaN. */
static void note_escapes(
    const spl_monitor *monitor, size_t variable, uint64_t step, size_t begin, size_t end)
{
    const double *x = array(monitor, variable, X);
    const double *f = array(monitor, variable, F);
    const double *v = array(monitor, variable, V);
    const double *q = array(monitor, variable, Q);
    double *bad_step = array(monitor, variable, BAD_STEP);
    int escaped = 0;
    for (size_t i = begin; i < end; i++) {
        double all = x[i] + f[i] + v[i] + q[i];
        escaped |= !(f[i] > 0.0) | !(v[i] > 0.0) | !(all - all == 0.0);
    }
    for (size_t i = begin; escaped && i < end; i++) {
        bool inside = f[i] > 0.0 && v[i] > 0.0 && isfinite(x[i] + f[i] + v[i] + q[i]);
        if (!inside && bad_step[i] == 0.0) {
            bad_step[i] = (double)step;
        }
    }
}

static void integrate(spl_monitor *monitor, uint64_t step, size_t v, const double *sum,
    size_t begin, size_t end)
{
    const double *o = monitor->spec.options;
    double n_samples = (double)monitor->bin_steps;
    const spl_balloon balloon = {
        .kappa = o[KAPPA],
        .gamma = o[GAMMA],
        .inv_tau = 1.0 / o[TAU],
        .inv_alpha = 1.0 / o[ALPHA],
        .rho = o[RHO],
        .h = n_samples * monitor->run.dt_ms / 1000.0,
        .n_samples = n_samples,
    };
    kernels[monitor->target]->advance(&balloon, sum + begin, array(monitor, v, X) + begin,
        array(monitor, v, F) + begin, array(monitor, v, V) + begin,
        array(monitor, v, Q) + begin, end - begin);
    note_escapes(monitor, v, step, begin, end);
}

static void write_row(spl_monitor *monitor, uint64_t step, size_t v, const double *values,
    double *row, size_t begin, size_t end)
{
    (void)step;
    (void)values;
    const double *o = monitor->spec.options;
    const double *volume = array(monitor, v, V);
    const double *q = array(monitor, v, Q);
    double k1 = 7.0 * o[RHO];
    double k2 = 2.0;
    double k3 = 2.0 * o[RHO] - 0.2;
    for (size_t i = begin; i < end; i++) {
        row[i] = o[V_0] * (k1 * (1.0 - q[i]) + k2 * (1.0 - q[i] / volume[i]) +
                              k3 * (1.0 - volume[i]));
    }
}

/* The earliest step, then the lowest node, whatever the blocks and threads. */
static spl_status finish(
    spl_monitor *monitor, const spl_samples *block, spl_row_range rows)
{
    (void)block;
    (void)rows;
    size_t node = 0;
    double first = 0.0;
    for (size_t v = 0; v < monitor->spec.n_variables; v++) {
        const double *bad_step = array(monitor, v, BAD_STEP);
        for (size_t i = 0; i < monitor->run.n_nodes; i++) {
            if (bad_step[i] > 0.0 && (first == 0.0 || bad_step[i] < first)) {
                first = bad_step[i];
                node = i;
            }
        }
    }
    if (first == 0.0) {
        return SPL_OK;
    }
    return spl_error(SPL_ERR_DIVERGED,
        "monitors.%s: inflow or volume of node %zu is not positive and finite at %.10g "
        "ms; observe a variable that stays near or above 0, such as a firing rate",
        monitor->spec.name, node, first * monitor->run.dt_ms);
}

static const struct spl_monitor_ops ops = {
    .plan = plan,
    .start = start,
    .bin = integrate,
    .row = write_row,
    .finish = finish,
};

extern const spl_monitor_kind spl_monitor_kind_balloon;
const spl_monitor_kind spl_monitor_kind_balloon = {
    .name = "balloon",
    .summary = "BOLD by the Balloon-Windkessel model, at rest at the start",
    .period_ms = 2000.0,
    .variable = "observable",
    .n_options = sizeof options / sizeof *options,
    .options = options,
    .ops = &ops,
};
