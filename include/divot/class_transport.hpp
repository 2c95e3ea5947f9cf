// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/batch_term_call.hpp>
#include <divot/sinkhorn_batch.hpp>
#include <divot/softmax.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace divot {

/// What it costs to move a row's student distribution onto its teacher's, class by class.
///
///   D(p‖q) = ⟨P, C⟩ or its entropic value (see transport_objective), P the entropic plan between
///   masses q = softmax(s/T) of the rows and p = softmax(t/T) of the columns, and C fixed
///
/// Each row is a problem of its own, solved as sinkhorn_batch would.
///
/// cost      classes × classes: from a student's class (row) to a teacher's (column), such as the
///           distances of the classes' prototypes; finite
/// Teacher   rows × classes: logits
/// Student   rows × classes: logits. Wrappers' temperatures do not count
/// Batch     all classes count, at one temperature: no valid_classes and no temperatures
/// Sums      0.9 * kl{} + 0.1 * class_transport{…}: worked out before the losses of single rows, as
///           sinkd is, and with the same limits
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

template <>
inline constexpr bool is_batch_term<class_transport> = true;
template <>
inline constexpr bool is_composite<class_transport> = true;
template <>
inline constexpr bool needs_teacher_logits<class_transport> = true;

inline sinkhorn_options solver_options(class_transport const& what) {
  return {.epsilon = what.epsilon, .tolerance = what.tolerance};
}

inline void check_batch_term(class_transport const& what, batch const& options) {
  check_temperature(what.temperature, "class_transport");
  check_sinkhorn(solver_options(what), "class_transport");
  if (!options.temperatures.empty() || options.valid_classes > 0 ||
      !options.valid_classes_per_row.empty()) {
    fail(
        "class_transport takes no temperatures and valid_classes of the batch: all of the cost's "
        "classes count, at one temperature");
  }
}
inline void check_batch_term_rows(class_transport const& what, batch const&, index, index classes) {
  if (what.cost.rows() != classes || what.cost.cols() != classes) {
    fail("class_transport: the cost is ", what.cost.rows(), "×", what.cost.cols(),
         "; it goes from class to class, and there are ", classes);
  }
  for (index i = 0; i < what.cost.size(); ++i) {
    if (!std::isfinite(what.cost.data()[i])) fail("class_transport: costs must be finite");
  }
}

/// Softmax of the valid rows of a source of rows of T, a column each.
template <class T, execution_policy Policy, class Source>
Eigen::MatrixXd class_masses(Policy const& policy, Source const& source, index classes,
                             char const* who, double temperature, batch const& options,
                             std::vector<Eigen::Index> const& places) {
  using row_list = typename transport_types<Policy>::rows;
  row_list p = row_list::Zero(source.rows(), classes);
  Eigen::Matrix<T, 1, Eigen::Dynamic> row(classes);
  for (Eigen::Index const r : places) {
    read_panel(source, r, 1, classes, row.data(), classes);
    p.row(r) = row.template cast<double>();
  }
  batch const mine{.mask = options.mask, .check = check::first};
  try {
    softmax(policy, logits(p, temperature), p, mine);
  } catch (bad_value const& e) {
    throw bad_value((message("divot: the ") << who << ": " << e.what()).text(), e.row(), e.column(),
                    e.value(), e.count());
  }
  return p(places, every(classes)).transpose();
}

/// Writes what the logits' gradient is to a target of T. upstream: ∂L/∂masses, a column a valid
/// row.
template <class T, execution_policy Policy, class Target>
void write_class_gradient(Policy const& policy, term_place<Target> const& to, double weight,
                          typename transport_types<Policy>::matrix const& masses,
                          typename transport_types<Policy>::matrix const& upstream,
                          double temperature, index rows, std::vector<Eigen::Index> const& places) {
  using row_list = typename transport_types<Policy>::rows;
  row_list const p = masses.transpose(), g = upstream.transpose();
  row_list out(p.rows(), p.cols());
  softmax_pullback(policy, p, g, out, temperature);
  Eigen::Matrix<T, 1, Eigen::Dynamic> row(p.cols());
  for (index r = 0, i = 0; r < rows; ++r) {
    bool const counts =
        static_cast<std::size_t>(i) < places.size() && places[static_cast<std::size_t>(i)] == r;
    if (!to.add) to.target.clear(r, counts ? p.cols() : 0);
    if (!counts) continue;
    row = (to.scale * weight * out.row(i++)).template cast<T>();
    to.target.write(r, p.cols(), row.data(), 1, to.add);
  }
}

/// Works the term out; see run_batch_term of sinkd.
template <class T, execution_policy Policy, class Operands, class StudentTarget,
          class TeacherTarget, class TakeLoss>
void run_batch_term(Policy const& policy, scaled<class_transport> const& term, batch const& options,
                    Operands const& on, term_place<StudentTarget> const& to_student,
                    term_place<TeacherTarget> const& to_teacher, TakeLoss const& take_loss) {
  using matrix = typename transport_types<Policy>::matrix;
  class_transport const& what = term.term;
  index const rows = on.student.rows(), classes = on.classes;
  std::vector<Eigen::Index> places;
  for (index r = 0; r < rows; ++r) {
    if (is_valid(options, r)) places.push_back(r);
  }
  auto const valid = static_cast<index>(places.size());
  matrix const p =
      class_masses<T>(policy, on.teacher, classes, "teacher", what.temperature, options, places);
  matrix const q =
      class_masses<T>(policy, on.student, classes, "student", what.temperature, options, places);
  auto const solved =
      solve_columns(policy, what.cost, q, p, solver_options(what), [&](std::size_t i) {
        return transport_caller{"class_transport", "row", places[i]};
      });
  for (index i = 0; i < valid; ++i) {
    auto const& s = solved[static_cast<std::size_t>(i)];
    if (!s.flaw.empty()) throw error(s.flaw);
    if (!s.solved()) {
      fail("class_transport: row ", places[static_cast<std::size_t>(i)],
           " is not solved: its plan's sums are off by ", s.row_error + s.column_error,
           "; take a larger epsilon or tolerance");
    }
  }
  matrix of_q(classes, valid), of_p(classes, valid);
  if constexpr (StudentTarget::wanted || TeacherTarget::wanted) {
    double const mean = mean_of(options, valid);
    double const entries = static_cast<double>(valid * classes) * static_cast<double>(classes);
    run_workers(policy, worker_count(policy, entries), [&](int me, int team_size) {
      for (index i = me; i < valid; i += team_size) {
        auto const slope = solved[static_cast<std::size_t>(i)].gradient(what.objective);
        double const factor = gradient_factor(options, places[static_cast<std::size_t>(i)], mean);
        of_q.col(i) = factor * slope.row_mass;
        of_p.col(i) = factor * slope.column_mass;
      }
    });
  }
  bool const entropic = what.objective == transport_objective::entropic;
  for (index r = 0, i = 0; r < rows; ++r) {
    if (!is_valid(options, r)) {
      take_loss(r, 0.);
      continue;
    }
    auto const& s = solved[static_cast<std::size_t>(i++)];
    double const loss = entropic ? s.entropic : s.transport_cost;
    take_loss(r, weight_of(options, r) * (term.weight * loss));
  }
  auto const write = [&](auto const& to, auto const& masses, auto const& upstream) {
    write_class_gradient<T>(policy, to, term.weight, masses, upstream, what.temperature, rows,
                            places);
  };
  if constexpr (StudentTarget::wanted) write(to_student, q, of_q);
  if constexpr (TeacherTarget::wanted) write(to_teacher, p, of_p);
}

}  // namespace DIVOT_ABI
}  // namespace divot
