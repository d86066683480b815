/* All threads or one: what is chosen from how long they took. A step takes one 1 s, so
 * that each look decides. */
#include "sim/threads.h"
#include "support/test_main.h"

START_TEST(the_faster_ones_go_on)
{
    spl_thread_choice choice = {0};
    spl_threads_tried(&choice, 100.0, 10, 10.0, 6.0);
    ck_assert(!choice.alone);
    ck_assert_double_eq(choice.one_s, 1.0);
    ck_assert_double_eq(choice.next_trial_s, 100.0 + 20.0 * 16.0);
    spl_threads_tried(&choice, 500.0, 10, 10.0, 10.0);
    ck_assert(choice.alone);
    spl_threads_tried(&choice, 900.0, 1000, 0.01, 0.005);
    ck_assert(!choice.alone);
    ck_assert_double_eq(choice.next_trial_s, 901.0);
}
END_TEST

START_TEST(nothing_is_slower_before_a_trial)
{
    spl_thread_choice choice = {0};
    ck_assert(!spl_threads_are_slower(&choice, 1.0, 10, 1000.0));
    ck_assert(!choice.alone);
    ck_assert_double_eq(choice.next_trial_s, 0.0);
}
END_TEST

START_TEST(slower_ones_leave_one_alone_each_time_for_longer)
{
    spl_thread_choice choice = {0};
    double pause_s = 0.1;
    for (int i = 0; i < 7; i++) {
        /* so short that only the pause counts */
        spl_threads_tried(&choice, 0.0, 1000000, 1e-6, 5e-7);
        ck_assert(!choice.alone);
        /* below 10 ms nothing is decided */
        ck_assert(!spl_threads_are_slower(&choice, 1.0, 1, 0.006));
        ck_assert(spl_threads_are_slower(&choice, 2.0, 1, 0.006));
        ck_assert(choice.alone);
        ck_assert_double_eq_tol(choice.next_trial_s, 2.0 + pause_s, 1e-9);
        ck_assert(!spl_threads_are_slower(&choice, 3.0, 1, 1.0));
        /* what one took alone is not held against the next trial */
        choice.watched_steps = 0;
        pause_s = pause_s < 1.6 ? 2.0 * pause_s : 1.6;
    }
    spl_threads_tried(&choice, 0.0, 10, 10.0, 5.0);
    ck_assert(!spl_threads_are_slower(&choice, 1.0, 10, 9.0));
    ck_assert(spl_threads_are_slower(&choice, 2.0, 10, 11.0));
    ck_assert_double_eq_tol(choice.next_trial_s, 2.1, 1e-9);
}
END_TEST

/* The rows of some steps may take longer than the steps of a trial. */
START_TEST(what_one_took_alone_counts)
{
    spl_thread_choice choice = {0};
    spl_threads_tried(&choice, 0.0, 10, 10.0, 11.0);
    ck_assert(!spl_threads_are_slower(&choice, 1.0, 10, 30.0));
    spl_threads_tried(&choice, 2.0, 10, 10.0, 6.0);
    ck_assert_double_eq(choice.one_s, 3.0);
    ck_assert(!spl_threads_are_slower(&choice, 3.0, 10, 25.0));
    /* what all took does not */
    ck_assert(!spl_threads_are_slower(&choice, 3.0, 1, 0.009));
    spl_threads_tried(&choice, 4.0, 1000, 1.0, 0.6);
    ck_assert_double_eq(choice.one_s, 0.001);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim_threads");
    TCase *tcase = tcase_create("choice");
    tcase_add_test(tcase, the_faster_ones_go_on);
    tcase_add_test(tcase, nothing_is_slower_before_a_trial);
    tcase_add_test(tcase, slower_ones_leave_one_alone_each_time_for_longer);
    tcase_add_test(tcase, what_one_took_alone_counts);
    suite_add_tcase(suite, tcase);
    return suite;
}
