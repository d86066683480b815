#include "spiking/events.h"

#include <math.h>

#include "spiking/draw.h"

/* e^-mean sum over i > n of mean^i / i!, the probability of more than n events. */
static double tail_beyond(double mean, unsigned n)
{
    double term = spl_exact_exp(-mean);
    for (unsigned i = 1; i <= n; i++) {
        term *= mean / i;
    }
    double tail = 0.0;
    for (unsigned i = n + 1; i <= n + 60; i++) {
        term *= mean / i;
        tail += term;
    }
    return tail;
}

/* Thresholds that counts of this mean need. */
static unsigned thresholds_needed(double mean)
{
    unsigned n = 1;
    while (n <= SPL_MAX_THRESHOLDS && tail_beyond(mean, n) >= 0x1p-32) {
        n++;
    }
    return n;
}

bool spl_event_table_fill(spl_event_table *table, double mean)
{
    *table = (spl_event_table){0};
    if (mean == 0.0) {
        return true;
    }
    uint32_t n_parts = 1;
    while (n_parts <= SPL_MAX_PARTS &&
           thresholds_needed(mean / n_parts) > SPL_MAX_THRESHOLDS) {
        n_parts++;
    }
    if (n_parts > SPL_MAX_PARTS) {
        return false;
    }
    const double part = mean / n_parts;
    table->n_parts = n_parts;
    table->n_thresholds = thresholds_needed(part);
    for (unsigned t = 0; t < table->n_thresholds; t++) {
        /* tails are small where cumulative probabilities would lose their last bits */
        const double tail = fmin(round(tail_beyond(part, t) * 0x1p32), 0x1p32 - 1.0);
        if (tail < 1.0) {
            table->n_thresholds = t;
            break;
        }
        table->threshold[t] = (uint32_t)(0x1p32 - tail);
        /* a group of 64 words reaches it less often than one time in twenty */
        if (64.0 * tail > 0x1p32 / 20.0) {
            table->n_common = t + 1;
        }
    }
    return true;
}
