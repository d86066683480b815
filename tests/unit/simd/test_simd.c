/* Every function of simd/vec_math.h: the same bits on every target, error bounds against
 * long double, NaN; the choice of the target. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "functions.h"
#include "simd/dispatch.h"
#include "support/long_double.h"
#include "support/test_main.h"

#define POINTS 1000000

static const function_table *const tables[SPL_N_TARGETS] = {
    &SPL_PRECISE(functions_scalar), &SPL_PRECISE(functions_v3),
    &SPL_PRECISE(functions_v4)};

static const function_table *best(void)
{
    spl_target target = SPL_TARGET_SCALAR;
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        target = spl_target_available((spl_target)t) ? (spl_target)t : target;
    }
    return tables[target];
}

static const function *find(const function_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->functions[i].name, name) == 0) {
            return &table->functions[i];
        }
    }
    ck_abort_msg("no function %s", name);
    return NULL;
}

static spl_real apply_one(const char *name, spl_real x)
{
    spl_real in[WIDTH];
    spl_real out[WIDTH];
    for (size_t i = 0; i < WIDTH; i++) {
        in[i] = i == 0 ? x : 1;
    }
    find(best(), name)->apply(in, out, WIDTH);
    return out[0];
}

/* splitmix64 (Steele, Lea & Flood 2014) */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
    return ((double)(next(state) >> 12) + 0.5) * 0x1p-52;
}

/* Some of every kind: special values, moderate numbers, any finite bit pattern. */
static void fill_any(spl_real *x, size_t n)
{
    static const double special[] = {0.0, -0.0, 0x1p-1074, -0x1p-1074, 0x1p-1030, DBL_MIN,
        -DBL_MIN, DBL_MAX, -DBL_MAX, 0x1p-149, -0x1p-149, 0x1p-130, FLT_MIN, -FLT_MIN,
        FLT_MAX, -FLT_MAX, 24.0, -24.0, 86.0, -86.0, 125.0, -125.0, 1e-300, 1e-16, -1e-16,
        0.5, -0.5, 0.75, 1.0, 1.5, -1.0, 60.0, -60.0, 690.0, -690.0, 700.0, -700.0, 745.0,
        -746.0, 1000.0, -1000.0, 1e5, -1e5, 1e300, INFINITY, -INFINITY, NAN, -NAN};
    const size_t n_special = sizeof special / sizeof *special;
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++) {
        const uint64_t bits = next(&state);
        if (i < n_special) {
            x[i] = (spl_real)special[i];
        } else if (i % 2 == 0) {
            x[i] = (spl_real)((uniform(&state) - 0.5) * (i % 4 == 0 ? 2000.0 : 4.0));
        } else {
            memcpy(&x[i], &bits, sizeof x[i]);
            x[i] = isfinite(x[i]) ? x[i] : (spl_real)0.25;
        }
    }
}

START_TEST(targets_give_the_same_bits)
{
    enum { N = 24000 };
    static spl_real x[N], expected[N], got[N];
    fill_any(x, N);
    ck_assert(spl_target_available(SPL_TARGET_SCALAR));
    for (int t = SPL_TARGET_V3; t < SPL_N_TARGETS; t++) {
        if (!spl_target_available((spl_target)t)) {
            fprintf(stderr, "# skipped: target %s\n", spl_target_names[t]);
            continue;
        }
        ck_assert_uint_eq(tables[t]->count, tables[SPL_TARGET_SCALAR]->count);
        for (size_t f = 0; f < tables[SPL_TARGET_SCALAR]->count; f++) {
            tables[SPL_TARGET_SCALAR]->functions[f].apply(x, expected, N);
            tables[t]->functions[f].apply(x, got, N);
            for (size_t i = 0; i < N; i++) {
                /* which NaN comes out of two is the compiler's choice */
                const int same = memcmp(&got[i], &expected[i], sizeof *got) == 0 ||
                                 (isnan(got[i]) && isnan(expected[i]));
                ck_assert_msg(same, "%s, %s(%a): %a, scalar gives %a",
                    spl_target_names[t], tables[SPL_TARGET_SCALAR]->functions[f].name,
                    x[i], got[i], expected[i]);
            }
        }
    }
}
END_TEST

static long double exact_exprel(long double x)
{
    return x == 0.0L ? 1.0L : expm1l(x) / x;
}

static long double exact_gate(long double x)
{
    return 1.0L / (1.0L + expl(-2.0L * x));
}

typedef struct {
    const char *name;
    long double (*exact)(long double x);
    double low;
    double high;
    double relative; /* bounds, 0: not asserted */
    double absolute;
    int logarithmic; /* points spread evenly in ln x */
} error_case;

