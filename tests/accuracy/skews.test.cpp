// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Divergences to the mixture of both sides on many short rows, where the slopes of classes may be
// anything: float against the same rows in double.

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/samples.hpp>
#include <divot/divot.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

constexpr divot::index rows = 300;

/// Both gradients, of rows at the same temperature.
template <class T>
struct gradients {
  std::vector<T> student, teacher;
};

template <class T, class Policy, class What>
gradients<T> of(Policy const& policy, What const& what, std::vector<T> const& teacher,
                std::vector<T> const& student) {
  auto const classes = static_cast<divot::index>(teacher.size()) / rows;
  gradients<T> g{student, teacher};
  divot::gradient(policy, what, divot::matrix_ref<T const>(teacher.data(), rows, classes),
                  divot::matrix_ref<T const>(student.data(), rows, classes),
                  divot::gradients()
                      .student(divot::matrix_ref<T>(g.student.data(), rows, classes))
                      .teacher(divot::matrix_ref<T>(g.teacher.data(), rows, classes)));
  return g;
}

/// The worst row's error, relative to the row's gradient.
double worst(std::vector<float> const& got, std::vector<double> const& exact) {
  std::size_t const classes = got.size() / rows;
  double most = 0;
  for (std::size_t i = 0; i < got.size(); i += classes) {
    double error = 0, norm = 0;
    for (std::size_t k = i; k < i + classes; ++k) {
      error += (static_cast<double>(got[k]) - exact[k]) * (static_cast<double>(got[k]) - exact[k]);
      norm += exact[k] * exact[k];
    }
    if (norm < budget::smallest<float>) continue;
    most = std::max(most, std::sqrt(error / norm));
  }
  return most;
}

template <class What>
void check(char const* name, What const& what) {
  constexpr double held = budget::promised(budget::situation::teacher, true).gradient;
  std::uint64_t seed = 2300;
  for (std::size_t classes : {2, 3, 5, 9, 16, 30}) {
    for (double scale : {.3, 1., 2., 5., 15.}) {
      samples::random r(++seed);
      std::size_t const n = rows * classes;
      auto const teacher = samples::logits<float>(r, n, scale);
      auto const student = samples::logits<float>(r, n, scale);
      auto const exact = of<double>(divot::simd, what, {teacher.begin(), teacher.end()},
                                    {student.begin(), student.end()});
      auto const judge = [&](gradients<float> const& got) {
        CAPTURE(name);
        CAPTURE(classes);
        CAPTURE(scale);
        CHECK(worst(got.student, exact.student) <= held);
        CHECK(worst(got.teacher, exact.teacher) <= held);
      };
      judge(of<float>(divot::seq, what, teacher, student));
      judge(of<float>(divot::simd, what, teacher, student));
    }
  }
}

}  // namespace

TEST_CASE("gradients of skews of short rows are within the budget") {
  check("skew(pearson, .1)", divot::skew(divot::pearson{}, .1));
  check("skew(pearson, .3)", divot::skew(divot::pearson{}, .3));
  check("skew(triangular, .3)", divot::skew(divot::triangular{}, .3));
}
