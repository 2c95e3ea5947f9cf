// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A second unit of the same program: a definition that is not inline shows when they are linked.
#include <divot/divot.hpp>

#if defined(_OPENMP)
#error "linking divot::divot switched OpenMP on"
#endif
