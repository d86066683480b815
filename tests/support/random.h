/* Random numbers of the tests: from a seed that is printed; SPL_TEST_SEED replays. */
#ifndef SPL_TEST_RANDOM_H
#define SPL_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* splitmix64 (Steele, Lea & Flood 2014) */
static inline uint64_t random_bits(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline double random_uniform(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(random_bits(state) >> 11) * 0x1p-53);
}

/* A whole number from low to high, both included. */
static inline size_t random_whole(uint64_t *state, size_t low, size_t high)
{
    return low + (size_t)(random_bits(state) % (high - low + 1));
}

/* Seed of a test: SPL_TEST_SEED, where the word "random" stands for another one every
 * time; 1 if it is not set. */
static inline uint64_t random_seed(const char *test)
{
    const char *given = getenv("SPL_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    if (given != NULL && strcmp(given, "random") == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t state = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        seed = random_bits(&state) >> 16;
    }
    fprintf(stderr, "# %s: SPL_TEST_SEED=%llu\n", test, (unsigned long long)seed);
    return seed;
}

#endif