static const error_case error_cases[] = {
/* clang-format off */
#ifdef SPL_SINGLE
    {"exp2",   exp2l,        -125.0,  125.0,  1.8e-7,  0.0,     0},
    {"exp2",   exp2l,        -2.0,    2.0,    1.8e-7,  0.0,     0},
    {"exp",    expl,         -86.0,   86.0,   2.5e-7,  0.0,     0},
    {"exp",    expl,         -2.0,    2.0,    2.5e-7,  0.0,     0},
    {"exprel", exact_exprel, -86.0,   86.0,   7e-7,    0.0,     0},
    {"exprel", exact_exprel, -1.0,    1.0,    7e-7,    0.0,     0},
    {"exprel", exact_exprel, 1e-30,   1e-2,   1.2e-7,  0.0,     1},
    {"gate",   exact_gate,   -8.0,    20.0,   0.0,     1.4e-7,  0},
    {"gate_alone",  exact_gate, -8.0,   20.0, 0.0, 1.4e-7, 0},
    {"gate_1_of_2", exact_gate, -8.0,   20.0, 0.0, 2.6e-7, 0},
    {"gate_2_of_2", exact_gate, -8.0,   20.0, 0.0, 2.6e-7, 0},
    {"gate_1_of_squares", exact_gate, -8.0,   20.0, 0.0, 2.6e-7, 0},
    {"gate_2_of_squares", exact_gate, -8.0,   20.0, 0.0, 2.6e-7, 0},
    {"log",    logl,         FLT_MIN, 1e38,   1.5e-7,  0.0,     1},
    {"log",    logl,         0.5,     2.0,    1.5e-7,  0.0,     0},
    {"log",    logl,         0.99,    1.01,   1.5e-7,  0.0,     0},
    {"sine",   sinl,         -0.785,  0.785,  1.2e-7,  9e-8,    0},
    {"sine",   sinl,         -1e5,    1e5,    0.0,     1.2e-7,  0},
    {"cosine", cosl,         -0.785,  0.785,  1.2e-7,  9e-8,    0},
    {"cosine", cosl,         -1e5,    1e5,    0.0,     1.2e-7,  0},
#else
    {"exp2",   exp2l,        -1000.0, 1000.0, 4.5e-16, 0.0,     0},
    {"exp2",   exp2l,        -2.0,    2.0,    4.5e-16, 0.0,     0},
    {"exp",    expl,         -690.0,  690.0,  4.5e-16, 0.0,     0},
    {"exp",    expl,         -2.0,    2.0,    4.5e-16, 0.0,     0},
    {"exprel", exact_exprel, -690.0,  690.0,  1e-15,   0.0,     0},
    {"exprel", exact_exprel, -1.0,    1.0,    1e-15,   0.0,     0},
    {"exprel", exact_exprel, 1e-300,  1e-2,   2e-16,   0.0,     1},
    {"gate",   exact_gate,   -20.0,   20.0,   0.0,     2.3e-16, 0},
    {"gate_alone",  exact_gate, -20.0,  20.0, 0.0, 2.3e-16, 0},
    {"gate_1_of_2", exact_gate, -20.0,  20.0, 0.0, 5e-16, 0},
    {"gate_2_of_2", exact_gate, -20.0,  20.0, 0.0, 5e-16, 0},
    {"gate_1_of_squares", exact_gate, -20.0,  20.0, 0.0, 5e-16, 0},
    {"gate_2_of_squares", exact_gate, -20.0,  20.0, 0.0, 5e-16, 0},
    {"log",    logl,         DBL_MIN, 1e308,  3e-16,   0.0,     1},
    {"log",    logl,         0.5,     2.0,    3e-16,   0.0,     0},
    {"log",    logl,         0.99,    1.01,   3e-16,   0.0,     0},
    {"sine",   sinl,         -0.785,  0.785,  2.3e-16, 1.5e-16, 0},
    {"sine",   sinl,         -1e5,    1e5,    0.0,     1.5e-16, 0},
    {"cosine", cosl,         -0.785,  0.785,  2.3e-16, 1.5e-16, 0},
    {"cosine", cosl,         -1e5,    1e5,    0.0,     1.5e-16, 0},
#endif
    {"fma",    NULL,         -1e3,    1e3,    0.0,     0.0,     0},
    /* clang-format on */
};

/* Exact products and a sum of nearly equal size: long double is not wide enough, the C
 * library's fma is the yardstick. */
static void check_fma(const spl_real *x, const spl_real *y)
{
    for (size_t i = 0; i < WIDTH; i++) {
        ck_assert(y[i] == spl_fma(x[i], (spl_real)(1.0 / 3.0), (spl_real)(-1.0 / 7.0)));
    }
}

