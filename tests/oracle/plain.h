/* A second simulator for small networks of Larter-Breakspear nodes, to compare the first
 * with: the equations as the papers print them, the C library's tanh, exp and sin, every
 * state kept, no derived constants, no order of summation but the index of the source.
 *
 * Equations: Breakspear, Terry & Friston 2003 (Network 14:703) with the firing rates
 * Q_max (1 + tanh) / 2; diagonal of the Jacobian by hand. Coupling functions as The
 * Virtual Brain documents them; half steps of delayed RK4 by cubic Hermite interpolation
 * of the sources' states. */
#ifndef SPL_TEST_PLAIN_H
#define SPL_TEST_PLAIN_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* clang-format off */
#define PLAIN_PARAMS(X) \
    X(gCa) X(gK) X(gL) X(gNa) X(TCa) X(TK) X(TNa) X(d_Ca) X(d_K) X(d_Na) X(VCa) X(VK)      \
    X(VL) X(VNa) X(phi) X(tau_K) X(aee) X(aei) X(aie) X(ane) X(ani) X(b) X(C) X(Iext)      \
    X(rNMDA) X(VT) X(d_V) X(QV_max) X(ZT) X(d_Z) X(QZ_max) X(t_scale)
/* clang-format on */

enum { PLAIN_NODES = 19, PLAIN_STEPS = 80, V = 0, W = 1, Z = 2, PLAIN_STATES = 3 };

#define PLAIN_MEMBER(name) double name;
typedef struct plain_params {
    PLAIN_PARAMS(PLAIN_MEMBER)
} plain_params;
#define PLAIN_NAME(name) #name,
static const char *const plain_names[] = {PLAIN_PARAMS(PLAIN_NAME)};
enum { PLAIN_N_PARAMS = sizeof plain_names / sizeof *plain_names };

typedef enum {
    PLAIN_MEAN_RATE,
    PLAIN_LINEAR,
    PLAIN_DIFFERENCE,
    PLAIN_TVB_TANH,
    PLAIN_JANSEN_RIT,
    PLAIN_SIGMOIDAL,
    PLAIN_KURAMOTO
} plain_function;

typedef enum { PLAIN_EULER, PLAIN_HEUN, PLAIN_RK4, PLAIN_EXP_EULER } plain_scheme;
typedef enum { PLAIN_SILENT, PLAIN_ADDITIVE, PLAIN_MULTIPLICATIVE, PLAIN_OU } plain_noise;

typedef struct plain {
    size_t n;
    double dt;
    plain_scheme scheme;
    bool frozen;
    plain_function function;
    bool in_strength, sends_rate; /* Q_V, else V */
    double weight[PLAIN_NODES][PLAIN_NODES];
    int delay[PLAIN_NODES][PLAIN_NODES]; /* steps */
    plain_params params[PLAIN_NODES];
    plain_noise noise;
    double sigma[PLAIN_STATES];
    const double *normals; /* [step][state][node] */
    /* nodes with neurons, whose filtered rate is Q_hat [step] in units of Q; NULL: none
     */
    const double *Q_hat[PLAIN_NODES];
    double alpha, beta;
    bool local_feedback;
    double eta[PLAIN_STATES][PLAIN_NODES]; /* of unit variance */
    double state[PLAIN_STEPS + 1][PLAIN_STATES][PLAIN_NODES];
    double slope[PLAIN_STEPS + 1][PLAIN_STATES][PLAIN_NODES]; /* at the step's start */
} plain;

/* Constants of the couplings and of the noise, different from every default. */
static const double plain_a = 0.7, plain_b = 0.05, plain_midpoint = -0.1,
                    plain_sigma = 0.4, plain_cmin = -0.2, plain_cmax = 0.6, plain_r = 2.5,
                    plain_slope = 1.3, plain_offset = 0.2, plain_tau = 3.0,
                    plain_mean = 0.01;

static inline double plain_gate(double x, double threshold, double width)
{
    return 0.5 * (1.0 + tanh((x - threshold) / width));
}

static inline double plain_rate(const plain_params *p, double v)
{
    return 0.5 * p->QV_max * (1.0 + tanh((v - p->VT) / p->d_V));
}

/* Q: the rate that local terms take, of the node's own V unless there is feedback. */
static inline void plain_rhs(const plain_params *p, const double x[PLAIN_STATES],
    double c, double Q, double f[PLAIN_STATES])
{
    const double m_Ca = plain_gate(x[V], p->TCa, p->d_Ca);
    const double m_Na = plain_gate(x[V], p->TNa, p->d_Na);
    const double m_K = plain_gate(x[V], p->TK, p->d_K);
    const double Q_Z = p->QZ_max * plain_gate(x[Z], p->ZT, p->d_Z);
    const double local = (1.0 - p->C) * p->aee * Q;
    const double distant = p->C * p->aee * c;
    f[V] =
        p->t_scale * (-(p->gCa + p->rNMDA * (local + distant)) * m_Ca * (x[V] - p->VCa) -
                         p->gK * x[W] * (x[V] - p->VK) - p->gL * (x[V] - p->VL) -
                         (p->gNa * m_Na + local + distant) * (x[V] - p->VNa) -
                         p->aie * x[Z] * Q_Z + p->ane * p->Iext);
    f[W] = p->t_scale * p->phi * (m_K - x[W]) / p->tau_K;
    f[Z] = p->t_scale * p->b * (p->ani * p->Iext + p->aei * x[V] * Q);
}

