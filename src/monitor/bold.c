/* bold - BOLD by convolution with a haemodynamic kernel G.
 *
 * The input is averaged over bins of rint(4 ms / dt) steps that end at steps k * bin;
 * x[k] is the mean of bin k, bins before the start count as zero, those of the transient
 * are real. The kernel has M = ceil(hrf_length / 4 ms) values. A row at step n uses the
 * bins up to K = floor(n / bin), added from the oldest on. With D the realised width of a
 * bin in seconds,
 *
 *   aligned (default)  S = D * sum over m = 0 .. M-1 of G(m D) x[K-m]
 *                      y = k_1 V_0 S for FirstOrderVolterra, y = S for the others
 *   tvb                S = G(M-1) x[K] + sum over m = 1 .. M-1 of G(m-1) x[K-m]
 *                      with G at multiples of 4 ms whatever the bin
 *                      y = k_1 V_0 (S - 1) for FirstOrderVolterra, y = S for the others
 *
 * The second is the arithmetic of The Virtual Brain 2.11, index by index: one
 * bin late, the newest bin under the oldest kernel value, no bin width. The first is the
 * integral that this approximates, without the constant.
 *
 * Kernels, t in s, as in The Virtual Brain (Friston et al. 2000; Boynton et al. 1996;
 * Polonsky et al. 2000; Glover 1999); Gamma and DoubleExponential are scaled to the
 * maximum a.
 *
 * A bin is added, with its weights, to the sums of all rows to come that it is in: of
 * 5000 bins that a row of the default settings takes, a few are kept, as sums are fetched
 * from memory for eight at a time. Memory: a row of sums for each row under way at a time
 * (10 of them), whatever the duration; at periods below 4 ms for each of M values of K,
 * as rows of the same K are the same. */
#include <math.h>
#include <string.h>

#include "monitor/kind.h"

#define BIN_MS            4.0
/* An hour; keeps all sizes far from overflow. */
#define MAX_HRF_LENGTH_MS 3.6e6

/* Bins that are added at a time: k waits for the last of those with the same k / AT_ONCE,
 * or for a row. */
enum { AT_ONCE = SPL_SPREAD_AT_ONCE };

enum {
    HRF_LENGTH,
    TAU_S,
    TAU_F,
    K_1,
    V_0,
    TAU,
    N,
    A,
    TAU_1,
    F_1,
    AMP_1,
    TAU_2,
    F_2,
    AMP_2,
    A_1,
    A_2,
    L,
    C
};
/* clang-format off */
static const spl_field options[] = {
    [HRF_LENGTH] = {"hrf_length", 20000.0, "ms", 5000.0, 40000.0, SPL_RULE_POSITIVE, "kernel length"},
    [TAU_S] = {"tau_s", 0.8,  "s",  0.4,  2.0,  SPL_RULE_POSITIVE, "Volterra: decay of the signal"},
    [TAU_F] = {"tau_f", 0.4,  "s",  0.1,  1.0,  SPL_RULE_POSITIVE, "Volterra: feedback of the flow"},
    [K_1]   = {"k_1",   5.6,  "1",  0.0,  10.0, SPL_RULE_FINITE,   "Volterra: weight of deoxyhaemoglobin"},
    [V_0]   = {"V_0",   0.02, "1",  0.0,  0.1,  SPL_RULE_FINITE,   "Volterra: resting blood volume"},
    [TAU]   = {"tau",   1.08, "s",  0.5,  2.0,  SPL_RULE_POSITIVE, "Gamma: time constant"},
    [N]     = {"n",     3.0,  "1",  1.0,  10.0, SPL_RULE_POSITIVE, "Gamma: shape"},
    [A]     = {"a",     0.1,  "1",  0.0,  1.0,  SPL_RULE_FINITE,   "Gamma, DoubleExponential: maximum"},
    [TAU_1] = {"tau_1", 7.22, "s",  1.0,  20.0, SPL_RULE_POSITIVE, "DoubleExponential: first decay"},
    [F_1]   = {"f_1",   0.03, "Hz", 0.0,  0.5,  SPL_RULE_FINITE,   "DoubleExponential: first frequency"},
    [AMP_1] = {"amp_1", 0.1,  "1",  0.0,  1.0,  SPL_RULE_FINITE,   "DoubleExponential: first amplitude"},
    [TAU_2] = {"tau_2", 7.4,  "s",  1.0,  20.0, SPL_RULE_POSITIVE, "DoubleExponential: second decay"},
    [F_2]   = {"f_2",   0.12, "Hz", 0.0,  0.5,  SPL_RULE_FINITE,   "DoubleExponential: second frequency"},
    [AMP_2] = {"amp_2", 0.1,  "1",  0.0,  1.0,  SPL_RULE_FINITE,   "DoubleExponential: second amplitude"},
    [A_1]   = {"a_1",   6.0,  "1",  1.0,  20.0, SPL_RULE_POSITIVE, "MixtureOfGammas: shape of the response"},
    [A_2]   = {"a_2",   13.0, "1",  1.0,  30.0, SPL_RULE_POSITIVE, "MixtureOfGammas: shape of the undershoot"},
    [L]     = {"l",     1.0,  "Hz", 0.5,  2.0,  SPL_RULE_POSITIVE, "MixtureOfGammas: rate"},
    [C]     = {"c",     0.4,  "1",  0.0,  1.0,  SPL_RULE_FINITE,   "MixtureOfGammas: weight of the undershoot"},
};
/* clang-format on */

