/* Random streams of spiking subnetworks, under the key spl_named_seed(seed, name) of a
 * population or projection. They are part of every result and never change. */
#ifndef SPL_SPIKING_STREAMS_H
#define SPL_SPIKING_STREAMS_H

/* of a population, drawn once; counter: neuron, 0 */
#define SPL_STREAM_PARAM      0x20000u /* + parameter: heterogeneity */
#define SPL_STREAM_STATE      0x20100u /* + state: initial values */
#define SPL_STREAM_R          0x20200u /* the one r of izhikevich2003 */
#define SPL_STREAM_CURRENT    0x20201u
/* of a population, in every sub-step; counter: sub-step and a number of its own for each
 * word of counts (256 calls a block of 1024 neurons) or four choices (2048 calls) */
#define SPL_STREAM_DRIVE      0x20300u  /* + part: external events of the node */
#define SPL_STREAM_BACKGROUND 0x22000u  /* + 16 background + part */
#define SPL_STREAM_CHOICE     0x100000u /* or: which neuron of its cell an event goes to */
/* the same as counts, a word a neuron */
#define SPL_STREAM_RELAY      0x20700u /* poisson_relay */
#define SPL_STREAM_WHITE      0x20600u /* + state: white noise; as noise of nodes */
/* of a projection; counter: row, draw */
#define SPL_STREAM_CONNECT    0x21000u
#define SPL_STREAM_WEIGHT     0x21001u
#define SPL_STREAM_DELAY      0x21002u

#endif
