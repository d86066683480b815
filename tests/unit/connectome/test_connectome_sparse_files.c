/* Sparse matrices in files: SciPy's .npz, HDF5 groups, and what pretends to be them.
 * The network is W2 and L2 of the fixtures with a third node without connections, whose
 * entry (3, 3) is stored as 0. */
#include <hdf5.h>
#include <math.h>

#include "fixtures.h"
#include "h5/h5.h"
#include "support/test_main.h"

enum { MOST = 6, ROOM = 256 };

/* One array of whole numbers or reals on its way into a file. */
typedef struct numbers {
    size_t n;
    double values[MOST];
} numbers;

typedef struct matrix {
    const char *format;
    numbers data, indices, indptr, shape;
} matrix;

static const matrix weights = {
    "csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}};
static const matrix lengths = {
    "csr", {3, {10, 20, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}};

/* The bytes of a .npy member. */
static size_t make_npy(
    char out[ROOM], const char *descr, size_t n, const void *data, size_t bytes)
{
    char shape[32] = "()";
    if (n > 0) {
        snprintf(shape, sizeof shape, "(%zu,)", n);
    }
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", 10);
    int used = snprintf(out + 10, ROOM - 10,
        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    memset(out + 10 + used, ' ', (size_t)(118 - used));
    memcpy(out + 128, data, bytes);
    return 128 + bytes;
}

static size_t make_wholes(char out[ROOM], const numbers *from, bool wide)
{
    int64_t eight[MOST];
    int32_t four[MOST];
    for (size_t k = 0; k < from->n; k++) {
        eight[k] = (int64_t)from->values[k];
        four[k] = (int32_t)from->values[k];
    }
    return wide ? make_npy(out, "<i8", from->n, eight, from->n * 8)
                : make_npy(out, "<i4", from->n, four, from->n * 4);
}

/* As scipy.sparse.save_npz; `without` names a member to leave out. */
static void write_npz(const char *name, const matrix *m, bool wide, const char *without)
{
    char parts[5][ROOM];
    const zip_member all[] = {
        {"indices.npy", parts[0], make_wholes(parts[0], &m->indices, wide)},
        {"indptr.npy", parts[1], make_wholes(parts[1], &m->indptr, wide)},
        {"format.npy", parts[2],
            make_npy(parts[2], "|S3", 0, m->format, strlen(m->format))},
        {"shape.npy", parts[3], make_wholes(parts[3], &m->shape, true)},
        {"data.npy", parts[4],
            make_npy(parts[4], "<f8", m->data.n, m->data.values, m->data.n * 8)}};
    zip_member kept[6] = {{0}};
    size_t n = 0;
    for (size_t i = 0; i < 5; i++) {
        if (without == NULL || strcmp(all[i].name, without) != 0) {
            kept[n++] = all[i];
        }
    }
    write_zip_by(name, NULL, kept);
}

static void check_network(spl_connectome *c, const char *form)
{
    spl_connectome_info info;
    spl_edges edges;
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    ck_assert_str_eq(info.form, form);
    ck_assert(info.sparse);
    ck_assert_uint_eq(info.n_edges, 2);
    ck_assert_uint_eq(info.n_isolated, 1);
    ck_assert_uint_eq(strlen(info.sha256), 64);
    spl_connectome_edges(c, &edges);
    ck_assert_uint_eq(edges.n_entries, 3);
    ck_assert(edges.start[0] == 0 && edges.start[1] == 1 && edges.start[3] == 3);
    ck_assert(edges.source[0] == 1 && edges.source[1] == 0 && edges.source[2] == 2);
    ck_assert_mem_eq(edges.weights, weights.data.values, 3 * sizeof(double));
    ck_assert_mem_eq(edges.tract_lengths, lengths.data.values, 3 * sizeof(double));
    spl_connectome_free(c);
}

static const spl_connectome_options pair = {.weights = "w.npz", .lengths = "l.npz"};

START_TEST(scipy_files_are_read)
{
    char path[512];
    char other[512];
    const char *folder = getenv("SPLENIUM_SOURCE");
    ck_assert_ptr_nonnull(folder);
    snprintf(path, 512, "%s/tests/unit/connectome/fixtures/sparse_w.npz", folder);
    snprintf(other, 512, "%s/tests/unit/connectome/fixtures/sparse_l.npz", folder);
    check_network(load_with((spl_connectome_options){.weights = path, .lengths = other}),
        "sparse npz");
    for (int wide = 0; wide < 2; wide++) {
        write_npz("w.npz", &weights, wide != 0, NULL);
        write_npz("l.npz", &lengths, wide == 0, NULL);
        check_network(load_with(pair), "sparse npz");
    }
}
END_TEST

/* The members of a folder or an archive may be such files. */
START_TEST(scipy_files_are_members)
{
    char bytes[2][4096];
    size_t n_bytes[2];
    ck_assert_int_eq(mkdir("f", 0700), 0);
    write_npz("f/weights.npz", &weights, false, NULL);
    write_npz("f/tract_lengths.npz", &lengths, false, NULL);
    write_file("f/centres.txt", "rA 1 0 0\nlA -1 0 0\nrB 0 0 0\n");
    spl_connectome *c = load_file("f");
    ck_assert_str_eq(spl_connectome_label(c, 2), "rB");
    check_network(c, "folder");
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(i == 0 ? "f/weights.npz" : "f/tract_lengths.npz", "rb");
        n_bytes[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
    }
    write_zip("f.zip", {"weights.npz", bytes[0], n_bytes[0]},
        {"tract_lengths.npz", bytes[1], n_bytes[1]});
    check_network(load_file("f.zip"), "TVB zip");
}
END_TEST

START_TEST(weights_alone_need_no_lengths_without_delays)
{
    write_npz("w.npz", &weights, false, NULL);
    spl_connectome *c = load_with((spl_connectome_options){
        .file = "w.npz", .missing_lengths = SPL_MISSING_LENGTHS_ZERO});
    spl_edges edges;
    spl_connectome_edges(c, &edges);
    ck_assert(edges.n_entries == 3 && edges.tract_lengths[0] == 0.0);
    spl_connectome_free(c);
    refuse_file("w.npz", SPL_ERR_CONNECTOME,
        "w.npz: no tract_lengths beside these weights; add them, or set "
        "connectome.speed: inf or connectome.missing_lengths: euclidean");
}
END_TEST

/* A wrong matrix of weights, and what is said of it. */
typedef struct bad_matrix {
    matrix m;
    const char *without;
    spl_status status;
    const char *message;
} bad_matrix;

static const bad_matrix bad[] = {
    {{"csc", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: the format 'csc' is not read; save the matrix as CSR: "
        "scipy.sparse.save_npz(file, matrix.tocsr())"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}},
        "indptr.npy", SPL_ERR_FORMAT,
        "w.npz: indptr.npy: no such member; save the matrix with "
        "scipy.sparse.save_npz, as CSR"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {3, {0, 1, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: indptr.npy: 3 numbers, expected 4 by shape and data; save the matrix "
        "again"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 2, 1, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: indptr[2] is 1 after 2; it must not fall, nor exceed 3; save the matrix "
        "again"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 4}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: indptr runs from 0 to 4, expected 0 to 3, the number of stored entries; "
        "save the matrix again"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 3}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: indices.npy: number 3 is 3, expected a whole number from 0 to 2; save "
        "the matrix again"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, -1, 2}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: indices.npy: number 2 is -1, expected a whole number from 0 to 2; save "
        "the matrix again"},
    {{"csr", {3, {1, 2, 0}}, {2, {1, 0}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: indices.npy: 2 numbers, expected 3 by shape and data; save the matrix "
        "again"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {3, {3, 3, 3}}}, NULL,
        SPL_ERR_FORMAT,
        "w.npz: shape.npy: 3 numbers, expected 2 by shape and data; save the matrix "
        "again"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {2, {20000000, 3}}}, NULL,
        SPL_ERR_LIMIT,
        "w.npz: 20000000 x 3 with 3 stored entries; the largest sparse connectome has "
        "2^24 nodes and 2^31 - 1 entries"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 2}}, {4, {0, 1, 2, 3}}, {2, {3, 4}}}, NULL,
        SPL_ERR_CONNECTOME,
        "w.npz: 3 rows and 4 columns; weights must be square and not empty"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 1}}, {4, {0, 1, 2, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_CONNECTOME,
        "w.npz and l.npz store different entries in row 3; give every stored weight a "
        "stored length, zeros too"},
    {{"csr", {2, {1, 2}}, {2, {1, 0}}, {4, {0, 1, 2, 2}}, {2, {3, 3}}}, NULL,
        SPL_ERR_CONNECTOME,
        "w.npz stores 2 entries, but l.npz stores 3; give every stored weight a stored "
        "length, zeros too"},
    {{"csr", {3, {1, 2, 0}}, {3, {1, 0, 0}}, {4, {0, 1, 3, 3}}, {2, {3, 3}}}, NULL,
        SPL_ERR_CONNECTOME,
        "w.npz: row 2 column 1 is stored twice; call sum_duplicates() or remove one"},
};

