// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace divot {
inline namespace DIVOT_ABI {

/// 2^(k/2^Bits) for 0 ≤ k < 2^Bits as floats that fill a register, and what each was rounded by.
template <int Bits>
struct power_table {
  static constexpr std::size_t size = std::size_t(1) << Bits;
  static constexpr std::array<double, 16> sixteenths{1.0,
                                                     1.0442737824274138,
                                                     1.0905077326652577,
                                                     1.1387886347566917,
                                                     1.1892071150027211,
                                                     1.2418578120734840,
                                                     1.2968395546510097,
                                                     1.3542555469368927,
                                                     1.4142135623730950,
                                                     1.4768261459394993,
                                                     1.5422108254079408,
                                                     1.6104903319492543,
                                                     1.6817928305074291,
                                                     1.7562521603732995,
                                                     1.8340080864093425,
                                                     1.9152065613971473};

  struct entries {
    alignas(64) std::array<float, size> nearest{};
    /// `nearest` with its bits less k/2^Bits in units of the exponent: adding n to them in those
    /// units, its fraction included, leaves 2^n.
    alignas(64) std::array<float, size> lowered{};
    alignas(64) std::array<float, size> rest{};  // of 2^(k/2^Bits), relative to `nearest`
  };
  static constexpr entries make() {
    entries e;
    for (std::size_t k = 0; k < size; ++k) {
      double const exact = sixteenths[k << (4 - Bits)];
      e.nearest[k] = static_cast<float>(exact);
      e.lowered[k] = std::bit_cast<float>(std::bit_cast<std::int32_t>(e.nearest[k]) -
                                          (static_cast<std::int32_t>(k) << (23 - Bits)));
      double const kept = static_cast<double>(e.nearest[k]);
      e.rest[k] = static_cast<float>((exact - kept) / kept);
    }
    return e;
  }
  static constexpr entries table = make();
};

}  // namespace DIVOT_ABI
}  // namespace divot
