// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_rows.hpp>
#include <divot/row/alpha_beta_parameters.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Log-probabilities of a row in extended precision, relative to its maximum.
template <class T>
class wide_log_softmax {
 public:
  wide_log_softmax(T const* x, index classes, double temperature, bool normalised)
      : x_(x), temperature_(normalised ? 1 : temperature) {
    if (normalised) return;
    max_ = -std::numeric_limits<long double>::infinity();
    for (index k = 0; k < classes; ++k) max_ = std::max(max_, static_cast<long double>(x[k]));
    long double rest = 0;
    index maxima = 0;
    for (index k = 0; k < classes; ++k) {
      if (x[k] == static_cast<T>(max_)) {
        ++maxima;
      } else {
        rest += std::exp((static_cast<long double>(x[k]) - max_) / temperature_);
      }
    }
    auto const n = static_cast<long double>(maxima);
    log_z_ = std::log(n) + std::log1p(rest / n);
  }
  long double operator()(index k) const {
    return (static_cast<long double>(x_[k]) - max_) / temperature_ - log_z_;
  }

 private:
  T const* x_;
  long double temperature_, max_ = 0, log_z_ = 0;
};

/// Derivatives of the combined α-β loss with respect to α and β. Slow and exact. Read before
/// anything is written: a gradient may take an operand's place. A bad row makes them NaN; the run
/// that follows reports it.
template <class Context, execution_policy Policy>
std::array<double, 2> parameter_gradient(Context const& call, Policy const& policy, double alpha,
                                         double beta, double weight, double temperature,
                                         bool t_squared) {
  using T = typename Context::T;
  index const rows = call.set.rows;
  index const stretch = std::max<index>(1, (rows + most_stretches - 1) / most_stretches);
  index const stretches = (rows + stretch - 1) / stretch;
  int const workers = worker_count(
      policy, 100. * static_cast<double>(rows) * static_cast<double>(call.set.classes));
  index const own = 2 + spare_rows<std::remove_cvref_t<decltype(call.teacher)>>(1, false);
  scratch memory;
  std::array<double, 2>* sums = nullptr;
  T* operands = nullptr;
  for (bool const counting : {true, false}) {
    sums = memory.take<std::array<double, 2>>(stretches);
    operands = memory.take<T>(own * workers * call.set.classes);
    if (counting) memory.provide(call.set.options->workspace);
  }
  for (index i = 0; i < stretches; ++i) sums[i] = {0., 0.};
  run_workers(policy, workers, [&](int me, int team_size) {
    T* const t = operands + own * me * call.set.classes;
    T* const s = t + call.set.classes;
    for (index i = me; i < stretches; i += team_size) {
      index const last = std::min(rows, (i + 1) * stretch);
      for (index r = i * stretch; r < last; ++r) {
        if (!call.is_valid(r) || call.gradient_factor(r) == 0) continue;
        index n = call.classes_of(r);
        read_rows(call.teacher, r, 1, n, t, n, s + call.set.classes);
        call.student.read(r, 1, n, s, n);
        double const tt = temperature != 0 ? temperature : call.teacher_temperature(r);
        double const st = temperature != 0 ? temperature : call.student_temperature(r);
        if constexpr (Context::reduced) n = call.teacher.reduce(r, n, t, s, st);
        wide_log_softmax<T> const log_p(t, n, tt, call.set.teacher_kind != operand_kind::logits);
        wide_log_softmax<T> const log_q(s, n, st, call.set.student_kind != operand_kind::logits);
        auto const g = alpha_beta_parameters(alpha, beta, n, log_p, log_q);
        double const factor = weight * call.gradient_factor(r) * (t_squared ? st * st : 1);
        auto& sum = sums[i];
        sum[0] += factor * static_cast<double>(g[0]);
        sum[1] += factor * static_cast<double>(g[1]);
      }
    }
  });
  std::array<double, 2> total{0, 0};
  for (index i = 0; i < stretches; ++i) {
    total[0] += sums[i][0];
    total[1] += sums[i][1];
  }
  return total;
}

}  // namespace DIVOT_ABI
}  // namespace divot