static double volterra(const double *o, double t)
{
    double w = sqrt(1.0 / o[TAU_F] - 1.0 / (4.0 * o[TAU_S] * o[TAU_S]));
    return exp(-t / (2.0 * o[TAU_S])) * sin(w * t) / (3.0 * w);
}

static double gamma_response(const double *o, double t)
{
    return pow(t / o[TAU], o[N] - 1.0) * exp(-t / o[TAU]) / (o[TAU] * tgamma(o[N]));
}

static double double_exponential(const double *o, double t)
{
    const double two_pi = 6.283185307179586;
    return o[AMP_1] * exp(-t / o[TAU_1]) * sin(two_pi * o[F_1] * t) -
           o[AMP_2] * exp(-t / o[TAU_2]) * sin(two_pi * o[F_2] * t);
}

static double mixture_of_gammas(const double *o, double t)
{
    double lt = o[L] * t;
    return pow(lt, o[A_1] - 1.0) * exp(-lt) / tgamma(o[A_1]) -
           o[C] * pow(lt, o[A_2] - 1.0) * exp(-lt) / tgamma(o[A_2]);
}

enum { VOLTERRA, GAMMA, DOUBLE_EXPONENTIAL, MIXTURE_OF_GAMMAS, N_KERNELS };
static const char *const kernel_names[] = {[VOLTERRA] = "FirstOrderVolterra",
    [GAMMA] = "Gamma",
    [DOUBLE_EXPONENTIAL] = "DoubleExponential",
    [MIXTURE_OF_GAMMAS] = "MixtureOfGammas",
    [N_KERNELS] = NULL};
static const struct {
    double (*value)(const double *options, double t);
    bool scaled; /* to the maximum a */
} kernels[N_KERNELS] = {
    [VOLTERRA] = {volterra, false},
    [GAMMA] = {gamma_response, true},
    [DOUBLE_EXPONENTIAL] = {double_exponential, true},
    [MIXTURE_OF_GAMMAS] = {mixture_of_gammas, false},
};

enum { ALIGNED, TVB };
static const char *const arithmetics[] = {"aligned", "tvb", NULL};

enum { KERNEL, ARITHMETIC };
static const spl_choice choices[] = {
    [KERNEL] = {"kernel", kernel_names, "haemodynamic kernel"},
    [ARITHMETIC] = {"arithmetic", arithmetics,
        "aligned and scaled by the bin width, or index by index as The Virtual Brain"},
};

static double bin_width_s(const spl_monitor *monitor)
{
    return (double)monitor->bin_steps * monitor->run.dt_ms / 1000.0;
}

static double kernel_value(const spl_monitor *monitor, size_t m)
{
    const spl_monitor_spec *spec = &monitor->spec;
    double grid =
        spec->choices[ARITHMETIC] == TVB ? BIN_MS / 1000.0 : bin_width_s(monitor);
    return kernels[spec->choices[KERNEL]].value(spec->options, (double)m * grid);
}

/* The largest kernel value; NaN if one of them is not finite. */
static double largest_value(const spl_monitor *monitor)
{
    double largest = -INFINITY;
    for (size_t m = 0; m < monitor->n_taps; m++) {
        double value = kernel_value(monitor, m);
        if (!isfinite(value)) {
            return NAN;
        }
        largest = fmax(largest, value);
    }
    return largest;
}

/* Rows of the same newest bin K are the same and share their sums: due number q = 0, 1,
 * ... is the row, or, with several rows to a bin, counts the bins from that of row 0. */
static bool rows_share(const spl_monitor *monitor)
{
    return monitor->row_steps < monitor->bin_steps;
}

static uint64_t newest_bin_of_row(const spl_monitor *monitor, uint64_t row)
{
    return spl_monitor_row_step(monitor, row) / monitor->bin_steps;
}

