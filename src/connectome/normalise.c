#include "connectome/connectome.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK's general eigenvalues, which OpenBLAS brings along; no header of Debian's
 * declares it without liblapacke. The last two are the lengths of the strings. */
extern void dgeev_(const char *left, const char *right, const int *n, double *a,
    const int *lda, double *real, double *imaginary, double *vl, const int *ldvl,
    double *vr, const int *ldvr, double *work, const int *n_work, int *info, size_t,
    size_t);

double spl_max_row_sum(const spl_entries *entries)
{
    double largest = 0.0;
    for (size_t i = 0; i < entries->n_nodes; i++) {
        const size_t end = spl_row(entries, i + 1);
        double sum = 0.0;
        for (size_t k = spl_row(entries, i); k < end; k++) {
            sum += entries->weights[k];
        }
        largest = fmax(largest, fabs(sum));
    }
    return largest;
}

static double max_weight(const spl_entries *entries)
{
    double largest = 0.0;
    for (size_t k = 0; k < entries->count; k++) {
        largest = fmax(largest, fabs(entries->weights[k]));
    }
    return largest;
}

static bool has_negative(const spl_entries *entries)
{
    for (size_t k = 0; k < entries->count; k++) {
        if (entries->weights[k] < 0.0) {
            return true;
        }
    }
    return false;
}

/* Eight chains: one alone waits for the adder in every step. */
enum { N_CHAINS = 8 };

static double dense_row(const spl_entries *entries, size_t i, const double *x, double sum)
{
    double parts[N_CHAINS] = {0.0};
    const size_t n = entries->n_nodes;
    const double *row = entries->weights + i * n;
    size_t j = 0;
    for (; j + N_CHAINS <= n; j += N_CHAINS) {
        for (size_t k = 0; k < N_CHAINS; k++) {
            parts[k] += row[j + k] * x[j + k];
        }
    }
    for (; j < n; j++) {
        sum += row[j] * x[j];
    }
    for (size_t k = 0; k < N_CHAINS; k++) {
        sum += parts[k];
    }
    return sum;
}

/* In the order of the dense row, so that both forms give the same bits. */
static double sparse_row(
    const spl_entries *entries, size_t i, const double *x, double sum)
{
    double parts[N_CHAINS] = {0.0};
    const size_t rest = entries->n_nodes / N_CHAINS * N_CHAINS;
    for (size_t k = entries->start[i]; k < entries->start[i + 1]; k++) {
        const size_t j = (size_t)entries->source[k];
        const double product = entries->weights[k] * x[j];
        if (j < rest) {
            parts[j % N_CHAINS] += product;
        } else {
            sum += product;
        }
    }
    for (size_t k = 0; k < N_CHAINS; k++) {
        sum += parts[k];
    }
    return sum;
}

/* y = w x + shift x; returns the sum of y, which is the growth since x sums to 1. */
static double multiply(
    const spl_entries *entries, double shift, const double *x, double *y)
{
    double total = 0.0;
    for (size_t i = 0; i < entries->n_nodes; i++) {
        y[i] = entries->start == NULL ? dense_row(entries, i, x, shift * x[i])
                                      : sparse_row(entries, i, x, shift * x[i]);
        total += y[i];
    }
    return total;
}

/* Power iteration on w + s I (Perron-Frobenius; s separates the radius from a negative or
 * complex eigenvalue of the same size). False if it does not settle: nilpotent matrices
 * and nearly equal blocks approach their limit like 1/k. */
static bool iterate_power(
    const spl_entries *entries, size_t max_products, double *x, double *y, double *radius)
{
    enum { MIN_PRODUCTS = 8 };
    const size_t n_nodes = entries->n_nodes;
    double shift = 0.1 * spl_max_row_sum(entries);
    double last = 0.0;
    double last_change = INFINITY;
    for (size_t i = 0; i < n_nodes; i++) {
        x[i] = 1.0 / (double)n_nodes;
    }
    for (size_t k = 0; k < max_products; k++) {
        double growth = multiply(entries, shift, x, y);
        for (size_t i = 0; i < n_nodes; i++) {
            x[i] = y[i] / growth;
        }
        double change = fabs(growth - last);
        /* the changes form a geometric series of this ratio: its rest is the error */
        double ratio = change / last_change;
        double error = ratio < 1.0 ? change * ratio / (1.0 - ratio) : INFINITY;
        if (k >= MIN_PRODUCTS &&
            (change <= DBL_EPSILON * growth ||
                (error <= 1e-12 * growth && change <= 1e-12 * growth))) {
            *radius = growth - shift;
            return true;
        }
        last = growth;
        last_change = change;
    }
    return false;
}

