/* All of libsplenium. */
#ifndef SPLENIUM_SPLENIUM_H
#define SPLENIUM_SPLENIUM_H

#include "splenium/calibrate.h"
#include "splenium/component.h"
#include "splenium/config.h"
#include "splenium/connectome.h"
#include "splenium/convert.h"
#include "splenium/coupling.h"
#include "splenium/integrator.h"
#include "splenium/log.h"
#include "splenium/model.h"
#include "splenium/monitor.h"
#include "splenium/neuron.h"
#include "splenium/results.h"
#include "splenium/sim.h"
#include "splenium/status.h"
#include "splenium/version.h"

#endif
