/* Stepping allocates nothing: every call of the allocator in the process is counted. The
 * first call of spl_network_advance is exempt: the OpenMP runtime makes its team there.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/bits.h"
#include "support/random.h"
#include "support/spiking.h"
#include "support/test_main.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_size_t n_allocations;

void *malloc(size_t size)
{
    n_allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    n_allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    n_allocations++;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    n_allocations++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    n_allocations++;
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

START_TEST(the_counter_counts)
{
    const size_t before = n_allocations;
    void *volatile memory = malloc(10);
    memory = realloc(memory, 100);
    ck_assert_uint_eq(n_allocations, before + 2);
    free(memory);
}
END_TEST

START_TEST(stepping_allocates_nothing)
{
    uint64_t random = random_seed("allocation");
    for (int way = 0; way < 8; way++) {
        spl_divergence divergence;
        bits_network b;
        bits_case *c = bits_create(
            70, spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
        bits_draw_edges(c, (bits_kind)_i, 0.3, &random);
        bits_draw_noise(c, SPL_NOISE_OU, &random);
        c->settings.integrator = way & 1 ? "rk4" : "heun";
        if (way & 2) {
            c->settings.subnetworks = calloc(1, sizeof *c->settings.subnetworks);
            c->settings.subnetworks[0] = make_coba("s", 100, 10, 1.0, 1.0);
            c->settings.subnetworks[0].interface.nu0 = 3.0;
            c->settings.n_subnetworks = 1;
        }
        c->settings.undelayed = way & 4 ? SPL_UNDELAYED_DENSE : SPL_UNDELAYED_SPARSE;
        bits_open(&b, c, &(bits_way){.threads = way & 2 ? 2 : 1, .reference = way == 4});
        spl_network_advance(&b.network, 20, NULL, &divergence);
        const size_t before = n_allocations;
        spl_network_advance(&b.network, 100, NULL, &divergence);
        spl_network_advance(&b.network, 1, NULL, &divergence);
        ck_assert_uint_eq(n_allocations, before);
        ck_assert(!divergence.happened);
        bits_close(&b);
        bits_free(c);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("allocation");
    TCase *all = tcase_create("all");
    tcase_add_test(all, the_counter_counts);
    tcase_add_loop_test(all, stepping_allocates_nothing, 0, BITS_N_KINDS);
    suite_add_tcase(suite, all);
    return suite;
}
