#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "h5/h5.h"
#include "h5/sandbox.h"
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

START_TEST(room_grows_with_what_arrives)
{
    const spl_sandbox sandbox = {.child = -1, .fd = -1, .path = "a.h5"};
    const size_t announced = SIZE_MAX / 4;
    void *items = malloc(8);
    size_t room = 2;
    ck_assert_int_eq(
        spl_sandbox_make_room(&sandbox, &items, &room, 0, 2, announced, 4), SPL_OK);
    ck_assert_uint_eq(room, 2);
    ck_assert_int_eq(
        spl_sandbox_make_room(&sandbox, &items, &room, 2, 1, announced, 4), SPL_OK);
    ck_assert_uint_eq(room, 4);
    ck_assert_int_eq(
        spl_sandbox_make_room(&sandbox, &items, &room, 3, 9, announced, 4), SPL_OK);
    ck_assert_uint_eq(room, 12);
    /* not beyond what was announced */
    ck_assert_int_eq(
        spl_sandbox_make_room(&sandbox, &items, &room, 12, 1, 13, 4), SPL_OK);
    ck_assert_uint_eq(room, 13);
    ck_assert_int_eq(
        spl_sandbox_make_room(&sandbox, &items, &room, 12, 2, 13, 4), SPL_ERR_FORMAT);
    ck_assert_int_eq(spl_sandbox_make_room(&sandbox, &items, &room, 13, SIZE_MAX, 13, 4),
        SPL_ERR_FORMAT);
    ck_assert_int_eq(
        spl_sandbox_make_room(&sandbox, &items, &room, 0, announced, announced, 4),
        SPL_ERR_NO_MEMORY);
    ck_assert_uint_eq(room, 13);
    free(items);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("h5");
    TCase *tcase = tcase_create("h5");
    tcase_add_test(tcase, the_innermost_reason_is_folded_in);
    tcase_add_test(tcase, no_stack_leaves_the_context_alone);
    tcase_add_test(tcase, room_grows_with_what_arrives);
    suite_add_tcase(suite, tcase);
    return suite;
}
