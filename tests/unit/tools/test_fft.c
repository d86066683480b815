/* The spectrum behind the dominant frequency that `splenium run` prints. */
#include "tools/fft.h"

#include <math.h>

#include "support/test_main.h"

enum { LONGEST = 256 };

START_TEST(fft_is_the_sum_of_the_definition)
{
    double re[LONGEST];
    double im[LONGEST];
    double x[LONGEST];
    double y[LONGEST];
    for (size_t n = 1; n <= LONGEST; n *= 2) {
        for (size_t j = 0; j < n; j++) {
            x[j] = re[j] = sin(1.7 * (double)(j * j)) + 0.3;
            y[j] = im[j] = cos(0.9 * (double)(j * j * j));
        }
        fft_forward(n, re, im);
        for (size_t k = 0; k < n; k++) {
            double sum_re = 0.0;
            double sum_im = 0.0;
            for (size_t j = 0; j < n; j++) {
                double angle = -2.0 * M_PI * (double)(j * k % n) / (double)n;
                sum_re += x[j] * cos(angle) - y[j] * sin(angle);
                sum_im += x[j] * sin(angle) + y[j] * cos(angle);
            }
            ck_assert_double_eq_tol(re[k], sum_re, 1e-12 * (double)n);
            ck_assert_double_eq_tol(im[k], sum_im, 1e-12 * (double)n);
        }
    }
}
END_TEST

START_TEST(welch_finds_a_sine_beside_a_trend)
{
    enum { N = 1000, SEGMENT = 128, CYCLES = 9 };
    static double x[N];
    double scratch[3 * SEGMENT];
    for (size_t i = 0; i < N; i++) {
        double t = (double)i;
        x[i] = 100.0 + 0.5 * t + 0.1 * sin(2.0 * M_PI * CYCLES * t / SEGMENT);
    }
    ck_assert_uint_eq(welch_scratch(SEGMENT), 3 * SEGMENT);
    /* an even number of segments and an odd one, the last of which has no partner */
    for (size_t n_segments = 14; n_segments >= 1; n_segments--) {
        double power[SEGMENT / 2 + 1] = {0.0};
        welch_add(x, SEGMENT + (n_segments - 1) * SEGMENT / 2, SEGMENT, scratch, power);
        for (size_t k = 0; k <= SEGMENT / 2; k++) {
            /* a Hann window spreads a line over its two neighbours, half as high */
            ck_assert(k == CYCLES || power[k] < 0.3 * power[CYCLES]);
        }
        /* |X|^2 = (A S / 4)^2 per segment; the trend that is taken away includes a
         * little of the sine */
        double expected = (double)n_segments * pow(0.1 * SEGMENT / 4.0, 2.0);
        ck_assert_double_eq_tol(power[CYCLES], expected, 0.05 * expected);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("fft");
    TCase *tests = tcase_create("fft");
    tcase_add_test(tests, fft_is_the_sum_of_the_definition);
    tcase_add_test(tests, welch_finds_a_sine_beside_a_trend);
    suite_add_tcase(suite, tests);
    return suite;
}
