/* Choosing n of N things at random, ascending, in constant memory. */
#ifndef SPL_SPIKING_SELECTION_H
#define SPL_SPIKING_SELECTION_H

#include "spiking/synapse_draws.h"

/* Above this a double no longer counts things one by one. */
#define SPL_SELECTION_MOST ((uint64_t)1 << 52)

typedef struct spl_selection {
    const spl_draw_kernels *kernels;
    spl_draw_key key;
    bool repeat;     /* a thing may be chosen again */
    uint64_t n;      /* still to be chosen */
    uint64_t N;      /* things left to choose from; all of them if they repeat */
    uint64_t first;  /* of those left */
    double V;        /* method D: variate for the next skip; 0: not drawn */
    double ln_above; /* repeat: ln of 1 - the last order statistic */
    uint64_t next_block;
    size_t used;
    double uniforms[SPL_BLOCK_UNIFORMS];
} spl_selection;

/* Choose n of N <= SPL_SELECTION_MOST; unless they repeat, n <= N. */
void spl_selection_start(spl_selection *selection, const spl_draw_kernels *kernels,
    spl_draw_key key, uint64_t n, uint64_t N, bool repeat);
/* The next one, 0 .. N - 1; must be called n times at most. */
uint64_t spl_selection_next(spl_selection *selection);

#endif
