#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/rerun.h"
#include "splenium/log.h"
#include "support/shared.h"
#include "unit/config/support.h"

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(defaults_are_those_of_the_manual)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = NULL;
    spl_settings s;
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    resolve(config, regions, &s);
    ck_assert_str_eq(s.title, "");
    ck_assert(s.duration == 10000.0 && s.dt == 0.1 && s.transient == 0.0);
    ck_assert_uint_eq(s.n_steps, 100000);
    ck_assert_str_eq(s.integrator, "heun");
    ck_assert(!s.frozen && !s.reference && s.seed == 42 && s.threads == 0);
    ck_assert(s.divergence_limit == 50.0 && !s.escaped_error);
    ck_assert(s.speed == 3.0 && !s.one_delay);
    ck_assert_str_eq(s.coupling->name, "mean_rate");
    ck_assert(s.in_strength && s.sends_observable);
    ck_assert_str_eq(s.model->name, "larter_breakspear");
    ck_assert_str_eq(s.start, "btf2003");
    ck_assert(s.noise == SPL_NOISE_ADDITIVE);
    ck_assert(s.noise_strength[0] == sqrt(2e-5) && s.noise_strength[3] == sqrt(2e-5));
    ck_assert(s.noise_strength[4] == 0.0);
    ck_assert_uint_eq(s.n_monitors, 2);
    ck_assert_str_eq(s.monitors[0].name, "tavg");
    ck_assert_str_eq(s.monitors[0].variable_name[0], "V");
    ck_assert_str_eq(s.monitors[1].name, "bold");
    ck_assert(s.monitors[1].period_ms == 1000.0);
    ck_assert_str_eq(s.output, "results.h5");
    ck_assert(s.flush_every == 1.0 && !s.force);
    spl_settings_free(&s);
    set(config, "simulation.duration", "500 ms");
    resolve(config, regions, &s);
    ck_assert_uint_eq(s.n_monitors, 1); /* too short for BOLD */
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

START_TEST(quantities_are_converted_exactly)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("simulation: {duration: 0.3 s, transient: 1 min, "
                                   "dt: 100 us}\n"
                                   "connectome: {speed: 5 m/s, delay: 300 us}\n"
                                   "model: {tau_K: 500 us}\n"
                                   "monitors: [{kind: subsample, period: 0.02 s}]\n");
    spl_settings s;
    resolve(config, regions, &s);
    ck_assert(s.duration == 300.0 && s.transient == 60000.0 && s.dt == 0.1);
    ck_assert_uint_eq(s.n_transient, 600000);
    ck_assert_uint_eq(s.n_steps, 603000);
    ck_assert(s.speed == 5.0 && s.one_delay && s.delay == 0.3);
    ck_assert(param(&s, "tau_K")[0] == 0.5);
    ck_assert(s.monitors[0].period_ms == 20.0);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

START_TEST(steps_cover_the_time)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("simulation: {duration: 1.05, transient: 0.15}\n"
                                   "monitors: []\n");
    spl_settings s;
    resolve(config, regions, &s);
    ck_assert_uint_eq(s.n_transient, 2);
    ck_assert_uint_eq(s.n_steps, 12);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

