// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/divergence.hpp>
#include <divot/sinkhorn_batch.hpp>
#include <divot/softmax.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace divot {

/// What it costs to move a row's student distribution onto its teacher's, class by class.
///
///   D(p‖q) = ⟨P, C⟩ or its entropic value (see transport_objective), P the entropic plan between
///   masses q = softmax(s/T) of the rows and p = softmax(t/T) of the columns, and C fixed
///
/// Used with the three verbs; each row is a problem of its own, solved as sinkhorn_batch would.
///
/// cost      classes × classes: from a student's class (row) to a teacher's (column), such as the
///           distances of the classes' prototypes; finite
/// Teacher   rows × classes: logits
/// Student   rows × classes: logits. Wrappers' temperatures do not count
/// Batch     weights, upstream, mask, reduction, normaliser and per_row; no others
/// Domain    T > 0; ε > 0, in units of the cost; tolerance ≥ 0 (0: 1e-9)
/// Range     not 0 where both sides agree, unless ε is small and C is 0 on its diagonal
/// Gradient  with respect to both sides' logits, of the solved problem: through the masses, and
///           then the softmax. Worked out in double
/// Errors    divot::error for shapes and options, and for a row that is not solved to the
///           tolerance; divot::bad_value for bad logits. Nothing is written then
/// Memory    a kernel of classes × classes a thread: for hundreds of classes, not for vocabularies
/// Ref       Lv et al. (2024), Wasserstein Distance Rivals Kullback-Leibler Divergence for
///           Knowledge Distillation, NeurIPS: its discrete form
struct class_transport {
  Eigen::MatrixXd cost;
  double temperature = 2;
  double epsilon = 0.05;
  transport_objective objective = transport_objective::transport_cost;
  double tolerance = 0;
};

