#include "spiking/selection.h"

#include <math.h>

/* Vitter 1987 (ACM Trans. Math. Softw. 13:58), section 6: method A is the faster one when
 * more than one in 13 is chosen. */
#define METHOD_A_BELOW 13

static double uniform(spl_selection *s)
{
    if (s->used == SPL_BLOCK_UNIFORMS) {
        s->kernels->uniforms(s->key, s->next_block, 1, s->uniforms);
        s->next_block++;
        s->used = 0;
    }
    return s->uniforms[s->used++];
}

static double ln(const spl_selection *s, double x)
{
    double lanes[SPL_DRAW_LANES] = {x, 1, 1, 1, 1, 1, 1, 1};
    s->kernels->logs(lanes, SPL_DRAW_LANES);
    return lanes[0];
}

static double e_to(const spl_selection *s, double x)
{
    double lanes[SPL_DRAW_LANES] = {x};
    s->kernels->exps(lanes, SPL_DRAW_LANES);
    return lanes[0];
}

/* u^(1/n) */
static double root(const spl_selection *s, double u, double n)
{
    return e_to(s, ln(s, u) / n);
}

void spl_selection_start(spl_selection *selection, const spl_draw_kernels *kernels,
    spl_draw_key key, uint64_t n, uint64_t N, bool repeat)
{
    selection->kernels = kernels;
    selection->key = key;
    selection->repeat = repeat;
    selection->n = n;
    selection->N = N;
    selection->first = 0;
    selection->V = 0.0;
    selection->ln_above = 0.0;
    selection->next_block = 0;
    selection->used = SPL_BLOCK_UNIFORMS;
}

/* How many to leave out: method A of Vitter, going through them one by one. */
static uint64_t skip_a(spl_selection *s)
{
    const double u = uniform(s);
    double left_out = (double)(s->N - s->n);
    double left = (double)s->N;
    double quotient = left_out / left;
    uint64_t skip = 0;
    s->V = 0.0;
    while (quotient > u) {
        skip++;
        left_out -= 1.0;
        left -= 1.0;
        quotient *= left_out / left;
    }
    return skip;
}

/* f(S) of Vitter's equation for the slow test of method D, as a product over the shorter
 * range. */
static double product(double n, double N, double skip)
{
    double y = 1.0;
    double top = N - 1.0;
    double bottom = n - 1.0 > skip ? N - n : N - skip - 1.0;
    const double last = n - 1.0 > skip ? N - skip : N - n + 1.0;
    for (double t = N - 1.0; t >= last; t -= 1.0) {
        y *= top / bottom;
        top -= 1.0;
        bottom -= 1.0;
    }
    return y;
}

/* Method D: rejection from a continuous density, on average in constant time. n >= 2. */
static uint64_t skip_d(spl_selection *s)
{
    const double n = (double)s->n;
    const double N = (double)s->N;
    const double most = N - n + 1.0; /* skips are below it */
    double V = s->V > 0.0 ? s->V : root(s, uniform(s), n);
    for (;;) {
        double X = N * (1.0 - V);
        while (floor(X) >= most) {
            V = root(s, uniform(s), n);
            X = N * (1.0 - V);
        }
        const double skip = floor(X);
        const double u = uniform(s);
        const double y = root(s, u * N / most, n - 1.0);
        /* accepted by the fast test, V is distributed as needed for n - 1 */
        V = y * (1.0 - X / N) * (most / (most - skip));
        if (V <= 1.0) {
            s->V = V;
            return (uint64_t)skip;
        }
        if (N / (N - X) >= y * root(s, product(n, N, skip), n - 1.0)) {
            s->V = root(s, uniform(s), n - 1.0);
            return (uint64_t)skip;
        }
        V = root(s, uniform(s), n);
    }
}

static uint64_t next_distinct(spl_selection *s)
{
    uint64_t skip;
    if (s->n == 1) {
        const double u = uniform(s);
        skip = (uint64_t)((double)s->N * u);
    } else if (s->N / METHOD_A_BELOW < s->n) {
        skip = skip_a(s);
    } else {
        skip = skip_d(s);
    }
    const uint64_t chosen = s->first + skip;
    s->first = chosen + 1;
    s->N -= skip + 1;
    s->n--;
    return chosen;
}

/* The order statistics of n uniform numbers, by the ratio of neighbours: of the k left
 * the smallest is 1 - u^(1/k) of the way up (Bentley & Saxe 1980, ACM Trans. Math. Softw.
 * 6:359). */
static uint64_t next_repeated(spl_selection *s)
{
    s->ln_above += ln(s, uniform(s)) / (double)s->n;
    const double place = (1.0 - e_to(s, s->ln_above)) * (double)s->N;
    const uint64_t whole = place < (double)s->N ? (uint64_t)place : s->N - 1;
    /* rounding may take a step back */
    s->first = whole > s->first ? whole : s->first;
    s->n--;
    return s->first;
}

uint64_t spl_selection_next(spl_selection *selection)
{
    return selection->repeat ? next_repeated(selection) : next_distinct(selection);
}