START_TEST(wrong_scipy_files_are_refused)
{
    write_npz("w.npz", &bad[_i].m, false, bad[_i].without);
    write_npz("l.npz", &lengths, false, NULL);
    refuse_with(pair, bad[_i].status, bad[_i].message);
}
END_TEST

START_TEST(sparse_and_full_do_not_mix)
{
    write_npz("w.npz", &weights, false, NULL);
    write_file("l.txt", "0 1 0\n1 0 0\n0 0 0\n");
    refuse_with((spl_connectome_options){.weights = "w.npz", .lengths = "l.txt"},
        SPL_ERR_CONNECTOME,
        "w.npz is sparse, but l.txt is a full matrix; store both in the same way");
    refuse_with((spl_connectome_options){.weights = "l.txt", .lengths = "w.npz"},
        SPL_ERR_CONNECTOME,
        "l.txt is a full matrix, but w.npz is sparse; store both in the same way");
}
END_TEST

/* A few nodes more than a matrix may have here, with one row for each. */
START_TEST(only_matrices_have_few_nodes)
{
    write_npz("w.npz", &weights, false, NULL);
    write_npz("l.npz", &lengths, false, NULL);
    write_file("c.txt", "rA 1 0 0\nlA -1 0 0\nrB 0 0 0\n");
    write_file("t.txt", "a b c\n");
    check_network(load_with((spl_connectome_options){.weights = "w.npz",
                      .lengths = "l.npz",
                      .centres = "c.txt",
                      .labels = "t.txt",
                      .max_nodes = 2}),
        "sparse npz");
}
END_TEST