START_TEST(regions_take_all_four_forms)
{
    char folder[] = "splenium-config-XXXXXX";
    char path[128];
    char yaml_path[128];
    spl_connectome *regions = make_regions(false);
    spl_config *config = NULL;
    spl_settings s;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/iext.txt", folder);
    snprintf(yaml_path, sizeof yaml_path, "%s/run.yaml", folder);
    write_file(path, "0.1\n0.2\n0.3\n0.4\n");
    write_file(yaml_path, "model:\n"
                          "  d_V: 0.6\n"
                          "  gCa: [1.0, 1.1, 1.2, 1.3]\n"
                          "  Iext: {file: iext.txt}\n"
                          "  C: {default: 0.1, lTeg.a: 0.2, \"area_3a,_nose\": 0.3}\n"
                          "  init: {V: -0.1, W: [0.1, 0.2], Z: {file: iext.txt}}\n"
                          "noise: {sigma: {Z: {file: iext.txt}, V: 0.5}}\n"
                          "output: {file: out/r.h5}\n");
    ck_assert_int_eq(spl_config_load(&config, yaml_path), SPL_OK);
    resolve(config, regions, &s);
    ck_assert(param(&s, "d_V")[3] == 0.6 && param(&s, "gCa")[2] == 1.2);
    ck_assert(param(&s, "Iext")[0] == 0.1 && param(&s, "Iext")[3] == 0.4);
    ck_assert(param(&s, "C")[0] == 0.1 && param(&s, "C")[1] == 0.2);
    ck_assert(param(&s, "C")[2] == 0.3 && param(&s, "C")[3] == 0.1);
    ck_assert(s.init[0].low == -0.1 && s.init[0].high == -0.1);
    ck_assert(s.init[1].low == 0.1 && s.init[1].high == 0.2);
    ck_assert(s.init[2].value[2] == 0.3);
    ck_assert_str_eq(s.start, "custom");
    ck_assert(s.noise_strength[0] == 0.5 && s.noise_strength[4] == 0.0);
    ck_assert(s.noise_strength[8] == 0.1 && s.noise_strength[11] == 0.4);
    snprintf(path, sizeof path, "%s/out/r.h5", folder);
    ck_assert_str_eq(s.output, path); /* relative to the file */
    spl_settings_free(&s);
    set(config, "output.file", "other.h5");
    resolve(config, regions, &s);
    ck_assert_str_eq(s.output, "other.h5"); /* relative to here */
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
    snprintf(path, sizeof path, "%s/iext.txt", folder);
    unlink(path);
    unlink(yaml_path);
    rmdir(folder);
}
END_TEST

START_TEST(settings_go_on_top_in_order)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("model: {C: 0.3, d_V: [0.5, 0.6, 0.7, 0.8]}\n"
                                   "noise: {sigma: {V: 1, W: 2}}\n"
                                   "monitors: [{name: a, kind: bold}]\n");
    spl_settings s;
    set(config, "model.C.lTeg.a", "0.2");
    set(config, "model.d_V", "{default: 0.6, rA1: 0.7}");
    set(config, "model.d_V.lA1", "0.8");
    set(config, "model.gK.rA1", "2.5"); /* the others keep the default */
    set(config, "noise.nsig.V", "0.5");
    set(config, "noise.sigma.W.rA1", "3");
    set(config, "monitors.a.period", "2 s");
    set(config, "monitors.a.kernel", "Gamma");
    set(config, "model.init.Z", "[0, 0.5]");
    set(config, "title", "a: [b, # c");
    set(config, "simulation", "{dt: 0.05, seed: 7}");
    set(config, "simulation.seed", "8");
    resolve(config, regions, &s);
    ck_assert(param(&s, "C")[0] == 0.3 && param(&s, "C")[1] == 0.2);
    ck_assert(param(&s, "d_V")[0] == 0.7 && param(&s, "d_V")[1] == 0.6);
    ck_assert(param(&s, "d_V")[3] == 0.8);
    ck_assert(param(&s, "gK")[0] == 2.5 && param(&s, "gK")[1] == 2.0);
    ck_assert(s.noise_strength[0] == 1.0); /* sqrt(2 * 0.5) */
    ck_assert(s.noise_strength[4] == 3.0 && s.noise_strength[5] == 2.0);
    ck_assert(s.monitors[0].period_ms == 2000.0);
    ck_assert_str_eq(
        s.monitors[0].kind->choices[0].words[s.monitors[0].choices[0]], "Gamma");
    ck_assert(s.init[2].high == 0.5 && s.init[1].low == 0.27);
    ck_assert_str_eq(s.title, "a: [b, # c");
    ck_assert(s.dt == 0.05 && s.seed == 8);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

