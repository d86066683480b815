/* Whether long double is wider than double: valgrind computes it in double. */
#ifndef SPL_TEST_LONG_DOUBLE_H
#define SPL_TEST_LONG_DOUBLE_H

#include <float.h>
#include <stdbool.h>

static inline bool long_double_is_wide(void)
{
    volatile long double tiny = LDBL_EPSILON;
    return tiny < 1e-18L && 1.0L + tiny != 1.0L;
}

#endif
