/* What the reading processes of results files share. Include behind h5/strict.h. */
#ifndef SPL_OUTPUT_CHILD_H
#define SPL_OUTPUT_CHILD_H

#include "h5/strict.h"
#include "output/internal.h"

/* Is the dataset of the type that the run writes there? */
bool spl_place_has_type(const spl_h5_dataset *dataset, spl_place_type type);

#endif
