#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectome/edges.h"
#include "support/test_main.h"

static void write_text(const char *text)
{
    FILE *file = fopen("edges.txt", "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(text_rows_are_connections)
{
    spl_edge_list list = {0};
    write_text("# source target weight delay\n0 2 0.5 1.5\n4294967295 1 0.25 3\n");
    ck_assert_msg(
        spl_edge_list_read(&list, "edges.txt") == SPL_OK, "%s", spl_last_error());
    ck_assert_uint_eq(list.n, 2);
    ck_assert(list.source[0] == 0 && list.source[1] == UINT32_MAX);
    ck_assert(list.target[0] == 2 && list.target[1] == 1);
    ck_assert(list.weight[1] == 0.25 && list.delay[0] == 1.5);
    spl_edge_list_deinit(&list);
    write_text("3,4\n5,6\n");
    ck_assert_int_eq(spl_edge_list_read(&list, "edges.txt"), SPL_OK);
    ck_assert(list.n == 2 && list.target[1] == 6);
    ck_assert(list.weight == NULL && list.delay == NULL);
    spl_edge_list_deinit(&list);
    unlink("edges.txt");
}
END_TEST

static const struct {
    const char *text, *message;
} bad_texts[] = {
    {"1\n2\n", "edges.txt: 1 columns; a list of connections has source, target, and "
               "perhaps weight and delay"},
    {"1 2\n1.5 2\n", "edges.txt: row 2, column 1: 1.5 is no index of a neuron; these are "
                     "whole numbers from 0"},
    {"1 -2\n", "edges.txt: row 1, column 2: -2 is no index of a neuron; these are whole "
               "numbers from 0"},
};

START_TEST(bad_rows_are_refused)
{
    spl_edge_list list = {0};
    write_text(bad_texts[_i].text);
    ck_assert_int_eq(spl_edge_list_read(&list, "edges.txt"), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(), bad_texts[_i].message);
    spl_edge_list_deinit(&list);
    unlink("edges.txt");
}
END_TEST

/* What a file of edges can get wrong, one at a time. */
typedef struct sonata {
    int n_populations, n_sources;
    int64_t first_source;
    int second_group, second_index;
    double first_weight;
    const char *message; /* NULL: it is read */
} sonata;

static const sonata sonatas[] = {
    {1, 3, 7, 0, 1, 0.5, NULL},
    {2, 3, 7, 0, 1, 0.5,
        "edges.h5: /edges holds 2 populations of edges; it must hold one"},
    {1, 2, 7, 0, 1, 0.5,
        "edges.h5: /edges/p0/edge_group_id: not as many numbers as there are edges"},
    {1, 3, -1, 0, 1, 0.5,
        "edges.h5: edge 0: -1 is no index of a neuron; these are whole numbers from 0"},
    {1, 3, 7, 1, 1, 0.5,
        "edges.h5: /edges/p0/edge_group_id: edges of several groups; store all in group "
        "0"},
    {1, 3, 7, 0, 2, 0.5,
        "edges.h5: /edges/p0/edge_group_index: edges in another order than their group; "
        "store them in its order"},
    {1, 3, 7, 0, 1, INFINITY, "edges.h5: edge 0: the weight is no finite number"},
};

static void write_sonata(const sonata *s)
{
    const int64_t source[] = {s->first_source, 0, 1};
    const int64_t target[] = {2, 3, 4};
    const int group[] = {0, s->second_group, 0};
    const int index[] = {0, s->second_index, 2};
    const double weight[] = {s->first_weight, 1.0, 2.0};
    const double delay[] = {1.0, 1.5, 2.0};
    const hsize_t n = 3;
    const hsize_t n_sources = (hsize_t)s->n_sources;
    hid_t file = H5Fcreate("edges.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t edges = H5Gcreate2(file, "/edges", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int p = 0; p < s->n_populations; p++) {
        hid_t population = H5Gcreate2(
            edges, p == 0 ? "p0" : "p1", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hid_t in = H5Gcreate2(population, "0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5LTmake_dataset(
            population, "source_node_id", 1, &n_sources, H5T_NATIVE_INT64, source);
        H5LTmake_dataset(population, "target_node_id", 1, &n, H5T_NATIVE_INT64, target);
        H5LTmake_dataset(population, "edge_group_id", 1, &n, H5T_NATIVE_INT, group);
        H5LTmake_dataset(population, "edge_group_index", 1, &n, H5T_NATIVE_INT, index);
        H5LTmake_dataset(in, "syn_weight", 1, &n, H5T_NATIVE_DOUBLE, weight);
        H5LTmake_dataset(in, "delay", 1, &n, H5T_NATIVE_DOUBLE, delay);
        H5Gclose(in);
        H5Gclose(population);
    }
    H5Gclose(edges);
    ck_assert_int_ge(H5Fclose(file), 0);
}

START_TEST(sonata_edges_are_connections)
{
    spl_edge_list list = {0};
    const sonata *s = &sonatas[_i];
    write_sonata(s);
    spl_status status = spl_edge_list_read(&list, "edges.h5");
    if (s->message == NULL) {
        ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
        ck_assert(list.n == 3 && list.source[0] == 7 && list.target[2] == 4);
        ck_assert(list.weight[0] == 0.5 && list.delay[1] == 1.5);
    } else {
        ck_assert_int_eq(status, SPL_ERR_FORMAT);
        ck_assert_str_eq(spl_last_error(), s->message);
    }
    spl_edge_list_deinit(&list);
    unlink("edges.h5");
}
END_TEST

/* More than come in one part, and than room is made for at first. */
START_TEST(long_lists_arrive_in_parts)
{
    enum { N = 300000 };
    static int64_t source[N];
    static double weight[N];
    const hsize_t n = N;
    spl_edge_list list = {0};
    for (int i = 0; i < N; i++) {
        source[i] = i;
        weight[i] = 0.5 * i;
    }
    hid_t file = H5Fcreate("edges.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t in = H5Gcreate2(file, "/edges/p/0", links, H5P_DEFAULT, H5P_DEFAULT);
    H5LTmake_dataset(file, "/edges/p/source_node_id", 1, &n, H5T_NATIVE_INT64, source);
    H5LTmake_dataset(file, "/edges/p/target_node_id", 1, &n, H5T_NATIVE_INT64, source);
    H5LTmake_dataset(in, "syn_weight", 1, &n, H5T_NATIVE_DOUBLE, weight);
    H5Gclose(in);
    H5Pclose(links);
    ck_assert_int_ge(H5Fclose(file), 0);
    ck_assert_msg(
        spl_edge_list_read(&list, "edges.h5") == SPL_OK, "%s", spl_last_error());
    ck_assert_uint_eq(list.n, N);
    bool same = true;
    for (uint32_t i = 0; i < N; i++) {
        same = same && list.source[i] == i && list.target[i] == i &&
               list.weight[i] == weight[i];
    }
    ck_assert(same && list.delay == NULL);
    spl_edge_list_deinit(&list);
    unlink("edges.h5");
}
END_TEST

START_TEST(what_holds_no_edges_is_refused)
{
    spl_edge_list list = {0};
    hid_t file = H5Fcreate("edges.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Fclose(file), 0);
    ck_assert_int_eq(spl_edge_list_read(&list, "edges.h5"), SPL_ERR_FORMAT);
    ck_assert_str_eq(
        spl_last_error(), "edges.h5: no group /edges; SONATA edges are needed");
    unlink("edges.h5");
    ck_assert_int_eq(spl_edge_list_read(&list, "edges.h5"), SPL_ERR_FILE_MISSING);
    spl_edge_list_deinit(&list);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_edges");
    TCase *tests = tcase_create("connectome_edges");
    tcase_add_test(tests, text_rows_are_connections);
    tcase_add_loop_test(
        tests, bad_rows_are_refused, 0, sizeof bad_texts / sizeof *bad_texts);
    tcase_add_loop_test(
        tests, sonata_edges_are_connections, 0, sizeof sonatas / sizeof *sonatas);
    tcase_add_test(tests, long_lists_arrive_in_parts);
    tcase_add_test(tests, what_holds_no_edges_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
