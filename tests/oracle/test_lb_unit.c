/* Larter-Breakspear at single points: right-hand side, what exp_euler linearises, and one
 * step of every scheme, against an independent NumPy program whose right-hand side agrees
 * with The Virtual Brain's to 1.8e-15. Eight points come with the source, 256 with the
 * optional data. */
#include "model/registry.h"
#include "oracle/stored_params.h"
#include "support/network_run.h"

enum { MAX_POINTS = 256, N_STATES = 3 };

/* Points, one per column, all [..][n]. */
typedef struct point_set {
    size_t n;
    double state[N_STATES * MAX_POINTS], c[MAX_POINTS];
    double params[N_PARAMS * MAX_POINTS]; /* rows as in the model's table */
    double rhs[N_STATES * MAX_POINTS], jacobian[N_STATES * MAX_POINTS];
} point_set;

static const char *const names[] = {"dt0.1", "dt0.01"};
static const double dts[] = {0.1, 0.01};

static void take(double *out, hid_t file, const char *path, size_t size)
{
    double *values = read_stored(file, path, size);
    memcpy(out, values, size * sizeof *values);
    free(values);
}

static hid_t open_points(bool all)
{
    char path[4096];
    const char *source = getenv("SPLENIUM_SOURCE");
    if (all) {
        return open_stored("lb_unit.h5");
    }
    snprintf(path, sizeof path, "%s/data/reference/lb_points.h5",
        source != NULL ? source : ".");
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(file >= 0, "%s cannot be opened", path);
    return file;
}

static bool read_points(point_set *p, hid_t *file, bool all)
{
    *file = open_points(all);
    if (*file < 0) {
        return false;
    }
    p->n = stored_size(*file, "c");
    ck_assert(p->n % 8 == 0 && p->n <= MAX_POINTS);
    take(p->state, *file, "state", N_STATES * p->n);
    take(p->c, *file, "c", p->n);
    take(p->rhs, *file, "rhs", N_STATES * p->n);
    take(p->jacobian, *file, "jac_diag", N_STATES * p->n);
    read_params(*file, p->params, p->n);
    return true;
}

typedef void evaluate(const double *params, size_t stride, size_t node,
    const double *state, const double *c, const double *local, double *out);

/* Evaluate all points, lane by lane as the target does. */
static void evaluate_all(const point_set *p, spl_target target, evaluate *function,
    const spl_model_kernels *kernels, double *out)
{
    static const size_t lanes[SPL_N_TARGETS] = {1, 4, 8};
    double *params = calloc((N_PARAMS + kernels->n_derived) * p->n, sizeof *params);
    memcpy(params, p->params, N_PARAMS * p->n * sizeof *params);
    kernels->derive(params, p->n);
    for (size_t i = 0; i < p->n; i += lanes[target]) {
        double state[N_STATES * 8];
        double result[N_STATES * 8];
        for (size_t s = 0; s < N_STATES; s++) {
            memcpy(state + s * lanes[target], p->state + s * p->n + i,
                lanes[target] * sizeof *state);
        }
        function(params, p->n, i, state, p->c + i, NULL, result);
        for (size_t s = 0; s < N_STATES; s++) {
            memcpy(out + s * p->n + i, result + s * lanes[target],
                lanes[target] * sizeof *out);
        }
    }
    free(params);
}

static void check_evaluations(const point_set *p, double rhs_bound, double jacobian_bound)
{
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        const spl_target target = (spl_target)t;
        worst_case rhs = {0};
        worst_case jacobian = {0};
        double out[N_STATES * MAX_POINTS];
        if (!use_target(target)) {
            continue;
        }
        const spl_model_kernels *kernels =
            spl_model_kernels_of(spl_model_find("larter_breakspear"), target);
        evaluate_all(p, target, kernels->rhs, kernels, out);
        compare_row(&rhs, "rhs", 0, out, p->rhs, N_STATES * p->n, rhs_bound);
        evaluate_all(p, target, kernels->jacobian, kernels, out);
        compare_row(
            &jacobian, "jacobian", 0, out, p->jacobian, N_STATES * p->n, jacobian_bound);
        char what[64];
        snprintf(what, sizeof what, "lb_unit rhs, %s", spl_target_names[t]);
        report_worst(&rhs, what);
        snprintf(what, sizeof what, "lb_unit jac_diag, %s", spl_target_names[t]);
        report_worst(&jacobian, what);
    }
}

START_TEST(right_hand_side_and_jacobian)
{
    static point_set p;
    hid_t file;
    if (!read_points(&p, &file, _i == 1)) {
        return;
    }
    check_evaluations(&p, stored_number(file, "rhs", "tolerance"),
        stored_number(file, "jac_diag", "tolerance"));
    H5Fclose(file);
}
END_TEST

/* One step of a network without edges, whose constant inputs are the points' c. */
static void step_all(const point_set *p, const char *scheme, const char *engine,
    double dt, const char *stages, double *out)
{
    network_run run;
    spl_connectome *connectome = make_connectome(p->n, NULL, NULL);
    network_settle(&run, connectome,
        "simulation: {integrator: %s, engine: %s, dt: %.17g, coupling_stages: %s}\n"
        "coupling: {function: mean_rate, normalise: none}",
        scheme, engine, dt, stages);
    memcpy(run.settings.params, p->params, N_PARAMS * p->n * sizeof(double));
    network_start_at(&run, p->state);
    network_assemble(&run, connectome);
    memcpy((double *)run.network.coupling.shift, p->c, p->n * sizeof(double));
    network_advance(&run, 1);
    network_copy_states(&run, out);
    network_close(&run);
    spl_connectome_free(connectome);
}

static void check_steps(const point_set *p, const char *scheme, double dt,
    const double *expected, double bound, worst_case *worst)
{
    static const char *const stages[] = {"per-stage", "frozen"};
    double out[N_STATES * MAX_POINTS];
    for (size_t k = 0; k < 2; k++) {
        for (int t = 0; t < SPL_N_TARGETS; t++) {
            if (!use_target((spl_target)t)) {
                continue;
            }
            step_all(p, scheme, "production", dt, stages[k], out);
            compare_row(worst, scheme, 1, out, expected, N_STATES * p->n, bound);
        }
        step_all(p, scheme, "reference", dt, stages[k], out);
        compare_row(worst, scheme, 1, out, expected, N_STATES * p->n, bound);
    }
}

START_TEST(one_step_of_every_scheme)
{
    static point_set p;
    hid_t file;
    if (!read_points(&p, &file, _i == 1)) {
        return;
    }
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        worst_case worst = {0};
        char what[64];
        for (size_t d = 0; d < 2; d++) {
            char path[64];
            snprintf(path, sizeof path, "step/%s/%s", spl_schemes[k].name, names[d]);
            double *expected = read_stored(file, path, N_STATES * p.n);
            check_steps(&p, spl_schemes[k].name, dts[d], expected,
                stored_number(file, path, "tolerance"), &worst);
            free(expected);
        }
        snprintf(what, sizeof what, "lb_unit step, %s", spl_schemes[k].name);
        report_worst(&worst, what);
    }
    H5Fclose(file);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("lb_unit");
    TCase *points = tcase_create("points");
    tcase_set_timeout(points, 60);
    tcase_add_loop_test(points, right_hand_side_and_jacobian, 0, 2);
    tcase_add_loop_test(points, one_step_of_every_scheme, 0, 2);
    suite_add_tcase(suite, points);
    return suite;
}
