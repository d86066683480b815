#include "naive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define PARAMETERS(X) \
    X(gCa) X(gK) X(gL) X(gNa) X(TCa) X(TK) X(TNa) X(d_Ca) X(d_K) X(d_Na) \
    X(VCa) X(VK) X(VL) X(VNa) X(phi) X(tau_K) X(aee) X(aei) X(aie) X(ane) X(ani) \
    X(b) X(C) X(Iext) X(rNMDA) X(VT) X(d_V) X(QV_max) X(ZT) X(d_Z) X(QZ_max) X(t_scale)
/* clang-format on */

typedef struct {
#define FIELD(name) double name;
    PARAMETERS(FIELD)
} parameters;

/* Of the counter of the random numbers: that of noise on the first state. */
enum { NOISE_STREAM = 0 };

typedef struct {
    double V, W, Z;
} node_state;

typedef struct {
    int delay;
    int source;
    double weight;
} edge;

struct naive {
    int n_nodes;
    double dt;
    parameters *p;         /* [n_nodes] */
    node_state *x;         /* [n_nodes] */
    node_state *y, *k1;    /* predictor and its slope */
    double *Q_V;           /* [n_nodes]: firing rates now */
    double *Q_stage;       /* [n_nodes]: those of the predictor */
    double *sum;           /* [n_nodes]: coupling sums now */
    double *sum_next;      /* [n_nodes]: sums of the delayed edges one step on */
    double *scale, *shift; /* c = scale * sum + shift */
    double *noise;         /* [n_nodes]: strength times sqrt(dt) */
    int *start;            /* [n_nodes + 1]: edges of a target */
    int *undelayed;        /* [n_nodes]: the first of them without delay */
    edge *edges;           /* by target, longest delay first, then by source */
    int depth;             /* of the ring */
    double *ring;          /* [depth][n_nodes]: firing rates of the past */
    long step;
    uint64_t seed;
    double (*normals)[4]; /* [n_nodes]: of the four steps that one draw serves */
};

/* Philox4x32-10 (Salmon et al. 2011): one counter to four random words. */
static void philox(uint64_t seed, uint64_t group, uint32_t node, uint32_t word[4])
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    word[0] = (uint32_t)group;
    word[1] = (uint32_t)(group >> 32);
    word[2] = node;
    word[3] = NOISE_STREAM;
    for (int round = 0; round < 10; round++) {
        const uint64_t product0 = (uint64_t)0xD2511F53u * word[0];
        const uint64_t product1 = (uint64_t)0xCD9E8D57u * word[2];
        word[0] = (uint32_t)(product1 >> 32) ^ word[1] ^ key[0];
        word[1] = (uint32_t)product1;
        word[2] = (uint32_t)(product0 >> 32) ^ word[3] ^ key[1];
        word[3] = (uint32_t)product0;
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
}

/* Box & Muller (1958): one word is the radius, the other quadrant and angle. */
static void box_muller(uint32_t word0, uint32_t word1, double z[2])
{
    const double radius = sqrt(-2.0 * log((word0 + 0.5) * 0x1p-32));
    const double turn = ((word1 & 0x3fffffffu) + 0.5) * 0x1p-30 - 0.5;
    const double angle = (turn + (double)(word1 >> 30)) * M_PI_2;
    z[0] = radius * cos(angle);
    z[1] = radius * sin(angle);
}

/* Normals of four steps, of which step 4 k is the first. */
static void draw(naive *net, long step)
{
    for (int i = 0; i < net->n_nodes; i++) {
        uint32_t word[4];
        philox(net->seed, (uint64_t)step / 4, (uint32_t)i, word);
        box_muller(word[0], word[1], net->normals[i]);
        box_muller(word[2], word[3], net->normals[i] + 2);
    }
}

static double gate(double x, double threshold, double width)
{
    return 0.5 * (1.0 + tanh((x - threshold) / width));
}

static double firing(const parameters *p, double V)
{
    return p->QV_max * gate(V, p->VT, p->d_V);
}