/* K of due number q. */
static uint64_t newest_bin(const spl_monitor *monitor, uint64_t q)
{
    return rows_share(monitor) ? newest_bin_of_row(monitor, 0) + q
                               : newest_bin_of_row(monitor, q);
}

/* The first due number that has bin k, or would have it with a longer kernel. */
static uint64_t first_due(const spl_monitor *monitor, uint64_t k)
{
    if (rows_share(monitor)) {
        const uint64_t first = newest_bin_of_row(monitor, 0);
        return k > first ? k - first : 0;
    }
    const uint64_t step = k * monitor->bin_steps;
    if (step <= spl_monitor_row_step(monitor, 0)) {
        return 0;
    }
    return (step - monitor->run.n_transient - 1) / monitor->row_steps;
}

/* Due numbers under way at a time. When the first bin of q + n_sums comes, the rows of q
 * are gone, as that is more than K of q. */
static size_t n_sums(const spl_monitor *monitor)
{
    const uint64_t length = monitor->n_taps * monitor->bin_steps;
    return rows_share(monitor) ? monitor->n_taps
                               : (size_t)((length - 1) / monitor->row_steps + 1);
}

static spl_status plan(spl_monitor *monitor)
{
    const spl_monitor_spec *spec = &monitor->spec;
    double length = spec->options[HRF_LENGTH];
    if (length > MAX_HRF_LENGTH_MS) {
        return spl_error(SPL_ERR_CONFIG,
            "monitors.%s.hrf_length: %.10g ms; at most %.10g ms are possible", spec->name,
            length, MAX_HRF_LENGTH_MS);
    }
    monitor->bin_steps = (uint64_t)fmax(rint(BIN_MS / monitor->run.dt_ms), 1.0);
    monitor->bin_origin = 0;
    monitor->n_taps = (size_t)ceil(length / BIN_MS);
    monitor->n_table = monitor->n_taps;
    monitor->n_state =
        spec->n_variables * (n_sums(monitor) + AT_ONCE) * monitor->run.n_nodes;
    double largest = largest_value(monitor);
    if (!isfinite(largest) || (kernels[spec->choices[KERNEL]].scaled && largest <= 0.0)) {
        return spl_error(SPL_ERR_CONFIG,
            "monitors.%s: the kernel %s has no finite, positive maximum with these "
            "constants; change them",
            spec->name, kernel_names[spec->choices[KERNEL]]);
    }
    for (size_t v = 0; v < spec->n_variables; v++) {
        monitor->shape.unit[v] = "1";
    }
    uint64_t full = monitor->n_taps * monitor->bin_steps; /* first step with M bins */
    uint64_t before =
        full > monitor->run.n_transient ? full - monitor->run.n_transient : 1;
    uint64_t incomplete = (before - 1) / monitor->row_steps;
    monitor->shape.n_transient_rows =
        incomplete < monitor->shape.n_rows ? incomplete : monitor->shape.n_rows;
    return SPL_OK;
}

/* The table is the kernel in the order of the lag: table[m] meets x[K-m]. */
static void start(spl_monitor *monitor)
{
    const spl_monitor_spec *spec = &monitor->spec;
    size_t n_taps = monitor->n_taps;
    size_t shift = spec->choices[ARITHMETIC] == TVB ? 1 : 0;
    bool scaled = kernels[spec->choices[KERNEL]].scaled;
    double largest = scaled ? largest_value(monitor) : 1.0;
    for (size_t m = 0; m < n_taps; m++) {
        double value = kernel_value(monitor, m);
        monitor->table[(m + shift) % n_taps] =
            scaled ? value / largest * spec->options[A] : value;
    }
}

/* State of a variable: the sums of due number q in row q mod n_sums, behind them the mean
 * of bin k in row k mod AT_ONCE. */
static double *sums_in(const spl_monitor *monitor, size_t v, size_t n, size_t slot)
{
    return monitor->state + (v * (n + AT_ONCE) + slot) * monitor->run.n_nodes;
}

static double *mean_of(const spl_monitor *monitor, size_t v, size_t n, uint64_t k)
{
    return sums_in(monitor, v, n, n + (size_t)(k % AT_ONCE));
}

/* The first bin up to k that was not added before `step`. */
static uint64_t first_waiting(const spl_monitor *monitor, uint64_t k, uint64_t step)
{
    const uint64_t first = k - k % AT_ONCE;
    const uint64_t before = step - 1;
    if (before < spl_monitor_row_step(monitor, 0)) {
        return first;
    }
    const uint64_t row = (before - monitor->run.n_transient) / monitor->row_steps - 1;
    const uint64_t added = newest_bin_of_row(monitor, row);
    return added >= first ? added + 1 : first;
}

