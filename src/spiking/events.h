/* Poisson counts of external events. The events of a cell of neighbouring neurons are
 * drawn together, from one 32-bit word: how many of a table of cumulative probabilities
 * the word reaches. Each then goes to any neuron of the cell. The counts of the neurons
 * are independent and Poisson's, as if each had drawn its own, for fewer random words. */
#ifndef SPL_SPIKING_EVENTS_H
#define SPL_SPIKING_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Neurons of the largest cell; its number is a power of two, and bytes choose neurons. */
#define SPL_MAX_CELL       64
/* Counts of a cell of mean 8 beyond this have together a probability below 2^-32. */
#define SPL_MAX_THRESHOLDS 33
#define SPL_MAX_PARTS      16

/* The count of a cell is the sum over n_parts independent parts of equal mean, each from
 * a word and a stream of its own: the number of thresholds that the word is not below.
 * Cells of more than one neuron have one part. */
typedef struct spl_event_table {
    uint32_t n_parts; /* 0: no events */
    uint32_t cell;    /* neurons */
    uint32_t n_thresholds;
    uint32_t threshold[SPL_MAX_THRESHOLDS]; /* ascending, at least 1 */
} spl_event_table;

/* Fill the table for counts of this mean >= 0 per neuron. The counts that it leaves out
 * have together a probability below 2^-32 in each part. False if the mean needs more than
 * SPL_MAX_PARTS parts (above 128). */
bool spl_event_table_fill(spl_event_table *table, double mean);

#endif
