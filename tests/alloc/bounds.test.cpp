// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Scratch is a few rows (or panels of 16 rows) a thread, never a whole matrix.

#include <doctest/doctest.h>
#include <alloc/counting.hpp>
#include <divot/divot.hpp>

#include <vector>

namespace {

/// Records of stretches of rows, and whatever else does not grow with the columns.
constexpr std::size_t fixed = 64 << 10;

/// The bytes of a first call, a workspace for it included.
template <class T, class Policy>
std::size_t first_call(Policy const& policy, divot::index rows, divot::index cols, bool by_rows,
                       bool both) {
  auto const n = static_cast<std::size_t>(rows * cols);
  std::vector<T> const t(n, T(1)), s(n, T(0.5));
  std::vector<T> g(n), h(both ? n : 0);
  auto const view = [&](auto* data) {
    return divot::matrix_ref(data, rows, cols, by_rows ? cols : 1, by_rows ? 1 : rows);
  };
  divot::workspace memory;
  divot::batch options;
  options.workspace = &memory;
  return counting::bytes_in([&] {
    auto const student = divot::gradients().student(view(g.data()));
    if (both) {
      divot::temperature_gradient temperatures;
      divot::value_and_gradient(policy, divot::kl{}, view(t.data()), view(s.data()),
                                student.teacher(view(h.data())).temperature(temperatures), options);
    } else {
      divot::value_and_gradient(policy, divot::kl{}, view(t.data()), view(s.data()), student,
                                options);
    }
  });
}

template <class T, class Policy>
void bounded(Policy const& policy, int threads) {
  auto const workers = static_cast<std::size_t>(threads);
  for (divot::index const cols : {100, 1000, 8000}) {
    CAPTURE(cols);
    auto const row = static_cast<std::size_t>(cols) * sizeof(T) * workers;
    // exponentials and weights of either side
    CHECK(first_call<T>(policy, 40, cols, true, false) <= 3 * row + fixed);
    CHECK(first_call<T>(policy, 40, cols, true, true) <= 4 * row + fixed);
    // and a panel of 16 rows for each operand and target
    CHECK(first_call<T>(policy, 40, cols, false, false) <= (3 + 3 * 16) * row + fixed);
    CHECK(first_call<T>(policy, 40, cols, false, true) <= (4 + 4 * 16) * row + fixed);
  }
  for (bool const by_rows : {true, false}) {
    CAPTURE(by_rows);
    std::size_t const few = first_call<T>(policy, 600, 100, by_rows, true);
    std::size_t const many = first_call<T>(policy, 9000, 100, by_rows, true);
    CHECK(many <= few + fixed);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("scratch does not grow with the number of rows", T, float, double) {
  SUBCASE("simd") { bounded<T>(divot::simd, 1); }
  SUBCASE("seq") { bounded<T>(divot::seq, 1); }
#if DIVOT_HAS_OPENMP
  SUBCASE("two threads") { bounded<T>(divot::omp(2), 2); }
#endif
}

#if DIVOT_HAS_OPENMP
TEST_CASE("threads allocate nothing after the first call") {
  // OpenMP's own memory does not come from operator new
  for (divot::index const rows : {2, 300}) {
    for (divot::index const cols : {9, 700, 30000}) {
      CAPTURE(rows);
      CAPTURE(cols);
      auto const n = static_cast<std::size_t>(rows * cols);
      std::vector<float> const t(n, 1.f), s(n, 0.5f);
      std::vector<float> g(n);
      divot::matrix_ref<float const> const teacher(t.data(), rows, cols);
      divot::matrix_ref<float const> const student(s.data(), rows, cols);
      divot::matrix_ref<float> const to(g.data(), rows, cols);
      divot::workspace memory;
      divot::batch options;
      options.workspace = &memory;
      auto const call = [&] {
        divot::value_and_gradient(divot::omp(2), divot::kl{}, teacher, student, to, options);
        divot::softmax(divot::omp(2), student, to, options);
      };
      call();
      CHECK(counting::calls_in(call) == 0);
    }
  }
}
#endif
