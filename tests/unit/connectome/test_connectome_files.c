/* Containers, from the plain to the hostile. */
#include "fixtures.h"
#include "support/test_main.h"

static void fixture_path(char path[512], const char *name)
{
    const char *source = getenv("SPLENIUM_SOURCE");
    ck_assert_ptr_nonnull(source);
    snprintf(path, 512, "%s/tests/unit/connectome/fixtures/%s", source, name);
}

static void check_form(const char *file, const char *form, const char *members)
{
    spl_connectome_info info;
    spl_connectome *c = load_file(file);
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    ck_assert_str_eq(info.form, form);
    ck_assert_str_eq(info.members, members);
    ck_assert_uint_eq(strlen(info.sha256), 64);
    ck_assert_str_eq(info.source, file);
    check_pair(c);
}

START_TEST(zips_of_every_shape_are_read)
{
    const char *three = "weights tract_lengths centres";
    write_zip("flat", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"centres.txt", C2, 0});
    check_form("flat", "TVB zip", three);
    write_zip("folder.zip", {"a/.DS_Store", "x", 0}, {"__MACOSX/a/._weights.txt", "x", 0},
        {"a/._weights.txt", "x", 0}, {"a/Weight.TXT", W2, 0},
        {"a/tracts.csv", "0,10\n20,0", 0}, {"a/positions", C2, 0},
        {"a/readme.md", "x", 0});
    check_form("folder.zip", "TVB zip", three);
    write_zip("hostile.zip", {"/etc/weights.txt", W2, 0},
        {"../../tract_lengths.txt", L2, 0}, {"b\\centres.txt", C2, 0},
        {"\xC3\xA9.txt", "x", 0});
    check_form("hostile.zip", "TVB zip", three);
    ck_assert_int_ne(access("/etc/weights.txt", F_OK), 0);
    ck_assert_uint_eq(n_warnings, 0);
}
END_TEST

START_TEST(foreign_zips_are_read)
{
    static const char *const names[] = {
        "bzip2.zip", "descriptor.zip", "np0.npz", "np1.npz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        fixture_path(path, names[i]);
        check_form(path, i < 2 ? "TVB zip" : "npz",
            i < 1 ? "weights tract_lengths centres" : "weights tract_lengths");
    }
}
END_TEST

START_TEST(stored_zips_and_a_junk_prefix_are_read)
{
    char bytes[4096] = "#!/bin/sh junk\n";
    const zip_member members[] = {
        {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0}, {NULL, NULL, 0}};
    write_zip_by("stored.zip", "compression=store", members);
    check_form("stored.zip", "TVB zip", "weights tract_lengths");
    FILE *file = fopen("stored.zip", "rb");
    size_t n = fread(bytes + 15, 1, sizeof bytes - 15, file);
    fclose(file);
    write_bytes("junk.zip", bytes, n + 15);
    check_form("junk.zip", "TVB zip", "weights tract_lengths");
}
END_TEST

START_TEST(compressed_members_and_files_are_read)
{
    char gz[256];
    char bz[256];
    size_t n_gz = compress_text("gzip", W2, strlen(W2), gz, sizeof gz);
    size_t n_bz = compress_text("bzip2", L2, strlen(L2), bz, sizeof bz);
    write_zip("z.zip", {"weights.txt.gz", gz, n_gz}, {"tract_lengths.txt.bz2", bz, n_bz});
    check_form("z.zip", "TVB zip", "weights tract_lengths");
    write_bytes("w", gz, n_gz);
    write_bytes("l", bz, n_bz);
    check_pair(load_with((spl_connectome_options){.weights = "w", .lengths = "l"}));
    write_bytes("cut", gz, n_gz - 12);
    refuse_with((spl_connectome_options){.weights = "cut", .lengths = "l"},
        SPL_ERR_FORMAT,
        "cut: damaged compressed data: truncated gzip input; fetch it again");
}
END_TEST

