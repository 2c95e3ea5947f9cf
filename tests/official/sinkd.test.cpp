// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <divot/divot.hpp>
#include <official/sinkd_values.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using official::result;
constexpr divot::index rows = 3, classes = 4;
divot::batch const sum{.reduction = divot::reduction::sum};

double distance(std::vector<double> const& a, std::vector<double> const& b, double factor = 1) {
  double total = 0;
  for (std::size_t k = 0; k < a.size(); ++k) total += std::pow(a[k] - factor * b[k], 2);
  return std::sqrt(total);
}
double norm(std::vector<double> const& a) { return distance(a, std::vector<double>(a.size())); }

void same(result const& got, result const& published, double factor = 1) {
  CHECK(std::abs(got.value - factor * published.value) <=
        budget::official * std::abs(factor * published.value));
  CHECK(distance(got.gradient, published.gradient, factor) <=
        budget::official * norm(published.gradient) * factor);
}

template <class Policy, class What>
result call(Policy const& policy, What const& what, divot::batch const& options = sum,
            std::vector<double> const& teacher = official::teacher) {
  result r{0, std::vector<double>(official::student.size())};
  r.value = divot::value_and_gradient(
      policy, what, divot::matrix_ref<double const>(teacher.data(), rows, classes),
      divot::matrix_ref<double const>(official::student.data(), rows, classes),
      divot::matrix_ref<double>(r.gradient.data(), rows, classes), options);
  return r;
}

TEST_CASE("SinKD and its gradient are those of the published code, after any number of sweeps") {
  for (official::sinkd_result const& x : official::sinkd) {
    CAPTURE(x.epsilon);
    CAPTURE(x.sweeps);
    divot::sinkd const what{.epsilon = x.epsilon, .sweeps = x.sweeps};
    same(call(divot::seq, what), x.published);
    same(call(divot::simd, what), x.published);
    same(call(divot::omp(2), what), x.published);
  }
}

TEST_CASE("SinKD of one row, and of a student that is its own teacher") {
  std::vector<std::uint8_t> const first{1, 0, 0};
  divot::batch const masked{.reduction = divot::reduction::sum, .mask = first};
  same(call(divot::simd, divot::sinkd{}, masked), official::sinkd_first_row, 1000);
  // its gradient is a small difference
  auto const got = call(divot::simd, divot::sinkd{}, sum, official::student);
  CHECK(got.value == doctest::Approx(1000 * official::sinkd_identical.value).epsilon(1e-12));
  CHECK(distance(got.gradient, official::sinkd_identical.gradient, 1000) <= 1e-14);
}

TEST_CASE("SinKD sample by sample is twice the total variation") {
  same(call(divot::simd, 2 * divot::total_variation{}), official::sinkd_sample_wise, 1000);
}

TEST_CASE("SinKD tends to the cheapest assignment as epsilon goes to 0, in float, too") {
  std::vector<float> t(official::teacher.begin(), official::teacher.end());
  std::vector<float> s(official::student.begin(), official::student.end());
  std::vector<float> g(s.size());
  std::vector<double> exact(s.size());
  for (double const epsilon : {.02, .01, 1e-3, 1e-4}) {
    CAPTURE(epsilon);
    divot::sinkd const what{.epsilon = epsilon};
    float const loss =
        divot::value_and_gradient(what, divot::matrix_ref<float const>(t.data(), rows, classes),
                                  divot::matrix_ref<float const>(s.data(), rows, classes),
                                  divot::matrix_ref<float>(g.data(), rows, classes), sum);
    auto const wide = call(divot::seq, what);
    CHECK(std::abs(loss - wide.value) <= 1e-4);
    std::vector<double> const narrow(g.begin(), g.end());
    CHECK(distance(narrow, wide.gradient) <= 1e-2 * norm(wide.gradient));
    if (epsilon < .01) CHECK(std::abs(loss - official::cheapest_assignment) <= 1e-4);
  }
}

}  // namespace
