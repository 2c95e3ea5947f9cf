// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A unit with flags that the compiler does not show: its own inline copy of the library's functions
// is the broken one, so nothing else of divot is called here.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("associative-math,no-signed-zeros,no-trapping-math")
#endif
#include <divot/self_test.hpp>

namespace {
void broken_here() { divot::self_test(); }
}  // namespace

void self_test_of_a_reordered_unit() { broken_here(); }