/* Diagonal of the Jacobian at constant c; dQ: derivative of Q by the rate of V. */
static inline void plain_jacobian(const plain_params *p, const double x[PLAIN_STATES],
    double c, double Q, double dQ, double J[PLAIN_STATES])
{
    const double m_Ca = plain_gate(x[V], p->TCa, p->d_Ca);
    const double m_Na = plain_gate(x[V], p->TNa, p->d_Na);
    const double Q_V = plain_rate(p, x[V]);
    const double dm_Ca = 2.0 * m_Ca * (1.0 - m_Ca) / p->d_Ca;
    const double dm_Na = 2.0 * m_Na * (1.0 - m_Na) / p->d_Na;
    const double dQ_V = dQ * 2.0 * Q_V * (1.0 - Q_V / p->QV_max) / p->d_V;
    const double own = (1.0 - p->C) * p->aee;
    const double input = own * Q + p->C * p->aee * c;
    J[V] = -p->t_scale *
           (p->rNMDA * own * dQ_V * m_Ca * (x[V] - p->VCa) +
               (p->gCa + p->rNMDA * input) * (dm_Ca * (x[V] - p->VCa) + m_Ca) +
               p->gK * x[W] + p->gL + (p->gNa * dm_Na + own * dQ_V) * (x[V] - p->VNa) +
               p->gNa * m_Na + input);
    J[W] = -p->t_scale * p->phi / p->tau_K;
    J[Z] = 0.0;
}

/* State of node j at half step `half` (2 k is step k); the past is constant. */
static inline void plain_past(
    const plain *net, size_t j, int half, double x[PLAIN_STATES])
{
    const int k = half / 2;
    for (size_t s = 0; s < PLAIN_STATES; s++) {
        if (half <= 0) {
            x[s] = net->state[0][s][j];
        } else if (half % 2 == 0) {
            x[s] = net->state[k][s][j];
        } else {
            x[s] = 0.5 * (net->state[k][s][j] + net->state[k + 1][s][j]) +
                   net->dt / 8.0 * (net->slope[k][s][j] - net->slope[k + 1][s][j]);
        }
    }
}

/* One source's share of a sum, before the weight. */
static inline double plain_pre(const plain *net, double source, double target)
{
    switch (net->function) {
    case PLAIN_DIFFERENCE:
        return source - target;
    case PLAIN_TVB_TANH:
        return plain_a *
               (1.0 + tanh((plain_slope * source - plain_midpoint) / plain_sigma));
    case PLAIN_JANSEN_RIT:
        return plain_cmin + (plain_cmax - plain_cmin) /
                                (1.0 + exp(plain_r * (plain_midpoint - source)));
    case PLAIN_KURAMOTO:
        return sin(source - target);
    case PLAIN_MEAN_RATE:
    case PLAIN_LINEAR:
    case PLAIN_SIGMOIDAL:
        break;
    }
    return source;
}

static inline double plain_post(const plain *net, double sum)
{
    switch (net->function) {
    case PLAIN_MEAN_RATE:
    case PLAIN_LINEAR:
        return plain_a * sum + plain_b;
    case PLAIN_DIFFERENCE:
    case PLAIN_JANSEN_RIT:
        return plain_a * sum;
    case PLAIN_SIGMOIDAL:
        return plain_cmin +
               (plain_cmax - plain_cmin) /
                   (1.0 + exp(-plain_a * (sum - plain_midpoint) / plain_sigma));
    case PLAIN_KURAMOTO:
        return plain_a / (double)net->n * sum;
    case PLAIN_TVB_TANH:
        break;
    }
    return sum;
}

/* What node j shows with the potential v while its neurons say Q_hat. */
static inline double plain_mixed(const plain *net, size_t j, double v, double Q_hat)
{
    const double Q = net->alpha * plain_rate(&net->params[j], v) + net->beta * Q_hat;
    return fmin(fmax(Q, 0.0), net->params[j].QV_max);
}

/* Of step k, or half a step later. */
static inline double plain_shown(const plain *net, size_t j, double v, int half)
{
    const double *Q_hat = net->Q_hat[j];
    if (Q_hat != NULL) {
        const int k = half > 0 ? half / 2 : 0;
        const double later = half > 0 && half % 2 != 0 ? Q_hat[k + 1] : Q_hat[k];
        return plain_mixed(net, j, v, 0.5 * (Q_hat[k] + later));
    }
    return net->sends_rate ? plain_rate(&net->params[j], v) : v;
}

/* Input of node i at a half step of step k; `y` are the present states of the stage, at
 * which neurons still say what they said at the start of the step. */