START_TEST(errors_are_within_their_bounds)
{
    const error_case *c = &error_cases[_i];
    const function *f = find(best(), c->name);
    uint64_t state = 17;
    double worst_relative = 0.0;
    double worst_absolute = 0.0;
    if (!long_double_is_wide()) {
        fprintf(stderr, "# skipped: long double is no wider than double here\n");
        return;
    }
    for (size_t i = 0; i < POINTS; i += WIDTH) {
        spl_real x[WIDTH];
        spl_real y[WIDTH];
        for (size_t j = 0; j < WIDTH; j++) {
            const double u = uniform(&state);
            x[j] = (spl_real)(c->logarithmic
                                  ? exp(log(c->low) + u * (log(c->high) - log(c->low)))
                                  : c->low + u * (c->high - c->low));
        }
        f->apply(x, y, WIDTH);
        if (c->exact == NULL) {
            check_fma(x, y);
            continue;
        }
        for (size_t j = 0; j < WIDTH; j++) {
            const long double exact = c->exact(x[j]);
            const double error = (double)fabsl(y[j] - exact);
            worst_absolute = fmax(worst_absolute, error);
            worst_relative = fmax(worst_relative, (double)(error / fabsl(exact)));
        }
    }
    ck_assert_msg(c->relative == 0.0 || worst_relative < c->relative,
        "%s: relative error %.3g", c->name, worst_relative);
    ck_assert_msg(c->absolute == 0.0 || worst_absolute < c->absolute,
        "%s: absolute error %.3g", c->name, worst_absolute);
}
END_TEST

START_TEST(nan_stays_in_its_lane)
{
    static const char *const names[] = {"exp2", "exp", "exprel", "gate", "gate_alone",
        "gate_2_of_2", "gate_1_of_squares", "gate_2_of_squares", "log", "sine", "cosine",
        "sqrt", "clamp", "from_nearest"};
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        if (!spl_target_available((spl_target)t)) {
            continue;
        }
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            for (size_t lane = 0; lane < WIDTH; lane++) {
                spl_real x[WIDTH];
                spl_real y[WIDTH];
                for (size_t j = 0; j < WIDTH; j++) {
                    x[j] = 1;
                }
                x[lane] = lane % 2 == 0 ? NAN : -NAN;
                find(tables[t], names[i])->apply(x, y, WIDTH);
                for (size_t j = 0; j < WIDTH; j++) {
                    ck_assert_msg(isnan(y[j]) == (j == lane), "%s, %s: lane %zu of %zu",
                        spl_target_names[t], names[i], j, lane);
                }
            }
        }
    }
}
END_TEST

START_TEST(special_values_are_exact)
{
    ck_assert(apply_one("exp2", 0.0) == 1.0);
    ck_assert(apply_one("exp2", 10.0) == 1024.0);
    const int top = SPL_REAL_BYTES == 8 ? 1000 : 125;
    ck_assert(apply_one("exp2", (spl_real)-top) == (spl_real)ldexp(1.0, -top));
    ck_assert(apply_one("exp2", INFINITY) == (spl_real)ldexp(1.0, top));
    ck_assert(apply_one("exp", 0.0) == 1.0);
    ck_assert(
        apply_one("exp", INFINITY) == apply_one("exp", SPL_REAL_BYTES == 8 ? 690 : 86));
    ck_assert(apply_one("exp", -INFINITY) ==
              apply_one("exp", SPL_REAL_BYTES == 8 ? -690 : -86));
    ck_assert(apply_one("exprel", 0.0) == 1.0);
    ck_assert(apply_one("exprel",
                  SPL_REAL_BYTES == 8 ? (spl_real)0x1p-1074 : (spl_real)0x1p-149) == 1.0);
    ck_assert(apply_one("exprel", -INFINITY) == 0.0);
    ck_assert(apply_one("gate", 0.0) == 0.5);
    ck_assert(apply_one("gate", INFINITY) == 1.0);
    ck_assert(apply_one("gate", -INFINITY) ==
              1 / (spl_real)(1.0 + (SPL_REAL_BYTES == 8 ? 0x1p60 : 0x1p24)));
    ck_assert(apply_one("log", 1.0) == 0.0);
    ck_assert(apply_one("sine", 0.0) == 0.0);
    ck_assert(apply_one("cosine", 0.0) == 1.0);
    ck_assert(apply_one("clamp", INFINITY) == 2.5);
    ck_assert(apply_one("clamp", -7.0) == -2.5);
    ck_assert(apply_one("from_nearest", 2.5) == 0.5);
    ck_assert(apply_one("from_nearest", 3.5) == -0.5);
    ck_assert(apply_one("from_nearest", -1.75) == 0.25);
    ck_assert(apply_one("from_nearest", INFINITY) == 0.0);
    ck_assert(apply_one("further", -3.0) == 3.0);
    ck_assert(apply_one("further", 0.25) == 0.5);
    ck_assert(apply_one("further", -INFINITY) == INFINITY);
}
END_TEST

