#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/config/support.h"

typedef struct run {
    spl_connectome *regions;
    spl_config *config;
    spl_settings s;
} run;

static run open_run(const char *yaml)
{
    run r = {.regions = make_regions(false), .config = read_text(yaml)};
    resolve(r.config, r.regions, &r.s);
    return r;
}

static void close_run(run *r)
{
    spl_settings_free(&r->s);
    spl_config_free(r->config);
    spl_connectome_free(r->regions);
}

static const spl_receptor *receptor(
    const spl_population_spec *population, const char *name)
{
    for (size_t i = 0; i < population->n_receptors; i++) {
        if (strcmp(population->receptors[i].name, name) == 0) {
            return &population->receptors[i];
        }
    }
    ck_abort_msg("%s has no %s", population->name, name);
    return NULL;
}

static const spl_draw *neuron(const spl_population_spec *population, const char *name)
{
    for (size_t p = 0; p < population->model->n_params; p++) {
        if (strcmp(population->model->params[p].name, name) == 0) {
            return &population->params[p];
        }
    }
    ck_abort_msg("no parameter %s", name);
    return NULL;
}

static void is_constant(const spl_draw *draw, double value)
{
    ck_assert_int_eq(draw->kind, SPL_DRAW_CONSTANT);
    ck_assert_double_eq(draw->a, value);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(one_entry_is_the_default_network)
{
    run r = open_run("subnetworks: [{name: thal, region: lTeg.a, size: 1000}]\n");
    ck_assert(!r.s.alone && r.s.n_nodes == 4);
    ck_assert_uint_eq(r.s.n_subnetworks, 1);
    const spl_subnetwork_spec *s = &r.s.subnetworks[0];
    ck_assert_str_eq(s->name, "thal");
    ck_assert_str_eq(s->region, "lTeg.a");
    ck_assert(s->hosted && s->node == 1 && s->single && !s->located);
    ck_assert(s->linearise_input && s->scheme == SPL_NEURON_EXP_EULER);
    ck_assert_uint_eq(s->n_substeps, 1);
    const spl_interface_spec *i = &s->interface;
    ck_assert(i->mode == SPL_MODE_REPLACE && i->drive == SPL_DRIVE_POISSON);
    ck_assert(i->alpha == 0.0 && i->beta == 1.0 && i->kc == 1.0 && i->kl == 0.0);
    ck_assert(i->J == 0.024 && i->r_max == 0.014 && i->K_ext == 143.0 && i->k_I == 1.0);
    ck_assert(i->nu0 == 0.0 && i->tau_f == 5.0 && !i->second_pole && i->scaled);
    ck_assert(i->x0 == 0.0 && i->V_ref == -60.0);
    ck_assert_str_eq(i->receptor, "AMPA");
    ck_assert_uint_eq(s->n_populations, 2);
    for (size_t p = 0; p < 2; p++) {
        const spl_population_spec *population = &s->populations[p];
        ck_assert_str_eq(population->name, p == 0 ? "thal.E" : "thal.I");
        ck_assert_uint_eq(population->size, p == 0 ? 800 : 200);
        ck_assert(population->excitatory == (p == 0) && population->driven);
        ck_assert(population->record_spikes && population->n_recorded == 0);
        ck_assert_str_eq(population->model->name, "izhikevich_ltc");
        ck_assert_int_eq(population->heterogeneity, SPL_HETEROGENEITY_2003);
        ck_assert_int_eq(population->init[0].kind, SPL_DRAW_UNIFORM);
        ck_assert(population->init[0].a == -70.0 && population->init[0].b == -50.0);
        ck_assert(population->u_follows && population->tau_ref == 0.0);
        ck_assert(isinf(population->V_min) && population->V_min < 0.0);
        is_constant(&population->current, 0.0);
        ck_assert_uint_eq(population->n_receptors, 2);
        ck_assert_double_eq(receptor(population, "AMPA")->tau_decay, 5.0);
        ck_assert_double_eq(receptor(population, "AMPA")->E, 0.0);
        ck_assert_double_eq(receptor(population, "GABA_A")->tau_decay, 10.0);
        ck_assert_double_eq(receptor(population, "GABA_A")->E, -80.0);
    }
    is_constant(neuron(&s->populations[0], "a"), 0.02);
    is_constant(neuron(&s->populations[0], "b"), 0.2);
    is_constant(neuron(&s->populations[1], "c"), -65.0);
    is_constant(neuron(&s->populations[1], "d"), 2.0);
    close_run(&r);
}
END_TEST

START_TEST(the_default_network_is_connected)
{
    static const char *const names[] = {
        "E>E:AMPA", "E>I:AMPA", "I>E:GABA_A", "I>I:GABA_A"};
    run r = open_run("subnetworks: [{name: n, region: rA1, K: 1000}]\n");
    const spl_subnetwork_spec *s = &r.s.subnetworks[0];
    ck_assert_uint_eq(s->n_projections, 4);
    for (size_t p = 0; p < 4; p++) {
        const spl_projection_spec *projection = &s->projections[p];
        ck_assert_str_eq(projection->name, names[p]);
        ck_assert(projection->from == p / 2 && projection->to == p % 2);
        ck_assert_int_eq(projection->rule, SPL_CONNECT_FIXED_INDEGREE);
        ck_assert_uint_eq(projection->number, p < 2 ? 800 : 200);
        ck_assert(projection->allow_autapses && projection->allow_multapses);
        is_constant(&projection->weight, p < 2 ? 1.2 / 1000.0 : 20.0 / 1000.0);
        is_constant(&projection->delay, 1.5);
        ck_assert_str_eq(
            s->populations[projection->to].receptors[projection->receptor].name,
            p < 2 ? "AMPA" : "GABA_A");
    }
    close_run(&r);
}
END_TEST

START_TEST(every_key_of_a_subnetwork_is_read)
{
    run r = open_run(
        "simulation: {dt: 0.5}\n"
        "subnetworks:\n"
        "  - {name: a, region: 3, model: izhikevich_ltc, scheme: izh2003,\n"
        "     crossing: located, linearise_input: false, precision: float64,\n"
        "     substep: 100 us, mode: attach, alpha: 0.2, beta: 0.7, kc: 0.3, kl: 0.4,\n"
        "     local_feedback: true,\n"
        "     drive: conductance, J: 0.01, r_max: 20 Hz, K_ext: 50, k_I: 0.5,\n"
        "     nu0: 100 Hz, tau_f: 7, second_pole: true, scaled: false, x0: 4 Hz,\n"
        "     V_ref: -62, receptor: NMDA, size: 100, inhibitory_fraction: 0.4,\n"
        "     record_spikes: false}\n");
    const spl_subnetwork_spec *s = &r.s.subnetworks[0];
    const spl_interface_spec *i = &s->interface;
    ck_assert(s->node == 3 && s->scheme == SPL_NEURON_IZH2003 && s->located);
    ck_assert(!s->linearise_input && !s->single && s->n_substeps == 5);
    ck_assert(i->mode == SPL_MODE_ATTACH && i->alpha == 0.2 && i->beta == 0.7);
    ck_assert(i->kc == 0.3 && i->kl == 0.4 && i->drive == SPL_DRIVE_CONDUCTANCE);
    ck_assert(i->local_feedback);
    ck_assert(i->J == 0.01 && i->r_max == 0.02 && i->K_ext == 50.0 && i->k_I == 0.5);
    ck_assert(i->nu0 == 0.1 && i->tau_f == 7.0 && i->second_pole && !i->scaled);
    ck_assert(i->x0 == 0.004 && i->V_ref == -62.0);
    ck_assert_str_eq(i->receptor, "NMDA");
    ck_assert_uint_eq(s->populations[0].size, 60);
    ck_assert_uint_eq(s->populations[1].size, 40);
    ck_assert_uint_eq(s->populations[0].n_receptors, 3);
    ck_assert_int_eq(receptor(&s->populations[1], "NMDA")->block, SPL_BLOCK_JAHR_STEVENS);
    ck_assert_double_eq(receptor(&s->populations[1], "NMDA")->Mg, 1.2);
    ck_assert(!s->populations[0].record_spikes);
    close_run(&r);
}
END_TEST

/* alpha, beta, kc, kl; C is the node's own. */
START_TEST(modes_take_the_split_of_their_node)
{
    run r = open_run("model: {C: {default: 0.1, lTeg.a: 0.3}}\n"
                     "subnetworks:\n"
                     "  - {name: p, region: rA1, mode: probe}\n"
                     "  - {name: a, region: lTeg.a, mode: attach}\n"
                     "  - {name: b, region: lA1, mode: attach, beta: 0.2}\n"
                     "  - {name: r, region: \"area_3a,_nose\"}\n");
    static const double expected[4][4] = {{1.0, 0.0, 0.1, 0.9}, {0.5, 0.5, 0.3, 0.7},
        {0.8, 0.2, 0.1, 0.9}, {0.0, 1.0, 1.0, 0.0}};
    for (size_t k = 0; k < 4; k++) {
        const spl_interface_spec *i = &r.s.subnetworks[k].interface;
        ck_assert_double_eq(i->alpha, expected[k][0]);
        ck_assert_double_eq(i->beta, expected[k][1]);
        ck_assert_double_eq(i->kc, expected[k][2]);
        ck_assert_double_eq(i->kl, expected[k][3]);
        ck_assert(!i->local_feedback);
    }
    close_run(&r);
}
END_TEST

static const struct {
    const char *dt, *substep;
    unsigned m;
} grids[] = {{"0.1", NULL, 1}, {"0.5", NULL, 1}, {"0.6", NULL, 2}, {"1", NULL, 2},
    {"1", "1", 1}, {"1.2", NULL, 3}, {"0.3", "0.1", 3}, {"0.7", "0.1", 7}};

START_TEST(the_grid_is_the_coarsest_or_the_one_given)
{
    run r = open_run("subnetworks: [{name: a}]\n");
    spl_settings_free(&r.s);
    set(r.config, "simulation.dt", grids[_i].dt);
    if (grids[_i].substep != NULL) {
        set(r.config, "subnetworks.a.substep", grids[_i].substep);
    }
    resolve(r.config, r.regions, &r.s);
    ck_assert_uint_eq(r.s.subnetworks[0].n_substeps, grids[_i].m);
    close_run(&r);
}
END_TEST

static const char full[] =
    "subnetworks:\n"
    "  - name: net\n"
    "    receptors:\n"
    "      slow: {kernel: dual, tau_rise: 2, tau_decay: 80, E: 5, block: "
    "izhikevich2008}\n"
    "      AMPA: {tau: 3}\n"
    "      kick: {kernel: alpha, effect: current, tau: 4}\n"
    "    populations:\n"
    "      - {name: A, size: 7, preset: FS, d: 3, init: {V: -61, u: 2}, tau_ref: 2,\n"
    "         V_min: -90, current: {values: [1, 2, 3, 4, 5, 6, 7]},\n"
    "         current_steps: [[0, 1], [1 s, -2]], sigma: {V: 5, u: 0.5},\n"
    "         background: [{receptor: delta, rate: 500 Hz, weight: -1},\n"
    "                      {rate: 2, weight: 0.02, scaled: false}],\n"
    "         record: [6, 0, 3]}\n"
    "      - {name: B, fraction: 0.5, type: inhibitory, a: {uniform: [0.01, 0.03]},\n"
    "         b: {normal: [0.2, 0.05], low: 0.1}, c: {normal: [-60, 2]}, sigma: 2,\n"
    "         d: {lognormal: {log_mean: 1, log_sd: 0.5}}, record: all,\n"
    "         record_spikes: false, driven: false}\n"
    "    size: 10\n"
    "    projections:\n"
    "      - {from: A, to: B, rule: all_to_all, allow_autapses: false, weight: 0.1,\n"
    "         normalise: indegree}\n"
    "      - {from: A, to: B, rule: pairwise_bernoulli, p: 0.25, weight: 0.2,\n"
    "         delay: {uniform: [1, 2]}}\n"
    "      - {from: B, to: A, rule: fixed_total_number, M: 12, receptor: kick,\n"
    "         weight: {normal: [-1, 1]}, allow_multapses: false}\n"
    "      - {from: B, to: B, rule: one_to_one, receptor: slow,\n"
    "         weight: {normal: [1, 1], low: 0, high: 3}, delay: 300 us}\n"
    "      - {from: A, to: A, rule: fixed_outdegree, K: 3, weight: 0, receptor: pulse}\n";

START_TEST(a_full_network_is_read)
{
    run r = open_run(full);
    ck_assert(r.s.alone && r.s.n_nodes == 0 && r.s.model == NULL);
    ck_assert(r.s.n_monitors == 0 && r.s.coupling == NULL && r.s.params == NULL);
    const spl_subnetwork_spec *s = &r.s.subnetworks[0];
    const spl_population_spec *A = &s->populations[0];
    const spl_population_spec *B = &s->populations[1];
    ck_assert(!s->hosted && s->region == NULL && A->size == 7 && B->size == 5);
    is_constant(neuron(A, "a"), 0.1);
    is_constant(neuron(A, "d"), 3.0);
    is_constant(&A->init[0], -61.0);
    is_constant(&A->init[1], 2.0);
    ck_assert(!A->u_follows && A->tau_ref == 2.0 && A->V_min == -90.0);
    ck_assert(A->current.kind == SPL_DRAW_GIVEN && A->current.n_values == 7);
    ck_assert_double_eq(A->current.values[6], 7.0);
    ck_assert_uint_eq(A->n_current_steps, 2);
    ck_assert(A->current_steps[1].time == 1000.0 && A->current_steps[1].value == -2.0);
    ck_assert(A->sigma_V == 5.0 && A->sigma_u == 0.5);
    ck_assert_uint_eq(A->n_backgrounds, 2);
    ck_assert_str_eq(A->receptors[A->backgrounds[0].receptor].name, "delta");
    ck_assert(A->backgrounds[0].rate == 0.5 && A->backgrounds[0].weight == -1.0);
    ck_assert_str_eq(A->receptors[A->backgrounds[1].receptor].name, "AMPA");
    ck_assert(A->backgrounds[0].scaled && !A->backgrounds[1].scaled);
    ck_assert_uint_eq(A->n_recorded, 3);
    ck_assert(A->recorded[0] == 0 && A->recorded[1] == 3 && A->recorded[2] == 6);
    ck_assert_double_eq(receptor(A, "AMPA")->tau_decay, 3.0);
    ck_assert(receptor(A, "kick")->effect == SPL_RECEPTOR_CURRENT);
    ck_assert(receptor(A, "kick")->kernel == SPL_KERNEL_ALPHA);
    ck_assert(receptor(A, "delta")->kernel == SPL_KERNEL_DELTA);
    ck_assert(receptor(A, "pulse")->kernel == SPL_KERNEL_PULSE);
    ck_assert_uint_eq(A->n_receptors, 4);
    ck_assert(!A->driven && !B->driven); /* alone, and nu0 is 0 */
    ck_assert(neuron(B, "a")->kind == SPL_DRAW_UNIFORM && neuron(B, "a")->b == 0.03);
    ck_assert(neuron(B, "b")->low == 0.1 && isinf(neuron(B, "b")->high));
    ck_assert(neuron(B, "d")->kind == SPL_DRAW_LOGNORMAL && neuron(B, "d")->b == 0.5);
    ck_assert(B->sigma_V == 2.0 && B->sigma_u == 0.0 && B->n_recorded == 5);
    ck_assert(!B->record_spikes && A->record_spikes);
    const spl_receptor *slow = receptor(B, "slow");
    ck_assert(slow->kernel == SPL_KERNEL_DUAL && slow->tau_rise == 2.0);
    ck_assert(slow->tau_decay == 80.0 && slow->E == 5.0);
    ck_assert(slow->block == SPL_BLOCK_IZHIKEVICH2008);
    static const char *const names[] = {
        "A>B:AMPA", "A>B:AMPA#2", "B>A:kick", "B>B:slow", "A>A:pulse"};
    for (size_t p = 0; p < 5; p++) {
        ck_assert_str_eq(s->projections[p].name, names[p]);
    }
    ck_assert(!s->projections[0].allow_autapses && s->projections[1].p == 0.25);
    ck_assert(s->projections[0].by_indegree && !s->projections[1].by_indegree);
    ck_assert(s->projections[1].delay.kind == SPL_DRAW_UNIFORM);
    ck_assert(s->projections[2].number == 12 && !s->projections[2].allow_multapses);
    ck_assert(s->projections[3].weight.high == 3.0 && s->projections[3].delay.a == 0.3);
    ck_assert_uint_eq(s->projections[4].number, 3);
    close_run(&r);
}
END_TEST

static const char *const resolvable[] = {
    "subnetworks: [{name: thal, region: rA1}]\n",
    "subnetworks: [{name: thal, region: lTeg.a, mode: probe, drive: current}]\n",
    "subnetworks: [{name: thal, region: lA1, model: poisson_relay, mode: attach, "
    "alpha: 0, beta: 1, local_feedback: true}]\n",
    "connectome: {speed: 4}\nsubnetworks: [{name: x, K: 7, nu0: 1}]\n",
    "simulation: {dt: 0.7}\nsubnetworks: [{name: x, substep: 0.1}]\n",
    "subnetworks: [{name: x, populations: [{name: P, size: 3, model: izhikevich2007, "
    "preset: RS}]}]\n",
    "subnetworks: []\n",
    full,
};

/* What is resolved is valid input, and means the same. */
START_TEST(resolved_subnetworks_read_back)
{
    run r = open_run(resolvable[_i]);
    run again = open_run(r.s.resolved_json);
    ck_assert_str_eq(r.s.resolved_json, again.s.resolved_json);
    ck_assert(r.s.alone == again.s.alone);
    ck_assert_uint_eq(r.s.n_subnetworks, again.s.n_subnetworks);
    for (size_t i = 0; i < r.s.n_subnetworks; i++) {
        const spl_subnetwork_spec *a = &r.s.subnetworks[i];
        const spl_subnetwork_spec *b = &again.s.subnetworks[i];
        ck_assert_uint_eq(a->n_projections, b->n_projections);
        ck_assert(a->n_substeps == b->n_substeps && a->scheme == b->scheme);
        for (size_t p = 0; p < a->n_populations; p++) {
            const spl_population_spec *x = &a->populations[p];
            const spl_population_spec *y = &b->populations[p];
            ck_assert_str_eq(x->name, y->name);
            ck_assert(x->size == y->size && x->u_follows == y->u_follows);
            ck_assert(x->model == y->model && x->heterogeneity == y->heterogeneity);
            ck_assert(x->driven == y->driven && x->n_receptors == y->n_receptors);
            for (size_t k = 0; k < x->model->n_params; k++) {
                ck_assert(x->params[k].kind == y->params[k].kind);
                ck_assert(x->params[k].a == y->params[k].a);
                ck_assert(x->params[k].b == y->params[k].b);
                ck_assert(x->params[k].low == y->params[k].low);
            }
            for (size_t k = 0; k < x->n_receptors; k++) {
                ck_assert_str_eq(x->receptors[k].name, y->receptors[k].name);
                ck_assert(x->receptors[k].tau_decay == y->receptors[k].tau_decay);
                ck_assert(x->receptors[k].E == y->receptors[k].E);
            }
        }
        for (size_t p = 0; p < a->n_projections; p++) {
            ck_assert_str_eq(a->projections[p].name, b->projections[p].name);
            ck_assert(a->projections[p].receptor == b->projections[p].receptor);
            ck_assert(a->projections[p].number == b->projections[p].number);
            ck_assert(a->projections[p].weight.a == b->projections[p].weight.a);
        }
    }
    close_run(&again);
    close_run(&r);
}
END_TEST

START_TEST(parts_are_set_by_name)
{
    run r = open_run("subnetworks: [{name: thal, region: rA1}, {name: b, region: lA1,\n"
                     "  populations: [{name: P, size: 4}],\n"
                     "  projections: [{from: P, to: P, K: 2, weight: 1}]}]\n");
    spl_settings_free(&r.s);
    set(r.config, "subnetworks.thal.size", "500");
    set(r.config, "subnetworks.thal.populations.E.a", "0.03");
    set(r.config, "subnetworks.thal.populations.I.init.V", "{uniform: [-65, -64]}");
    set(r.config, "subnetworks.thal.receptors.AMPA.tau", "2 ms");
    set(r.config, "subnetworks.b.projections.P>P.K", "3");
    set(r.config, "subnetworks.b.populations.P.sigma.u", "1.5");
    resolve(r.config, r.regions, &r.s);
    const spl_subnetwork_spec *s = &r.s.subnetworks[0];
    ck_assert_uint_eq(s->populations[0].size, 400);
    ck_assert_uint_eq(s->n_projections, 4); /* still the default network */
    is_constant(neuron(&s->populations[0], "a"), 0.03);
    ck_assert_double_eq(s->populations[1].init[0].b, -64.0);
    ck_assert_double_eq(receptor(&s->populations[1], "AMPA")->tau_decay, 2.0);
    ck_assert_uint_eq(r.s.subnetworks[1].projections[0].number, 3);
    ck_assert_double_eq(r.s.subnetworks[1].populations[0].sigma_u, 1.5);
    close_run(&r);
}
END_TEST

START_TEST(without_region_or_connectome_there_is_none)
{
    spl_connectome *connectome = NULL;
    spl_config *config = read_text("subnetworks: [{name: a, size: 10}]\n");
    spl_settings s = {0};
    ck_assert_int_eq(spl_config_connectome(config, &connectome), SPL_OK);
    ck_assert_ptr_null(connectome);
    resolve(config, NULL, &s);
    ck_assert(s.alone);
    spl_settings_free(&s);
    set(config, "subnetworks.a.region", "0");
    ck_assert_int_eq(spl_config_connectome(config, &connectome), SPL_OK);
    ck_assert_ptr_nonnull(connectome); /* the one that is shipped */
    resolve(config, connectome, &s);
    ck_assert(!s.alone && s.subnetworks[0].hosted && s.n_nodes > 4);
    spl_settings_free(&s);
    spl_connectome_free(connectome);
    spl_config_free(config);
}
END_TEST

START_TEST(connections_come_from_a_file)
{
    static const char yaml[] =
        "subnetworks: [{name: a, populations: [{name: P, size: 3}, {name: Q, size: 2}], "
        "projections: [{from: P, to: Q, rule: list, file: config_edges.txt, delay: "
        "1}]}]\n";
    spl_config *config = NULL;
    spl_settings s = {0};
    write_file("config_edges.txt", "0 1 0.5\n2 0 0.25\n");
    run r = open_run(yaml);
    const spl_projection_spec *projection = &r.s.subnetworks[0].projections[0];
    ck_assert_uint_eq(projection->list.n, 2);
    ck_assert(projection->list.source[1] == 2 && projection->list.target[0] == 1);
    ck_assert(projection->list.weight[1] == 0.25 && projection->list.delay == NULL);
    is_constant(&projection->delay, 1.0);
    run again = open_run(r.s.resolved_json);
    ck_assert_str_eq(r.s.resolved_json, again.s.resolved_json);
    close_run(&again);
    write_file("config_edges.txt", "0 1 0.5\n2 0 0.75\n"); /* not the file it was */
    config = read_text(r.s.resolved_json);
    ck_assert_int_eq(spl_config_resolve(config, NULL, &s), SPL_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "is not what it was when"));
    spl_settings_free(&s);
    spl_config_free(config);
    close_run(&r);
    static const char *const bad[][2] = {
        {"0 1 0.5\n2 2 0.25\n",
            "t.yaml:1:129: subnetworks.a.projections.P>Q:AMPA.file: connection 1 of "
            "config_edges.txt has target 2; those of population Q are 0 to 1"},
        {"3 1 0.5\n",
            "t.yaml:1:129: subnetworks.a.projections.P>Q:AMPA.file: connection 0 of "
            "config_edges.txt has source 3; those of population P are 0 to 2"},
        {"0 1 0.5 2\n",
            "t.yaml:1:147: subnetworks.a.projections.P>Q:AMPA.delay: unused; the file "
            "gives one for each connection"},
        {"0 1 -0.5\n",
            "t.yaml:1:94: subnetworks.a.projections.P>Q:AMPA: the conductance AMPA "
            "cannot be -0.5; weights must be at least 0, the sign comes from E"}};
    for (size_t i = 0; i < 4; i++) {
        write_file("config_edges.txt", bad[i][0]);
        config = read_text(yaml);
        ck_assert_int_eq(spl_config_resolve(config, NULL, &s), SPL_ERR_CONFIG);
        ck_assert_str_eq(spl_last_error(), bad[i][1]);
        spl_settings_free(&s);
        spl_config_free(config);
    }
    unlink("config_edges.txt");
}
END_TEST

