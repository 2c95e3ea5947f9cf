// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A program of one unit: what it computes when no other unit is there.

#include <odr/units.hpp>

#include <cstdio>

extern "C" int omp_get_num_procs() noexcept { return 4; }

int main() {
  odr::unit const& u = odr::DIVOT_UNIT();
  if (u.runs_here()) std::puts(odr::digest(u).c_str());
}
