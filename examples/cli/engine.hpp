// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "logits.hpp"
#include "losses.hpp"

#include <divot/core/options.hpp>
#include <divot/core/types.hpp>
#include <divot/exec/policy.hpp>

#include <cstddef>
#include <variant>

namespace cli {

/// The policies that this build has. omp on one thread is simd, to the bit, and need not be
/// compiled beside it.
#if DIVOT_HAS_OPENMP
using any_policy = std::variant<divot::seq_policy, divot::omp_policy>;
#else
using any_policy = std::variant<divot::seq_policy, divot::simd_policy>;
#endif

/// One call of the library: the value of one weighted loss, and its gradient for the student.
template <class Storage>
struct loss_call {
  any_loss loss;
  double temperature = 1;          ///< the student's
  double teacher_temperature = 1;  ///< the teacher's, where the loss reads one
  bool t_squared = false;          ///< multiply by the square of `temperature`
  double weight = 1;
  divot::matrix_ref<Storage const> teacher = {}, student = {};
  divot::matrix_ref<arithmetic<Storage>> gradient = {};
  bool add = false;  ///< the gradient is added to what is there, not written
  divot::batch batch = {};
};

struct loss_value {
  double value = 0;
  divot::index valid_rows = 0;
};

template <class Storage>
loss_value call_library(any_policy const& policy, loss_call<Storage> const& call);

// A loss's kernels take seconds to compile, so the losses are dealt to units in shares of
// neighbours (which have code in common); the build makes the units from engine_share.cpp.in.
inline constexpr std::size_t engine_shares = DIVOT_CLI_SHARES;
inline constexpr std::size_t loss_count = std::variant_size_v<any_loss::type>;
constexpr std::size_t first_of_share(std::size_t share) {
  return (share * loss_count + engine_shares - 1) / engine_shares;
}

template <class Storage, std::size_t Share>
loss_value call_share(any_policy const& policy, loss_call<Storage> const& call);

}  // namespace cli
