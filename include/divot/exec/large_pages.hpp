// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace divot {
inline namespace DIVOT_ABI {

/// Asks for large pages behind an array that nobody has written to yet: Linux then looks for
/// memory 2 MiB at a time and not 4 KiB, which otherwise takes longer than to fill it. A wish:
/// nothing depends on its being granted, and small arrays and other systems do without.
inline void use_large_pages([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr std::size_t least = std::size_t(4) << 20;
  if (bytes < least) return;
  auto const first = reinterpret_cast<std::uintptr_t>(data);
  auto const page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  std::uintptr_t const begin = first / page * page, end = (first + bytes + page - 1) / page * page;
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

}  // namespace DIVOT_ABI
}  // namespace divot