START_TEST(folders_are_read)
{
    spl_connectome_info zip_info;
    spl_connectome_info info;
    ck_assert_int_eq(mkdir("c", 0700), 0);
    ck_assert_int_eq(mkdir("c/hemispheres.txt", 0700), 0);
    write_file("c/weights.txt", W2);
    write_file("c/tract_lengths.txt", L2);
    write_file("c/.weights.txt.swp", "x");
    check_form("c", "folder", "weights tract_lengths");
    spl_connectome *c = load_file("c/");
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    /* sha256sum of the lengths and the weights, in the order of their names */
    write_file("w", L2 W2);
    spl_connectome *one = load_with((spl_connectome_options){
        .weights = "c/weights.txt", .lengths = "c/tract_lengths.txt"});
    ck_assert_int_eq(spl_connectome_describe(one, false, &zip_info), SPL_OK);
    ck_assert_str_eq(info.sha256, zip_info.sha256);
    spl_connectome_free(one);
    spl_connectome_free(c);
}
END_TEST

START_TEST(npy_files_are_read)
{
    static const char *const names[] = {"f4C", "f4F", "f8C", "f8F", "i4C", "i4F", "i8C",
        "i8F", "u1C", "u1F", "version2", "version3"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[32];
        char path[512];
        snprintf(name, sizeof name, "%s.npy", names[i]);
        fixture_path(path, name);
        write_file("l", L2);
        check_pair(load_with((spl_connectome_options){.weights = path, .lengths = "l"}));
    }
}
END_TEST

START_TEST(other_npy_files_are_refused)
{
    char path[512];
    char message[1024];
    fixture_path(path, "strings.npy");
    snprintf(message, sizeof message,
        "%s: dtype '<U1' is not read; save as <f8, <f4, <i4, <i8, |u1 or |b1", path);
    refuse_file(path, SPL_ERR_FORMAT, message);
    fixture_path(path, "big_endian.npy");
    snprintf(message, sizeof message,
        "%s: dtype '>f8' is not read; save as <f8, <f4, <i4, <i8, |u1 or |b1", path);
    refuse_file(path, SPL_ERR_FORMAT, message);
    write_bytes("v9", "\x93NUMPY\x09\x00\x00\x00", 10);
    refuse_file("v9", SPL_ERR_FORMAT,
        "v9: .npy version 9.0 is not read; save it with version 1.0, 2.0 or 3.0");
    write_bytes("cut", "\x93NUMPY\x01\x00\x76\x00{'descr", 17);
    refuse_file("cut", SPL_ERR_FORMAT,
        "cut: the .npy header is cut off after 17 bytes; save the array again");
    write_bytes("small",
        "\x93NUMPY\x01\x00\x40\x00"
        "{'shape': (9, 9), 'fortran_order': False, 'descr': '<f8'}      \n8bytes..",
        82);
    refuse_file("small", SPL_ERR_FORMAT,
        "small: 8 bytes of data for the shape 9 x 9 of '<f8'; save the array again");
    write_bytes("huge",
        "\x93NUMPY\x01\x00\x40\x00"
        "{'shape':(99999,9),'descr':'<f8','fortran_order':False}        \n8bytes..",
        82);
    refuse_file("huge", SPL_ERR_LIMIT,
        "huge: shape 99999 x 9, above the limit of 20000 nodes; raise "
        "connectome.max_nodes");
}
END_TEST

START_TEST(ambiguous_members_are_refused)
{
    write_zip("two.zip", {"weights.txt", W2, 0}, {"b/weight.csv", W2, 0});
    refuse_file("two.zip", SPL_ERR_FORMAT,
        "two.zip: two candidates for weights: 'weights.txt' and 'b/weight.csv'; remove "
        "one");
    write_zip("twice.zip", {"weights.txt", W2, 0}, {"x", "x", 0}, {"x", "x", 0});
    refuse_file("twice.zip", SPL_ERR_FORMAT,
        "twice.zip: member 'x' occurs twice, as number 2 and 3; remove one");
    write_zip("none.zip", {"a.txt", W2, 0}, {"b.txt", W2, 0});
    refuse_file("none.zip", SPL_ERR_FORMAT,
        "none.zip: no member named weights (or weight) among 2; add weights.txt or "
        "weights.npy");
    write_zip("mat.zip", {"weights.mat", "x", 0});
    refuse_file("mat.zip", SPL_ERR_FORMAT,
        "mat.zip: weights.mat: .mat files are not read here; store text or .npy");
    write_zip("h5.zip", {"weights.txt", "\x89HDF\r\n\x1a\n", 0}, {"tracts", L2, 0});
    refuse_file("h5.zip", SPL_ERR_FORMAT,
        "h5.zip: weights.txt: HDF5 inside another container is not read; store text or "
        ".npy");
}
END_TEST