START_TEST(rotation_knows_every_quadrant)
{
    for (int k = -9; k <= 9; k++) {
        const spl_real x = (spl_real)(k * M_PI_2 + 0.3);
        const double bound = SPL_REAL_BYTES == 8 ? 2e-16 : 1.2e-7;
        ck_assert_double_eq_tol(apply_one("sine", x), sin(x), bound);
        ck_assert_double_eq_tol(apply_one("cosine", x), cos(x), bound);
    }
}
END_TEST

START_TEST(first_lanes_are_loaded_without_touching_others)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + page, page, PROT_NONE), 0);
    spl_real *end = (spl_real *)(void *)(memory + page);
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        for (size_t count = 0; spl_target_available((spl_target)t) && count <= WIDTH;
             count++) {
            spl_real out[WIDTH];
            for (size_t i = 0; i < count; i++) {
                end[(ptrdiff_t)i - (ptrdiff_t)count] = (spl_real)(1 + i);
            }
            tables[t]->load_first(end - count, count, out);
            for (size_t i = 0; i < WIDTH; i++) {
                ck_assert(out[i] == (i < count ? (spl_real)(1 + i) : 0));
            }
        }
    }
    ck_assert_int_eq(munmap(memory, 2 * page), 0);
}
END_TEST

START_TEST(transposition_swaps_rows_and_columns)
{
    spl_real in[WIDTH * WIDTH];
    for (size_t i = 0; i < WIDTH * WIDTH; i++) {
        in[i] = (spl_real)i;
    }
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        spl_real out[WIDTH * WIDTH] = {0};
        if (!spl_target_available((spl_target)t)) {
            continue;
        }
        tables[t]->transpose(in, out);
        for (size_t i = 0; i < WIDTH * WIDTH; i++) {
            ck_assert(out[i] == in[i % WIDTH * WIDTH + i / WIDTH]);
        }
    }
}
END_TEST

START_TEST(target_is_the_best_unless_named)
{
    spl_target target = SPL_N_TARGETS;
    const spl_target expected = spl_target_available(SPL_TARGET_V4)   ? SPL_TARGET_V4
                                : spl_target_available(SPL_TARGET_V3) ? SPL_TARGET_V3
                                                                      : SPL_TARGET_SCALAR;
    unsetenv("SPL_TARGET");
    ck_assert_int_eq(spl_target_choose(&target), SPL_OK);
    ck_assert_int_eq(target, expected);
    setenv("SPL_TARGET", "", 1);
    target = SPL_N_TARGETS;
    ck_assert_int_eq(spl_target_choose(&target), SPL_OK);
    ck_assert_int_eq(target, expected);
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        char message[120];
        setenv("SPL_TARGET", spl_target_names[t], 1);
        target = SPL_N_TARGETS;
        if (spl_target_available((spl_target)t)) {
            ck_assert_int_eq(spl_target_choose(&target), SPL_OK);
            ck_assert_int_eq(target, t);
            continue;
        }
        snprintf(message, sizeof message,
            "SPL_TARGET=%s: this CPU lacks the instructions; unset SPL_TARGET",
            spl_target_names[t]);
        ck_assert_int_eq(spl_target_choose(&target), SPL_ERR_UNSUPPORTED);
        ck_assert_str_eq(spl_last_error(), message);
        ck_assert_int_eq(target, SPL_N_TARGETS);
    }
}
END_TEST

START_TEST(unknown_target_is_refused)
{
    spl_target target = SPL_N_TARGETS;
    setenv("SPL_TARGET", "avx9", 1);
    ck_assert_int_eq(spl_target_choose(&target), SPL_ERR_UNSUPPORTED);
    ck_assert_str_eq(
        spl_last_error(), "SPL_TARGET=avx9: unknown target; use scalar, v3 or v4");
    setenv("SPL_TARGET", "V4", 1);
    ck_assert_int_eq(spl_target_choose(&target), SPL_ERR_UNSUPPORTED);
    ck_assert_str_eq(
        spl_last_error(), "SPL_TARGET=V4: unknown target; use scalar, v3 or v4");
    ck_assert_int_eq(target, SPL_N_TARGETS);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("simd");
    TCase *cases = tcase_create("simd");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(cases, 30.0);
    tcase_add_test(lengthy, targets_give_the_same_bits);
    tcase_add_loop_test(lengthy, errors_are_within_their_bounds, 0,
        (int)(sizeof error_cases / sizeof *error_cases));
    tcase_add_test(cases, nan_stays_in_its_lane);
    tcase_add_test(cases, special_values_are_exact);
    tcase_add_test(cases, rotation_knows_every_quadrant);
    tcase_add_test(cases, first_lanes_are_loaded_without_touching_others);
    tcase_add_test(cases, transposition_swaps_rows_and_columns);
    tcase_add_test(cases, target_is_the_best_unless_named);
    tcase_add_test(cases, unknown_target_is_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
