// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_view.hpp>
#include <divot/core/transforms.hpp>
#include <divot/exec/policy.hpp>
#include <divot/row/operand.hpp>

#include <cstdint>
#include <tuple>
#include <type_traits>

namespace divot {

/// Rows in a device's memory, what their numbers are, and what is done to them on the way in.
template <class Storage, class... Transforms>
struct device_operand {
  using storage = Storage;
  using transform_list = std::tuple<Transforms...>;
  device_view<Storage const> x = {};
  double temperature = 1;
  device_span<std::int64_t const> y = {};  // labels in place of x
  double smoothing = 0;
  // of top_k, where x has the named classes' log-probabilities
  device_view<std::int64_t const> indices = {};
  divot::tail tail = divot::tail::renormalise;
  device_span<double const> log_tail_mass = {};
  transform_list transforms = {};
};

inline namespace DIVOT_ABI {

/// A device operand whose kind is part of its type. Logits may be transformed on the way in, as
/// those of a host matrix, and a gradient is one with respect to what is in memory:
///
///   logits(view, T).softcap(30).bias(b).standardise().mask(keep)
///
/// bias    b: a number a column, in the device's memory
/// mask    keep: an entry a column, or a device_view of the logits' shape; 0 leaves out
/// Errors  a bias that is not finite, and a mask that leaves a row nothing, make a row a bad one
template <operand_kind Kind, class Storage, class... Transforms>
struct device_rows : device_operand<Storage, Transforms...> {
  static constexpr operand_kind kind = Kind;
  using operand = device_operand<Storage, Transforms...>;

  auto softcap(double cap) const { return then(softcap_transform{cap}); }
  template <class B>
  auto bias(device_span<B> b) const {
    return then(bias_transform<device_span<std::remove_const_t<B> const>>{{b.data, b.size}});
  }
  auto standardise() const { return then(standardise_transform{}); }
  auto mask(device_span<std::uint8_t const> keep) const {
    return then(mask_transform<device_span<std::uint8_t const>>{keep});
  }
  auto mask(device_view<std::uint8_t const> keep) const {
    return then(mask_transform<device_view<std::uint8_t const>>{keep});
  }

 private:
  template <class F>
  auto then(F const& f) const {
    static_assert(Kind == operand_kind::logits,
                  "divot: softcap, bias, standardise and mask are of "
                  "logits: log-probabilities are what came of them");
    device_rows<Kind, Storage, Transforms..., F> more;
    more.x = this->x;
    more.temperature = this->temperature;
    more.transforms = std::tuple_cat(this->transforms, std::tuple<F>(f));
    return more;
  }
};

/// Whether an operand's logits are moved on the way in, so that what is read is rounded.
template <class X>
inline constexpr bool moves_device_values = false;
template <operand_kind Kind, class Storage, class... F>
inline constexpr bool moves_device_values<device_rows<Kind, Storage, F...>> =
    (... || !(std::is_same_v<F, mask_transform<device_span<std::uint8_t const>>> ||
              std::is_same_v<F, mask_transform<device_view<std::uint8_t const>>>));

/// As `logits` of a host matrix: x/T goes through the softmax.
template <class Storage>
auto logits(device_view<Storage> x, double temperature = 1) {
  return device_rows<operand_kind::logits, std::remove_const_t<Storage>>{
      {.x = x, .temperature = temperature}};
}
/// As `log_probabilities` of a host matrix: rows whose exponentials sum to 1.
template <class Storage>
auto log_probabilities(device_view<Storage> x) {
  return device_rows<operand_kind::log_probabilities, std::remove_const_t<Storage>>{{.x = x}};
}
/// As `labels` of a host vector: (1 − smoothing)·one-hot + smoothing/classes, as the teacher.
inline auto labels(device_span<std::int64_t const> y, double smoothing = 0) {
  return device_rows<operand_kind::labels, float>{{.y = y, .smoothing = smoothing}};
}

/// As `top_k` of host matrices: K classes a row with their log-probabilities, rows × K both, and
/// what becomes of the others. The numbers are worked out in double.
template <class Index, class Storage>
auto top_k(device_view<Index> indices, device_view<Storage> log_probabilities, tail what,
           device_span<double const> log_tail_mass = {}) {
  static_assert(std::is_same_v<std::remove_const_t<Index>, std::int64_t>,
                "divot: on a device the indices of top_k are std::int64_t; they come first");
  device_rows<operand_kind::top_k, std::remove_const_t<Storage>> rows;
  rows.x = log_probabilities;
  rows.indices = indices;
  rows.tail = what;
  rows.log_tail_mass = log_tail_mass;
  return rows;
}

template <class X>
inline constexpr bool is_device_rows = false;
template <operand_kind Kind, class Storage, class... F>
inline constexpr bool is_device_rows<device_rows<Kind, Storage, F...>> = true;
template <class X>
inline constexpr bool is_device_view = false;
template <class Storage>
inline constexpr bool is_device_view<device_view<Storage>> = true;

/// What lies in a device's memory: a bare view is logits at temperature 1.
template <class X>
concept on_device = is_device_rows<X> || is_device_view<X>;

/// What <divot/cuda.cuh> does, and not the host's functions.
template <class Policy, class Student>
concept runs_on_device = std::is_same_v<Policy, cuda_policy> && on_device<Student>;

template <on_device X>
auto as_device_rows(X const& x) {
  if constexpr (is_device_view<X>) {
    return logits(x);
  } else {
    return x;
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