START_TEST(numbers_come_from_files)
{
    char folder[] = "splenium-subnetworks-XXXXXX";
    char path[128];
    char yaml[512];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/n.txt", folder);
    write_file(path, "1 10\n2 20\n3 30\n");
    snprintf(yaml, sizeof yaml,
        "subnetworks: [{name: a, populations: [{name: P, size: 3, current_steps: {file: "
        "%s}}]}]\n",
        path);
    run r = open_run(yaml);
    ck_assert_uint_eq(r.s.subnetworks[0].populations[0].n_current_steps, 3);
    ck_assert_double_eq(r.s.subnetworks[0].populations[0].current_steps[2].value, 30.0);
    close_run(&r);
    write_file(path, "0.1\n0.2\n0.3\n");
    snprintf(yaml, sizeof yaml,
        "subnetworks: [{name: a, populations: [{name: P, size: 3, a: {file: %s}}]}]\n",
        path);
    r = open_run(yaml);
    const spl_draw *a = neuron(&r.s.subnetworks[0].populations[0], "a");
    ck_assert(a->kind == SPL_DRAW_GIVEN && a->values[2] == 0.3);
    close_run(&r);
    unlink(path);
    rmdir(folder);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("subnetworks");
    TCase *tests = tcase_create("subnetworks");
    tcase_add_test(tests, one_entry_is_the_default_network);
    tcase_add_test(tests, the_default_network_is_connected);
    tcase_add_test(tests, every_key_of_a_subnetwork_is_read);
    tcase_add_test(tests, modes_take_the_split_of_their_node);
    tcase_add_loop_test(tests, the_grid_is_the_coarsest_or_the_one_given, 0,
        sizeof grids / sizeof *grids);
    tcase_add_test(tests, a_full_network_is_read);
    tcase_add_loop_test(
        tests, resolved_subnetworks_read_back, 0, sizeof resolvable / sizeof *resolvable);
    tcase_add_test(tests, parts_are_set_by_name);
    tcase_add_test(tests, without_region_or_connectome_there_is_none);
    tcase_add_test(tests, connections_come_from_a_file);
    tcase_add_test(tests, numbers_come_from_files);
    suite_add_tcase(suite, tests);
    return suite;
}