static inline double plain_input(
    const plain *net, size_t i, int k, int half, double y[PLAIN_STATES][PLAIN_NODES])
{
    const double target = plain_shown(net, i, y[V][i], 2 * k);
    double strength = 0.0;
    double sum = 0.0;
    for (size_t j = 0; j < net->n; j++) {
        double x[PLAIN_STATES] = {y[V][j]};
        int at = 2 * k;
        if (net->delay[i][j] > 0) {
            at = half - 2 * net->delay[i][j];
            plain_past(net, j, at, x);
        }
        strength += net->weight[i][j];
        if (net->weight[i][j] != 0.0) {
            sum +=
                net->weight[i][j] * plain_pre(net, plain_shown(net, j, x[V], at), target);
        }
    }
    if (!net->in_strength) {
        return plain_post(net, sum);
    }
    return strength == 0.0 ? 0.0 : plain_post(net, sum / strength);
}

/* Increments of step k, from the state at its start. */
static inline void plain_increments(
    plain *net, int k, double g[PLAIN_STATES][PLAIN_NODES])
{
    for (size_t s = 0; s < PLAIN_STATES; s++) {
        for (size_t i = 0; i < net->n && net->noise != PLAIN_SILENT; i++) {
            const double normal =
                net->normals[((size_t)k * PLAIN_STATES + s) * net->n + i];
            const double decay = exp(-net->dt / plain_tau);
            g[s][i] = net->sigma[s] * sqrt(net->dt) * normal;
            if (net->noise == PLAIN_MULTIPLICATIVE) {
                g[s][i] *= plain_slope * net->state[k][s][i] + plain_offset;
            } else if (net->noise == PLAIN_OU && net->sigma[s] > 0.0) {
                net->eta[s][i] =
                    decay * net->eta[s][i] + sqrt(1.0 - decay * decay) * normal;
                g[s][i] = net->dt * (plain_mean + net->sigma[s] * net->eta[s][i]);
            }
        }
    }
}

/* Slopes of all nodes at the stage states y of step `step`. */
static inline void plain_slopes(const plain *net, int step,
    double y[PLAIN_STATES][PLAIN_NODES], const double c[PLAIN_NODES],
    double k[PLAIN_STATES][PLAIN_NODES])
{
    for (size_t i = 0; i < net->n; i++) {
        const double x[PLAIN_STATES] = {y[V][i], y[W][i], y[Z][i]};
        double f[PLAIN_STATES];
        double J[PLAIN_STATES];
        const bool feeds_back = net->local_feedback && net->Q_hat[i] != NULL;
        const double Q = feeds_back ? plain_mixed(net, i, x[V], net->Q_hat[i][step])
                                    : plain_rate(&net->params[i], x[V]);
        plain_rhs(&net->params[i], x, c[i], Q, f);
        plain_jacobian(&net->params[i], x, c[i], Q, feeds_back ? net->alpha : 1.0, J);
        for (size_t s = 0; s < PLAIN_STATES; s++) {
            const double z = net->dt * J[s];
            const bool exponential = net->scheme == PLAIN_EXP_EULER && z != 0.0;
            k[s][i] = exponential ? f[s] * expm1(z) / z : f[s];
        }
    }
}

static inline void plain_step(plain *net, int k)
{
    static const int stages[] = {1, 2, 4, 1};
    static const double ahead[][4] = {{0}, {0, 1}, {0, 0.5, 0.5, 1}, {0}};
    static const double share[][4] = {
        {1}, {0.5, 0.5}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, {1}};
    double y[PLAIN_STATES][PLAIN_NODES];
    double slope[PLAIN_STATES][PLAIN_NODES];
    double g[PLAIN_STATES][PLAIN_NODES] = {{0}};
    double sum[PLAIN_STATES][PLAIN_NODES] = {{0}};
    double c[PLAIN_NODES];
    plain_increments(net, k, g);
    for (int stage = 0; stage < stages[net->scheme]; stage++) {
        const double at = ahead[net->scheme][stage];
        for (size_t s = 0; s < PLAIN_STATES; s++) {
            for (size_t i = 0; i < net->n; i++) {
                const double drift = stage > 0 ? at * net->dt * slope[s][i] : 0.0;
                const bool kicked = stage > 0 && net->scheme == PLAIN_HEUN;
                y[s][i] = net->state[k][s][i] + drift + (kicked ? g[s][i] : 0.0);
            }
        }
        for (size_t i = 0; i < net->n && (stage == 0 || !net->frozen); i++) {
            c[i] = plain_input(net, i, k, 2 * k + (int)(2.0 * at), y);
        }
        plain_slopes(net, k, y, c, slope);
        for (size_t s = 0; s < PLAIN_STATES; s++) {
            for (size_t i = 0; i < net->n; i++) {
                sum[s][i] += share[net->scheme][stage] * slope[s][i];
                if (stage == 0) {
                    net->slope[k][s][i] = slope[s][i];
                }
            }
        }
    }
    for (size_t s = 0; s < PLAIN_STATES; s++) {
        for (size_t i = 0; i < net->n; i++) {
            net->state[k + 1][s][i] = net->state[k][s][i] + net->dt * sum[s][i] + g[s][i];
        }
    }
}

#endif
