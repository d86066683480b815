#include <hdf5.h>
#include <string.h>

#include "h5/h5.h"
#include "support/test_main.h"

START_TEST(the_innermost_reason_is_folded_in)
{
    ck_assert_int_eq(spl_h5_init(), SPL_OK);
    ck_assert_int_lt(H5Fopen("does/not/exist.h5", H5F_ACC_RDONLY, H5P_DEFAULT), 0);
    ck_assert_int_eq(spl_h5_error(SPL_ERR_FILE_READ, "%s: cannot open", "exist.h5"),
        SPL_ERR_FILE_READ);
    /* without the times and addresses that HDF5 puts around it */
    ck_assert_str_eq(
        spl_last_error(), "exist.h5: cannot open: No such file or directory");
}
END_TEST

START_TEST(no_stack_leaves_the_context_alone)
{
    ck_assert_int_eq(spl_h5_init(), SPL_OK);
    ck_assert_int_eq(spl_h5_error(SPL_ERR_FORMAT, "a.h5: odd"), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(), "a.h5: odd");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("h5");
    TCase *tcase = tcase_create("h5");
    tcase_add_test(tcase, the_innermost_reason_is_folded_in);
    tcase_add_test(tcase, no_stack_leaves_the_context_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}
