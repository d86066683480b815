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

double spl_max_row_sum(const double *weights, size_t n_nodes)
{
    double largest = 0.0;
    for (size_t i = 0; i < n_nodes; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < n_nodes; j++) {
            sum += weights[i * n_nodes + j];
        }
        largest = fmax(largest, fabs(sum));
    }
    return largest;
}

static double max_weight(const double *weights, size_t n_nodes)
{
    double largest = 0.0;
    for (size_t i = 0; i < n_nodes * n_nodes; i++) {
        largest = fmax(largest, fabs(weights[i]));
    }
    return largest;
}

static bool has_negative(const double *weights, size_t n_nodes)
{
    for (size_t i = 0; i < n_nodes * n_nodes; i++) {
        if (weights[i] < 0.0) {
            return true;
        }
    }
    return false;
}

/* y = w x + shift x; returns the sum of y, which is the growth since x sums to 1. */
static double multiply(
    const double *weights, size_t n_nodes, double shift, const double *x, double *y)
{
    double total = 0.0;
    for (size_t i = 0; i < n_nodes; i++) {
        /* eight chains: one alone waits for the adder in every step */
        double parts[8] = {0.0};
        const double *row = weights + i * n_nodes;
        size_t j = 0;
        for (; j + 8 <= n_nodes; j += 8) {
            for (size_t k = 0; k < 8; k++) {
                parts[k] += row[j + k] * x[j + k];
            }
        }
        double sum = shift * x[i];
        for (; j < n_nodes; j++) {
            sum += row[j] * x[j];
        }
        for (size_t k = 0; k < 8; k++) {
            sum += parts[k];
        }
        y[i] = sum;
        total += sum;
    }
    return total;
}

/* Power iteration on w + s I (Perron-Frobenius; s separates the radius from a negative or
 * complex eigenvalue of the same size). False if it does not settle: nilpotent matrices
 * and nearly equal blocks approach their limit like 1/k. */
static bool iterate_power(
    const double *weights, size_t n_nodes, double *x, double *y, double *radius)
{
    enum { MAX_PRODUCTS = 4000, MIN_PRODUCTS = 8 };
    double shift = 0.1 * spl_max_row_sum(weights, n_nodes);
    double last = 0.0;
    double last_change = INFINITY;
    for (size_t i = 0; i < n_nodes; i++) {
        x[i] = 1.0 / (double)n_nodes;
    }
    for (int k = 0; k < MAX_PRODUCTS; k++) {
        double growth = multiply(weights, n_nodes, shift, x, y);
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

static spl_status take_eigenvalues(const double *weights, size_t n_nodes, double *radius)
{
    spl_status status = SPL_OK;
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
    /* the transpose has the same eigenvalues, so row order does no harm */
    memcpy(a, weights, n_nodes * n_nodes * sizeof *a);
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

spl_status spl_spectral_radius(const double *weights, size_t n_nodes, double *radius)
{
    spl_status status = SPL_OK;
    double *vectors = NULL;
    bool done = false;
    *radius = 0.0;
    if (max_weight(weights, n_nodes) == 0.0) {
        return SPL_OK;
    }
    if (!has_negative(weights, n_nodes)) {
        vectors = calloc(2 * n_nodes, sizeof *vectors);
        if (vectors == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the spectral radius");
        }
        done = iterate_power(weights, n_nodes, vectors, vectors + n_nodes, radius);
    }
    if (!done) {
        SPL_TRY(take_eigenvalues(weights, n_nodes, radius));
    }
out:
    free(vectors);
    return status;
}

spl_status spl_weights_normalise(
    double *weights, size_t n_nodes, spl_normalise kind, const char *place)
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
        factor = max_weight(weights, n_nodes);
        break;
    case SPL_NORMALISE_REGION:
        factor = spl_max_row_sum(weights, n_nodes);
        break;
    case SPL_NORMALISE_SPECTRAL:
        SPL_TRY(spl_spectral_radius(weights, n_nodes, &factor));
        break;
    }
    if (!(factor > 0.0) || !isfinite(factor)) {
        SPL_FAIL(SPL_ERR_CONNECTOME,
            "%s: the %s is %g, so the weights cannot be divided by it; use normalise: "
            "none",
            place, names[kind], factor);
    }
    for (size_t i = 0; i < n_nodes * n_nodes; i++) {
        weights[i] /= factor;
    }
out:
    return status;
}