/* The transpose, column by column as LAPACK wants it: it has the same eigenvalues. */
static void spread(const spl_entries *entries, double *matrix)
{
    for (size_t i = 0; i < entries->n_nodes; i++) {
        for (size_t k = spl_row(entries, i); k < spl_row(entries, i + 1); k++) {
            matrix[i * entries->n_nodes + spl_column(entries, i, k)] =
                entries->weights[k];
        }
    }
}

static spl_status take_eigenvalues(const spl_entries *entries, double *radius)
{
    spl_status status = SPL_OK;
    const size_t n_nodes = entries->n_nodes;
    int n = (int)n_nodes;
    int n_work = 8 * n;
    int one = 1;
    int info = 0;
    double *a = calloc(n_nodes * n_nodes, sizeof *a);
    double *values = calloc(2 * n_nodes, sizeof *values);
    double *work = calloc(8 * n_nodes, sizeof *work);
    if (a == NULL || values == NULL || work == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY,
            "out of memory for the eigenvalues of %zu x %zu weights", n_nodes, n_nodes);
    }
    spread(entries, a);
    dgeev_("N", "N", &n, a, &n, values, values + n_nodes, NULL, &one, NULL, &one, work,
        &n_work, &info, 1, 1);
    if (info != 0) {
        SPL_FAIL(SPL_ERR_CONNECTOME,
            "the eigenvalues of the weights do not converge; use another normalisation");
    }
    *radius = 0.0;
    for (size_t i = 0; i < n_nodes; i++) {
        *radius = fmax(*radius, hypot(values[i], values[n_nodes + i]));
    }
out:
    free(a);
    free(values);
    free(work);
    return status;
}

/* Products of a power iteration, and nodes of a sparse network that is worth LAPACK's
 * dense matrix. A product with 10 million entries takes 20 ms: a surface, whose largest
 * eigenvalues lie close together, would keep `info` busy for minutes. */
enum { MAX_PRODUCTS = 4000, HASTY_ENTRIES = 1000000000, MAX_LAPACK_NODES = 4096 };

spl_status spl_spectral_radius(const spl_entries *entries, bool patient, double *radius)
{
    spl_status status = SPL_OK;
    const bool dense =
        entries->start == NULL || entries->n_nodes <= (size_t)MAX_LAPACK_NODES;
    double *vectors = NULL;
    bool done = false;
    *radius = 0.0;
    if (max_weight(entries) == 0.0) {
        return SPL_OK;
    }
    if (!has_negative(entries)) {
        size_t max_products = MAX_PRODUCTS;
        if (!dense && !patient && entries->count * max_products > HASTY_ENTRIES) {
            max_products = HASTY_ENTRIES / entries->count;
        }
        vectors = calloc(2 * entries->n_nodes, sizeof *vectors);
        if (vectors == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the spectral radius");
        }
        done = iterate_power(
            entries, max_products, vectors, vectors + entries->n_nodes, radius);
    }
    if (!done && !dense) {
        SPL_FAIL(SPL_ERR_CONNECTOME,
            "the spectral radius of these %zu nodes is not found by power iteration; use "
            "another normalisation",
            entries->n_nodes);
    }
    if (!done) {
        SPL_TRY(take_eigenvalues(entries, radius));
    }
out:
    free(vectors);
    return status;
}

spl_status spl_weights_normalise(
    spl_entries *entries, spl_normalise kind, const char *place)
{
    static const char *const names[] = {[SPL_NORMALISE_TRACT] = "largest weight",
        [SPL_NORMALISE_REGION] = "largest row sum",
        [SPL_NORMALISE_SPECTRAL] = "spectral radius"};
    spl_status status = SPL_OK;
    double factor = 1.0;
    switch (kind) {
    case SPL_NORMALISE_NONE:
        return SPL_OK;
    case SPL_NORMALISE_TRACT:
        factor = max_weight(entries);
        break;
    case SPL_NORMALISE_REGION:
        factor = spl_max_row_sum(entries);
        break;
    case SPL_NORMALISE_SPECTRAL:
        SPL_TRY(spl_spectral_radius(entries, true, &factor));
        break;
    }
    if (!(factor > 0.0) || !isfinite(factor)) {
        SPL_FAIL(SPL_ERR_CONNECTOME,
            "%s: the %s is %g, so the weights cannot be divided by it; use normalise: "
            "none",
            place, names[kind], factor);
    }
    for (size_t k = 0; k < entries->count; k++) {
        entries->weights[k] /= factor;
    }
out:
    return status;
}
