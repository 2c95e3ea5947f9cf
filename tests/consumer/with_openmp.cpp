// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#if !defined(_OPENMP)
#error "linking divot::openmp did not switch OpenMP on"
#endif

int main() {}
