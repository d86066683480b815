/* From settings and connectome to a network: choices, derived arrays, one arena. */
#ifndef SPL_SIM_ASSEMBLE_H
#define SPL_SIM_ASSEMBLE_H

#include "config/settings.h"
#include "integrate/network.h"
#include "splenium/connectome.h"

/* Make the network of a run, with its initial state, ready to be stepped.
 *   network  zero-initialised; release with spl_network_release also after a failure
 *   arena    receives all memory but the plan
 *   record   which variables the monitors want: [n_states + 2]
 *   like     a network of the same connectome and delays whose plan and matrix serve this
 *            one too, and which outlives it; or NULL
 * Result: SPL_OK; SPL_ERR_UNSUPPORTED (SPL_TARGET); SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
#define spl_network_assemble SPL_PRECISE(spl_network_assemble)
SPL_MUST_CHECK spl_status spl_network_assemble(spl_network *network, spl_arena *arena,
    const spl_settings *settings, const spl_connectome *connectome, const bool *record,
    const spl_network *like);
#define spl_network_release SPL_PRECISE(spl_network_release)
void spl_network_release(spl_network *network, spl_arena *arena);

/* Put the initial state of the settings into the network and start its history. */
#define spl_network_reset SPL_PRECISE(spl_network_reset)
void spl_network_reset(spl_network *network, const spl_settings *settings);

#endif
