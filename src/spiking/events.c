#include "spiking/events.h"

#include <math.h>

#include "spiking/draw.h"

/* Largest mean of a part. */
static const double LARGEST_PART = 8.0;

/* Terms of the tail beyond the last threshold; the next is 1e-9 of the first of them. */
enum { MORE_TERMS = 14, N_TERMS = SPL_MAX_THRESHOLDS + 1 + MORE_TERMS };

/* tail[n], n <= SPL_MAX_THRESHOLDS: probability of more than n events. Summed from the
 * far end: tails are small where cumulative probabilities would lose their last bits. */
static void fill_tails(double mean, double tail[SPL_MAX_THRESHOLDS + 1])
{
    double term[N_TERMS];
    size_t n_terms = 1;
    double sum = 0.0;
    term[0] = spl_exact_exp(-mean);
    for (; n_terms < N_TERMS; n_terms++) {
        term[n_terms] = term[n_terms - 1] * (mean / (double)n_terms);
        /* what follows is too small to be seen among multiples of 2^-32 */
        if (term[n_terms] < 0x1p-48 && (double)n_terms > mean) {
            break;
        }
    }
    for (size_t i = SPL_MAX_THRESHOLDS + 1; i >= n_terms; i--) {
        tail[i - 1] = 0.0;
    }
    for (size_t i = n_terms - 1; i > 0; i--) {
        sum += term[i];
        if (i <= SPL_MAX_THRESHOLDS + 1) {
            tail[i - 1] = sum;
        }
    }
}

bool spl_event_table_fill(spl_event_table *table, double mean)
{
    *table = (spl_event_table){0};
    if (mean == 0.0) {
        return true;
    }
    const double n_parts = fmax(1.0, ceil(mean / LARGEST_PART));
    if (!(n_parts <= SPL_MAX_PARTS)) {
        return false;
    }
    double tail[SPL_MAX_THRESHOLDS + 1];
    table->n_parts = (uint32_t)n_parts;
    table->cell = SPL_MAX_CELL;
    while (table->cell > 1 && table->cell * mean > LARGEST_PART) {
        table->cell /= 2;
    }
    fill_tails(table->cell * mean / n_parts, tail);
    for (uint32_t t = 0; t < SPL_MAX_THRESHOLDS; t++) {
        const double words = round(tail[t] * 0x1p32);
        if (words < 1.0) {
            break;
        }
        table->threshold[t] = (uint32_t)(0x1p32 - words);
        table->n_thresholds = t + 1;
    }
    return true;
}