/* Bring cache lines near while the processor does other things. */
static void fetch(const double *first, size_t n)
{
    enum { OF_A_LINE = 64 / sizeof *first };
    for (size_t i = 0; i < n; i += OF_A_LINE) {
        __builtin_prefetch(first + i);
    }
}

/* Add bins first .. last, of the same k / AT_ONCE, to what is due. A row lets no bin
 * wait, so the rows to come all reach `last`. From number to number without a division;
 * what the next one needs was last used AT_ONCE bins ago and is fetched ahead. Bin 0 is
 * none, and zero. */
static void spread(spl_monitor *monitor, size_t v, uint64_t first, uint64_t last,
    size_t begin, size_t end)
{
    const bool share = rows_share(monitor);
    const uint64_t row_bins = share ? 1 : monitor->row_steps / monitor->bin_steps;
    const uint64_t row_left = share ? 0 : monitor->row_steps % monitor->bin_steps;
    const uint64_t n_taps = monitor->n_taps;
    const size_t n = n_sums(monitor);
    const uint64_t q = first_due(monitor, last);
    uint64_t newest = newest_bin(monitor, q);
    uint64_t left = spl_monitor_row_step(monitor, q) % monitor->bin_steps;
    size_t slot = (size_t)(q % n);
    while (newest < last + n_taps) {
        const uint64_t from = newest < first + n_taps ? first : newest - n_taps + 1;
        double *sum = sums_in(monitor, v, n, slot) + begin;
        double weights[AT_ONCE];
        slot = slot + 1 < n ? slot + 1 : 0;
        if (newest + row_bins < last + n_taps) {
            fetch(&monitor->table[newest + row_bins - last], AT_ONCE);
            fetch(sums_in(monitor, v, n, slot) + begin, end - begin);
        }
        for (uint64_t k = from; k <= last; k++) {
            weights[k - from] = monitor->table[newest - k];
        }
        if (newest - from == n_taps - 1) {
            memset(sum, 0, (end - begin) * sizeof *sum);
        }
        spl_monitor_kernels(monitor)->spread(sum, weights, (size_t)(last - from + 1),
            mean_of(monitor, v, n, from) + begin, monitor->run.n_nodes, end - begin);
        newest += row_bins;
        left += row_left;
        if (left >= monitor->bin_steps) {
            left -= monitor->bin_steps;
            newest++;
        }
    }
}

static void take_bin(spl_monitor *monitor, uint64_t step, size_t v, const double *sum,
    size_t begin, size_t end)
{
    const uint64_t k = step / monitor->bin_steps;
    spl_monitor_kernels(monitor)->divide(mean_of(monitor, v, n_sums(monitor), k) + begin,
        sum + begin, (double)monitor->bin_steps, end - begin);
    if (k % AT_ONCE == AT_ONCE - 1) {
        spread(monitor, v, first_waiting(monitor, k, step), k, begin, end);
    }
}

static void write_row(spl_monitor *monitor, uint64_t step, size_t v, const double *values,
    double *row, size_t begin, size_t end)
{
    (void)values;
    const spl_monitor_spec *spec = &monitor->spec;
    bool tvb = spec->choices[ARITHMETIC] == TVB;
    bool first_order = spec->choices[KERNEL] == VOLTERRA;
    double scale = first_order ? spec->options[K_1] * spec->options[V_0] : 1.0;
    double factor = tvb ? scale : scale * bin_width_s(monitor);
    double offset = tvb && first_order ? 1.0 : 0.0;
    const uint64_t newest = step / monitor->bin_steps;
    const uint64_t waiting = first_waiting(monitor, newest, step);
    if (newest % AT_ONCE != AT_ONCE - 1 && waiting <= newest) {
        spread(monitor, v, waiting, newest, begin, end);
    }
    const uint64_t q = first_due(monitor, newest);
    const size_t n = n_sums(monitor);
    const double *sums = sums_in(monitor, v, n, (size_t)(q % n));
    for (size_t i = begin; i < end; i++) {
        row[i] = factor * (sums[i] - offset);
    }
}

static const struct spl_monitor_ops ops = {
    .plan = plan,
    .start = start,
    .bin = take_bin,
    .row = write_row,
};

extern const spl_monitor_kind spl_monitor_kind_bold;
const spl_monitor_kind spl_monitor_kind_bold = {
    .name = "bold",
    .summary = "BOLD by convolution with a haemodynamic kernel",
    .period_ms = 2000.0,
    .n_options = sizeof options / sizeof *options,
    .options = options,
    .n_choices = sizeof choices / sizeof *choices,
    .choices = choices,
    .ops = &ops,
};