/* HDF5 */

static void put(hid_t where, const char *name, hid_t type, const numbers *from)
{
    const hsize_t n = from->n;
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t set =
        H5Dcreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(
        H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, from->values), 0);
    H5Dclose(set);
    H5Sclose(space);
}

static hid_t create_file(void)
{
    ck_assert_int_eq(spl_h5_init(), SPL_OK);
    hid_t file = H5Fcreate("s.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    return file;
}

/* Without indices and indptr it has those of the weights. */
static void put_matrix(hid_t file, const char *name, const matrix *m, bool pattern)
{
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put(group, "data", H5T_IEEE_F64LE, &m->data);
    put(group, "shape", H5T_STD_I64LE, &m->shape);
    if (pattern) {
        put(group, "indices", H5T_STD_I32LE, &m->indices);
        put(group, "indptr", H5T_STD_I64LE, &m->indptr);
    }
    H5Gclose(group);
}

static void put_text(hid_t group, const char *value)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    hid_t space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(value));
    hid_t attribute =
        H5Acreate2(group, "encoding-type", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, value);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

START_TEST(groups_are_read)
{
    for (int way = 0; way < 3; way++) {
        hid_t file = create_file();
        put_matrix(file, "weights", &weights, true);
        put_matrix(file, "tract_lengths", &lengths, way == 0);
        if (way == 2) {
            H5Lcreate_hard(file, "weights/indices", file, "tract_lengths/indices",
                H5P_DEFAULT, H5P_DEFAULT);
            H5Lcreate_hard(file, "weights/indptr", file, "tract_lengths/indptr",
                H5P_DEFAULT, H5P_DEFAULT);
        }
        H5Fclose(file);
        check_network(load_file("s.h5"), "sparse HDF5");
    }
}
END_TEST