inline namespace DIVOT_ABI {

inline void check_class_transport(class_transport const& what, batch const& options,
                                  index classes) {
  check_temperature(what.temperature, "class_transport");
  if (!options.temperatures.empty() || !options.labels.empty() || options.valid_classes > 0 ||
      !options.valid_classes_per_row.empty()) {
    fail(
        "class_transport takes weights, upstream, mask, reduction, normaliser and per_row: all of "
        "the cost's classes count, at one temperature");
  }
  if (what.cost.rows() != classes || what.cost.cols() != classes) {
    fail("class_transport: the cost is ", what.cost.rows(), "×", what.cost.cols(),
         "; it goes from class to class, and there are ", classes);
  }
  if (!what.cost.allFinite()) fail("class_transport: costs must be finite");
}

/// Softmax of the valid rows, a column each.
template <execution_policy Policy, class X>
Eigen::MatrixXd class_masses(Policy const& policy, X const& x, char const* who, double temperature,
                             batch const& options, std::vector<Eigen::Index> const& places) {
  transport_rows p = x.template cast<double>();
  batch const mine{.mask = options.mask, .check = check::first};
  try {
    softmax(policy, logits(p, temperature), p, mine);
  } catch (bad_value const& e) {
    throw bad_value((message("divot: the ") << who << ": " << e.what()).text(), e.row(), e.column(),
                    e.value(), e.count());
  }
  return p(places, every(p.cols())).transpose();
}

/// Writes what the logits' gradient is to a target. upstream: ∂L/∂masses, a column a valid row.
template <execution_policy Policy, class Target>
void write_class_gradient(Policy const& policy, Target const& asked, Eigen::MatrixXd const& masses,
                          Eigen::MatrixXd const& upstream, double temperature, index rows,
                          std::vector<Eigen::Index> const& places) {
  transport_rows const p = masses.transpose(), g = upstream.transpose();
  transport_rows out(p.rows(), p.cols());
  softmax_pullback(policy, p, g, out, temperature);
  auto const target = make_target<double>(asked);
  bool add = false;
  double scale = 1;
  take_settings(asked, add, scale);
  out *= scale;
  for (index r = 0, i = 0; r < rows; ++r) {
    bool const counts =
        static_cast<std::size_t>(i) < places.size() && places[static_cast<std::size_t>(i)] == r;
    if (!add) target.clear(r, counts ? p.cols() : 0);
    if (counts) target.write(r, p.cols(), out.data() + i++ * p.cols(), 1, add);
  }
}

/// value, gradient and value_and_gradient of class_transport.
template <execution_policy Policy, teacher_like Teacher, teacher_like Student, class Where>
auto run_call(Policy const& policy, class_transport const& what, Teacher const& teacher_given,
              Student const& student_given, Where&& where, batch const& options) {
  decltype(auto) teacher = as_operand(teacher_given);
  decltype(auto) student = as_operand(student_given);
  using teacher_type = std::remove_cvref_t<decltype(teacher)>;
  using student_type = std::remove_cvref_t<decltype(student)>;
  static_assert(kind_of<teacher_type> == operand_kind::logits &&
                    kind_of<student_type> == operand_kind::logits &&
                    !has_transforms<teacher_type> && !has_transforms<student_type>,
                "divot: class_transport takes logits of both sides, as they are");
  static_assert(eigen_dense<std::remove_cvref_t<decltype(teacher.x)>> &&
                    eigen_dense<std::remove_cvref_t<decltype(student.x)>>,
                "divot: class_transport takes Eigen expressions");
  auto const request = request_of(std::forward<Where>(where));
  using request_type = std::remove_const_t<decltype(request)>;
  static_assert(!wants_diagnostics<request_type>,
                "divot: diagnostics come with losses of single rows' classes");
  using declared = typename declared_arithmetic<teacher_type, student_type>::type;
  if (request.temperature_target != nullptr || request.parameter_target != nullptr) {
    fail("class_transport has no gradients().temperature(…) and .parameters(…)");
  }
  check_policy(policy);
  sinkhorn_options const solver{.epsilon = what.epsilon, .tolerance = what.tolerance};
  check_sinkhorn(solver, "class_transport");
  index const rows = student.x.rows();
  index const classes =
      settle_shapes(options, teacher.x.rows(), teacher.x.cols(), rows, student.x.cols());
  check_class_transport(what, options, classes);
  check_factors<double>(options, rows, mean_of(options, valid_rows_of(options, rows)));
  check_targets(request, rows, classes, classes, operand_span(student.x), operand_span(teacher.x));
  std::vector<Eigen::Index> places;
  for (index r = 0; r < rows; ++r) {
    if (is_valid(options, r)) places.push_back(r);
  }
  auto const valid = static_cast<index>(places.size());
  double const mean = mean_of(options, valid);
  Eigen::MatrixXd const p =
      class_masses(policy, teacher.x, "teacher", what.temperature, options, places);
  Eigen::MatrixXd const q =
      class_masses(policy, student.x, "student", what.temperature, options, places);
  auto const solved = solve_columns(policy, what.cost, q, p, solver, [&](std::size_t i) {
    return transport_caller{"class_transport", "row", places[i]};
  });

  bool const entropic = what.objective == transport_objective::entropic;
  std::vector<double> losses(static_cast<std::size_t>(rows));
  Eigen::MatrixXd of_q(classes, valid), of_p(classes, valid);
  double total = 0;
  constexpr bool student_wanted = is_gradient_target<decltype(request_type::student_target)>;
  constexpr bool teacher_wanted = is_gradient_target<decltype(request_type::teacher_target)>;
  for (index i = 0; i < valid; ++i) {
    auto const& s = solved[static_cast<std::size_t>(i)];
    index const r = places[static_cast<std::size_t>(i)];
    if (!s.flaw.empty()) throw error(s.flaw);
    if (!s.solved()) {
      fail("class_transport: row ", r, " is not solved: its plan's sums are off by ",
           s.row_error + s.column_error, "; take a larger epsilon or tolerance");
    }
    double const loss = weight_of(options, r) * (entropic ? s.entropic : s.transport_cost);
    losses[static_cast<std::size_t>(r)] = loss;
    total += loss;
  }
  if constexpr (student_wanted || teacher_wanted) {
    double const entries = static_cast<double>(valid * classes) * static_cast<double>(classes);
    auto const runner = runs_as(policy);
    run_workers(runner, worker_count(runner, entries), [&](int me, int team_size) {
      for (index i = me; i < valid; i += team_size) {
        auto const slope = solved[static_cast<std::size_t>(i)].gradient(what.objective);
        double const factor = gradient_factor(options, places[static_cast<std::size_t>(i)], mean);
        of_q.col(i) = factor * slope.row_mass;
        of_p.col(i) = factor * slope.column_mass;
      }
    });
  }
  if (!options.per_row.empty()) std::copy(losses.begin(), losses.end(), options.per_row.begin());
  if constexpr (student_wanted) {
    write_class_gradient(policy, request.student_target, q, of_q, what.temperature, rows, places);
  }
  if constexpr (teacher_wanted) {
    write_class_gradient(policy, request.teacher_target, p, of_p, what.temperature, rows, places);
  }
  loss_result<declared> result;
  result.value = static_cast<declared>(mean * total);
  result.valid_rows = valid;
  return result;
}

}  // namespace DIVOT_ABI
}  // namespace divot
