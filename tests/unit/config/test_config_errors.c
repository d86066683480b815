#include "unit/config/support.h"

/* Every class of error with its exact message: the file's place, the value, what to do.
 */

typedef struct bad_file {
    const char *yaml, *message;
    spl_status code;
} bad_file;

static const bad_file bad_files[] = {
    {"simulation:\n  dt: 0.1\n  duratoin: 5",
        "t.yaml:3:3: unknown key 'duratoin' in simulation; did you mean 'duration'?",
        SPL_ERR_CONFIG},
    {"stimuli: []",
        "t.yaml:1:1: unknown key 'stimuli'; known: format, title, simulation, "
        "connectome, coupling, model, noise, monitors, subnetworks, output",
        SPL_ERR_CONFIG},
    {"simulaton: {dt: 1}",
        "t.yaml:1:1: unknown key 'simulaton'; did you mean 'simulation'?",
        SPL_ERR_CONFIG},
    {"connectome: {speeed: 3}",
        "t.yaml:1:14: unknown key 'speeed' in connectome; did you mean 'speed'?",
        SPL_ERR_CONFIG},
    {"model: {d_v: 0.5}", "t.yaml:1:9: unknown key 'd_v' in model; did you mean 'd_V'?",
        SPL_ERR_CONFIG},
    {"model: {name: linear, gCa: 3}",
        "t.yaml:1:23: unknown key 'gCa' in model; known: name, preset, init, gamma",
        SPL_ERR_CONFIG},
    {"simulation: {dt: 0.1, dt: 0.2}",
        "t.yaml:1:23: duplicate key 'dt', first at line 1; remove one of them",
        SPL_ERR_CONFIG},
    {"simulation: {dt: abc}",
        "t.yaml:1:18: simulation.dt: 'abc' is not a quantity; write a number in ms, or "
        "a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"connectome: {speed: nan}",
        "t.yaml:1:21: connectome.speed: 'nan' is not a quantity; write a number in "
        "mm/ms, or a number, a blank and one of mm/ms, m/s or inf",
        SPL_ERR_CONFIG},
    {"simulation: {dt: inf}",
        "t.yaml:1:18: simulation.dt: 'inf' is not a quantity; write a number in ms, or "
        "a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {dt: 0x10}",
        "t.yaml:1:18: simulation.dt: '0x10' is not a quantity; write a number in ms, "
        "or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {duration: 1_000}",
        "t.yaml:1:24: simulation.duration: '1_000' is not a quantity; write a number "
        "in ms, or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {duration: 12:30}",
        "t.yaml:1:24: simulation.duration: '12:30' is not a quantity; write a number "
        "in ms, or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {duration: 10 parsec}",
        "t.yaml:1:24: simulation.duration: '10 parsec' is not a quantity; write a "
        "number in ms, or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {duration: 10 mm}",
        "t.yaml:1:24: simulation.duration: '10 mm' is not a quantity; write a number "
        "in ms, or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {duration: 10s}",
        "t.yaml:1:24: simulation.duration: '10s' is not a quantity; write a number in "
        "ms, or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_CONFIG},
    {"simulation: {dt: 0}", "t.yaml:1:18: simulation.dt: '0' must be greater than 0",
        SPL_ERR_CONFIG},
    {"simulation: {transient: -1}",
        "t.yaml:1:25: simulation.transient: '-1' must not be negative", SPL_ERR_CONFIG},
    {"connectome: {delays: no}",
        "t.yaml:1:22: connectome.delays: 'no' is neither true nor false", SPL_ERR_CONFIG},
    {"title: [a]", "t.yaml:1:8: title is a list; give a single value", SPL_ERR_CONFIG},
    {"a: &x 1", "t.yaml:1:4: anchors are not supported; remove it", SPL_ERR_CONFIG},
    {"title: *x", "t.yaml:1:8: aliases are not supported; write the value out",
        SPL_ERR_CONFIG},
    {"title: !!str x",
        "t.yaml:1:8: tags are not supported; remove it; the schema knows the type of "
        "every key",
        SPL_ERR_CONFIG},
    {"title: ! x",
        "t.yaml:1:8: tags are not supported; remove it; the schema knows the type of "
        "every key",
        SPL_ERR_CONFIG},
    {"<<: {a: 1}", "t.yaml:1:1: merge keys are not supported; write the keys out",
        SPL_ERR_CONFIG},
    {"title: a\n---\ntitle: b",
        "t.yaml:2:1: a second document; a configuration is one document", SPL_ERR_CONFIG},
    {"[1,2]",
        "t.yaml:1:1: not a configuration; it must consist of lines like 'key: value'",
        SPL_ERR_CONFIG},
    {"just text",
        "t.yaml:1:1: not a configuration; it must consist of lines like 'key: value'",
        SPL_ERR_CONFIG},
    {"title: \"abc",
        "t.yaml:1:12: found unexpected end of stream; check indentation, brackets and "
        "quotes (YAML)",
        SPL_ERR_CONFIG},
    {"simulation: {seed: -1}",
        "t.yaml:1:20: simulation.seed: '-1' is not a whole number from 0 to "
        "18446744073709551615",
        SPL_ERR_CONFIG},
    {"simulation: {seed: 1.5}",
        "t.yaml:1:20: simulation.seed: '1.5' is not a whole number from 0 to "
        "18446744073709551615",
        SPL_ERR_CONFIG},
    {"simulation: {seed: 18446744073709551616}",
        "t.yaml:1:20: simulation.seed: '18446744073709551616' is not a whole number "
        "from 0 to 18446744073709551615",
        SPL_ERR_CONFIG},
    {"simulation: {integrator: rk2}",
        "t.yaml:1:26: unknown integrator 'rk2'; did you mean 'rk4'?", SPL_ERR_CONFIG},
    {"simulation: {integrator: hein}",
        "t.yaml:1:26: unknown integrator 'hein'; did you mean 'heun'?", SPL_ERR_CONFIG},
    {"simulation: {precision: half}",
        "t.yaml:1:25: simulation.precision: 'half' is not one of: double | single",
        SPL_ERR_CONFIG},
    {"simulation: {block: 65}",
        "t.yaml:1:21: simulation.block: 65; at most 64, 0 = automatic", SPL_ERR_CONFIG},
    {"simulation: {block: -1}",
        "t.yaml:1:21: simulation.block: '-1' is not a whole number from 0 to "
        "18446744073709551615",
        SPL_ERR_CONFIG},
    {"simulation: {engine: fast}",
        "t.yaml:1:22: simulation.engine: 'fast' is not one of: production | reference",
        SPL_ERR_CONFIG},
    {"format: 2", "t.yaml:1:9: format 2 is unknown; this version reads format 1",
        SPL_ERR_CONFIG},
    {"model: {preset: roberts2018}",
        "t.yaml:1:17: unknown preset 'roberts2018'; did you mean 'roberts2019'?",
        SPL_ERR_CONFIG},
    {"model: {name: larter}",
        "t.yaml:1:15: unknown model 'larter'; known: larter_breakspear, linear",
        SPL_ERR_CONFIG},
    {"model: {C: [1,2,3]}",
        "t.yaml:1:12: model.C: 3 values for 4 regions; give one number for all or one "
        "for each",
        SPL_ERR_CONFIG},
    {"model: {C: {rA1: 0.2}}",
        "t.yaml:1:12: model.C: no value for region 'lTeg.a'; add it, or default: x for "
        "all others",
        SPL_ERR_CONFIG},
    {"model: {C: {default: 0.1, rA2: 0.2}}",
        "t.yaml:1:27: model.C: no region has the label 'rA2'; did you mean 'rA1'?",
        SPL_ERR_CONFIG},
    {"model: {C: {file: nosuch.txt}}",
        "model.C: nosuch.txt: cannot be opened: No such file or directory; check the "
        "path",
        SPL_ERR_FILE_MISSING},
    {"model: {C: {file: nosuch.txt, rA1: 3}}",
        "t.yaml:1:12: model.C: 'file' stands beside other keys; it is reserved for "
        "{file: F}",
        SPL_ERR_CONFIG},
    {"model: {d_V: 0}", "t.yaml:1:14: model.d_V: '0' must be greater than 0",
        SPL_ERR_CONFIG},
    {"model: {d_V: [0.5, 0.6, -1, 0.5]}",
        "t.yaml:1:25: model.d_V: '-1' must be greater than 0", SPL_ERR_CONFIG},
    {"model: {d_V: 0.5 ms}",
        "t.yaml:1:14: model.d_V: '0.5 ms' is not a number; write it like 1.5 or 1.0e-4",
        SPL_ERR_CONFIG},
    {"model: {init: zer}", "t.yaml:1:15: unknown start rule 'zer'; did you mean 'zero'?",
        SPL_ERR_CONFIG},
    {"model: {init: {X: 1}}",
        "t.yaml:1:16: unknown key 'X' in model.init; known: V, W, Z", SPL_ERR_CONFIG},
    {"model: {init: {V: [1, 0]}}",
        "t.yaml:1:19: model.init.V: the range [1, 0] is upside down; give [low, high]",
        SPL_ERR_CONFIG},
    {"model: {init: {V: [1, 0, 3, 4]}}",
        "t.yaml:1:19: model.init.V: a list of 4 values; give the two ends of a range, "
        "[low, high], or {file: F}",
        SPL_ERR_CONFIG},
    {"noise: {nsig: {V: 1e-4}, sigma: {V: 2}}",
        "t.yaml:1:34: noise.sigma and noise.nsig both give V; keep one of them",
        SPL_ERR_CONFIG},
    {"noise: {nsig: {Q: 1e-4}}",
        "t.yaml:1:16: unknown key 'Q' in noise.nsig; known: V, W, Z", SPL_ERR_CONFIG},
    {"noise: {nsig: -1}", "t.yaml:1:15: noise.nsig.V: '-1' must not be negative",
        SPL_ERR_CONFIG},
    {"noise: {kind: pink}",
        "t.yaml:1:15: noise.kind: 'pink' is not one of: none | additive | "
        "multiplicative | ou",
        SPL_ERR_CONFIG},
    {"monitors: {name: a}",
        "t.yaml:1:11: monitors must be a list of at most 64 maps, e.g. [{name: tavg, "
        "kind: temporal_average}]",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a}]",
        "t.yaml:1:12: monitors.a has no kind; add one, e.g. kind: temporal_average",
        SPL_ERR_CONFIG},
    {"monitors: [{name: \"a b\", kind: raw}]",
        "t.yaml:1:19: monitor name 'a b'; use 1 to 64 letters, digits, '_' or '-'",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: rwa}]",
        "t.yaml:1:28: unknown kind of monitor 'rwa'; known: raw, subsample, "
        "temporal_average, global_average, afferent_coupling, bold, balloon",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: raw}, {name: a, kind: raw}]",
        "t.yaml:1:41: a second monitor named 'a'; give each its own name",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: raw, period: 1}]",
        "t.yaml:1:33: monitors.a: a monitor of kind raw records every step; leave out "
        "period, or use kind subsample",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: subsample, period: 0.25}]",
        "t.yaml:1:47: monitors.a: period 0.25 ms is not a multiple of dt 0.1 ms; "
        "nearest: 0.2 ms",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: subsample, periood: 0.25}]",
        "t.yaml:1:39: unknown key 'periood' in monitors.a; did you mean 'period'?",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: subsample, variables: [V, V]}]",
        "t.yaml:1:54: monitors.a.variables names 'V' twice; remove one", SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: subsample, variables: [V, U]}]",
        "t.yaml:1:54: unknown variable 'U'; known: V, W, Z, Q_V, c, Q", SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: afferent_coupling, variables: [V]}]",
        "t.yaml:1:59: monitors.a: a monitor of kind afferent_coupling records 'c' "
        "only; leave out variables",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: bold, kernel: Gama}]",
        "t.yaml:1:42: unknown kernel 'Gama'; did you mean 'Gamma'?", SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: bold, tau: -1}]",
        "t.yaml:1:39: monitors.a.tau: '-1' must be greater than 0", SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: bold, period: 20 s}]",
        "t.yaml:1:12: monitors.a: period 20000 ms is longer than the recorded duration "
        "of 10000 ms; shorten the period or lengthen the run",
        SPL_ERR_CONFIG},
    {"monitors: [{name: a, kind: bold, dtype: f2}]",
        "t.yaml:1:41: monitors.a.dtype: 'f2' is not one of: f4 | f8", SPL_ERR_CONFIG},
    {"coupling: {function: linera}",
        "t.yaml:1:22: unknown coupling function 'linera'; did you mean 'linear'?",
        SPL_ERR_CONFIG},
    {"coupling: {a: 1, c: 2}",
        "t.yaml:1:18: unknown key 'c' in coupling; known: function, normalise, "
        "observable, a, b",
        SPL_ERR_CONFIG},
    {"coupling: {observable: X}",
        "t.yaml:1:24: unknown observable 'X'; known: auto, Q_V, V, W, Z", SPL_ERR_CONFIG},
    {"connectome: {file: a.zip, weights: b.txt}",
        "t.yaml:1:27: connectome.file is given as well; give either one file or "
        "separate files",
        SPL_ERR_CONFIG},
    {"connectome: {lengths: b.txt}",
        "t.yaml:1:14: connectome.weights is missing; separate files need at least the "
        "weights",
        SPL_ERR_CONFIG},
    {"simulation: 5", "t.yaml:1:13: simulation must be a map of keys, e.g. {key: value}",
        SPL_ERR_CONFIG},
    {"simulation: {duration: 1e300}",
        "t.yaml:1:24: simulation: 1e+300 ms in steps of 0.1 ms are more than 2^53 "
        "steps; shorten duration and transient",
        SPL_ERR_CONFIG},
    {"simulation: {threads: 99999}",
        "t.yaml:1:23: simulation.threads: 99999; at most 4096, 0 = automatic",
        SPL_ERR_CONFIG},
    {"x: [[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]",
        "t.yaml:1:19: nested more than 16 levels deep; no key needs that",
        SPL_ERR_CONFIG},
    {"? [a]\n: b", "t.yaml:1:3: a key must be a word; quote braces and brackets",
        SPL_ERR_CONFIG},
    {"simulation: {dt: [1]}", "t.yaml:1:18: simulation.dt is a list; give a single value",
        SPL_ERR_CONFIG},
};

