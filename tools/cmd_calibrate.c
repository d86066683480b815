/* calibrate - measure what the rate of a spiking subnetwork stands for. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "talk.h"
#include "tool.h"

/* Read a number of seconds > 0 into milliseconds; false after a message. */
static bool read_seconds(double *ms, const tool_arguments *arguments, const char *name)
{
    const char *text = argument_of(arguments, name);
    char *end;
    if (text == NULL) {
        return true;
    }
    *ms = strtod(text, &end) * 1000.0;
    if (end == text || *end != '\0' || !(*ms > 0.0) || !isfinite(*ms)) {
        talk_error("--%s '%s' is not a number of seconds above 0", name, text);
        return false;
    }
    return true;
}

static bool read_points(size_t *n, const char *text)
{
    char *end;
    if (text == NULL) {
        return true;
    }
    const unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value < 2 || value > SPL_CALIBRATION_MAX_POINTS) {
        talk_error("--points '%s' is not a number from 2 to %d", text,
            SPL_CALIBRATION_MAX_POINTS);
        return false;
    }
    *n = value;
    return true;
}

/* What the results of later runs remember of it. */
static void describe(const spl_calibration *c, char *text, size_t size)
{
    snprintf(text, size,
        "drive %.4g (sd %.3g), rate %.4g Hz, Fano factor %.3g, gain %.3g, predicted "
        "noise "
        "%.3g",
        c->drive, c->drive_sd, c->at_drive.rate_E_hz, c->at_drive.fano, c->gain,
        c->noise);
}

static void print_point(const spl_calibration *c, const spl_calibration_point *point)
{
    const double Q_hat = c->drive * point->rate_E_hz / c->at_drive.rate_E_hz;
    printf("  %8.4f %10.4f %10.3f %10.3f %8.2f %10.4f\n", point->drive, point->nu,
        point->rate_E_hz, point->rate_I_hz, point->fano, Q_hat);
}

static void print_table(const spl_calibration *c)
{
    char text[256];
    describe(c, text, sizeof text);
    printf("subnetwork %s in region ", c->subnetwork);
    print_text(stdout, c->region);
    printf("\ndrive D* = %.4f, standard deviation %.4f, while the region takes nothing "
           "from its neurons\n\n"
           "transfer curve, open loop; Qhat with the r_max below\n"
           "  %8s %10s %10s %10s %8s %10s\n",
        c->drive, c->drive_sd, "D", "nu, 1/ms", "r_E, Hz", "r_I, Hz", "Fano", "Qhat");
    for (size_t i = 0; i < c->n_points; i++) {
        print_point(c, &c->points[i]);
    }
    printf("at D*\n");
    print_point(c, &c->at_drive);
    printf(
        "\nIn the closed loop the region should sit at D = Qhat = %.4f, r_E = %.3f Hz.\n"
        "Gain there %.2f (1: neither more nor less sensitive than the region was).\n"
        "Qhat will fluctuate by %.0f %% of its mean (tau_f %g ms, Fano factor %.2f).\n\n",
        c->drive, c->at_drive.rate_E_hz, c->gain, 100.0 * c->noise, c->tau_f_ms,
        c->at_drive.fano);
    printf("subnetworks:\n  - name: %s\n    r_max: %.6g Hz\n    K_ext: %.6g\n"
           "    calibration: %s\n",
        c->subnetwork, 1e3 * c->r_max_khz, c->K_ext, text);
}

static void write_point(
    json_writer *json, const char *key, const spl_calibration_point *point)
{
    json_begin(json, key, '{');
    json_real(json, "drive", point->drive);
    json_real(json, "nu", point->nu);
    json_real(json, "rate_E_hz", point->rate_E_hz);
    json_real(json, "rate_I_hz", point->rate_I_hz);
    json_real(json, "fano", point->fano);
    json_end(json, '}');
}

static void print_json(const spl_calibration *c)
{
    json_writer json = {.file = stdout};
    json_begin(&json, NULL, '{');
    json_text(&json, "subnetwork", c->subnetwork);
    json_text(&json, "region", c->region);
    json_real(&json, "drive", c->drive);
    json_real(&json, "drive_sd", c->drive_sd);
    write_point(&json, "at_drive", &c->at_drive);
    json_real(&json, "gain", c->gain);
    json_real(&json, "r_max_khz", c->r_max_khz);
    json_real(&json, "K_ext", c->K_ext);
    json_real(&json, "tau_f_ms", c->tau_f_ms);
    json_real(&json, "noise", c->noise);
    json_begin(&json, "points", '[');
    for (size_t i = 0; i < c->n_points; i++) {
        write_point(&json, NULL, &c->points[i]);
    }
    json_end(&json, ']');
    json_end(&json, '}');
}