static node_state slope(const parameters *p, node_state s, double Q_V, double c)
{
    const double m_Ca = gate(s.V, p->TCa, p->d_Ca);
    const double m_Na = gate(s.V, p->TNa, p->d_Na);
    const double m_K = gate(s.V, p->TK, p->d_K);
    const double Q_Z = p->QZ_max * gate(s.Z, p->ZT, p->d_Z);
    const double excitation = (1.0 - p->C) * p->aee * Q_V + p->C * p->aee * c;
    const double dV = -(p->gCa + p->rNMDA * excitation) * m_Ca * (s.V - p->VCa) -
                      p->gK * s.W * (s.V - p->VK) - p->gL * (s.V - p->VL) -
                      (p->gNa * m_Na + excitation) * (s.V - p->VNa) + p->ane * p->Iext -
                      p->aie * s.Z * Q_Z;
    return (node_state){
        .V = p->t_scale * dV,
        .W = p->t_scale * p->phi * (m_K - s.W) / p->tau_K,
        .Z = p->t_scale * p->b * (p->ani * p->Iext + p->aei * s.V * Q_V),
    };
}

/* Sum over the edges of node i with delay, at step k. */
static double sum_delayed(const naive *net, int i, long k)
{
    double sum = 0.0;
    for (int e = net->start[i]; e < net->undelayed[i]; e++) {
        const edge *in = &net->edges[e];
        const long slot = (k + net->depth - in->delay) % net->depth;
        sum += in->weight * net->ring[slot * net->n_nodes + in->source];
    }
    return sum;
}

/* The same plus the edges without delay, last in the list, given what all nodes show. */
static double add_undelayed(const naive *net, int i, double sum, const double *shown)
{
    for (int e = net->undelayed[i]; e < net->start[i + 1]; e++) {
        sum += net->edges[e].weight * shown[net->edges[e].source];
    }
    return sum;
}

void naive_step(naive *net)
{
    const double dt = net->dt;
    const long next = net->step + 1;
    if (net->step % 4 == 0) {
        draw(net, net->step);
    }
    for (int i = 0; i < net->n_nodes; i++) {
        const double c = net->scale[i] * net->sum[i] + net->shift[i];
        const double N = net->normals[i][net->step % 4];
        net->k1[i] = slope(&net->p[i], net->x[i], net->Q_V[i], c);
        net->y[i] = (node_state){
            .V = net->x[i].V + dt * net->k1[i].V + net->noise[i] * N,
            .W = net->x[i].W + dt * net->k1[i].W,
            .Z = net->x[i].Z + dt * net->k1[i].Z,
        };
        net->x[i].V += net->noise[i] * N;
        net->Q_stage[i] = firing(&net->p[i], net->y[i].V);
    }
    for (int i = 0; i < net->n_nodes; i++) {
        net->sum_next[i] = sum_delayed(net, i, next);
        const double sum = add_undelayed(net, i, net->sum_next[i], net->Q_stage);
        const double c = net->scale[i] * sum + net->shift[i];
        const node_state k2 = slope(&net->p[i], net->y[i], net->Q_stage[i], c);
        net->x[i].V += 0.5 * dt * (net->k1[i].V + k2.V);
        net->x[i].W += 0.5 * dt * (net->k1[i].W + k2.W);
        net->x[i].Z += 0.5 * dt * (net->k1[i].Z + k2.Z);
        net->Q_V[i] = firing(&net->p[i], net->x[i].V);
    }
    for (int i = 0; i < net->n_nodes; i++) {
        net->ring[next % net->depth * net->n_nodes + i] = net->Q_V[i];
        net->sum[i] = add_undelayed(net, i, net->sum_next[i], net->Q_V);
    }
    net->step = next;
}

static int by_delay_and_source(const void *a, const void *b)
{
    const edge *x = a;
    const edge *y = b;
    return x->delay != y->delay ? y->delay - x->delay : x->source - y->source;
}

/* Edges of every target; returns the longest delay. */
static int fill_edges(naive *net, const naive_input *input)
{
    int longest = 0;
    for (int i = 0; i < net->n_nodes; i++) {
        net->start[i] = (int)input->start[i];
        net->start[i + 1] = (int)input->start[i + 1];
        net->undelayed[i] = net->start[i];
        for (int e = net->start[i]; e < net->start[i + 1]; e++) {
            const double steps = input->tract_lengths[e] / input->speed / input->dt;
            const int delay = (int)rint(steps);
            net->edges[e] = (edge){delay, input->source[e], input->weights[e]};
            net->undelayed[i] += delay > 0;
            longest = delay > longest ? delay : longest;
        }
        qsort(net->edges + net->start[i], (size_t)(net->start[i + 1] - net->start[i]),
            sizeof *net->edges, by_delay_and_source);
    }
    return longest;
}

