/* Plans: edges in order of their delays, and the units that short edges tie together. */
#include "delay/plan.h"
#include "simd/tile.h"
#include "support/test_main.h"

enum { N_TILES = 8, N = N_TILES * SPL_TILE - 3, LONG = 40 };

/* An edge between two tiles; lengths in mm at 1 mm/ms and dt 1 ms are steps. */
typedef struct {
    int32_t target, source, delay;
} tie;

/* Every node has an edge of LONG steps from the next one, then come the given ones. */
static spl_plan *make(const tie *ties, size_t n_ties)
{
    static double weights[N * N];
    static double lengths[N * N];
    const spl_edges edges = {
        .n_entries = (size_t)N * N, .weights = weights, .tract_lengths = lengths};
    const spl_delay_rule rule = {.dt = 1.0, .speed = 1.0};
    spl_plan *plan = NULL;
    for (size_t e = 0; e < (size_t)N * N; e++) {
        weights[e] = 0.0;
        lengths[e] = 0.0;
    }
    for (size_t i = 0; i < N; i++) {
        weights[i * N + (i + 1) % N] = 1.0;
        lengths[i * N + (i + 1) % N] = LONG;
    }
    for (size_t t = 0; t < n_ties; t++) {
        const size_t at =
            (size_t)ties[t].target * SPL_TILE * N + (size_t)ties[t].source * SPL_TILE + 2;
        weights[at] = 0.5;
        lengths[at] = ties[t].delay;
    }
    ck_assert_int_eq(spl_plan_create(&plan, N, &edges, &rule), SPL_OK);
    return plan;
}

static void check_unit(
    const spl_plan *plan, size_t unit, const uint32_t *tiles, size_t n_tiles)
{
    ck_assert_uint_eq(plan->unit_start[unit + 1] - plan->unit_start[unit], n_tiles);
    ck_assert_mem_eq(plan->tile + plan->unit_start[unit], tiles, n_tiles * sizeof *tiles);
}

START_TEST(short_edges_tie_the_tiles_of_their_ends)
{
    const tie ties[] = {{0, 2, 3}, {5, 5, 1}, {7, 6, 0}, {3, 2, 15}, {1, 4, 16}};
    spl_plan *plan = make(ties, 5);
    ck_assert_uint_eq(plan->block, 16);
    ck_assert_uint_eq(plan->n_near, 4);
    ck_assert_uint_eq(plan->n_undelayed, 1);
    ck_assert_uint_eq(plan->n_tied, 3);
    ck_assert_uint_eq(plan->n_units, 5);
    check_unit(plan, 0, (uint32_t[]){0, 2, 3}, 3);
    check_unit(plan, 1, (uint32_t[]){6, 7}, 2);
    check_unit(plan, 2, (uint32_t[]){5}, 1);
    check_unit(plan, 3, (uint32_t[]){1}, 1);
    check_unit(plan, 4, (uint32_t[]){4}, 1);
    ck_assert_uint_eq(spl_plan_largest_tied(plan), 3);

    /* a longer block finds one more, a shorter one only the edges of one step and none */
    ck_assert_int_eq(spl_plan_partition(plan, 17), SPL_OK);
    ck_assert_uint_eq(plan->n_near, 5);
    check_unit(plan, 1, (uint32_t[]){1, 4}, 2);
    ck_assert_int_eq(spl_plan_partition(plan, 2), SPL_OK);
    ck_assert_uint_eq(plan->n_near, 2);
    check_unit(plan, 0, (uint32_t[]){6, 7}, 2);
    check_unit(plan, 1, (uint32_t[]){5}, 1);
    check_unit(plan, 2, (uint32_t[]){0}, 1);

    /* tiles that go step by step for another reason are units too, tied ones as before */
    const bool stepwise[N_TILES] = {[4] = true, [7] = true};
    plan->stepwise = stepwise;
    ck_assert_int_eq(spl_plan_partition(plan, 2), SPL_OK);
    ck_assert_uint_eq(plan->n_near, 2);
    ck_assert_uint_eq(plan->n_tied, 3);
    check_unit(plan, 0, (uint32_t[]){6, 7}, 2);
    check_unit(plan, 1, (uint32_t[]){4}, 1);
    check_unit(plan, 2, (uint32_t[]){5}, 1);
    check_unit(plan, 3, (uint32_t[]){0}, 1);

    spl_plan_tie_all(plan);
    ck_assert_uint_eq(plan->n_units, 1);
    check_unit(plan, 0, (uint32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, N_TILES);
    spl_plan_free(plan);
}
END_TEST

START_TEST(edges_of_a_node_descend_to_the_near_ones)
{
    const tie ties[] = {{0, 1, 3}, {0, 2, 0}, {0, 3, 90}, {0, 4, 16}, {0, 5, 3}};
    static const int32_t delays[] = {90, LONG, 16, 3, 3, 0};
    static const int32_t sources[] = {3 * SPL_TILE + 2, 1, 4 * SPL_TILE + 2, SPL_TILE + 2,
        5 * SPL_TILE + 2, 2 * SPL_TILE + 2};
    spl_plan *plan = make(ties, 5);
    ck_assert_uint_eq(plan->start[1], 6);
    ck_assert_mem_eq(plan->delay, delays, sizeof delays);
    ck_assert_mem_eq(plan->source, sources, sizeof sources);
    ck_assert_uint_eq(plan->long_end[0], LONG < SPL_WINDOW ? 1 : 2);
    ck_assert_uint_eq(plan->half_end[0], LONG < SPL_HALF_WINDOW ? 1 : 2);
    ck_assert_uint_eq(plan->near[0], 3);
    ck_assert_uint_eq(plan->undelayed[0], 5);
    ck_assert_uint_eq(plan->near[1], plan->start[2]);
    ck_assert(plan->sums_present[0] && !plan->sums_present[1]);
    /* a window of the ring never reaches what the block writes */
    ck_assert_uint_ge(plan->ring, 90 + plan->block + 1);
    ck_assert_uint_eq(plan->ring & (plan->ring - 1), 0);
    ck_assert_uint_ge(plan->pitch, plan->ring + SPL_WINDOW);
    spl_plan_free(plan);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("plan");
    TCase *all = tcase_create("all");
    tcase_add_test(all, short_edges_tie_the_tiles_of_their_ends);
    tcase_add_test(all, edges_of_a_node_descend_to_the_near_ones);
    suite_add_tcase(suite, all);
    return suite;
}