START_TEST(an_encoded_group_is_read)
{
    const hsize_t two = 2;
    const int64_t shape[] = {3, 3};
    for (int csr = 0; csr < 2; csr++) {
        hid_t file = create_file();
        hid_t group = H5Gcreate2(file, "weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hid_t space = H5Screate_simple(1, &two, NULL);
        hid_t attribute =
            H5Acreate2(group, "shape", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(attribute, H5T_NATIVE_INT64, shape);
        H5Aclose(attribute);
        H5Sclose(space);
        put_text(group, csr ? "csr_matrix" : "csc_matrix");
        put(group, "data", H5T_IEEE_F64LE, &weights.data);
        put(group, "indices", H5T_STD_I32LE, &weights.indices);
        put(group, "indptr", H5T_STD_I64LE, &weights.indptr);
        H5Gclose(group);
        put_matrix(file, "tract_lengths", &lengths, true);
        H5Fclose(file);
        if (csr) {
            check_network(load_file("s.h5"), "sparse HDF5");
        } else {
            refuse_file("s.h5", SPL_ERR_FORMAT,
                "s.h5: /weights: encoding 'csc_matrix' is not read; store a csr_matrix");
        }
    }
}
END_TEST

static void refuse_matrix(const matrix *m, spl_status status, const char *message)
{
    hid_t file = create_file();
    put_matrix(file, "weights", m, true);
    put_matrix(file, "tract_lengths", &lengths, true);
    H5Fclose(file);
    refuse_file("s.h5", status, message);
}

START_TEST(wrong_groups_are_refused)
{
    matrix m = weights;
    m.indptr.values[2] = 0;
    refuse_matrix(&m, SPL_ERR_FORMAT,
        "s.h5: weights: indptr[2] is 0 after 1; it must not fall, nor exceed 3; save the "
        "matrix again");
    m = weights;
    m.indptr.values[1] = -1;
    refuse_matrix(&m, SPL_ERR_FORMAT,
        "s.h5: weights: indptr[1] is 18446744073709551615 after 0; it must not fall, nor "
        "exceed 3; save the "
        "matrix again");
    m = weights;
    m.indices.values[2] = 3;
    refuse_matrix(&m, SPL_ERR_FORMAT,
        "s.h5: weights: indices[2] is 3, outside 0 to 2; save the matrix again");
    m = weights;
    m.data.values[1] = NAN;
    refuse_matrix(&m, SPL_ERR_FORMAT,
        "s.h5: weights: row 2 column 1: nan is not a usable value; replace it or remove "
        "the entry");
    m = weights;
    m.shape.values[0] = m.shape.values[1] = 1e9;
    refuse_matrix(&m, SPL_ERR_LIMIT,
        "s.h5: weights: 1000000000 x 1000000000 with 3 stored entries; the largest "
        "sparse connectome has 2^24 nodes and 2^31 - 1 entries");
    m = weights;
    m.shape.n = 1;
    refuse_matrix(&m, SPL_ERR_FORMAT, "s.h5: /weights/shape: not two whole numbers");
    /* more or fewer indices than data, rows than the shape says */
    m = weights;
    m.indices.n = 2;
    refuse_matrix(&m, SPL_ERR_FORMAT,
        "s.h5: /weights/indices: 2 numbers, expected 3 by shape and data; save the "
        "matrix again");
    m = weights;
    m.indptr.n = 3;
    refuse_matrix(&m, SPL_ERR_FORMAT,
        "s.h5: /weights/indptr: 3 numbers, expected 4 by shape and data; save the "
        "matrix again");
}
END_TEST

/* Two thousand million entries that a small file only claims to have. */
START_TEST(a_lying_group_is_refused)
{
    hid_t file = create_file();
    hid_t group = H5Gcreate2(file, "weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t n = 2000000000;
    const hsize_t chunk = 1 << 16;
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, &n, NULL);
    H5Pset_chunk(plist, 1, &chunk);
    H5Dclose(H5Dcreate2(
        group, "data", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    put(group, "shape", H5T_STD_I64LE, &weights.shape);
    put(group, "indices", H5T_STD_I32LE, &weights.indices);
    put(group, "indptr", H5T_STD_I64LE, &weights.indptr);
    H5Sclose(space);
    H5Pclose(plist);
    H5Gclose(group);
    H5Fclose(file);
    refuse_file("s.h5", SPL_ERR_FORMAT, "s.h5: /weights/data: larger than its file");
}
END_TEST

START_TEST(a_group_without_its_datasets_is_refused)
{
    hid_t file = create_file();
    H5Gclose(H5Gcreate2(file, "weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    refuse_file("s.h5", SPL_ERR_FORMAT,
        "s.h5: /weights/shape: neither a dataset nor an attribute of two numbers; store "
        "the shape");
    file = create_file();
    put_matrix(file, "weights", &weights, false);
    H5Fclose(file);
    refuse_file("s.h5", SPL_ERR_FORMAT,
        "s.h5: /weights/indptr: no such dataset in this sparse matrix; store data, "
        "indices and indptr as scipy.sparse has them");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_sparse_files");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_test(tcase, scipy_files_are_read);
    tcase_add_test(tcase, scipy_files_are_members);
    tcase_add_test(tcase, weights_alone_need_no_lengths_without_delays);
    tcase_add_loop_test(
        tcase, wrong_scipy_files_are_refused, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(tcase, sparse_and_full_do_not_mix);
    tcase_add_test(tcase, only_matrices_have_few_nodes);
    tcase_add_test(tcase, groups_are_read);
    tcase_add_test(tcase, an_encoded_group_is_read);
    tcase_add_test(tcase, wrong_groups_are_refused);
    tcase_add_test(tcase, a_lying_group_is_refused);
    tcase_add_test(tcase, a_group_without_its_datasets_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
