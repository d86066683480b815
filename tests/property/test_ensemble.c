/* Ensembles: every member gives the bits of the same run alone, rows and final state,
 * whatever the threads, with delays and without, also beside one that diverges. */
#include <stdlib.h>
#include <string.h>

#include "support/bits.h"
#include "support/network_run.h"
#include "support/random.h"
#include "support/spiking.h"
#include "sweep/ensemble.h"

enum { N_MEMBERS = 29, N_STEPS = 300, N_NODES = 50, LOST = 17 };

typedef struct {
    bits_case *c;
    spl_connectome *connectome;
    spl_settings members[N_MEMBERS];
    const spl_settings *list[N_MEMBERS];
    double *params; /* of the member that differs in more than its seed */
} family;

static family *make_family(bits_kind kind, bool single, uint64_t *random)
{
    family *f = calloc(1, sizeof *f);
    f->c = bits_create(
        N_NODES, spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    bits_draw_edges(f->c, kind, 0.5, random);
    bits_draw_noise(f->c, SPL_NOISE_ADDITIVE, random);
    f->c->settings.undelayed = SPL_UNDELAYED_AUTO;
    f->c->settings.divergence_limit = 50.0;
    f->c->settings.single = single;
    f->connectome = make_connectome(N_NODES, f->c->weights, f->c->lengths);
    const size_t n_params = f->c->settings.model->n_params * N_NODES;
    f->params = calloc(n_params, sizeof *f->params);
    for (size_t p = 0; p < n_params; p++) {
        f->params[p] = 1.01 * f->c->settings.params[p];
    }
    for (size_t i = 0; i < N_MEMBERS; i++) {
        f->members[i] = f->c->settings;
        f->members[i].seed = 100 + i;
        f->list[i] = &f->members[i];
    }
    f->members[3].params = f->params;
    return f;
}

static void free_family(family *f)
{
    spl_connectome_free(f->connectome);
    bits_free(f->c);
    free(f->params);
    free(f);
}

/* Rows of V of one member. */
typedef struct {
    uint64_t n_steps;
    double V[N_STEPS][N_NODES];
} rows;

static void take(void *user, const spl_samples *block, size_t begin, size_t end)
{
    rows *r = user;
    for (size_t s = 0; s < block->n_steps; s++) {
        memcpy(&r->V[block->first_step - 1 + s][begin],
            block->values + s * block->n_variables * block->stride + begin,
            (end - begin) * sizeof(double));
    }
}

static bool count(void *user, const spl_samples *block)
{
    rows *r = user;
    ck_assert_uint_eq(block->first_step, r->n_steps + 1);
    r->n_steps += block->n_steps;
    return true;
}

static const bool record_V[SPL_MAX_STATES + 2] = {true};

/* Everything that continues a run. */
static double *final_of(const spl_engine *engine, size_t *size)
{
    double *values = calloc(1 << 20, sizeof *values);
    *size = (size_t)(engine->ops->copy_final(engine, values) - values);
    ck_assert_uint_lt(*size, 1 << 20);
    return values;
}

static void compare(const spl_engine *member, const rows *got, const spl_settings *alone,
    const spl_connectome *connectome, const spl_divergence *where)
{
    rows *expected = calloc(1, sizeof *expected);
    const spl_block_hooks hooks = {.user = expected, .observe = take, .finish = count};
    spl_engine *engine = NULL;
    spl_divergence divergence;
    size_t size[2];
    ck_assert_int_eq(
        member->ops->create(&engine, alone, connectome, record_V, NULL), SPL_OK);
    engine->ops->advance(engine, N_STEPS, &hooks, &divergence);
    ck_assert_int_eq(where->happened, divergence.happened);
    ck_assert_uint_eq(where->step, divergence.step);
    ck_assert_uint_eq(where->node, divergence.node);
    ck_assert_uint_eq(got->n_steps, expected->n_steps);
    ck_assert_mem_eq(got->V, expected->V, expected->n_steps * sizeof *expected->V);
    double *a = final_of(member, &size[0]);
    double *b = final_of(engine, &size[1]);
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert(divergence.happened || memcmp(a, b, size[0] * sizeof *a) == 0);
    free(a);
    free(b);
    engine->ops->free(engine);
    free(expected);
}

static void run_family(const family *f, int threads, size_t together)
{
    rows *got = calloc(N_MEMBERS, sizeof *got);
    spl_block_hooks hooks[N_MEMBERS];
    spl_divergence where[N_MEMBERS];
    spl_ensemble *ensemble = NULL;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        hooks[i] = (spl_block_hooks){
            .user = &got[i], .observe = take, .finish = count, .collect = i % 2 == 1};
    }
    ck_assert_int_eq(spl_ensemble_create(
                         &ensemble, f->list, N_MEMBERS, f->connectome, record_V, threads),
        SPL_OK);
    ck_assert_uint_eq(spl_ensemble_together(ensemble), together);
    spl_ensemble_advance(ensemble, 100, hooks, where);
    spl_ensemble_advance(ensemble, N_STEPS - 100, hooks, where);
    for (size_t i = 0; i < N_MEMBERS; i++) {
        compare(spl_ensemble_member(ensemble, i), &got[i], f->list[i], f->connectome,
            &where[i]);
    }
    spl_ensemble_free(ensemble);
    free(got);
}

