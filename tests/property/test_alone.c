/* Runs without a connectome: the same bits for any threads, blocks and calls, also after
 * a copy was put back; a hook ends a run between blocks. */
#include <stdio.h>

#include "base/crc32c.h"
#include "sim/engine.h"
#include "support/spiking.h"
#include "support/test_main.h"

enum { SUBNETWORKS = 4, STEPS = 200 };

static spl_settings make_settings(int threads, size_t block)
{
    spl_settings settings = {
        .alone = true,
        .dt = 0.1,
        .n_steps = STEPS,
        .seed = 3,
        .threads = threads,
        .block = block,
        .n_subnetworks = SUBNETWORKS,
        .subnetworks = calloc(SUBNETWORKS, sizeof(spl_subnetwork_spec)),
    };
    for (size_t n = 0; n < SUBNETWORKS; n++) {
        char name[16];
        snprintf(name, sizeof name, "s%zu", n);
        /* the last is shared by all threads */
        const size_t size = n + 1 < SUBNETWORKS ? 300 * (n + 1) : 20500;
        spl_subnetwork_spec *spec = &settings.subnetworks[n];
        *spec = make_coba(name, size, 20, 1.0, 1.0);
        spec->hosted = false;
        spec->interface.nu0 = 1.5;
        spec->n_substeps = (uint32_t)(1 + n % 2);
    }
    return settings;
}

typedef struct taker {
    const spl_engine *engine;
    uint32_t spikes, filtered;
    uint64_t n_spikes, n_steps, stop_at;
} taker;

static bool take(void *user, const spl_samples *block)
{
    taker *t = user;
    ck_assert_uint_eq(block->first_step, t->n_steps + 1);
    for (size_t n = 0; n < t->engine->n_subnetworks; n++) {
        const spl_subnetwork_block *b =
            spl_subnetwork_last(t->engine->jobs[n].subnetwork);
        ck_assert_uint_eq(b->n_steps, block->n_steps);
        if (n == 1) {
            t->filtered =
                spl_crc32c(t->filtered, b->filtered, b->n_steps * sizeof *b->filtered);
        }
        t->n_spikes += b->populations[0].n_spikes;
    }
    const spl_population_block *p =
        spl_subnetwork_last(t->engine->jobs[SUBNETWORKS - 1].subnetwork)->populations;
    t->spikes =
        spl_crc32c(t->spikes, p->spike_neuron, p->n_spikes * sizeof *p->spike_neuron);
    t->n_steps += block->n_steps;
    return t->n_steps != t->stop_at;
}

/* Checksum of all states at the end. */
static uint32_t run(int threads, size_t block, uint64_t chunk, taker *t)
{
    spl_settings settings = make_settings(threads, block);
    spl_engine *engine = NULL;
    ck_assert_msg(spl_engine_alone.create(&engine, &settings, NULL, NULL, NULL) == SPL_OK,
        "%s", spl_last_error());
    const spl_block_hooks hooks = {.user = t, .finish = take};
    spl_divergence divergence;
    t->engine = engine;
    void *copy = malloc(engine->copy_bytes);
    engine->ops->save(engine, copy);
    engine->ops->advance(engine, 37, NULL, &divergence);
    engine->ops->restore(engine, copy);
    ck_assert_uint_eq(engine->ops->step(engine), 0);
    while (engine->ops->step(engine) < STEPS) {
        const uint64_t left = STEPS - engine->ops->step(engine);
        engine->ops->advance(engine, left < chunk ? left : chunk, &hooks, &divergence);
        ck_assert_int_eq(divergence.status, SPL_OK);
        if (t->n_steps == t->stop_at) {
            break;
        }
    }
    ck_assert_uint_eq(engine->ops->step(engine), t->n_steps);
    engine->ops->save(engine, copy);
    const uint32_t sum = spl_crc32c(0, copy, engine->copy_bytes);
    free(copy);
    engine->ops->free(engine);
    spl_settings_free(&settings);
    return sum;
}

START_TEST(every_way_has_the_same_bits)
{
    static const struct {
        int threads;
        size_t block;
        uint64_t chunk;
    } ways[] = {{1, 1, 1000}, {2, 16, 1000}, {3, 64, 7}, {8, 5, 50}};
    taker expected = {0};
    const uint32_t sum = run(1, 0, 1000, &expected);
    ck_assert_uint_gt(expected.n_spikes, 1000);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        taker got = {0};
        ck_assert_uint_eq(run(ways[w].threads, ways[w].block, ways[w].chunk, &got), sum);
        ck_assert_uint_eq(got.spikes, expected.spikes);
        ck_assert_uint_eq(got.filtered, expected.filtered);
        ck_assert_uint_eq(got.n_spikes, expected.n_spikes);
    }
}
END_TEST

START_TEST(a_hook_ends_the_run)
{
    taker t = {.stop_at = 48};
    run(1 + _i, 16, 1000, &t);
    ck_assert_uint_eq(t.n_steps, 48);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("alone");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_test(lengthy, every_way_has_the_same_bits);
    tcase_add_loop_test(all, a_hook_ends_the_run, 0, 2);
    suite_add_tcase(suite, all);
    return suite;
}