static void fill_node(naive *net, const naive_input *input, int i)
{
    double strength = 0.0;
    for (int e = net->start[i]; e < net->start[i + 1]; e++) {
        strength += net->edges[e].weight;
    }
    net->scale[i] = strength != 0.0 ? input->a / strength : 0.0;
    net->shift[i] = strength != 0.0 ? input->b : 0.0;
    net->noise[i] = input->noise * sqrt(input->dt);
    for (size_t k = 0; k < input->model->n_params; k++) {
        const double value = input->params[k * (size_t)net->n_nodes + (size_t)i];
        const char *name = input->model->params[k].name;
#define FILL(field)                  \
    if (strcmp(name, #field) == 0) { \
        net->p[i].field = value;     \
    }
        PARAMETERS(FILL)
    }
}

naive *naive_create(const naive_input *input, const double *state)
{
    const size_t n = input->n_nodes;
    naive *net = calloc(1, sizeof *net);
    if (net == NULL) {
        return NULL;
    }
    *net = (naive){
        .n_nodes = (int)n,
        .dt = input->dt,
        .p = calloc(n, sizeof *net->p),
        .x = calloc(n, sizeof *net->x),
        .y = calloc(n, sizeof *net->y),
        .k1 = calloc(n, sizeof *net->k1),
        .Q_V = calloc(n, sizeof *net->Q_V),
        .Q_stage = calloc(n, sizeof *net->Q_stage),
        .sum = calloc(n, sizeof *net->sum),
        .sum_next = calloc(n, sizeof *net->sum_next),
        .scale = calloc(n, sizeof *net->scale),
        .shift = calloc(n, sizeof *net->shift),
        .noise = calloc(n, sizeof *net->noise),
        .start = calloc(n + 1, sizeof *net->start),
        .undelayed = calloc(n, sizeof *net->undelayed),
        .edges = calloc(input->start[n] + 1, sizeof *net->edges),
        .seed = input->seed,
        .normals = calloc(n, sizeof *net->normals),
    };
    if (net->p == NULL || net->x == NULL || net->y == NULL || net->k1 == NULL ||
        net->Q_V == NULL || net->Q_stage == NULL || net->sum == NULL ||
        net->sum_next == NULL || net->scale == NULL || net->shift == NULL ||
        net->noise == NULL || net->start == NULL || net->undelayed == NULL ||
        net->edges == NULL || net->normals == NULL) {
        naive_free(net);
        return NULL;
    }
    net->depth = fill_edges(net, input) + 2;
    net->ring = calloc((size_t)net->depth * n, sizeof *net->ring);
    if (net->ring == NULL) {
        naive_free(net);
        return NULL;
    }
    for (int i = 0; i < net->n_nodes; i++) {
        fill_node(net, input, i);
        net->x[i] =
            (node_state){state[i], state[n + (size_t)i], state[2 * n + (size_t)i]};
        net->Q_V[i] = firing(&net->p[i], net->x[i].V);
    }
    /* the past is constant */
    for (int slot = 0; slot < net->depth; slot++) {
        memcpy(net->ring + (size_t)slot * n, net->Q_V, n * sizeof *net->ring);
    }
    for (int i = 0; i < net->n_nodes; i++) {
        net->sum[i] = add_undelayed(net, i, sum_delayed(net, i, 0), net->Q_V);
    }
    return net;
}

void naive_free(naive *net)
{
    if (net == NULL) {
        return;
    }
    free(net->p);
    free(net->x);
    free(net->y);
    free(net->k1);
    free(net->Q_V);
    free(net->Q_stage);
    free(net->sum);
    free(net->sum_next);
    free(net->scale);
    free(net->shift);
    free(net->noise);
    free(net->start);
    free(net->undelayed);
    free(net->edges);
    free(net->ring);
    free(net->normals);
    free(net);
}

void naive_copy_state(const naive *net, double *state)
{
    for (int i = 0; i < net->n_nodes; i++) {
        state[i] = net->x[i].V;
        state[net->n_nodes + i] = net->x[i].W;
        state[2 * net->n_nodes + i] = net->x[i].Z;
    }
}