typedef struct bad_setting {
    const char *key, *value, *message;
    spl_status code;
} bad_setting;

static const bad_setting bad_settings[] = {
    {"simulation.dt", "abc",
        "--set simulation.dt=abc: simulation.dt: 'abc' is not a quantity; write a "
        "number in ms, or a number, a blank and one of us, ms, s, min, h",
        SPL_ERR_USAGE},
    {"simulation.dtt", "1",
        "--set simulation.dtt=1: unknown key 'dtt' in simulation; did you mean 'dt'?",
        SPL_ERR_USAGE},
    {"model.C.xyz", "0.2",
        "--set model.C.xyz=0.2: model.C: no region has the label 'xyz'; `splenium "
        "info` lists the connectome",
        SPL_ERR_USAGE},
    {"monitors.blod.period", "2 s",
        "--set monitors.blod.period=2 s: no monitor is named 'blod'; known: tavg, bold",
        SPL_ERR_USAGE},
    {"monitors.bold.perod", "2 s",
        "--set monitors.bold.perod=2 s: unknown key 'perod' in monitors.bold; did you "
        "mean 'period'?",
        SPL_ERR_USAGE},
    {"foo.bar", "1",
        "--set foo.bar=1: unknown key 'foo'; known: format, title, simulation, "
        "connectome, coupling, model, noise, monitors, subnetworks, output",
        SPL_ERR_USAGE},
    {"foo", "1",
        "--set foo=1: unknown key 'foo'; known: format, title, simulation, connectome, "
        "coupling, model, noise, monitors, subnetworks, output",
        SPL_ERR_USAGE},
    {"simulation.dt.x", "1",
        "--set simulation.dt.x=1: unknown key 'simulation.dt.x'; this key has no parts",
        SPL_ERR_USAGE},
    {"title.x", "1", "--set title.x=1: unknown key 'title.x'; this key has no parts",
        SPL_ERR_USAGE},
    {"model.init.V", "{file: a}",
        "model.init.V: a: cannot be opened: No such file or directory; check the path",
        SPL_ERR_FILE_MISSING},
    {"simulation.dt", "{a: ",
        "--set simulation.dt={a: : did not find expected node content; check "
        "indentation, brackets and quotes (YAML)",
        SPL_ERR_USAGE},
    {"title", "\"",
        "--set title=\": found unexpected end of stream; check indentation, brackets "
        "and quotes (YAML)",
        SPL_ERR_USAGE},
};

