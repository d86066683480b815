/* The functions of simd/vec_math.h applied to arrays, one instance per SIMD target. */
#ifndef SPL_TEST_FUNCTIONS_H
#define SPL_TEST_FUNCTIONS_H

#include <stddef.h>

typedef struct {
    const char *name;
    /* n is a multiple of 8 */
    void (*apply)(const double *x, double *out, size_t n);
} function;

typedef struct {
    size_t count;
    const function *functions;
    /* The first `count` doubles at p and zeros, 8 in all, in pieces of one vector. */
    void (*load_first)(const double *p, size_t count, double out[8]);
    /* out[j][i] = in[i][j], 8 by 8, in blocks of one vector by one vector. */
    void (*transpose)(const double in[64], double out[64]);
} function_table;

extern const function_table functions_scalar, functions_v3, functions_v4;

#endif
