/* What this processor can do at best, in small loops, and the bound of a step that
 * follows. */
#ifndef SPL_TOOLS_BENCH_ROOFLINE_H
#define SPL_TOOLS_BENCH_ROOFLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Before a short loop: unrolled in every build, so that chains stay in registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

/* The loops of one SIMD target (roofline_loops.c is compiled once for each); every one
 * runs `count` times its unit of work. */
typedef struct bench_loops {
    const char *target;
    size_t lanes;                 /* doubles in a vector */
    void (*multiply)(long count); /* LOOP_CHAINS fused multiply-adds of vectors */
    void (*operate)(long count);  /* LOOP_CHAINS x LOOP_OPERATIONS of the node kernel's */
    void (*divide)(long count);   /* LOOP_CHAINS divisions of vectors */
    /* the vectors of n doubles, from an address that is no multiple of a vector */
    void (*load)(long count, const double *values, size_t n);
    void (*philox)(long count); /* PHILOX_BLOCKS x 4 words in every lane */
} bench_loops;

enum { LOOP_CHAINS = 12, LOOP_OPERATIONS = 14, PHILOX_BLOCKS = 2 };

/* Nanoseconds, the best of some repetitions. */
typedef struct bench_roofline {
    const char *target;
    size_t lanes;
    double clock_ghz;     /* of a chain of additions, one a cycle */
    double multiply_ns;   /* one fused multiply-add of vectors */
    double operation_ns;  /* one of the node kernel's, divisions aside */
    double divide_ns;     /* one division of vectors */
    double load_ns[3];    /* one misaligned load of a vector from L1, L2, L3 */
    size_t load_bytes[3]; /* of what was loaded */
    double philox_ns;     /* one 32-bit word */
} bench_roofline;

/* Measure with the loops of the target of that name; false if there are none. */
bool roofline_measure(const char *target, bench_roofline *roofline);
/* What the bound needs once more, in fewer repetitions: a machine is not as fast a minute
 * later. False if memory is short. */
bool roofline_again(bench_roofline *roofline);

/* Nanoseconds that a step must take at least, part by part. */
typedef struct bench_bound {
    double dynamics, coupling, noise, history; /* of a whole step */
} bench_bound;

/* Bound of a Heun step of Larter-Breakspear nodes in double with delayed edges. */
void roofline_bound(
    const bench_roofline *roofline, size_t n_nodes, size_t n_edges, bench_bound *bound);
double bound_total(const bench_bound *bound);

#endif
