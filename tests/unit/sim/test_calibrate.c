/* Calibration of a subnetwork: the numbers follow from each other, and a calibrated
 * subnetwork is calibrated. */
#include <math.h>
#include <stdio.h>

#include "splenium/splenium.h"
#include "support/test_main.h"

static spl_config *config_of(const char *subnetworks)
{
    spl_config *config = NULL;
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "subnetworks", subnetworks), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "output.file", ""), SPL_OK);
    return config;
}

static spl_status calibrate(
    spl_calibration *found, spl_config *config, const char *subnetwork)
{
    const spl_calibration_options options = {.subnetwork = subnetwork,
        .mean_field_ms = 400.0,
        .mean_field_skip_ms = 200.0,
        .open_loop_ms = 1000.0,
        .open_loop_skip_ms = 200.0,
        .n_points = 3};
    spl_connectome *connectome = NULL;
    ck_assert_int_eq(spl_config_connectome(config, &connectome), SPL_OK);
    const spl_status status = spl_calibrate(found, config, connectome, &options);
    spl_connectome_free(connectome);
    return status;
}

static void refuse(
    spl_config *config, const char *subnetwork, spl_status wanted, const char *message)
{
    spl_calibration found;
    ck_assert_int_eq(calibrate(&found, config, subnetwork), wanted);
    ck_assert_str_eq(spl_last_error(), message);
    spl_config_free(config);
}

START_TEST(numbers_follow_from_each_other)
{
    spl_config *config = config_of("[{name: thal, region: lh.insula, size: 500}]");
    spl_calibration found;
    ck_assert_int_eq(calibrate(&found, config, NULL), SPL_OK);
    ck_assert_str_eq(found.subnetwork, "thal");
    ck_assert_str_eq(found.region, "lh.insula");
    ck_assert(found.drive > 0.1 && found.drive < 0.6);
    ck_assert_double_eq_tol(found.r_max_khz * found.K_ext, 143 * 0.014, 1e-12);
    ck_assert_double_eq_tol(
        found.at_drive.rate_E_hz, 1e3 * found.r_max_khz * found.drive, 1e-9);
    ck_assert_double_eq_tol(found.at_drive.nu, 143 * 0.014 * found.drive, 1e-12);
    ck_assert_double_eq_tol(found.noise,
        sqrt(found.at_drive.fano / (2 * 5.0 * 400 * 1e-3 * found.at_drive.rate_E_hz)),
        1e-9);
    /* the curve rises, from nothing without drive; the default is nearly calibrated */
    ck_assert_uint_eq(found.n_points, 3);
    ck_assert_double_eq(found.points[0].drive, 0.0);
    ck_assert_double_eq(found.points[0].rate_E_hz, 0.0);
    ck_assert_double_eq(found.points[1].drive, found.drive);
    ck_assert_double_eq(found.points[1].rate_E_hz, found.at_drive.rate_E_hz);
    ck_assert_double_gt(found.points[2].rate_E_hz, found.at_drive.rate_E_hz);
    ck_assert(found.r_max_khz > 0.011 && found.r_max_khz < 0.017);
    ck_assert(found.gain > 0.5 && found.gain < 1.5);
    spl_config_free(config);
}
END_TEST

START_TEST(what_is_calibrated_stays)
{
    spl_config *config = config_of("[{name: thal, region: lh.insula, size: 500}]");
    spl_calibration first;
    spl_calibration second;
    char text[64];
    ck_assert_int_eq(calibrate(&first, config, "thal"), SPL_OK);
    snprintf(text, sizeof text, "%.17g", first.r_max_khz);
    ck_assert_int_eq(spl_config_set(config, "subnetworks.thal.r_max", text), SPL_OK);
    snprintf(text, sizeof text, "%.17g", first.K_ext);
    ck_assert_int_eq(spl_config_set(config, "subnetworks.thal.K_ext", text), SPL_OK);
    ck_assert_int_eq(
        spl_config_set(config, "subnetworks.thal.calibration", "measured"), SPL_OK);
    ck_assert_int_eq(calibrate(&second, config, "thal"), SPL_OK);
    ck_assert_double_eq(first.drive, second.drive);
    ck_assert_double_eq_tol(first.r_max_khz, second.r_max_khz, 0.1 * first.r_max_khz);
    spl_config_free(config);
}
END_TEST

START_TEST(what_cannot_be_calibrated_is_refused)
{
    refuse(config_of("[{name: net, size: 100}]"), "net", SPL_ERR_CONFIG,
        "subnetwork net: no region carries it, so nothing drives it; give it a region");
    refuse(config_of("[{name: net, size: 100}]"), NULL, SPL_ERR_CONFIG,
        "0 subnetworks are carried by a region; there is nothing to calibrate");
    refuse(config_of("[{name: a, region: lh.insula, size: 100}, "
                     "{name: b, region: rh.insula, size: 100}]"),
        NULL, SPL_ERR_CONFIG, "2 subnetworks are carried by a region; name one of them");
    refuse(config_of("[{name: a, region: lh.insula, size: 100}]"), "c", SPL_ERR_NOT_FOUND,
        "no subnetwork has the name 'c'; `splenium validate` prints them");
    spl_config *quiet =
        config_of("[{name: a, region: lh.insula, size: 100, kc: 0, kl: 0}]");
    refuse(quiet, NULL, SPL_ERR_CONFIG,
        "subnetwork a: the mean drive of region lh.insula is 0; without drive there is "
        "nothing to calibrate, check coupling, kc and kl");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim_calibrate");
    TCase *tests = tcase_create("calibrate");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(tests, 120.0);
    tcase_add_test(lengthy, numbers_follow_from_each_other);
    tcase_add_test(lengthy, what_is_calibrated_stays);
    tcase_add_test(tests, what_cannot_be_calibrated_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
