/* HDF5 input: TVB's files, our own results, and files that want to do harm. */
#include <hdf5.h>
#include <math.h>
#include <signal.h>

#include "fixtures.h"
#include "h5/h5.h"
#include "h5/sandbox.h"
#include "support/test_main.h"

static const double w2[] = {0, 1, 2, 0};
static const double l2[] = {0, 10, 20, 0};
static const double c2[] = {1, 0, 0, -1, 0, 0};

static void put(hid_t where, const char *name, hid_t type, int rank, const hsize_t *dims,
    hid_t memory_type, const void *data)
{
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set =
        H5Dcreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(set, 0);
    ck_assert_int_ge(H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void put_doubles(
    hid_t where, const char *name, hsize_t rows, hsize_t columns, const double *data)
{
    const hsize_t dims[] = {rows, columns};
    put(where, name, H5T_IEEE_F64LE, 2, dims, H5T_NATIVE_DOUBLE, data);
}

static void put_text(hid_t where, const char *name, const char *value)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    hid_t space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    hid_t attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attribute, type, &value), 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static void put_sides(hid_t where)
{
    const hsize_t two = 2;
    const int8_t values[] = {0, 1};
    const int8_t sides[] = {1, 0};
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(type, "FALSE", &values[0]);
    H5Tenum_insert(type, "TRUE", &values[1]);
    put(where, "hemispheres", type, 1, &two, type, sides);
    H5Tclose(type);
}

static void put_labels(hid_t where, const char *name, bool variable)
{
    const hsize_t two = 2;
    const char *const texts[] = {"\xC3\xA9", "lB"};
    const char fixed[2][4] = {"rA", "lB"};
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, variable ? H5T_VARIABLE : sizeof fixed[0]);
    put(where, name, type, 1, &two, type,
        variable ? (const void *)texts : (const void *)fixed);
    H5Tclose(type);
}

static hid_t create_file(const char *name)
{
    ck_assert_int_eq(spl_h5_init(), SPL_OK);
    hid_t file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    return file;
}

static hid_t create_tvb(const char *name, bool variable)
{
    const hsize_t two = 2;
    const int cortical[] = {1, 0};
    hid_t file = create_file(name);
    put_doubles(file, "weights", 2, 2, w2);
    put_doubles(file, "tract_lengths", 2, 2, l2);
    put_doubles(file, "centres", 2, 3, c2);
    put_doubles(file, "orientations", 2, 3, c2);
    put_doubles(file, "areas", 2, 1, l2 + 1);
    put(file, "cortical", H5T_STD_I32LE, 1, &two, H5T_NATIVE_INT, cortical);
    put_sides(file);
    put_labels(file, "region_labels", variable);
    return file;
}

START_TEST(tvb_files_are_read)
{
    spl_connectome_info info;
    for (int variable = 0; variable < 2; variable++) {
        H5Fclose(create_tvb("t.h5", variable != 0));
        spl_connectome *c = load_file("t.h5");
        ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
        ck_assert_str_eq(info.form, "TVB HDF5");
        ck_assert_str_eq(info.members, "weights tract_lengths centres "
                                       "average_orientations areas cortical hemispheres");
        ck_assert_uint_eq(strlen(info.sha256), 64);
        ck_assert_str_eq(spl_connectome_label(c, 0), variable ? "\xC3\xA9" : "rA");
        ck_assert_str_eq(spl_connectome_label(c, 1), "lB");
        ck_assert_mem_eq(spl_connectome_centres(c), c2, sizeof c2);
        ck_assert_int_eq(spl_connectome_hemispheres(c)[0], 1);
        ck_assert_int_eq(spl_connectome_hemispheres(c)[1], 0);
        ck_assert_int_eq(spl_connectome_cortical(c)[0], 1);
        check_pair(c);
    }
}
END_TEST

START_TEST(a_user_block_is_skipped)
{
    hid_t plist = H5Pcreate(H5P_FILE_CREATE);
    ck_assert_int_eq(spl_h5_init(), SPL_OK);
    H5Pset_userblock(plist, 512);
    hid_t file = H5Fcreate("u.h5", H5F_ACC_TRUNC, plist, H5P_DEFAULT);
    put_doubles(file, "weights", 2, 2, w2);
    put_doubles(file, "tract_lengths", 2, 2, l2);
    H5Fclose(file);
    H5Pclose(plist);
    check_pair(load_file("u.h5"));
}
END_TEST

START_TEST(results_are_read)
{
    const char *hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    spl_connectome_info info;
    hid_t file = create_file("r.h5");
    put_text(file, "format", "splenium-results");
    hid_t group = H5Gcreate2(file, "connectome", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_doubles(group, "weights", 2, 2, w2);
    put_doubles(group, "tract_lengths", 2, 2, l2);
    put_labels(group, "labels", true);
    put_text(group, "normalisation", "region");
    put_text(group, "sha256", hash);
    const unsigned long long dropped = 7;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute =
        H5Acreate2(group, "dropped_self", H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_ULLONG, &dropped);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Gclose(group);
    H5Fclose(file);
    spl_connectome *c = load_file("r.h5");
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    ck_assert_str_eq(info.form, "splenium results");
    ck_assert_str_eq(info.normalisation, "region");
    ck_assert_str_eq(info.sha256, hash);
    ck_assert_uint_eq(info.n_dropped_self, 7);
    ck_assert_str_eq(spl_connectome_label(c, 0), "\xC3\xA9");
    check_pair(c);
}
END_TEST

START_TEST(other_files_are_refused)
{
    hid_t file = create_file("none.h5");
    put_doubles(file, "data", 2, 2, w2);
    H5Fclose(file);
    refuse_file("none.h5", SPL_ERR_FORMAT,
        "none.h5: no dataset weights at its root; this HDF5 file is no connectome");
    write_bytes("sig.h5", "\x89HDF\r\n\x1a\n and then nothing", 26);
    spl_connectome *c = NULL;
    ck_assert_int_eq(spl_connectome_load(&c, &(spl_connectome_options){.file = "sig.h5"}),
        SPL_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "sig.h5: not a readable HDF5 file: "));
    file = create_file("nan.h5");
    const double bad[] = {0, NAN, 1, 0};
    put_doubles(file, "weights", 2, 2, bad);
    H5Fclose(file);
    refuse_file("nan.h5", SPL_ERR_FORMAT,
        "nan.h5: weights: row 1 column 2: nan is not a usable value; replace it (write 0 "
        "where there is no connection)");
}
END_TEST

