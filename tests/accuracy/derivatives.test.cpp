// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The derivatives that are not the student's logits': teacher, temperatures, alpha and beta.

#include <doctest/doctest.h>
#include <accuracy/condition.hpp>
#include <accuracy/reference_gradient.hpp>
#include <accuracy/samples.hpp>
#include <accuracy/score.hpp>

#include <cstdint>
#include <sstream>

namespace {

using reference::quad;

/// |got − exact| relative to the sum of the terms' magnitudes: the sum itself may cancel.
template <class T>
double error_of_sum(double got, quad exact, quad magnitude) {
  if (magnitude > quad(std::numeric_limits<T>::max()) / 100) return 0;  // it may overflow
  if (magnitude < quad(budget::smallest<T>)) return 0;
  return static_cast<double>(reference::abs(got - exact) / magnitude);
}

quad magnitude(reference::side const& s, std::vector<quad> const& gradient) {
  quad sum = 0;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    sum += reference::abs((s.logits[k] - s.logits[s.top]) * gradient[k]);
  }
  return sum / s.temperature;
}

/// Whether a gradient is smaller than what the budget speaks of.
template <class T>
bool vanishes(std::vector<quad> const& gradient) {
  quad sum = 0;
  for (quad const& g : gradient) sum += g * g;
  return sum < quad(budget::smallest<T>) * budget::smallest<T>;
}

/// The reports of one test: student gradients, teacher gradients, all other derivatives.
template <class T>
struct reports {
  score::report student = score::report::of<T>(budget::situation::moderate);
  score::report teacher = score::report::of<T>(budget::situation::teacher);
  score::report sums = score::report::of<T>(budget::situation::parameters);

  void finish() const {
    student.finish();
    teacher.finish();
    sums.finish();
  }
};

/// One row at a time: the derivatives in temperatures and parameters are sums over rows.
template <class T>
void compare(reports<T>& to, losses::problem<T> const& row, std::string const& where) {
  reference::row_pair const pair(std::span<T const>(row.teacher), std::span<T const>(row.student),
                                 row.teacher_temperature, row.student_temperature);
  for (losses::loss const& l : losses::all()) {
    reference::divergence const d = losses::reference_of(l);
    quad const loss = reference::loss(d, pair);
    std::vector<quad> const student = reference::student_gradient(d, pair);
    std::vector<quad> const teacher = reference::teacher_gradient(d, pair);
    quad const ts = reference::temperature_gradient(pair.student, student);
    quad const tt = reference::temperature_gradient(pair.teacher, teacher);
    std::string const name = losses::name(l);
    double const factor = score::power_factor(d, pair);
    double const of_loss = factor * score::cancellation(d, pair);
    for (losses::policy p : losses::policies) {
      auto const got = losses::run(p, l, row, losses::wanted::everything);
      if (loss >= budget::smallest<T>) {
        to.sums.loss(name, p, score::error<T>(got.per_row[0], loss) / of_loss, "loss; " + where);
      }
      std::span<T const> const by_student(got.student), by_teacher(got.teacher);
      if (!vanishes<T>(student)) {
        double const e = score::gradient_error(d, pair, by_student, student);
        to.student.gradient(name, p, e / factor, where);
      }
      if (!vanishes<T>(teacher)) {
        double const e = score::gradient_error(d.reversed(), pair.swapped(), by_teacher, teacher);
        to.teacher.gradient(name, p, e / factor, where);
      }
      to.sums.loss(
          name, p,
          error_of_sum<T>(got.student_temperature, ts, magnitude(pair.student, student)) / factor,
          "student's temperature; " + where);
      to.sums.loss(
          name, p,
          error_of_sum<T>(got.teacher_temperature, tt, magnitude(pair.teacher, teacher)) / factor,
          "teacher's temperature; " + where);
      if (l.what == losses::kind::alpha_beta) {
        auto const exact = reference::parameter_gradient(d, pair);
        quad const size = reference::abs(exact[0]) + reference::abs(exact[1]);
        for (std::size_t i : {0, 1}) {
          to.sums.loss(name, p, error_of_sum<T>(got.parameters[i], exact[i], size),
                       (i == 0 ? "alpha; " : "beta; ") + where);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("derivatives in teacher, temperatures, alpha and beta are within the budget", T,
                   float, double) {
  reports<T> to;
  std::uint64_t seed = 900;
  struct temperatures {
    double teacher, student;
  };
  for (double scale : {1., 15.}) {
    for (temperatures t : {temperatures{2, 2}, {1, 3}, {0.5, 2}}) {
      for (std::size_t classes : {2, 3, 10, 65}) {
        samples::random r(++seed);
        losses::problem<T> const row{1,
                                     classes,
                                     samples::logits<T>(r, classes, scale * t.teacher),
                                     samples::logits<T>(r, classes, scale * t.student),
                                     t.teacher,
                                     t.student};
        std::ostringstream where;
        where << "seed " << seed << ", " << classes << " classes, scale/T " << scale << ", T "
              << t.teacher << " and " << t.student;
        compare(to, row, where.str());
      }
    }
  }
  to.finish();
}

TEST_CASE_TEMPLATE("derivatives near convergence are within the budget", T, float, double) {
  reports<T> to;
  for (double delta : {1e-4, 1e-2}) {
    for (double shift : {0., 200.}) {
      samples::random r(1000);
      losses::problem<T> row{1, 400, {}, samples::logits<T>(r, 400, 1)};
      row.teacher = samples::beside(r, row.student, delta, shift);
      std::ostringstream where;
      where << "delta " << delta << ", shift " << shift;
      compare(to, row, where.str());
    }
  }
  to.finish();
}

TEST_CASE_TEMPLATE("student gradients at two temperatures are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::moderate);
  std::uint64_t seed = 1100;
  for (double scale : {1., 5., 15.}) {
    for (std::size_t classes : {2, 10, 128, 597}) {
      samples::random r(++seed);
      std::size_t const rows = classes < 100 ? 9 : 2;
      losses::problem<T> const given{rows,
                                     classes,
                                     samples::logits<T>(r, rows * classes, scale * 4),
                                     samples::logits<T>(r, rows * classes, scale),
                                     4,
                                     1};
      score::compare(report, losses::all(), given,
                     "seed " + std::to_string(seed) + ", temperatures 4 and 1");
    }
  }
  report.finish();
}