/* Some of them are traps of YAML's own typing. */
static const char *const accepted[] = {
    "simulation: {dt: 1e-3}",
    "simulation: {duration: 010, dt: 1E-1}\nmonitors: []",
    "connectome: {speed: inf}",
    "connectome: {speed: .inf}",
    "simulation: {duration: \"10 s\"}",
    "connectome: {delays: \"false\"}",
    "title: no",
    "# only a comment",
    "simulation: {seed: 18446744073709551615}",
    "simulation: {coupling_stages: per_stage}",
    "connectome: {normalise: edge}",
    "simulation: {dt: 0.6, duration: 6}\nmonitors: [{kind: raw}]",
    "model: {C: {default: 0.1, \"area_3a,_nose\": 0.2, lTeg.a: 0.3}}",
    "model: {tau_K: 500 us}",
    "simulation:",
};

/* Either step may be the one that refuses. */
static spl_status load_and_resolve(const char *yaml, const spl_connectome *connectome)
{
    spl_config *config = NULL;
    spl_settings settings = {0};
    spl_status status = spl_config_from_text(&config, "t.yaml", yaml, strlen(yaml));
    if (status == SPL_OK) {
        status = spl_config_resolve(config, connectome, &settings);
    }
    spl_settings_free(&settings);
    spl_config_free(config);
    return status;
}