START_TEST(links_and_foreign_storage_are_refused)
{
    H5Fclose(create_tvb("good.h5", false));
    hid_t file = create_file("link.h5");
    H5Lcreate_external("good.h5", "/weights", file, "weights", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse_file("link.h5", SPL_ERR_FORMAT,
        "link.h5: /weights: only hard links are followed; store the data itself");
    file = create_file("soft.h5");
    put_doubles(file, "w", 2, 2, w2);
    H5Lcreate_soft("/w", file, "weights", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse_file("soft.h5", SPL_ERR_FORMAT,
        "soft.h5: /weights: only hard links are followed; store the data itself");
    file = create_file("external.h5");
    const hsize_t dims[] = {2, 2};
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(plist, "/etc/passwd", 0, 32);
    hid_t space = H5Screate_simple(2, dims, NULL);
    H5Dclose(H5Dcreate2(
        file, "weights", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(plist);
    H5Fclose(file);
    refuse_file("external.h5", SPL_ERR_FORMAT,
        "external.h5: /weights: external storage is not read; store the numbers");
}
END_TEST

START_TEST(huge_shapes_are_refused)
{
    const hsize_t dims[] = {30000, 30000};
    hid_t file = create_file("huge.h5");
    hid_t space = H5Screate_simple(2, dims, NULL);
    H5Dclose(H5Dcreate2(
        file, "weights", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    refuse_file("huge.h5", SPL_ERR_LIMIT,
        "huge.h5: weights: shape 30000 x 30000, above the limit of 20000 nodes; raise "
        "connectome.max_nodes");
    refuse_with((spl_connectome_options){.file = "huge.h5", .max_nodes = 30000},
        SPL_ERR_FORMAT, "huge.h5: /weights: larger than its file");
    H5Sclose(space);
}
END_TEST

static spl_status crash(int fd, const char *path, const void *user)
{
    (void)fd;
    (void)path;
    (void)user;
    kill(getpid(), SIGSEGV);
    return SPL_OK;
}

static spl_status open_after_lock(int fd, const char *path, const void *user)
{
    (void)fd;
    (void)user;
    if (spl_sandbox_lock() != SPL_OK) {
        return SPL_ERR_INTERNAL;
    }
    FILE *file = fopen(path, "r");
    return spl_error(SPL_ERR_LIMIT, "%s", file != NULL ? "opened" : "not\nopened");
}

START_TEST(the_sandbox_holds)
{
    spl_sandbox sandbox;
    spl_sandbox_record record;
    ck_assert_int_eq(spl_sandbox_start(&sandbox, "x", crash, NULL, 1 << 28), SPL_OK);
    ck_assert_int_eq(spl_sandbox_next(&sandbox, &record), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(),
        "x: reading it ended by signal 11 (Segmentation fault): the file is damaged or "
        "hostile; make it again");
    spl_sandbox_stop(&sandbox);
    write_file("x", "x");
    ck_assert_int_eq(
        spl_sandbox_start(&sandbox, "x", open_after_lock, NULL, 1 << 28), SPL_OK);
    ck_assert_int_eq(spl_sandbox_next(&sandbox, &record), SPL_ERR_LIMIT);
    ck_assert_str_eq(spl_last_error(), "not?opened");
    spl_sandbox_stop(&sandbox);
}
END_TEST

START_TEST(damaged_files_do_no_harm)
{
    static char bytes[65536];
    H5Fclose(create_tvb("base.h5", true));
    FILE *file = fopen("base.h5", "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    /* every byte of the superblock and the first headers in turn */
    for (size_t i = 9; i < 300 && i < n; i += 11) {
        spl_connectome *c = NULL;
        char before = bytes[i];
        bytes[i] = (char)(before ^ 0xFF);
        write_bytes("bad.h5", bytes, n);
        bytes[i] = before;
        spl_status status =
            spl_connectome_load(&c, &(spl_connectome_options){.file = "bad.h5"});
        ck_assert_int_eq(status != SPL_OK, c == NULL);
        spl_connectome_free(c);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_hdf5");
    TCase *tcase = tcase_create("connectome_hdf5");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_test(tcase, tvb_files_are_read);
    tcase_add_test(tcase, a_user_block_is_skipped);
    tcase_add_test(tcase, results_are_read);
    tcase_add_test(tcase, other_files_are_refused);
    tcase_add_test(tcase, links_and_foreign_storage_are_refused);
    tcase_add_test(tcase, huge_shapes_are_refused);
    tcase_add_test(tcase, the_sandbox_holds);
    tcase_add_test(tcase, damaged_files_do_no_harm);
    suite_add_tcase(suite, tcase);
    return suite;
}
