/* Seeds of named parts, against hashlib of Python:
 * int.from_bytes(sha256(seed.to_bytes(8, "little") + name).digest()[:8], "little"). */
#include "spiking/population.h"
#include "support/test_main.h"

START_TEST(seed_is_that_of_sha256)
{
    ck_assert_uint_eq(spl_named_seed(1, "cortex.E"), 0x158f8c035e5f9b0u);
    ck_assert_uint_eq(spl_named_seed(0xfedcba9876543210u, ""), 0xdbcb14155db7aeu);
    ck_assert_uint_ne(spl_named_seed(1, "cortex.E"), spl_named_seed(1, "cortex.I"));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_seed");
    TCase *all = tcase_create("all");
    tcase_add_test(all, seed_is_that_of_sha256);
    suite_add_tcase(suite, all);
    return suite;
}