START_TEST(a_part_of_a_name_is_a_last_resort)
{
    write_zip("part.zip", {"my_weights.txt", W2, 0}, {"the_tracts.txt", L2, 0});
    check_form("part.zip", "TVB zip", "weights tract_lengths");
    ck_assert_str_eq(last_warning, "part.zip: my_weights.txt: no labels: regions are "
                                   "called by their index, 0 to 1, and no positions");
    ck_assert_uint_eq(n_warnings, 3);
    write_zip("exact.zip", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"tract_lengths_weighted.txt", "x", 0});
    check_form("exact.zip", "TVB zip", "weights tract_lengths");
}
END_TEST

/* Replace `old` by `new` wherever it occurs. */
static void patch(const char *name, const char *old, const char *new, size_t length)
{
    char bytes[8192];
    FILE *file = fopen(name, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    size_t n_found = 0;
    fclose(file);
    for (size_t i = 0; i + length <= n; i++) {
        if (memcmp(bytes + i, old, length) == 0) {
            memcpy(bytes + i, new, length);
            n_found++;
        }
    }
    ck_assert_uint_gt(n_found, 0);
    write_bytes(name, bytes, n);
}

/* The head of such a member chooses how much memory unpacking takes. */
START_TEST(zips_of_hungry_methods_are_refused)
{
    char path[512];
    char message[1024];
    fixture_path(path, "lzma.zip");
    snprintf(message, sizeof message,
        "%s: weights.txt: packed by the method (lzma); make the archive again with the "
        "ordinary one, deflate",
        path);
    refuse_file(path, SPL_ERR_FORMAT, message);
    fixture_path(path, "link_lzma.zip");
    snprintf(message, sizeof message,
        "%s: a link among members that are not packed by deflate; make the archive again "
        "with the files themselves",
        path);
    refuse_file(path, SPL_ERR_FORMAT, message);
}
END_TEST

START_TEST(damaged_zips_are_refused)
{
    const zip_member members[] = {
        {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0}, {NULL, NULL, 0}};
    write_zip_by("crc.zip", "compression=store", members);
    patch("crc.zip", "0 1\n", "0 3\n", 4);
    refuse_file("crc.zip", SPL_ERR_FORMAT,
        "crc.zip: weights.txt: damaged member: ZIP bad CRC: 0xbaf0710d should be "
        "0xf738d006; fetch the archive again");
    write_zip_by("enc.zip", "encryption=traditional", members);
    refuse_file("enc.zip", SPL_ERR_FORMAT,
        "enc.zip: weights.txt: the member is encrypted; store it without a password");
    write_zip_by("cut.zip", "compression=store", members);
    ck_assert_int_eq(truncate("cut.zip", 60), 0);
    spl_connectome *c = NULL;
    ck_assert_int_eq(
        spl_connectome_load(&c, &(spl_connectome_options){.file = "cut.zip"}),
        SPL_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "cut.zip: damaged zip archive: "));
}
END_TEST

