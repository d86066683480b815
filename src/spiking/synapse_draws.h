/* Random numbers of a projection, under its key: a pure function of (seed, stream, row,
 * number of the draw), the same bits in every precision and on every target. They come in
 * blocks of eight counters { block 8 + k, row, stream }, k = 0 .. 7:
 *   word 8 w + k       word w of counter k
 *   uniform 8 i + k    of the words 2 i and 2 i + 1 of counter k
 *   normal 16 i + k, 16 i + 8 + k  the pair of these two words */
#ifndef SPL_SPIKING_SYNAPSE_DRAWS_H
#define SPL_SPIKING_SYNAPSE_DRAWS_H

#include "simd/dispatch.h"
#include "spiking/spec.h"

enum {
    SPL_BLOCK_WORDS = 32,
    SPL_BLOCK_UNIFORMS = 16,
    SPL_BLOCK_NORMALS = 32,
    SPL_DRAW_LANES = 8
};

typedef struct spl_draw_key {
    uint64_t seed;
    uint32_t stream, row;
} spl_draw_key;

typedef struct spl_draw_kernels {
    /* n_blocks blocks from first_block on */
    void (*words)(spl_draw_key key, uint64_t first_block, size_t n_blocks, uint32_t *out);
    /* odd multiples of 2^-53 in (0, 1) */
    void (*uniforms)(
        spl_draw_key key, uint64_t first_block, size_t n_blocks, double *out);
    void (*normals)(spl_draw_key key, uint64_t first_block, size_t n_blocks, double *out);
    /* ln x and e^x in place; n a multiple of SPL_DRAW_LANES. Of the library's own: those
     * of libm differ in the last bit from one version to the next. */
    void (*logs)(double *x, size_t n);
    void (*exps)(double *x, size_t n);
} spl_draw_kernels;

const spl_draw_kernels *spl_draw_kernels_of(spl_target target);

/* Draws `first` .. first + n - 1 of a distribution, of any kind but SPL_DRAW_GIVEN. */
void spl_draw_values(const spl_draw_kernels *kernels, const spl_draw *draw,
    spl_draw_key key, uint64_t first, size_t n, double *out);

/* What draws stay below: the bound `high`, or that of the generator's normals. */
double spl_synapse_draw_most(const spl_draw *draw);

/* The words of one row, one after the other. */
enum { SPL_WORDS_AT_ONCE = 4 * SPL_BLOCK_WORDS };
typedef struct spl_words {
    const spl_draw_kernels *kernels;
    spl_draw_key key;
    uint64_t next_block;
    size_t used;
    uint32_t words[SPL_WORDS_AT_ONCE];
} spl_words;

static inline void spl_words_start(
    spl_words *words, const spl_draw_kernels *kernels, spl_draw_key key)
{
    words->kernels = kernels;
    words->key = key;
    words->next_block = 0;
    words->used = SPL_WORDS_AT_ONCE;
}

static inline uint32_t spl_words_next(spl_words *words)
{
    if (words->used == SPL_WORDS_AT_ONCE) {
        words->kernels->words(words->key, words->next_block,
            SPL_WORDS_AT_ONCE / SPL_BLOCK_WORDS, words->words);
        words->next_block += SPL_WORDS_AT_ONCE / SPL_BLOCK_WORDS;
        words->used = 0;
    }
    return words->words[words->used++];
}

/* A whole number below n; too frequent or rare by n 2^-32 at most. */
static inline uint32_t spl_words_below(spl_words *words, uint32_t n)
{
    return (uint32_t)((uint64_t)spl_words_next(words) * n >> 32);
}

#endif
