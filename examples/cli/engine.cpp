// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "engine.hpp"

#include <array>
#include <utility>

namespace cli {

template <class Storage>
loss_value call_library(any_policy const& policy, loss_call<Storage> const& call) {
  return [&]<std::size_t... Share>(std::index_sequence<Share...>) {
    constexpr std::array shares{&call_share<Storage, Share>...};
    return shares[call.loss.value.index() * engine_shares / loss_count](policy, call);
  }
  (std::make_index_sequence<engine_shares>{});
}

template loss_value call_library(any_policy const&, loss_call<float> const&);
template loss_value call_library(any_policy const&, loss_call<double> const&);
template loss_value call_library(any_policy const&, loss_call<long double> const&);

}  // namespace cli
