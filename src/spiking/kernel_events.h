/* Random words of a group of neurons in one sub-step. Part of kernel files. */
#ifndef SPL_SPIKING_KERNEL_EVENTS_H
#define SPL_SPIKING_KERNEL_EVENTS_H

#include "rng/philox.h"
#include "spiking/neuron.h"

enum {
    /* calls of the generator for a group, one per lane, and vectors of them */
    GROUP_CALLS = SPL_NEURON_GROUP / 4,
    GROUP_COUNTERS = GROUP_CALLS / VEC_WORDS,
    /* vectors of numbers that one word of all calls fills */
    WORD_VECTORS = GROUP_CALLS / SPL_LANES,
    GROUP_VECTORS = SPL_NEURON_GROUP / SPL_LANES
};

typedef vec_u64 group_words[GROUP_COUNTERS][4];

/* Words of the calls from number `call` on, GROUP_CALLS of them. */
VEC_INLINE void draw_words(const philox_keys *keys, uint32_t stream, uint64_t substep,
    uint64_t call, group_words words)
{
    const size_t turns = SPL_LANES / VEC_WORDS;
    for (size_t u = 0; u < GROUP_COUNTERS; u++) {
        vec_u64 calls;
        for (size_t lane = 0; lane < VEC_WORDS; lane++) {
            calls[lane] = u / turns * SPL_LANES + lane * turns + u % turns;
        }
        words[u][0] = (vec_u64){0} + (substep & 0xffffffffu);
        words[u][1] = (vec_u64){0} + (substep >> 32);
        words[u][2] = calls + call;
        words[u][3] = (vec_u64){0} + stream;
    }
    enum { AT_ONCE = GROUP_COUNTERS < 2 ? GROUP_COUNTERS : 2 };
    for (size_t u = 0; u < GROUP_COUNTERS; u += AT_ONCE) {
        philox_side_by_side(AT_ONCE, words + u, keys);
    }
}

/* Vector v of the words: word k of call q is number 16 k + q. */
VEC_INLINE vec_uint words_of(group_words words, size_t v)
{
    const size_t word = v / WORD_VECTORS;
    const size_t u = v % WORD_VECTORS * (GROUP_COUNTERS / WORD_VECTORS);
    return philox_word((const vec_u64(*)[4])(words + u), word);
}

/* Words and thresholds as signed numbers in the same order: processors compare no others.
 */
VEC_INLINE vec_mask ordered(vec_uint word)
{
#ifdef SPL_SINGLE
    return (vec_mask)(word ^ 0x80000000u);
#else
    return (vec_mask)(word & 0xffffffffu);
#endif
}

VEC_INLINE spl_mask ordered_one(uint32_t word)
{
#ifdef SPL_SINGLE
    return (spl_mask)(word ^ 0x80000000u);
#else
    return (spl_mask)word;
#endif
}

#endif
