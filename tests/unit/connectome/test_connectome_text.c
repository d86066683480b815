/* The text grammar: what is read, and what is refused with its place. */
#include <float.h>
#include <locale.h>
#include <math.h>

#include "connectome/connectome.h"
#include "fixtures.h"
#include "support/test_main.h"

static spl_status parse(spl_table *table, const char *text)
{
    static const spl_limits limits = {.max_nodes = 100, .max_member_bytes = 1 << 20};
    spl_blob blob = {0};
    ck_assert_int_eq(
        spl_blob_append(&blob, text, strlen(text), "m", 1, false, &limits), SPL_OK);
    spl_status status = spl_text_matrix(table, "m", &blob, SPL_TEXT_PLAIN, &limits);
    spl_blob_deinit(&blob);
    return status;
}

static void check_parse(const char *text, size_t rows, size_t columns, const double *data)
{
    spl_table table;
    ck_assert_msg(parse(&table, text) == SPL_OK, "%s", spl_last_error());
    ck_assert_uint_eq(table.rows, rows);
    ck_assert_uint_eq(table.columns, columns);
    ck_assert_mem_eq(table.data, data, rows * columns * sizeof *data);
    spl_table_deinit(&table);
}

START_TEST(shapes_of_text_are_read)
{
    const double four[] = {1, 2, 3, 4.5};
    check_parse("1 2\n3 4.5", 2, 2, four);
    check_parse("\xEF\xBB\xBF# title\n\n  1\t 2 \r\n\n3 \t4.5\t\r\n# end\n", 2, 2, four);
    check_parse("1,2\n3,4.5\n", 2, 2, four);
}
END_TEST

START_TEST(separators_are_found)
{
    const double four[] = {1, 2, 3, 4.5};
    check_parse(" 1 , 2\n3 ,4.5 \n", 2, 2, four);
    check_parse("1;2\n3; 4.5\n", 2, 2, four);
    check_parse("1\n2\n3\n4.5\n", 4, 1, four);
    check_parse("1", 1, 1, four);
}
END_TEST

static const struct {
    const char *text, *message;
} bad_texts[] = {
    {"", "m: holds no numbers; give a table of numbers"},
    {"# nothing\n\n", "m: holds no numbers; give a table of numbers"},
    {"1 2\n3\n",
        "m:2:2: 1 numbers in row 2, expected 2 as in the first row; complete the "
        "file"},
    {"1 2\n\n3 4 5\n",
        "m:3:6: 3 numbers in row 2, expected 2 as in the first row; complete "
        "the file"},
    {"1 2\n3 nan\n", "m: row 2 column 2: nan is not a usable value; replace it (write 0 "
                     "where there is no connection)"},
    {"-Inf 2\n3 4\n",
        "m: row 1 column 1: -Inf is not a usable value; replace it (write 0 "
        "where there is no connection)"},
    {"1e999\n", "m: row 1 column 1: 1e999 is too large for a double; scale the matrix"},
    {"1 2\n3 0x10\n",
        "m:2:3: '0x10' is not a decimal number; write plain decimal numbers "
        "such as 0.5 or 5e-1"},
    {"1 2\n1D3 4\n",
        "m:2:1: '1D3' is not a decimal number; write plain decimal numbers such "
        "as 0.5 or 5e-1"},
    {"1_000 2\n",
        "m:1:1: '1_000' is not a decimal number; write plain decimal numbers such "
        "as 0.5 or 5e-1"},
    {"1,2\n3,\n", "m:2:3: empty field; write a number between the separators"},
    {"1 2\r3 4\r",
        "m:1:4: carriage return without line feed; convert the file to LF line "
        "ends"},
    {"1 2\n3 true\n",
        "m:2:3: 'true' is not a decimal number; write plain decimal numbers "
        "such as 0.5 or 5e-1"},
};

START_TEST(bad_text_is_refused_with_its_place)
{
    spl_table table;
    ck_assert_int_eq(parse(&table, bad_texts[_i].text), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(), bad_texts[_i].message);
    ck_assert_ptr_null(table.data);
}
END_TEST

START_TEST(too_many_columns_are_refused)
{
    char text[256] = "";
    for (int i = 0; i < 101; i++) {
        strcat(text, "1 ");
    }
    spl_table table;
    ck_assert_int_eq(parse(&table, text), SPL_ERR_LIMIT);
    ck_assert_str_eq(spl_last_error(),
        "m: 101 columns, above the limit of 100 nodes; raise connectome.max_nodes");
}
END_TEST

static void check_number(const char *text)
{
    char padded[512] = "";
    double value = 0.0;
    snprintf(padded, sizeof padded - SPL_BLOB_PADDING, "%s", text);
    const char *end = spl_scan_number(padded, &value);
    double expected = strtod(text, NULL);
    ck_assert_ptr_eq(end, padded + strlen(text));
    ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %a, strtod %a", text,
        value, expected);
}

START_TEST(numbers_equal_strtod_bit_for_bit)
{
    static const char *const texts[] = {"0", "-0", "+.5", "5.", "1e22", "1e23", "1e-22",
        "1e-23", "9007199254740993", "9007199254740992e22",
        "123456789012345678901234567890",
        "0."
        "1582252273329476655039371735256281681358814239501953125000000000000000000000000"
        "0",
        "1.797693134862315708e308", "4.9e-324", "1e-400", "2.2250738585072011e-308",
        "0.000000000000000000000000000001", "1e+0005", "6.2306765e-01"};
    char text[64];
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_number(texts[i]);
    }
    for (int i = 0; i < 60000; i++) {
        /* xorshift: any bits, then in the styles of the public files */
        static const char *const styles[] = {
            "%.18e", "%.7e", "%f", "%.17g", "%.15g", "%.0f"};
        double value;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&value, &state, sizeof value);
        if (!isfinite(value) || (i % 6 != 0 && fabs(value) > 1e30)) {
            value = (double)(state >> 11) * 0x1p-50;
        }
        snprintf(text, sizeof text, styles[i % 6], value);
        if (strlen(text) < sizeof text - 1) {
            check_number(text);
        }
    }
}
END_TEST