START_TEST(caps_stop_bombs)
{
    const size_t length = (size_t)70 << 20;
    static char packed[1 << 20];
    char *blanks = malloc(length);
    ck_assert_ptr_nonnull(blanks);
    memset(blanks, '\n', length);
    write_zip("bomb.zip", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"centres.txt", blanks, length});
    spl_connectome *c = NULL;
    ck_assert_int_eq(
        spl_connectome_load(&c, &(spl_connectome_options){.file = "bomb.zip"}),
        SPL_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "beyond 1000 to 1"));
    size_t n = compress_text("bzip2", blanks, length, packed, sizeof packed);
    write_zip("nested.zip", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"centres.txt.bz2", packed, n});
    ck_assert_int_eq(
        spl_connectome_load(&c, &(spl_connectome_options){.file = "nested.zip"}),
        SPL_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "nested.zip: centres.txt.bz2: "));
    memset(blanks, '1', length);
    write_zip("line.zip", {"weights.txt", blanks, length}, {"tract_lengths.txt", L2, 0});
    ck_assert_int_eq(
        spl_connectome_load(&c, &(spl_connectome_options){.file = "line.zip"}),
        SPL_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "no complete row in the first"));
    memcpy(blanks, "1 2\n", 4);
    for (size_t i = 4; i < 3 << 20; i += 4) {
        memcpy(blanks + i, "1 2\n", 4);
    }
    write_zip("rows.zip", {"weights.txt", blanks, 3 << 20}, {"tract_lengths.txt", L2, 0});
    refuse_file("rows.zip", SPL_ERR_LIMIT,
        "rows.zip: weights.txt: more than 1049088 bytes for 2 numbers per row; store the "
        "matrix with fewer digits");
    refuse_with((spl_connectome_options){.file = "rows.zip", .max_member_bytes = 1 << 20},
        SPL_ERR_LIMIT,
        "rows.zip: weights.txt: more than 1048576 bytes; raise "
        "connectome.max_member_bytes "
        "if it is meant to be so large");
    free(blanks);
}
END_TEST

START_TEST(many_members_are_refused)
{
    static char names[257][16];
    zip_member members[258] = {{NULL, NULL, 0}};
    for (int i = 0; i < 257; i++) {
        snprintf(names[i], sizeof names[i], "m%d", i);
        members[i] = (zip_member){names[i], "x", 1};
    }
    write_zip_by("many.zip", NULL, members);
    refuse_file("many.zip", SPL_ERR_LIMIT,
        "many.zip: more than 256 members; make an archive of the connectome's files "
        "only");
}
END_TEST

START_TEST(absent_and_odd_files_are_refused)
{
    refuse_file("absent.zip", SPL_ERR_FILE_MISSING,
        "absent.zip: cannot be opened: No such file or directory; check the path");
    write_file("w", W2);
    refuse_with((spl_connectome_options){.weights = "w", .lengths = "absent"},
        SPL_ERR_FILE_MISSING,
        "absent: cannot be opened: No such file or directory; check the path");
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    refuse_file("fifo", SPL_ERR_FILE_READ,
        "fifo: is neither a file nor a folder; give a connectome file");
    write_file("empty", "");
    refuse_file(
        "empty", SPL_ERR_FORMAT, "empty: holds no numbers; give a table of numbers");
    refuse_with((spl_connectome_options){0}, SPL_ERR_ARGUMENT,
        "a connectome needs either one file or separate files; set connectome.file or "
        "connectome.weights");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_files");
    TCase *tcase = tcase_create("connectome_files");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_test(tcase, zips_of_every_shape_are_read);
    tcase_add_test(tcase, foreign_zips_are_read);
    tcase_add_test(tcase, stored_zips_and_a_junk_prefix_are_read);
    tcase_add_test(tcase, compressed_members_and_files_are_read);
    tcase_add_test(tcase, folders_are_read);
    tcase_add_test(tcase, npy_files_are_read);
    tcase_add_test(tcase, other_npy_files_are_refused);
    tcase_add_test(tcase, ambiguous_members_are_refused);
    tcase_add_test(tcase, a_part_of_a_name_is_a_last_resort);
    tcase_add_test(tcase, zips_of_hungry_methods_are_refused);
    tcase_add_test(tcase, damaged_zips_are_refused);
    tcase_add_test(tcase, caps_stop_bombs);
    tcase_add_test(tcase, many_members_are_refused);
    tcase_add_test(tcase, absent_and_odd_files_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
