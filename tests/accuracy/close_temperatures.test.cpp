// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A teacher and a student at temperatures that differ by less than 1/T is rounded by in float, or
// in double: on equal logits all of ell comes of that difference.

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/reference_gradient.hpp>
#include <accuracy/samples.hpp>
#include <divot/divot.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace {

using reference::form;
using reference::quad;

/// The error's norm over the exact one's.
template <class T>
double error(std::span<T const> got, std::vector<quad> const& exact) {
  double difference = 0, norm = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    auto const d = static_cast<double>(quad(got[k]) - exact[k]);
    auto const e = static_cast<double>(exact[k]);
    difference += d * d;
    norm += e * e;
  }
  return std::sqrt(difference / norm);
}

template <class T>
struct rows_at {
  std::size_t rows, classes;
  std::vector<T> teacher, student;
  double teacher_temperature, student_temperature;
};

/// The worst errors of loss and gradient over the rows.
template <class T, class Policy, class What>
budget::bound worst(Policy const& policy, What const& what, form of, rows_at<T> const& given) {
  auto const n = given.classes;
  auto const rows = static_cast<divot::index>(given.rows);
  auto const classes = static_cast<divot::index>(n);
  std::vector<T> student(given.rows * n), teacher(given.rows * n);
  std::vector<double> losses(given.rows);
  divot::batch options;
  options.reduction = divot::reduction::sum;
  options.per_row = losses;
  divot::matrix_ref<T> const to_student(student.data(), rows, classes);
  divot::matrix_ref<T> const to_teacher(teacher.data(), rows, classes);
  divot::value_and_gradient(
      policy, what,
      divot::logits(divot::matrix_ref<T const>(given.teacher.data(), rows, classes),
                    given.teacher_temperature),
      divot::logits(divot::matrix_ref<T const>(given.student.data(), rows, classes),
                    given.student_temperature),
      divot::gradients().student(to_student).teacher(to_teacher), options);
  budget::bound seen{0, 0};
  for (std::size_t i = 0; i < given.rows; ++i) {
    auto const row = [&](std::vector<T> const& x) {
      return std::span<T const>(x.data() + i * n, n);
    };
    reference::row_pair const exact(row(given.teacher), row(given.student),
                                    given.teacher_temperature, given.student_temperature);
    quad const loss = reference::loss({of}, exact);
    seen.loss = std::max(seen.loss, static_cast<double>(reference::abs(losses[i] - loss) / loss));
    seen.gradient =
        std::max({seen.gradient, error(row(student), reference::student_gradient({of}, exact)),
                  error(row(teacher), reference::teacher_gradient({of}, exact))});
  }
  return seen;
}

template <class T, class What>
void check(What const& what, form of, rows_at<T> const& given) {
  constexpr auto held = budget::promised(budget::situation::near_short, sizeof(T) == 4);
  for (auto const& seen :
       {worst(divot::seq, what, of, given), worst(divot::simd, what, of, given)}) {
    CAPTURE(given.classes);
    CAPTURE(given.teacher_temperature);
    CAPTURE(given.student_temperature);
    CHECK(seen.loss <= held.loss);
    CHECK(seen.gradient <= held.gradient);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("temperatures that are nearly equal are within the budget", T, float, double) {
  // float's ell has the digits that two words of float have left of the difference
  std::vector<std::pair<double, double>> temperatures{
      {1, .999999}, {.7, .7000002}, {3, 3.00001}, {1, 1 - 1e-8}};
  if (sizeof(T) == 8) {
    temperatures.insert(temperatures.end(),
                        {{3, 3 + 1e-13}, {3, 3 + 4e-16}, {1, 1 - 0x1p-53}, {.7, .7 + 1.2e-16}});
  }
  std::uint64_t seed = 2100;
  for (auto const& [teacher, student] : temperatures) {
    // on either side of the 128 classes up to which rows go across lanes
    for (std::size_t classes : {2, 20, 128, 200}) {
      for (double delta : {0., 1e-6}) {
        samples::random r(++seed);
        std::size_t const rows = classes <= 20 ? 19 : 3;
        rows_at<T> given{rows, classes, samples::logits<T>(r, rows * classes, 2),
                         {},   teacher, student};
        given.student = samples::beside(r, given.teacher, delta, 0);
        check(divot::kl{}, form::kl, given);
        check(divot::squared_hellinger{}, form::squared_hellinger, given);
      }
    }
  }
}
