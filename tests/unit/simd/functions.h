/* The functions of simd/vec_math.h applied to arrays, one instance per SIMD target and
 * precision. */
#ifndef SPL_TEST_FUNCTIONS_H
#define SPL_TEST_FUNCTIONS_H

#include <stddef.h>

#include "simd/tile.h"

/* Lanes of the widest target. */
enum { WIDTH = 64 / SPL_REAL_BYTES };

typedef struct {
    const char *name;
    /* n is a multiple of WIDTH */
    void (*apply)(const spl_real *x, spl_real *out, size_t n);
} function;

typedef struct {
    size_t count;
    const function *functions;
    /* The first `count` numbers at p and zeros, WIDTH in all, in pieces of one vector. */
    void (*load_first)(const spl_real *p, size_t count, spl_real *out);
    /* out[j][i] = in[i][j], WIDTH by WIDTH, in blocks of one vector by one vector. */
    void (*transpose)(const spl_real *in, spl_real *out);
} function_table;

extern const function_table SPL_PRECISE(functions_scalar), SPL_PRECISE(functions_v3),
    SPL_PRECISE(functions_v4);

#endif