START_TEST(presets_lie_below_everything_explicit)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("model: {preset: roberts2019, C: 0.5}\n");
    spl_settings s;
    resolve(config, regions, &s);
    ck_assert_str_eq(s.preset, "roberts2019");
    ck_assert(param(&s, "C")[0] == 0.5 && param(&s, "aee")[0] == 0.36);
    ck_assert(s.one_delay && s.delay == 1.0);
    ck_assert(s.noise == SPL_NOISE_NONE && s.start_shared);
    ck_assert_str_eq(s.start, "roberts2019");
    spl_settings_free(&s);
    /* the matter as a whole is the user's then */
    set(config, "connectome.speed", "7");
    set(config, "noise.nsig.V", "1.0e-4");
    resolve(config, regions, &s);
    ck_assert(!s.one_delay && s.speed == 7.0 && s.noise == SPL_NOISE_ADDITIVE);
    spl_settings_free(&s);
    set(config, "model.init.V", "0");
    resolve(config, regions, &s);
    ck_assert(s.start_shared && s.init[0].high == 0.0 && s.init[1].high == 0.6);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

START_TEST(delays_have_three_sources)
{
    static const struct {
        const char *yaml;
        bool one_delay;
        double delay, speed;
    } cases[] = {
        {"connectome: {speed: 4, delay: 2}", true, 2.0, 4.0},
        {"connectome: {speed: 4, delay: none}", false, 0.0, 4.0},
        {"connectome: {speed: 4, delay: 2, delays: false}", false, 0.0, INFINITY},
        {"connectome: {speed: inf}", false, 0.0, INFINITY},
        {"model: {preset: btf2003}", false, 0.0, INFINITY},
        {"{model: {preset: btf2003}, connectome: {delay: 3}}", true, 3.0, 3.0},
    };
    spl_connectome *regions = make_regions(false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spl_config *config = read_text(cases[i].yaml);
        spl_settings s;
        resolve(config, regions, &s);
        ck_assert_msg(s.one_delay == cases[i].one_delay && s.delay == cases[i].delay &&
                          s.speed == cases[i].speed,
            "%s: %d %g %g", cases[i].yaml, s.one_delay, s.delay, s.speed);
        spl_settings_free(&s);
        spl_config_free(config);
    }
    spl_connectome_free(regions);
}
END_TEST

START_TEST(noise_of_ou_is_a_standard_deviation)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config =
        read_text("noise: {kind: ou, tau: 20, nsig: {V: 1.0e-3}, sigma: {W: 0.25}}\n");
    spl_settings s;
    resolve(config, regions, &s);
    ck_assert(s.noise == SPL_NOISE_OU && s.noise_tau == 20.0);
    ck_assert(s.noise_strength[0] == sqrt(2e-3 / 20.0) && s.noise_strength[4] == 0.25);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

START_TEST(variables_have_numbers)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text(
        "monitors:\n"
        "  - {name: a, kind: subsample, period: 1, variables: [Z, Q, c], dtype: f8}\n"
        "  - {kind: afferent_coupling}\n"
        "  - {kind: balloon, variables: Q_V}\n"
        "coupling: {function: linear, observable: V}\n");
    spl_settings s;
    resolve(config, regions, &s);
    ck_assert_uint_eq(s.monitors[0].variable[0], 2);
    ck_assert_uint_eq(s.monitors[0].variable[1], 3);
    ck_assert_uint_eq(s.monitors[0].variable[2], 4);
    ck_assert(s.monitors[0].f8);
    ck_assert_str_eq(s.monitors[1].name, "afferent_coupling");
    ck_assert_uint_eq(s.monitors[1].variable[0], 4);
    ck_assert_uint_eq(s.monitors[2].variable[0], 3);
    ck_assert(!s.sends_observable && s.sends_state == 0 && !s.in_strength);
    ck_assert(s.coupling_params[0] == 1.0 / 256);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

static size_t n_warnings;
static void count_warning(void *user, spl_log_level level, const char *text)
{
    (void)user;
    (void)level;
    n_warnings += strstr(text, "simulation.dt: 0.6 ms is above 0.5 ms") == text;
}

START_TEST(a_coarse_step_warns)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("simulation: {dt: 0.6}\nmonitors: []\n");
    spl_settings s;
    spl_log_set(count_warning, NULL);
    resolve(config, regions, &s);
    ck_assert_uint_eq(n_warnings, 1);
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(regions);
}
END_TEST

