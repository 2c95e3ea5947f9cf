// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What operator new, which the tests replace (counting.cpp), has handed out; and Eigen's own
// allocations, which divot has no reason for.

#include <cstddef>

namespace counting {

/// Calls of operator new so far, in any thread, and the bytes they asked for.
std::size_t calls();
std::size_t bytes();

/// Eigen calls malloc itself; with EIGEN_RUNTIME_NO_MALLOC it says so here.
void eigen_allocated();

/// What `body` allocates.
template <class Body>
std::size_t calls_in(Body const& body) {
  std::size_t const before = calls();
  body();
  return calls() - before;
}
template <class Body>
std::size_t bytes_in(Body const& body) {
  std::size_t const before = bytes();
  body();
  return bytes() - before;
}

}  // namespace counting

#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition)                      \
  do {                                               \
    if (!(condition)) ::counting::eigen_allocated(); \
  } while (false)
