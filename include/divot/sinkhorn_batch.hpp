// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/sinkhorn.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// A range that knows its problems by their numbers: std::ranges::random_access_range, whose header
/// takes longer to compile than all of this one.
template <class R>
concept problem_list = requires(R& range) {
  { std::ranges::begin(range) } -> std::random_access_iterator;
  std::ranges::end(range);
};

/// solve(k, memory) for every problem k, each until it is done itself; workers take them from one
/// queue. A problem that is wrong says so in its solution, which is empty; `size` gives its rows
/// and columns.
template <execution_policy Policy, class Solve, class Size>
auto solve_each(Policy const& policy, std::size_t count, double entries, Solve const& solve,
                Size const& size) {
  using solution = decltype(solve(std::size_t(0), std::declval<transport_memory<Policy>&>()));
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  std::vector<solution> all(count);
  auto const one = [&](std::size_t k, transport_memory<Policy>& memory) {
    try {
      all[k] = solve(k, memory);
    } catch (transport_error const& wrong) {
      all[k].policy = policy;
      all[k].status = wrong.status();
      all[k].flaw = wrong.what();
      std::tie(all[k].all_rows, all[k].all_columns) = size(k);
      // nobody is to add a 0 up
      all[k].transport_cost = all[k].entropic = all[k].dual = nothing;
    }
  };
  int const workers = worker_count(policy, entries);
  if (workers > 1 && count >= static_cast<std::size_t>(workers)) {
    std::atomic<std::size_t> next{0};
    run_workers(policy, workers, [&](int, int) {
      transport_memory<Policy> memory;
      for (std::size_t k = next++; k < count; k = next++) one(k, memory);
    });
  } else {
    transport_memory<Policy> memory;
    for (std::size_t k = 0; k < count; ++k) one(k, memory);
  }
  return all;
}

/// A problem for each column of a and b, as who(k) says. Options and shapes are checked.
template <execution_policy Policy, class Cost, class A, class B, class Who>
auto solve_columns(Policy const& policy, Cost const& cost, A const& a, B const& b,
                   sinkhorn_options const& options, Who const& who) {
  auto const runner = runs_as(policy);
  auto const& costs = solver_costs(cost);
  bool const narrow = is_narrow_cost(cost);
  double const entries = static_cast<double>(a.cols()) * static_cast<double>(cost.rows()) *
                         static_cast<double>(cost.cols());
  return solve_each(
      runner, static_cast<std::size_t>(a.cols()), entries,
      [&](std::size_t k, auto& memory) {
        auto const column = static_cast<Eigen::Index>(k);
        return solve_problem(runner, costs, a.col(column), b.col(column), options, narrow, who(k),
                             memory);
      },
      [&](std::size_t) { return std::pair(cost.rows(), cost.cols()); });
}

/// What is said about problem k.
inline transport_caller batch_problem(std::size_t k) {
  return {"sinkhorn_batch", "problem", static_cast<index>(k)};
}

/// Many transport problems, of one size or of many.
///
///   sinkhorn_batch(policy, costs, a, b, options)
///
/// costs    a range of what sinkhorn takes as costs, one a problem; padding has mass 0
/// a, b     ranges of the masses of their rows and columns; both left out: equal ones
/// Returns  a solution a problem, in order: bit for bit that of sinkhorn on its own. Each stops
///          when it is done itself. One that is wrong has the status bad_input or mass_mismatch,
///          its `flaw` in words, values of NaN and a plan of zeros; the others are as they would be
///          without it
/// Errors   divot::error for options and ranges of different lengths
template <execution_policy Policy, problem_list Costs, problem_list A, problem_list B>
auto sinkhorn_batch(Policy const& policy, Costs const& costs, A const& a, B const& b,
                    sinkhorn_options const& options = {}) {
  check_policy(policy);
  check_sinkhorn(options, "sinkhorn_batch");
  std::size_t const count = std::size(costs);
  if (std::size(a) != count || std::size(b) != count) {
    fail("sinkhorn_batch: there are ", count, " costs, ", std::size(a), " lists of row masses and ",
         std::size(b), " of column masses");
  }
  auto const at = [](auto const& range, std::size_t k) -> decltype(auto) {
    return std::ranges::begin(range)[static_cast<std::ptrdiff_t>(k)];
  };
  double entries = 0;
  for (auto const& cost : costs) {
    entries += static_cast<double>(cost.rows()) * static_cast<double>(cost.cols());
  }
  auto const runner = runs_as(policy);
  return solve_each(
      runner, count, entries,
      [&](std::size_t k, auto& memory) {
        auto const& cost = at(costs, k);
        return solve_problem(runner, solver_costs(cost), at(a, k), at(b, k), options,
                             is_narrow_cost(cost), batch_problem(k), memory);
      },
      [&](std::size_t k) { return std::pair(at(costs, k).rows(), at(costs, k).cols()); });
}

/// Equal masses that add up to 1 on either side of each problem.
template <execution_policy Policy, problem_list Costs>
auto sinkhorn_batch(Policy const& policy, Costs const& costs,
                    sinkhorn_options const& options = {}) {
  std::vector<typename transport_types<Costs>::vector> a, b;
  for (auto const& cost : costs) {
    a.push_back(equal_masses(cost.rows()));
    b.push_back(equal_masses(cost.cols()));
  }
  return sinkhorn_batch(policy, costs, a, b, options);
}

/// One cost and many masses: a: rows × problems, b: columns × problems.
template <execution_policy Policy, transport_costs Cost, class A, class B>
auto sinkhorn_batch(Policy const& policy, Cost const& cost, Eigen::MatrixBase<A> const& a,
                    Eigen::MatrixBase<B> const& b, sinkhorn_options const& options = {}) {
  check_policy(policy);
  check_sinkhorn(options, "sinkhorn_batch");
  if (a.rows() != cost.rows() || b.rows() != cost.cols() || a.cols() != b.cols()) {
    fail("sinkhorn_batch: the cost is ", cost.rows(), "×", cost.cols(), ", the rows' masses ",
         a.rows(), "×", a.cols(), ", the columns' ", b.rows(), "×", b.cols(),
         "; each problem's masses are a column");
  }
  return solve_columns(policy, cost, a, b, options, batch_problem);
}

template <problem_list Costs, problem_list A, problem_list B>
auto sinkhorn_batch(Costs const& costs, A const& a, B const& b,
                    sinkhorn_options const& options = {}) {
  return sinkhorn_batch(simd, costs, a, b, options);
}
template <problem_list Costs>
auto sinkhorn_batch(Costs const& costs, sinkhorn_options const& options = {}) {
  return sinkhorn_batch(simd, costs, options);
}
template <transport_costs Cost, class A, class B>
auto sinkhorn_batch(Cost const& cost, Eigen::MatrixBase<A> const& a, Eigen::MatrixBase<B> const& b,
                    sinkhorn_options const& options = {}) {
  return sinkhorn_batch(simd, cost, a, b, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