/* Set subnetworks.NAME.KEY to a number of full precision and a unit. */
static spl_status set_number(spl_config *config, const spl_calibration *c,
    const char *name, double value, const char *unit)
{
    char key[128];
    char text[64];
    snprintf(key, sizeof key, "subnetworks.%s.%s", c->subnetwork, name);
    snprintf(text, sizeof text, "%.17g%s", value, unit);
    return spl_config_set(config, key, text);
}

static int cannot_write(const char *path)
{
    talk_error("%s: cannot be written: %s", path, strerror(errno));
    return EXIT_NO_OUTPUT;
}

/* The resolved configuration with the calibrated numbers, as a new file. */
static int write_config(const char *path, spl_config *config,
    const spl_connectome *connectome, const spl_calibration *c)
{
    spl_status status = SPL_OK;
    char *json = NULL;
    char key[128];
    char text[256];
    snprintf(key, sizeof key, "subnetworks.%s.calibration", c->subnetwork);
    describe(c, text, sizeof text);
    TOOL_TRY(set_number(config, c, "r_max", c->r_max_khz, ""));
    TOOL_TRY(set_number(config, c, "K_ext", c->K_ext, ""));
    TOOL_TRY(spl_config_set(config, key, text));
    TOOL_TRY(spl_config_resolved(config, connectome, &json));
    FILE *file = fopen(path, "wx");
    if (file == NULL) {
        free(json);
        return cannot_write(path);
    }
    const bool written = fputs(json, file) >= 0;
    if (fclose(file) != 0 || !written) {
        free(json);
        return cannot_write(path);
    }
out:
    free(json);
    return status != SPL_OK ? report_error(status) : EXIT_DONE;
}

static int run(const tool_arguments *arguments)
{
    const char *file = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
    const char *output = argument_of(arguments, "output");
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    spl_calibration found;
    spl_calibration_options options = {
        .subnetwork = argument_of(arguments, "subnetwork")};
    int code = EXIT_DONE;
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    if (!read_seconds(&options.mean_field_ms, arguments, "mean-field") ||
        !read_seconds(&options.open_loop_ms, arguments, "open-loop") ||
        !read_points(&options.n_points, argument_of(arguments, "points"))) {
        return EXIT_USAGE;
    }
    TOOL_TRY(input_configure(&config, NULL, arguments, file, false));
    TOOL_TRY(spl_config_connectome(config, &connectome));
    TOOL_TRY(spl_calibrate(&found, config, connectome, &options));
    if (argument_of(arguments, "json") != NULL) {
        print_json(&found);
    } else {
        print_table(&found);
    }
    if (output != NULL) {
        code = write_config(output, config, connectome, &found);
    }
out:
    if (status != SPL_OK) {
        code = report_error(status);
    }
    spl_connectome_free(connectome);
    spl_config_free(config);
    return code;
}

static const tool_option options[] = {
    {"subnetwork", 0, "NAME", NULL, "which one; may be left out if there is only one"},
    {"output", 'o', "FILE", NULL,
        "write the configuration with the calibrated numbers there, a new file"},
    {"mean-field", 0, "SECONDS", NULL,
        "length of the run that measures the drive, its first second not counted (5)"},
    {"open-loop", 0, "SECONDS", NULL,
        "length of the run of each point of the curve, its first half second not counted "
        "(4)"},
    {"points", 0, "N", NULL, "points of the curve (9)"},
    OPTION_SET,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_HELP,
};

const tool_verb verb_calibrate = {
    .name = "calibrate",
    .operands = "[CONFIG.yaml]",
    .n_operands = 1,
    .summary = "measure the transfer curve of a spiking subnetwork",
    .page =
        "Find r_max, the rate of the excitatory neurons of a subnetwork that stands for "
        "Q = Q_max, such that the region sends as much as it receives on average. First "
        "the whole network runs as configured, but regions take nothing from their "
        "neurons: the mean of the subnetwork's drive D is D*. Then the subnetwork runs "
        "alone under constant drives from 0 to 2 D*. r_max becomes r(D*) Q_max / D*, r "
        "the "
        "measured rate; K_ext changes with it, so that K_ext r_max, and with it the "
        "events "
        "that drive the neurons, stay as they were.\n"
        "Prints the transfer curve, where the closed loop should sit, how much the rate "
        "of "
        "so few neurons will fluctuate, and the lines to paste into the configuration; "
        "--output writes the whole configuration. Later runs keep what was measured in "
        "their results (key subnetworks.NAME.calibration).",
    .examples =
        "  splenium calibrate one_region.yaml\n"
        "  splenium calibrate one_region.yaml --subnetwork thal -o calibrated.yaml\n"
        "  splenium run calibrated.yaml",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
