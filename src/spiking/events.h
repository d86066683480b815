/* Poisson counts from one 32-bit word: how many of a table of cumulative probabilities
 * the word reaches. */
#ifndef SPL_SPIKING_EVENTS_H
#define SPL_SPIKING_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPL_MAX_THRESHOLDS 8
#define SPL_MAX_PARTS      256

/* A count is the sum over n_parts independent parts of equal mean, each from a word and a
 * stream of its own: the number of thresholds that the word is not below. */
typedef struct spl_event_table {
    uint32_t n_parts;
    uint32_t n_thresholds;
    uint32_t n_common; /* thresholds that a group of neurons may well reach */
    uint32_t threshold[SPL_MAX_THRESHOLDS]; /* ascending, at least 1 */
} spl_event_table;

/* Fill the table for counts of this mean >= 0. The counts that it leaves out have
 * together a probability below 2^-32 in each part. False if the mean needs more than
 * SPL_MAX_PARTS parts (above 93). */
bool spl_event_table_fill(spl_event_table *table, double mean);

#endif