START_TEST(bad_files_say_where_and_what)
{
    const bad_file *bad = &bad_files[_i];
    spl_connectome *connectome = make_regions(false);
    spl_status status = load_and_resolve(bad->yaml, connectome);
    ck_assert_msg(status == bad->code, "%d for %s", status, bad->yaml);
    ck_assert_str_eq(spl_last_error(), bad->message);
    spl_connectome_free(connectome);
}
END_TEST

START_TEST(bad_settings_say_what)
{
    const bad_setting *bad = &bad_settings[_i];
    spl_connectome *connectome = make_regions(false);
    spl_config *config = NULL;
    spl_settings settings = {0};
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    spl_status status = spl_config_set(config, bad->key, bad->value);
    if (status == SPL_OK) {
        status = spl_config_resolve(config, connectome, &settings);
    }
    ck_assert_int_eq(status, bad->code);
    ck_assert_str_eq(spl_last_error(), bad->message);
    spl_settings_free(&settings);
    spl_config_free(config);
    spl_connectome_free(connectome);
}
END_TEST

START_TEST(correct_files_are_accepted)
{
    spl_connectome *connectome = make_regions(false);
    ck_assert_msg(load_and_resolve(accepted[_i], connectome) == SPL_OK, "%s: %s",
        accepted[_i], spl_last_error());
    spl_connectome_free(connectome);
}
END_TEST

