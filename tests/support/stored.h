/* Stored reference data: HDF5 arrays and attributes, and comparison with them under
 * stepwise tolerances. */
#ifndef SPL_TEST_STORED_H
#define SPL_TEST_STORED_H

#include <hdf5_hl.h>
#include <math.h>
#include <string.h>

#include "support/shared.h"
#include "support/test_main.h"

/* Open reference/NAME below the shared folder; negative, with a message, if absent. */
static inline hid_t open_stored(const char *name)
{
    char path[4096];
    char relative[256];
    snprintf(relative, sizeof relative, "reference/%s", name);
    if (!shared_file(path, sizeof path, relative)) {
        return -1;
    }
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(file >= 0, "%s cannot be opened", path);
    return file;
}

static inline size_t stored_size(hid_t file, const char *path)
{
    hsize_t dims[8] = {1};
    H5T_class_t kind;
    size_t bytes;
    int rank = 0;
    ck_assert_msg(H5LTget_dataset_ndims(file, path, &rank) >= 0 && rank <= 8, "%s", path);
    ck_assert(H5LTget_dataset_info(file, path, dims, &kind, &bytes) >= 0);
    size_t size = 1;
    for (int d = 0; d < rank; d++) {
        size *= (size_t)dims[d];
    }
    return size;
}

/* Read a dataset that must hold `expected` numbers; the caller frees it. */
static inline double *read_stored(hid_t file, const char *path, size_t expected)
{
    double *values = malloc(expected * sizeof *values);
    ck_assert_msg(stored_size(file, path) == expected, "%s: unexpected size", path);
    ck_assert(H5LTread_dataset_double(file, path, values) >= 0);
    return values;
}

static inline double stored_number(hid_t file, const char *path, const char *name)
{
    double value = NAN;
    ck_assert_msg(
        H5LTget_attribute_double(file, path, name, &value) >= 0, "%s: no %s", path, name);
    return value;
}

static inline void stored_text(
    hid_t file, const char *path, const char *name, char text[64])
{
    hsize_t dims[1];
    H5T_class_t kind;
    size_t bytes = 0;
    char whole[4096] = {0};
    ck_assert(H5LTget_attribute_info(file, path, name, dims, &kind, &bytes) >= 0);
    ck_assert(kind == H5T_STRING && bytes < sizeof whole);
    ck_assert(H5LTget_attribute_string(file, path, name, whole) >= 0);
    snprintf(text, 64, "%.63s", whole);
}

/* Absolute bounds: up to step upto[k] (the last bound also beyond) within bound[k]. */
typedef struct step_bounds {
    size_t n;
    int upto[8];
    double bound[8];
} step_bounds;

/* The attributes NAME and NAME_upto_step of a dataset, or a NAME that holds throughout,
 * there or for the whole file. */
static inline step_bounds stored_bounds(hid_t file, const char *path, const char *name)
{
    step_bounds bounds = {.n = 1};
    char steps[64];
    hsize_t dims[1] = {1};
    H5T_class_t kind;
    size_t bytes;
    snprintf(steps, sizeof steps, "%s_upto_step", name);
    hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    if (H5LTfind_attribute(object, steps) > 0) {
        ck_assert(H5LTget_attribute_info(file, path, steps, dims, &kind, &bytes) >= 0);
        ck_assert(dims[0] <= 8);
        bounds.n = (size_t)dims[0];
        ck_assert(H5LTget_attribute_int(file, path, steps, bounds.upto) >= 0);
    }
    if (H5LTfind_attribute(object, name) <= 0) {
        path = "/";
    }
    H5Oclose(object);
    ck_assert(H5LTget_attribute_double(file, path, name, bounds.bound) >= 0);
    return bounds;
}

static inline double bound_at(const step_bounds *bounds, size_t step)
{
    size_t k = 0;
    while (k + 1 < bounds->n && (size_t)bounds->upto[k] < step) {
        k++;
    }
    return bounds->bound[k];
}

/* The worst of many comparisons, for the log. */
typedef struct worst_case {
    double share; /* the largest error / bound */
    double error, bound;
    size_t step;
    size_t count;
} worst_case;

/* Compare a row of `width` numbers that belongs to `step`. */
static inline void compare_row(worst_case *worst, const char *what, size_t step,
    const double *found, const double *expected, size_t width, double bound)
{
    for (size_t i = 0; i < width; i++) {
        const double error = fabs(found[i] - expected[i]);
        /* Check writes to a file at every assertion, passed or not */
        if (!(error <= bound)) {
            ck_abort_msg("%s: step %zu, number %zu is %.17g, expected %.17g: off by "
                         "%.3g, allowed %.3g",
                what, step, i, found[i], expected[i], error, bound);
        }
        const double share = bound > 0.0 ? error / bound : 0.0;
        if (worst->count++ == 0 || share > worst->share) {
            worst->share = share;
            worst->error = error;
            worst->bound = bound;
            worst->step = step;
        }
    }
}

static inline void report_worst(const worst_case *worst, const char *what)
{
    fprintf(stderr, "# %-44s %9zu numbers, worst %.2g of %.2g at step %zu\n", what,
        worst->count, worst->error, worst->bound, worst->step);
}

#endif
