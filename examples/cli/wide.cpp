// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "wide.hpp"

#include "execution_policy.hpp"
#include "flaw.hpp"
#include "mixed_sides.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace cli {
namespace {

/// A row's value h = D^r and its slope. A row that has converged has no gradient, as in the
/// library.
struct power_of {
  double value, slope;
};
power_of power(double d, double exponent) {
  if (exponent == 1) return {d, 1};
  double const value = std::pow(d, exponent);
  if (d == 0) return {value, 0};
  if (std::isinf(d)) return {value, exponent < 1 ? 0 : value};
  return {value, exponent * std::pow(d, exponent - 1)};
}

/// 0 times infinity is 0.
template <class T>
T product(double factor, T const& x) {
  return factor == 0 || x == T(0) ? T(0) : T(factor) * x;
}

template <class Wide>
class wide_evaluation {
 public:
  wide_evaluation(problem const& inputs, execution const& how, divot::index first,
                  wide_block<Wide> const& rows, bool want_teacher)
      : inputs_(inputs),
        how_(how),
        first_(static_cast<std::size_t>(first)),
        rows_(rows),
        want_teacher_(want_teacher) {}

  /// The sum of a part's terms: each row's value, and the gradients of the rows' values.
  struct sums {
    std::vector<double> values;
    matrix<Wide> student, teacher;
  };
  sums add_up(loss_part const& part) {
    auto const& student = rows_.student();
    sums all{std::vector<double>(static_cast<std::size_t>(student.rows())),
             matrix<Wide>::Zero(student.rows(), student.cols()),
             matrix<Wide>::Zero(student.rows(), want_teacher_ ? student.cols() : 0)};
    for (loss_term const& term : part.terms) {
      try {
        add(term, all);
      } catch (divot::error const& e) {
        throw_flaw(term, e);
      }
    }
    return all;
  }

 private:
  using block = wide_block<Wide>;

  void add(loss_term const& term, sums& all) {
    double const temperature = term.temperature.value_or(inputs_.from.temperature);
    if (!term.loss->has_teacher) {
      loss_call<Wide> call = prepared(term, false);
      call.temperature = temperature;
      call.t_squared = term.t_squared;
      call.teacher = call.student = view(rows_.student());
      call.gradient = view(all.student);
      call.add = true;
      run(call, &all.values);
      return;
    }
    weight_ = term.weight * (term.t_squared ? temperature * temperature : 1);
    auto const c = rows_.at(temperature);
    if (term.is_pure()) {
      bool const reversed = term.is_reversed();
      rows_.add_student(c,
                        gradient(term, reversed, c.teacher, c.teacher_temperature, c.student,
                                 c.student_temperature, &all.values),
                        all.student);
      if (want_teacher_) {
        all.teacher += gradient(term, !reversed, c.student, c.student_temperature, c.teacher,
                                c.teacher_temperature, nullptr);
      }
    } else {
      add_mixed(term, c, all);
    }
  }

  /// D(first ‖ second), each a mixture of p and q.
  void add_mixed(loss_term const& term, typename block::compared const& c, sums& all) {
    matrix<Wide> const log_p = log_softmax(c.teacher, c.teacher_temperature);
    matrix<Wide> const log_q = log_softmax(c.student, c.student_temperature);
    matrix<Wide> const x = log_of_side(term.first, log_p, log_q);
    matrix<Wide> const y = log_of_side(term.second, log_p, log_q);
    matrix<Wide> const of_y = gradient(term, false, x, 1, y, 1, &all.values);
    matrix<Wide> of_x;
    if (want_teacher_ || term.first.of_student != 0) {
      of_x = gradient(term, true, y, 1, x, 1, nullptr);
    }
    matrix<Wide> student = matrix<Wide>::Zero(log_q.rows(), log_q.cols());
    add_share(of_y, term.second.of_student, log_q, y, student);
    add_share(of_x, term.first.of_student, log_q, x, student);
    rows_.add_student(c, student / Wide(c.student_temperature), all.student);
    if (!want_teacher_) return;
    matrix<Wide> teacher = matrix<Wide>::Zero(log_p.rows(), log_p.cols());
    add_share(of_y, term.second.of_teacher, log_p, y, teacher);
    add_share(of_x, term.first.of_teacher, log_p, x, teacher);
    all.teacher += teacher / Wide(c.teacher_temperature);
  }

  loss_call<Wide> prepared(loss_term const& term, bool reversed) const {
    loss_call<Wide> call{term.loss->make(term.values, reversed)};
    call.weight = term.weight;
    call.batch.reduction = divot::reduction::none;
    auto const count = static_cast<std::size_t>(rows_.student().rows());
    if (!inputs_.mask.empty()) call.batch.mask = std::span(inputs_.mask).subspan(first_, count);
    if (term.loss->needs_labels) {
      call.batch.labels = std::span(inputs_.labels).subspan(first_, count);
    }
    return call;
  }