START_TEST(labels_of_several_regions_are_refused)
{
    spl_connectome *connectome = make_regions(true);
    ck_assert_int_eq(
        load_and_resolve("model:\n  C: {default: 0.1, unk: 0.2}\n", connectome),
        SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(),
        "t.yaml:2:21: model.C: 2 regions carry the label 'unk'; give the values as a "
        "list or a file");
    spl_connectome_free(connectome);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    spl_config *config = NULL;
    ck_assert_int_eq(spl_config_load(&config, "nosuch.yaml"), SPL_ERR_FILE_MISSING);
    ck_assert_str_eq(spl_last_error(),
        "nosuch.yaml: cannot be opened: No such file or directory; check the path");
    ck_assert_ptr_null(config);
}
END_TEST

START_TEST(binary_text_is_refused)
{
    static const char text[] = "title: \"a\xff\"\n";
    static const char zero[] = "title: \"a\\0b\"\n";
    spl_config *config = NULL;
    ck_assert_int_eq(
        spl_config_from_text(&config, "t.yaml", text, strlen(text)), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(),
        "t.yaml: byte 9: invalid leading UTF-8 octet; the text must be UTF-8");
    ck_assert_int_eq(
        spl_config_from_text(&config, "t.yaml", zero, strlen(zero)), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(), "t.yaml:1:8: NUL character in a value; remove it");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("config_errors");
    TCase *tests = tcase_create("config_errors");
    tcase_add_loop_test(
        tests, bad_files_say_where_and_what, 0, sizeof bad_files / sizeof *bad_files);
    tcase_add_loop_test(
        tests, bad_settings_say_what, 0, sizeof bad_settings / sizeof *bad_settings);
    tcase_add_loop_test(
        tests, correct_files_are_accepted, 0, sizeof accepted / sizeof *accepted);
    tcase_add_test(tests, labels_of_several_regions_are_refused);
    tcase_add_test(tests, a_missing_file_is_named);
    tcase_add_test(tests, binary_text_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