START_TEST(the_locale_does_not_matter)
{
    double value = 0.0;
    const char text[32] = "0.1234567890123456789012";
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        fprintf(stderr, "# skipped: no locale de_DE.UTF-8 on this machine\n");
        return;
    }
    ck_assert_ptr_nonnull(spl_scan_number(text, &value));
    ck_assert(value == 0x1.f9add3746f65fp-4);
    setlocale(LC_ALL, "C");
}
END_TEST

static spl_connectome *load_centres(const char *centres)
{
    write_file("w.txt", W2);
    write_file("l.txt", L2);
    write_file("c.txt", centres);
    return load_with((spl_connectome_options){
        .weights = "w.txt", .lengths = "l.txt", .centres = "c.txt"});
}

static void check_labels(const char *centres, const char *first, const char *second)
{
    spl_connectome *c = load_centres(centres);
    ck_assert_str_eq(spl_connectome_label(c, 0), first);
    ck_assert_str_eq(spl_connectome_label(c, 1), second);
    ck_assert(spl_connectome_centres(c)[0] == 1.0);
    ck_assert(spl_connectome_centres(c)[5] == -6.0);
    spl_connectome_free(c);
}

START_TEST(labels_come_in_many_forms)
{
    check_labels("a#1 1 2 3\nb 4 5 -6\n", "a#1", "b");
    check_labels("rBSTS 1 2 3 None\n rCAC 4 5 -6 None\n", "rBSTS", "rCAC");
    check_labels("area,_nose 1 2 3\nb 4 5 -6\n", "area,_nose", "b");
    check_labels("\"a b, c\" 1 2 3\n\"d\" 4 5 -6\n", "a b, c", "d");
    check_labels("a b,1,2,3\n\"c, d\",4,5,-6\n", "a b", "c, d");
    check_labels("a;1;2;3\nb;4;5;-6\n", "a", "b");
    check_labels(
        "\xC3\xA9t\xC3\xA9\t1\t2\t3\t\r\nb\t4\t5\t-6\r\n", "\xC3\xA9t\xC3\xA9", "b");
    check_labels("1 2 3\n4 5 -6\n", "0", "1");
}
END_TEST

static const struct {
    const char *centres, *message;
} bad_centres[] = {
    {"a 1 2 3\n\xE9 4 5 6\n",
        "c.txt:2:1: byte 0xe9 in the label is not UTF-8; save the file "
        "as UTF-8"},
    {"a 1 2 3\nb 4 5\n",
        "c.txt:2:6: 2 coordinates, expected 3: label x y z; complete the "
        "row"},
    {"a 1 2 3\nb c 5 6\n",
        "c.txt:2:3: 'c' is not a number; expected: label x y z (quote a "
        "label that holds blanks)"},
    {"a 1 2 3\nb 4 inf 6\n",
        "c.txt: row 2 column 3: inf is not a usable coordinate; write a "
        "number in mm"},
    {"a 1 2 3\n\"\" 4 5 6\n", "c.txt:2:2: empty label; name the region"},
};

START_TEST(bad_centres_are_refused)
{
    write_file("w.txt", W2);
    write_file("l.txt", L2);
    write_file("c.txt", bad_centres[_i].centres);
    refuse_with(
        (spl_connectome_options){
            .weights = "w.txt", .lengths = "l.txt", .centres = "c.txt"},
        SPL_ERR_FORMAT, bad_centres[_i].message);
}
END_TEST

START_TEST(labels_may_stand_in_their_own_file)
{
    static const char *const forms[] = {"a b\n c \n", "a b,c\n", "a b;c", "\"a b\" c"};
    write_file("w.txt", W2);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        write_file("n.txt", forms[i]);
        spl_connectome *c = load_with((spl_connectome_options){.weights = "w.txt",
            .labels = "n.txt",
            .missing_lengths = SPL_MISSING_LENGTHS_ZERO});
        ck_assert_str_eq(spl_connectome_label(c, 0), "a b");
        ck_assert_str_eq(spl_connectome_label(c, 1), "c");
        spl_connectome_free(c);
    }
    write_file("n.txt", "a\nb\nc\n");
    refuse_with((spl_connectome_options){.weights = "w.txt",
                    .labels = "n.txt",
                    .missing_lengths = SPL_MISSING_LENGTHS_ZERO},
        SPL_ERR_CONNECTOME, "n.txt: 3 labels, expected 2 as w.txt has 2 nodes");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_text");
    TCase *tcase = tcase_create("connectome_text");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_test(tcase, shapes_of_text_are_read);
    tcase_add_test(tcase, separators_are_found);
    tcase_add_loop_test(tcase, bad_text_is_refused_with_its_place, 0,
        (int)(sizeof bad_texts / sizeof *bad_texts));
    tcase_add_test(tcase, too_many_columns_are_refused);
    tcase_add_test(tcase, numbers_equal_strtod_bit_for_bit);
    tcase_add_test(tcase, the_locale_does_not_matter);
    tcase_add_test(tcase, labels_come_in_many_forms);
    tcase_add_loop_test(tcase, bad_centres_are_refused, 0,
        (int)(sizeof bad_centres / sizeof *bad_centres));
    tcase_add_test(tcase, labels_may_stand_in_their_own_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