static void assert_same_settings(const spl_settings *a, const spl_settings *b)
{
    const size_t n = a->n_nodes;
    ck_assert_mem_eq(a->params, b->params, a->model->n_params * n * sizeof *a->params);
    ck_assert_mem_eq(a->noise_strength, b->noise_strength,
        a->model->n_states * n * sizeof *a->noise_strength);
    ck_assert_mem_eq(a->coupling_params, b->coupling_params, sizeof a->coupling_params);
    for (size_t s = 0; s < a->model->n_states; s++) {
        ck_assert_mem_eq(&a->init[s].low, &b->init[s].low, sizeof(double));
        ck_assert_mem_eq(&a->init[s].high, &b->init[s].high, sizeof(double));
        ck_assert_int_eq(a->init[s].value != NULL, b->init[s].value != NULL);
        if (a->init[s].value != NULL) {
            ck_assert_mem_eq(a->init[s].value, b->init[s].value, n * sizeof(double));
        }
    }
    ck_assert_uint_eq(a->n_monitors, b->n_monitors);
    for (size_t i = 0; i < a->n_monitors; i++) {
        ck_assert_mem_eq(a->monitors[i].options, b->monitors[i].options,
            sizeof a->monitors[i].options);
        ck_assert_mem_eq(a->monitors[i].choices, b->monitors[i].choices,
            sizeof a->monitors[i].choices);
    }
    ck_assert(a->speed == b->speed && a->one_delay == b->one_delay &&
              a->delay == b->delay && a->start_shared == b->start_shared &&
              a->divergence_limit == b->divergence_limit && a->seed == b->seed);
    ck_assert_str_eq(a->resolved_json, b->resolved_json);
}

START_TEST(the_resolved_configuration_reads_back)
{
    static const char *const yaml[] = {
        "",
        "model: {preset: roberts2019, d_V: [0.61, 0.62, 0.63, 0.1234567890123456789]}\n"
        "simulation: {divergence_limit: inf, seed: 18446744073709551615, dt: 0.3}\n"
        "connectome: {speed: inf, delay: none, normalise: node, weights: w.txt}\n"
        "monitors: [{kind: raw, variables: [V, Q]}, {name: x, kind: bold, period: 3 s, "
        "kernel: Gamma, tau: 1.1}]\n"
        "title: \"quotes \\\" and \\\\ and \\t and \\u00e9\"\n",
        "model: {init: {V: {values: [1.0e-300, 2, 3, 4]}, W: 0.1}}\n"
        "noise: {kind: multiplicative, sigma: {V: [1, 2, 3, 4.5]}, a: 0.1, b: 2}\n"
        "coupling: {function: sigmoidal, observable: W, normalise: in_strength}\n",
        "{model: {name: linear, gamma: -3}, noise: {kind: none}}\n",
    };
    spl_connectome *regions = make_regions(false);
    spl_config *config = NULL;
    spl_config *again = NULL;
    spl_settings s;
    spl_settings t;
    /* a tab is no printable character of a title */
    ck_assert_int_eq(spl_config_from_text(&config, "t.yaml", yaml[1], strlen(yaml[1])),
        SPL_ERR_CONFIG);
    for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
        char *text = strdup(yaml[i]);
        char *tab = strstr(text, "\\t");
        if (tab != NULL) {
            memcpy(tab, "  ", 2);
        }
        config = read_text(text);
        resolve(config, regions, &s);
        ck_assert_int_eq(spl_config_from_text(&again, "elsewhere/r.json", s.resolved_json,
                             strlen(s.resolved_json)),
            SPL_OK);
        resolve(again, regions, &t);
        assert_same_settings(&s, &t);
        spl_settings_free(&s);
        spl_settings_free(&t);
        spl_config_free(config);
        spl_config_free(again);
        free(text);
    }
    spl_connectome_free(regions);
}
END_TEST

START_TEST(a_rerun_leaves_its_results_alone)
{
    spl_connectome *regions = make_regions(false);
    spl_config *config = read_text("output: {file: a.h5, force: true}\ntitle: x\n");
    spl_config *again = NULL;
    spl_settings s;
    spl_settings t;
    resolve(config, regions, &s);
    ck_assert_int_eq(
        spl_config_from_results(&again, "some/a.h5", s.resolved_json), SPL_OK);
    resolve(again, regions, &t);
    ck_assert_str_eq(t.title, "x");
    ck_assert_str_eq(t.output, "a_rerun.h5");
    ck_assert(s.force && !t.force);
    spl_settings_free(&t);
    set(again, "output.file", "b.h5");
    resolve(again, regions, &t);
    ck_assert_str_eq(t.output, "b.h5");
    spl_settings_free(&s);
    spl_settings_free(&t);
    spl_config_free(config);
    spl_config_free(again);
    spl_connectome_free(regions);
}
END_TEST

