#include "spiking/events.h"

#include <math.h>

#include "spiking/draw.h"

/* Largest mean whose counts above SPL_MAX_THRESHOLDS have a probability below 2^-32. */
static const double largest_part = 0.3658;

/* Terms of the tail beyond the last threshold; the next is 1e-9 of it. */
enum { MORE_TERMS = 6, N_TERMS = SPL_MAX_THRESHOLDS + 1 + MORE_TERMS };

/* tail[n], n <= SPL_MAX_THRESHOLDS: probability of more than n events. Summed from the
 * far end: tails are small where cumulative probabilities would lose their last bits. */
static void fill_tails(double mean, double tail[SPL_MAX_THRESHOLDS + 1])
{
    static const double inverse[N_TERMS] = {1.0, 1.0, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5,
        1.0 / 6, 1.0 / 7, 1.0 / 8, 1.0 / 9, 1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13,
        1.0 / 14};
    double term[N_TERMS];
    term[0] = spl_exact_exp(-mean);
    for (size_t i = 1; i < N_TERMS; i++) {
        term[i] = term[i - 1] * (mean * inverse[i]);
    }
    double sum = 0.0;
    for (size_t i = N_TERMS - 1; i > 0; i--) {
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
    const double n_parts = ceil(mean / largest_part);
    if (!(n_parts <= SPL_MAX_PARTS)) {
        return false;
    }
    double tail[SPL_MAX_THRESHOLDS + 1];
    table->n_parts = (uint32_t)n_parts;
    fill_tails(mean / n_parts, tail);
    for (uint32_t t = 0; t < SPL_MAX_THRESHOLDS; t++) {
        const double words = round(tail[t] * 0x1p32);
        if (words < 1.0) {
            break;
        }
        table->threshold[t] = (uint32_t)(0x1p32 - words);
        table->n_thresholds = t + 1;
        /* a group of neurons reaches the others less often than one time in twenty */
        if (SPL_NEURON_GROUP * words > 0x1p32 / 20.0) {
            table->n_common = t + 1;
        }
        if (tail[t + 1] < 0x1p-32) {
            break;
        }
    }
    return true;
}