START_TEST(members_have_the_bits_of_runs_alone)
{
    static const bits_kind kinds[] = {BITS_UNDELAYED, BITS_DELAYED, BITS_FEW};
    uint64_t random = random_seed("ensemble");
    family *f = make_family(kinds[_i % 3], _i >= 3, &random);
    const bool undelayed = kinds[_i % 3] == BITS_UNDELAYED;
    run_family(f, 1, undelayed ? SPL_MAX_BATCH : 1);
    run_family(f, 3, undelayed ? (N_MEMBERS + 2) / 3 : 1);
    free_family(f);
}
END_TEST

/* One member starts far outside and runs away; the others go on beside it. */
START_TEST(a_member_that_diverges_ends_alone)
{
    uint64_t random = random_seed("lost_member");
    family *f = make_family(_i == 0 ? BITS_UNDELAYED : BITS_DELAYED, false, &random);
    f->members[LOST].init[2] = (spl_init){.low = 49.9, .high = 49.9};
    spl_engine *engine = NULL;
    spl_divergence divergence;
    ck_assert_int_eq(
        spl_engine_double.create(&engine, f->list[LOST], f->connectome, record_V, NULL),
        SPL_OK);
    engine->ops->advance(engine, N_STEPS, NULL, &divergence);
    ck_assert(divergence.happened && divergence.step > 1);
    engine->ops->free(engine);
    run_family(f, 2, _i == 0 ? (N_MEMBERS + 1) / 2 : 1);
    free_family(f);
}
END_TEST

/* Runs whose delays differ have plans of their own. */
START_TEST(members_may_differ_in_speed)
{
    uint64_t random = random_seed("speeds");
    family *f = make_family(BITS_DELAYED, false, &random);
    f->members[5].speed = 2.0;
    f->members[6].speed = INFINITY;
    run_family(f, 2, 1);
    free_family(f);
}
END_TEST

/* Nodes whose equations take what they send go step by step, and attached ones keep their
 * self-edges: in some members other nodes than in the first, whose plan they would else
 * share. */
START_TEST(members_may_differ_in_feedback)
{
    uint64_t random = random_seed("feedback");
    family *f = make_family(BITS_SELF, false, &random);
    spl_subnetwork_spec specs[4];
    for (size_t s = 0; s < 4; s++) {
        specs[s] = make_coba("s", 100, 10, 1.0, 1.0);
        specs[s].node = s == 2 ? 40 : 3;
        specs[s].interface.local_feedback = s == 1 || s == 2;
    }
    specs[3].interface.mode = SPL_MODE_PROBE;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        f->members[i].subnetworks = &specs[i >= 5 && i <= 7 ? i - 4 : 0];
        f->members[i].n_subnetworks = 1;
    }
    run_family(f, 2, 1);
    for (size_t s = 0; s < 4; s++) {
        spl_subnetwork_spec_deinit(&specs[s]);
    }
    free_family(f);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("ensemble");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, members_have_the_bits_of_runs_alone, 0, 6);
    tcase_add_loop_test(lengthy, a_member_that_diverges_ends_alone, 0, 2);
    tcase_add_test(all, members_may_differ_in_speed);
    tcase_add_test(lengthy, members_may_differ_in_feedback);
    suite_add_tcase(suite, all);
    return suite;
}
