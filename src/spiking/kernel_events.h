/* Random words of the neurons of a block in one sub-step. Part of kernel files. */
#ifndef SPL_SPIKING_KERNEL_EVENTS_H
#define SPL_SPIKING_KERNEL_EVENTS_H

#include <string.h>

#include "rng/philox.h"
#include "spiking/neuron.h"

enum {
    /* calls of the generator that are made together, and their words */
    BATCH_CALLS = 8,
    BATCH_WORDS = 4 * BATCH_CALLS,
    BATCH_COUNTERS = BATCH_CALLS / VEC_WORDS,
    /* calls of a block that has a word for each neuron */
    BLOCK_CALLS = SPL_NEURON_BLOCK / 4
};

typedef uint32_t word_vector __attribute__((vector_size(4 * VEC_WORDS)));

/* Words of n_batches x BATCH_CALLS calls from number `call` on: word k of call c of a
 * batch is number 8 k + c of the batch's. */
static void draw_batches(const philox_keys *keys, uint32_t stream, uint64_t substep,
    uint64_t call, size_t n_batches, uint32_t *word)
{
    enum { AT_ONCE = BATCH_COUNTERS < 2 ? BATCH_COUNTERS : 2 };
    vec_u64 lanes;
    for (size_t lane = 0; lane < VEC_WORDS; lane++) {
        lanes[lane] = lane;
    }
    for (size_t batch = 0; batch < n_batches; batch++) {
        for (size_t u = 0; u < BATCH_COUNTERS; u += AT_ONCE) {
            vec_u64 counter[AT_ONCE][4];
            for (size_t v = 0; v < AT_ONCE; v++) {
                counter[v][0] = (vec_u64){0} + (substep & 0xffffffffu);
                counter[v][1] = (vec_u64){0} + (substep >> 32);
                counter[v][2] =
                    lanes + (call + batch * BATCH_CALLS + (u + v) * VEC_WORDS);
                counter[v][3] = (vec_u64){0} + stream;
            }
            philox_side_by_side(AT_ONCE, counter, keys);
            for (size_t v = 0; v < AT_ONCE; v++) {
                for (size_t k = 0; k < 4; k++) {
                    const word_vector low =
                        __builtin_convertvector(counter[v][k], word_vector);
                    memcpy(word + batch * BATCH_WORDS + k * BATCH_CALLS +
                               (u + v) * VEC_WORDS,
                        &low, sizeof low);
                }
            }
        }
    }
}

#endif