/* The complete example of the manual, less what does not exist yet. */
START_TEST(the_example_runs_on_real_data)
{
    char path[512];
    if (!shared_file(path, sizeof path, "data/connectomes/connectivity_76.zip")) {
        return;
    }
    spl_connectome *connectome = NULL;
    spl_settings s;
    spl_config *config = read_text(
        "format: 1                            # version of the configuration schema\n"
        "title: \"Resting state, TVB-76, d_V sweep\"\n"
        "simulation:\n"
        "  duration: 300 s                    # quantity\n"
        "  dt: 0.1                            # ms\n"
        "  transient: 10 s                    # integrated, not recorded\n"
        "  integrator: heun\n"
        "  coupling_stages: per-stage\n"
        "  seed: 42\n"
        "  threads: 2                         # 0 = all\n"
        "  precision: double\n"
        "connectome:\n"
        "  file: connectivity_76.zip\n"
        "  orientation: to-from\n"
        "  speed: 3.0\n"
        "  normalise: region\n"
        "  self_connections: drop\n"
        "  zero_length: warn\n"
        "coupling: {function: linear, a: 0.0042, b: 0.0}\n"
        "model:\n"
        "  name: larter_breakspear\n"
        "  d_V: 0.65\n"
        "  C: {default: 0.1, rA1: 0.2, lA1: 0.2}\n"
        "  init: {V: [-0.5, 0.5], W: [0.0, 0.6], Z: [0.0, 0.2]}\n"
        "noise: {kind: additive, nsig: {V: 1.0e-4}}\n"
        "monitors:\n"
        "  - {name: tavg, kind: temporal_average, period: 1.0, variables: [V, W], dtype: "
        "f4}\n"
        "  - {name: bold, kind: bold, period: 720 ms}\n"
        "output: {file: out/rest76.h5, flush_every: 1 s}\n");
    set(config, "connectome.file", path);
    spl_status status = spl_config_connectome(config, &connectome);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    resolve(config, connectome, &s);
    ck_assert_uint_eq(s.n_nodes, 76);
    ck_assert_uint_eq(s.n_steps, 3100000);
    ck_assert_uint_eq(s.n_transient, 100000);
    ck_assert(param(&s, "C")[0] == 0.2 && param(&s, "C")[1] == 0.1);
    ck_assert(s.noise_strength[75] == sqrt(2e-4) && s.noise_strength[76] == 0.0);
    ck_assert_uint_eq(s.monitors[0].n_variables, 2);
    ck_assert(s.monitors[1].period_ms == 720.0);
    ck_assert_str_eq(s.output, "out/rest76.h5");
    spl_settings_free(&s);
    spl_config_free(config);
    spl_connectome_free(connectome);
}
END_TEST

START_TEST(every_key_is_listed)
{
    bool found = false;
    ck_assert_uint_gt(spl_config_key_count(), 50);
    for (size_t i = 0; i < spl_config_key_count(); i++) {
        const spl_config_key *key = spl_config_key_at(i);
        ck_assert(key->key != NULL && key->type != NULL && key->value != NULL &&
                  key->unit != NULL && *key->meaning != '\0');
        if (strcmp(key->key, "connectome.speed") == 0) {
            found = true;
            ck_assert_str_eq(key->type, "speed or inf");
            ck_assert_str_eq(key->unit, "mm/ms");
            ck_assert_str_eq(key->value, "3");
        }
    }
    ck_assert(found);
    ck_assert_ptr_null(spl_config_key_at(spl_config_key_count()));
}
END_TEST

