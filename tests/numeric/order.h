/* Runs to a given time and their error as a function of the step. */
#ifndef SPL_TEST_ORDER_H
#define SPL_TEST_ORDER_H

#include <math.h>

#include "model/registry.h"
#include "support/network_run.h"

enum { MAX_STATES_NODES = 8 };

/* A run to a given time, as functions of the step. */
typedef struct problem {
    const char *model, *coupling, *connectome;
    size_t n_nodes;
    const double *weights; /* [n][n] */
    const double *start;   /* [n_states][n] */
    double end;            /* ms */
} problem;

/* How to run it. */
typedef struct method {
    const char *integrator, *stages, *engine, *undelayed;
} method;

static inline void solve(const problem *p, const method *m, double dt, double *out)
{
    network_run run;
    spl_connectome *connectome = make_connectome(p->n_nodes, p->weights, NULL);
    network_settle(&run, connectome,
        "simulation: {integrator: %s, coupling_stages: %s, engine: %s, undelayed: %s, "
        "dt: %.17g}\nmodel: %s\ncoupling: %s\nconnectome: %s",
        m->integrator, m->stages, m->engine, m->undelayed, dt, p->model, p->coupling,
        p->connectome);
    network_start_at(&run, p->start);
    network_assemble(&run, connectome);
    network_advance(&run, (uint64_t)rint(p->end / dt));
    network_copy_states(&run, out);
    network_close(&run);
    spl_connectome_free(connectome);
}

static inline double largest_difference(const double *a, const double *b, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(a[i] - b[i]));
    }
    return largest;
}

/* Errors at dt, dt / 2, ... must fall as dt^order, within 0.1, `halvings` times. */
static inline void check_order(const problem *p, const method *m, double dt, int halvings,
    const double *expected, size_t n_values, int order)
{
    double before = NAN;
    fprintf(stderr, "# %-9s %-9s %-10s order", m->integrator, m->stages, m->undelayed);
    for (int k = 0; k <= halvings; k++) {
        double out[MAX_STATES_NODES];
        solve(p, m, ldexp(dt, -k), out);
        const double error = largest_difference(out, expected, n_values);
        const double found = log2(before / error);
        before = error;
        if (k > 0) {
            fprintf(stderr, " %.3f", found);
            ck_assert_msg(fabs(found - order) <= 0.1,
                "%s, %s, %s, %s: order %.3f at dt %g (error %.3g), expected %d",
                m->integrator, m->stages, p->coupling, p->connectome, found,
                ldexp(dt, -k), error, order);
        }
    }
    fprintf(stderr, "; error %.2g at dt %.3g\n", before, ldexp(dt, -halvings));
}

#endif
