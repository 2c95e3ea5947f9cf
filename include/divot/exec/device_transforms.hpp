// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_view.hpp>
#include <divot/row/transform_chain.hpp>

#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

// A device operand's transforms: what a host operand's are, with their numbers in the device's
// memory, where nobody looks at them before they are used.

/// A bias; an entry that is no finite number makes its row a bad one.
template <class T, class Storage>
class device_entries {
 public:
  DIVOT_HD explicit device_entries(device_span<Storage const> const& x) : x_(x) {}
  index size() const { return x_.size; }
  DIVOT_HD T operator()(index k) const {
    T const b = static_cast<T>(x_.data[k]);
    return is_finite_number(b) ? b : T(std::numeric_limits<double>::quiet_NaN());
  }

 private:
  device_span<Storage const> x_;
};

/// Which classes count: the same ones in every row, or each row's own.
class device_mask_of_classes {
 public:
  DIVOT_HD explicit device_mask_of_classes(device_span<std::uint8_t const> const& x) : x_(x) {}
  DIVOT_HD bool operator()(index, index k) const { return x_.data[k] != 0; }

 private:
  device_span<std::uint8_t const> x_;
};
class device_mask_of_rows {
 public:
  DIVOT_HD explicit device_mask_of_rows(device_view<std::uint8_t const> const& x) : x_(x) {}
  DIVOT_HD bool operator()(index row, index k) const {
    return x_.data[row * x_.row_stride + k] != 0;
  }

 private:
  device_view<std::uint8_t const> x_;
};

template <class Team, class B>
DIVOT_HD auto bind_transform(bias_transform<device_span<B const>> const& f) {
  using entries = device_entries<typename Team::scalar, B>;
  return bias_row<Team, entries>(entries(f.b));
}
template <class Team>
DIVOT_HD auto bind_transform(mask_transform<device_span<std::uint8_t const>> const& f) {
  return mask_row<Team, device_mask_of_classes>(device_mask_of_classes(f.keep));
}
template <class Team>
DIVOT_HD auto bind_transform(mask_transform<device_view<std::uint8_t const>> const& f) {
  return mask_row<Team, device_mask_of_rows>(device_mask_of_rows(f.keep));
}

/// Rows of scratch memory that a pullback through these transforms takes; none without any.
template <class... F>
constexpr index pull_rows_of(std::tuple<F...> const*) {
  constexpr index kept =
      (index(0) + ... +
       index(std::is_same_v<F, softcap_transform> || std::is_same_v<F, standardise_transform>));
  return sizeof...(F) == 0 ? 0 : 1 + kept;
}

}  // namespace DIVOT_ABI
}  // namespace divot