START_TEST(numbers_can_be_asked_for)
{
    double value = -1.0;
    spl_config *config = read_text("connectome: {speed: 4 m/s, delays: false}\n");
    set(config, "simulation.dt", "50 us");
    ck_assert_int_eq(spl_config_number(config, "connectome.speed", &value), SPL_OK);
    ck_assert(value == 4.0);
    ck_assert_int_eq(spl_config_number(config, "simulation.dt", &value), SPL_OK);
    ck_assert(value == 0.05);
    ck_assert_int_eq(spl_config_number(config, "simulation.seed", &value), SPL_OK);
    ck_assert(value == 42.0);
    ck_assert_int_eq(spl_config_number(config, "connectome.delays", &value), SPL_OK);
    ck_assert(value == 0.0);
    ck_assert_int_eq(spl_config_number(config, "connectome.delay", &value), SPL_OK);
    ck_assert(isnan(value));
    ck_assert_int_eq(spl_config_number(config, "model.name", &value), SPL_ERR_NOT_FOUND);
    ck_assert_str_eq(spl_last_error(), "model.name: not a key that holds one number");
    ck_assert_int_eq(spl_config_number(config, "nosuch", &value), SPL_ERR_NOT_FOUND);
    set(config, "coupling.function", "nosuch");
    ck_assert_int_eq(spl_config_number(config, "simulation.dt", &value), SPL_ERR_USAGE);
    spl_config_free(config);
}
END_TEST

START_TEST(the_connectome_is_loaded_as_told)
{
    char folder[] = "splenium-config-XXXXXX";
    char path[128];
    spl_connectome *connectome = NULL;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.txt", folder);
    write_file(path, "0 1\n2 0\n");
    spl_config *config = read_text("connectome: {file: nosuch.zip, orientation: from-to, "
                                   "normalise: tract, delays: false}\n");
    set(config, "connectome.weights", path); /* drops the file's archive */
    spl_status status = spl_config_connectome(config, &connectome);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    ck_assert_uint_eq(spl_connectome_n_nodes(connectome), 2);
    ck_assert(spl_connectome_weights(connectome)[1] == 1.0); /* transposed, over 2 */
    ck_assert(spl_connectome_weights(connectome)[2] == 0.5);
    spl_connectome_info info;
    ck_assert_int_eq(spl_connectome_describe(connectome, false, &info), SPL_OK);
    ck_assert_str_eq(info.source, path); /* as given, for messages and pages */
    spl_connectome_free(connectome);
    spl_config_free(config);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(the_shipped_data_set_is_found_or_named)
{
    char folder[] = "splenium-config-XXXXXX";
    char path[128];
    spl_connectome *connectome = NULL;
    spl_config *config = NULL;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/dk68.zip", folder);
    write_file(path, "0 1\n1 0\n"); /* content decides, not the name */
    ck_assert_int_eq(setenv("SPLENIUM_DATA", folder, 1), 0);
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    set(config, "connectome.delays", "false");
    spl_status status = spl_config_connectome(config, &connectome);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    char *json = NULL;
    ck_assert_int_eq(spl_config_resolved(config, connectome, &json), SPL_OK);
    ck_assert_ptr_nonnull(strstr(json, path));
    free(json);
    spl_connectome_free(connectome);
    spl_config_free(config);
    unlink(path);
    rmdir(folder);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, defaults_are_those_of_the_manual);
    tcase_add_test(tests, quantities_are_converted_exactly);
    tcase_add_test(tests, steps_cover_the_time);
    tcase_add_test(tests, regions_take_all_four_forms);
    tcase_add_test(tests, settings_go_on_top_in_order);
    tcase_add_test(tests, presets_lie_below_everything_explicit);
    tcase_add_test(tests, delays_have_three_sources);
    tcase_add_test(tests, noise_of_ou_is_a_standard_deviation);
    tcase_add_test(tests, variables_have_numbers);
    tcase_add_test(tests, a_coarse_step_warns);
    tcase_add_test(tests, the_resolved_configuration_reads_back);
    tcase_add_test(tests, a_rerun_leaves_its_results_alone);
    tcase_add_test(tests, the_example_runs_on_real_data);
    tcase_add_test(tests, every_key_is_listed);
    tcase_add_test(tests, numbers_can_be_asked_for);
    tcase_add_test(tests, the_connectome_is_loaded_as_told);
    tcase_add_test(tests, the_shipped_data_set_is_found_or_named);
    suite_add_tcase(suite, tests);
    return suite;
}
