/* Calibration of a spiking subnetwork: the rate that stands for Q = Q_max. */
#ifndef SPLENIUM_CALIBRATE_H
#define SPLENIUM_CALIBRATE_H

#include <stddef.h>

#include "splenium/config.h"
#include "splenium/connectome.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPL_CALIBRATION_MAX_POINTS 64

typedef struct spl_calibration_options {
    const char *subnetwork;    /* name; NULL: the only one that a node carries */
    double mean_field_ms;      /* of the run without the neurons' answer; 0: 5000 */
    double mean_field_skip_ms; /* at its start, not counted; 0: 1000 */
    double open_loop_ms;       /* of each point of the curve; 0: 4000 */
    double open_loop_skip_ms;  /* at its start, not counted; 0: 500 */
    size_t n_points;           /* of the curve from 0 to 2 D*; 0: 9 */
} spl_calibration_options;

/* One point of the transfer curve: the subnetwork alone under a constant drive. */
typedef struct spl_calibration_point {
    double drive;     /* D */
    double nu;        /* external events of an excitatory neuron, 1/ms */
    double rate_E_hz; /* of the neurons whose rate the node sends */
    double rate_I_hz; /* of the others; NAN without any */
    double fano;      /* of the count of all E spikes in 5 ms; NAN without spikes */
} spl_calibration_point;

typedef struct spl_calibration {
    char subnetwork[72], region[72];
    double drive, drive_sd; /* mean D* and standard deviation of D without the neurons */
    spl_calibration_point at_drive; /* the curve at D* */
    double gain;                    /* D / r dr/dD there: 1 is transparent */
    double r_max_khz, K_ext;        /* those that make Qhat = D* at D* and keep nu */
    double tau_f_ms;
    double noise; /* predicted sd(Qhat) / Qhat */
    size_t n_points;
    spl_calibration_point points[SPL_CALIBRATION_MAX_POINTS];
} spl_calibration;

/* Measure the open-loop transfer curve of a subnetwork and what its rate should mean.
 * First the whole network runs as configured, but no node takes anything from its
 * neurons: D* is the mean drive of the subnetwork's node. Then the subnetwork runs alone
 * under constant drives around D*, and r_max = r(D*) / (D* / Q_max), where r is the rate
 * of its excitatory neurons. K_ext r_max stays as it was, so that the events, and with
 * them r, do not change.
 *   options   NULL: defaults
 * Result: SPL_OK; SPL_ERR_NOT_FOUND (no such subnetwork); SPL_ERR_CONFIG (no drive or no
 * spikes at D*: nothing to calibrate; a subnetwork without node); whatever spl_sim_create
 * and a run return. Cost: that of both runs; nothing is written. */
SPL_API SPL_MUST_CHECK spl_status spl_calibrate(spl_calibration *out,
    const spl_config *config, spl_connectome *connectome,
    const spl_calibration_options *options);

#ifdef __cplusplus
}
#endif
#endif