  /// The gradient of the rows' D(x‖y), or of D(y‖x), for y. `values`: what it is is added there.
  matrix<Wide> gradient(loss_term const& term, bool reversed, matrix<Wide> const& x,
                        double x_temperature, matrix<Wide> const& y, double y_temperature,
                        std::vector<double>* values) {
    loss_call<Wide> call = prepared(term, reversed);
    call.weight = weight_;
    call.teacher = view(x);
    call.teacher_temperature = x_temperature;
    call.student = view(y);
    call.temperature = y_temperature;
    matrix<Wide> g(y.rows(), y.cols());
    call.gradient = view(g);
    run(call, values);
    return g;
  }

  void run(loss_call<Wide>& call, std::vector<double>* values) {
    row_values_.assign(static_cast<std::size_t>(call.student.rows), 0);
    call.batch.per_row = row_values_;
    call.batch.workspace = &scratch_;
    call_library(how_.get().value, call);
    if (values == nullptr) return;
    for (std::size_t i = 0; i < row_values_.size(); ++i) (*values)[i] += row_values_[i];
  }

  problem const& inputs_;
  execution const& how_;
  std::size_t first_;
  block const& rows_;
  bool want_teacher_;
  double weight_ = 1;
  std::vector<double> row_values_;
  divot::workspace scratch_;
};

/// Adds factor·from to `to`, row i.
template <class Wide>
void add_row(double factor, matrix<Wide> const& from, divot::index i, matrix<Wide>& to) {
  for (divot::index k = 0; k < from.cols(); ++k) to(i, k) += product(factor, from(i, k));
}

/// Pulls the rows' gradients back through the transforms and hands them out.
template <class Wide>
void write_rows(problem const& inputs, typename wide_logits<Wide>::reader const& read,
                transform_rows<Wide> const& transforms, divot::index first, matrix<Wide>& gradient,
                row_writer<Wide> const& to) {
  std::vector<Wide> x(static_cast<std::size_t>(inputs.classes));
  for (divot::index i = 0; i < gradient.rows(); ++i) {
    if (!transforms.empty() && inputs.is_valid(first + i)) {
      read(first + i, x.data());
      transforms.pull(gradient.row(i).data(), x.data(), inputs.classes, first + i);
    }
    to(first + i, gradient.row(i).data());
  }
}

}  // namespace

template <class Wide>
void evaluate_wide(std::vector<loss_part> const& parts, problem const& inputs,
                   wide_logits<Wide> const& logits, execution const& how,
                   row_writer<Wide> const& to_student, row_writer<Wide> const& to_teacher,
                   double& loss, std::vector<double>& per_row) {
  divot::index const step = wide_step(inputs.classes);
  wide_transforms<Wide> const transforms{transform_rows<Wide>(inputs.teacher_transforms),
                                         transform_rows<Wide>(inputs.student_transforms)};
  double const divisor = inputs.from.reduction == "mean" && inputs.valid_rows > 0
                             ? static_cast<double>(inputs.valid_rows)
                             : 1;
  bool const want_teacher = static_cast<bool>(to_teacher);
  long double total = 0;
  for (divot::index first = 0; first < inputs.rows; first += step) {
    divot::index const count = std::min(step, inputs.rows - first);
    wide_block<Wide> const rows(inputs, logits, transforms, first, count);
    wide_evaluation<Wide> evaluation(inputs, how, first, rows, want_teacher);
    matrix<Wide> student = matrix<Wide>::Zero(count, inputs.classes);
    matrix<Wide> teacher = matrix<Wide>::Zero(count, want_teacher ? inputs.classes : 0);
    for (loss_part const& part : parts) {
      auto const sums = evaluation.add_up(part);
      for (divot::index i = 0; i < count; ++i) {
        if (!inputs.is_valid(first + i)) continue;
        auto const at = static_cast<std::size_t>(first + i);
        double const weight = part.weight * (inputs.weights.empty() ? 1 : inputs.weights[at]);
        auto const h = power(sums.values[static_cast<std::size_t>(i)], part.exponent);
        double const value = product(weight, h.value), slope = product(weight, h.slope) / divisor;
        total += value;
        if (!per_row.empty()) per_row[at] += value;
        add_row(slope, sums.student, i, student);
        if (want_teacher) add_row(slope, sums.teacher, i, teacher);
      }
    }
    write_rows(inputs, logits.student, transforms.student, first, student, to_student);
    if (want_teacher) {
      write_rows(inputs, logits.teachers.front(), transforms.teacher, first, teacher, to_teacher);
    }
  }
  loss = static_cast<double>(total / static_cast<long double>(divisor));
}

#define DIVOT_CLI_EVALUATE_WIDE(Wide)                                                              \
  template void evaluate_wide(std::vector<loss_part> const&, problem const&,                       \
                              wide_logits<Wide> const&, execution const&, row_writer<Wide> const&, \
                              row_writer<Wide> const&, double&, std::vector<double>&)
DIVOT_CLI_EVALUATE_WIDE(double);
DIVOT_CLI_EVALUATE_WIDE(long double);

}  // namespace cli
