/* From subnetworks of the settings to hosts of a network. */
#ifndef SPL_SIM_HOSTS_H
#define SPL_SIM_HOSTS_H

#include "config/settings.h"
#include "integrate/network.h"

/* Make the subnetworks of a network whose kernels are chosen; their memory is asked for
 * as a whole before any is taken. Result: SPL_OK; SPL_ERR_CONFIG (a coupling
 * that does not send the observable, connections that cannot be made); SPL_ERR_LIMIT;
 * SPL_ERR_NO_MEMORY. Release with spl_hosts_release also after a failure.
 */
#define spl_hosts_create SPL_PRECISE(spl_hosts_create)
SPL_MUST_CHECK spl_status spl_hosts_create(
    spl_network *network, const spl_settings *settings);
#define spl_hosts_release SPL_PRECISE(spl_hosts_release)
void spl_hosts_release(spl_network *network);

/* What follows from the plan, the choice of threads and the coupling. */
#define spl_hosts_settle SPL_PRECISE(spl_hosts_settle)
void spl_hosts_settle(spl_network *network);
/* Whether tied units that one thread owns would keep a large host from the others. */
#define spl_hosts_want_lockstep SPL_PRECISE(spl_hosts_want_lockstep)
bool spl_hosts_want_lockstep(const spl_network *network);

#endif
