// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Gradients and per-row losses depend on the numbers, not on where they stand: bit for bit. The
// combined loss is a sum whose order may depend on the layout.

#include <doctest/doctest.h>

#include <parity/grid.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <type_traits>

namespace {

using parity::how;
using parity::problem;
using parity::wanted;

constexpr divot::index columns[] = {1, 9, 65, 2049};

/// More rows than a panel holds, and no whole number of panels.
constexpr divot::index rows = 37;

parity::policy const policies[] = {parity::seq, parity::simd, parity::omp(2)};

template <class T>
void same_rows(parity::outcome<T> const& got, parity::outcome<T> const& right) {
  CHECK(got.per_row == right.per_row);
  CHECK(got.student == right.student);
  CHECK(got.teacher == right.teacher);
  double const bound = 8 * std::numeric_limits<T>::epsilon();
  auto const close = [&](double a, double b) {
    return std::abs(a - b) <= bound * (1 + std::abs(b));
  };
  CHECK(close(got.result.value, right.result.value));
  CHECK(close(got.result.student_temperature, right.result.student_temperature));
  CHECK(close(got.result.teacher_temperature, right.result.teacher_temperature));
}

template <class T, class Check>
void everywhere(Check const& check) {
  for (divot::index const cols : columns) {
    problem<T> const given(static_cast<std::uint64_t>(cols), rows, cols, 3, 2, 2);
    for (auto const what : parity::losses<T>()) {
      for (auto const& p : policies) {
        CAPTURE(cols);
        CAPTURE(parity::name(what));
        CAPTURE(parity::name(p));
        check(p, what, given);
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("any layout of operands and gradients gives the same bits", T, float, double) {
  everywhere<T>([](auto const& p, auto what, auto const& given) {
    auto const right = solve(p, what, given);
    for (auto const& l : parity::layouts) {
      CAPTURE(std::string(l.name));
      same_rows(solve(p, what, given, wanted::both, {.operands = l}), right);
      same_rows(solve(p, what, given, wanted::both, {.targets = l}), right);
    }
  });
}

TEST_CASE_TEMPLATE("in place gives the bits of out of place", T, float, double) {
  auto const want = std::is_same_v<T, float> ? wanted::student : wanted::both;
  everywhere<T>([&](auto const& p, auto what, auto const& given) {
    auto const right = solve(p, what, given, want);
    CHECK(solve(p, what, given, want, {.in_place = true}) == right);
    for (auto const& l : parity::layouts) {
      CAPTURE(std::string(l.name));
      same_rows(solve(p, what, given, want, {.operands = l, .in_place = true}), right);
    }
  });
}

TEST_CASE_TEMPLATE("both gradients in place give the bits of out of place", T, float, double) {
  everywhere<T>([](auto const& p, auto what, auto const& given) {
    auto const right = solve(p, what, given);
    CHECK(solve(p, what, given, wanted::both, {.in_place = true}) == right);
  });
}

TEST_CASE_TEMPLATE("accumulating adds the scaled gradient and rounds once more", T, float, double) {
  everywhere<T>([](auto const& p, auto what, auto const& given) {
    auto const plain = solve(p, what, given);
    auto const before = parity::earlier_gradient<T>(given.student.size());
    auto const added = solve(p, what, given, wanted::both, {.accumulate = -0.5});
    CHECK(added.per_row == plain.per_row);
    std::size_t wrong = 0;
    double const eps = std::numeric_limits<T>::epsilon();
    for (std::size_t i = 0; i < before.size(); ++i) {
      auto const off = [&](T got, T gradient) {
        double const exact = static_cast<double>(before[i]) - 0.5 * static_cast<double>(gradient);
        double const size =
            std::abs(static_cast<double>(before[i])) + std::abs(static_cast<double>(gradient));
        return std::abs(static_cast<double>(got) - exact) > eps * size;
      };
      wrong += off(added.student[i], plain.student[i]) + off(added.teacher[i], plain.teacher[i]);
    }
    CHECK(wrong == 0);
    for (auto const& l : parity::layouts) {
      CAPTURE(std::string(l.name));
      auto const there = solve(p, what, given, wanted::both, {.targets = l, .accumulate = -0.5});
      same_rows(there, added);
    }
  });
}

TEST_CASE("a gradient too large for the caches has the bits of one in place") {
  // 8.4 MB; every second row begins on a cache line
  constexpr divot::index many = 64, wide = 33000;
  problem<float> const given(77, many, wide, 3, 2, 2);
  using Eigen::Dynamic;
  using row_major = Eigen::Matrix<float, Dynamic, Dynamic, Eigen::RowMajor>;
  using column_major = Eigen::Matrix<float, Dynamic, Dynamic>;
  auto const solve_into = [&](parity::policy const& p, auto const& t, auto const& s,
                              auto const& g) {
    parity::call<float> c{t, s};
    c.student_gradient = g;
    c.teacher_temperature = c.student_temperature = 2;
    parity::run(p, parity::loss::kl, c);
  };
  row_major const teacher = Eigen::Map<row_major const>(given.teacher.data(), many, wide);
  row_major const student = Eigen::Map<row_major const>(given.student.data(), many, wide);
  column_major const teacher_columns = teacher, student_columns = student;
  auto const look = [&](auto& x) {
    using number = std::remove_pointer_t<decltype(x.data())>;
    bool const by_rows = x.IsRowMajor;
    return divot::matrix_ref<number>(x.data(), many, wide, by_rows ? wide : 1, by_rows ? 1 : many);
  };
  auto const see = [&](auto const& x) { return look(x); };
  for (auto const& p : {parity::simd, parity::omp(2)}) {
    CAPTURE(parity::name(p));
    row_major in_place = student, apart(many, wide);
    solve_into(p, see(teacher), see(in_place), look(in_place));
    solve_into(p, see(teacher), see(student), look(apart));
    CHECK(apart == in_place);
    column_major standing(many, wide);
    solve_into(p, see(teacher_columns), see(student_columns), look(standing));
    CHECK(standing == in_place);
  }
}
