// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/random_rows.hpp>
#include <accuracy/reference_gradient.hpp>
#include <accuracy/score.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

/// The skews at weights from almost 0 to almost 1; the name of a loss has its weight in it.
std::vector<losses::loss> skews() {
  using losses::kind;
  std::vector<losses::loss> list;
  for (double weight : {1e-30, 1e-16, 1e-9, 1e-6, 1e-3, 0.03, 0.3, 0.5, 0.7, 0.97, 1 - 1e-3,
                        1 - 1e-6, 1 - 1e-9, 1 - 0x1p-53}) {
    for (kind what : {kind::skew_js, kind::skew_kl, kind::reverse_skew_kl, kind::skew_pearson,
                      kind::skew_reverse_kl}) {
      list.push_back({what, weight});
    }
  }
  return list;
}

/// The teacher's gradient, which is the student's of the reverse.
template <class T>
void compare_teachers(score::report& report, std::vector<losses::loss> const& list,
                      losses::problem<T> const& row, std::string const& where) {
  reference::row_pair const pair(std::span<T const>(row.teacher), std::span<T const>(row.student));
  for (losses::loss const& l : list) {
    auto const exact = pair.spread(reference::teacher_gradient(losses::reference_of(l), pair));
    for (losses::policy p : losses::policies) {
      auto const got = losses::run(p, l, row, losses::wanted::everything);
      std::span<T const> const teacher(got.teacher);
      report.gradient(losses::name(l), p, score::error(teacher, exact), where + ", teacher");
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("skews keep their digits whatever the teacher's weight", T, float, double) {
  auto report = score::report::of<T>(budget::situation::mixture_weights);
  std::uint64_t seed = 1600;
  for (std::size_t classes : {2, 3, 7, 10, 33, 128}) {
    std::size_t const rows = classes < 32 ? 18 : 3;
    for (double scale : {1., 5., 15., 60.}) {
      ++seed;
      score::compare(report, skews(), losses::random_rows<T>(seed, rows, classes, scale, 1),
                     losses::random_name(seed, scale, 1));
    }
    for (double delta : {1e-4, 1e-3, 1e-2}) {
      ++seed;
      score::compare(report, skews(), losses::converged_rows<T>(seed, rows, classes, delta, 7.3, 5),
                     losses::converged_name(seed, delta, 7.3, 5));
    }
  }
  report.finish();
}

TEST_CASE_TEMPLATE("weights that the type cannot hold count all the same", T, float, double) {
  using losses::kind;
  constexpr T gone = -std::numeric_limits<T>::infinity();
  std::vector<losses::loss> list;
  for (double weight : {1e-300, 1e-45, 1e-40, 1e-37, 1e-34, 1e-30}) {
    list.push_back({kind::skew_kl, weight});
    list.push_back({kind::reverse_skew_kl, weight});
  }
  auto report = score::report::of<T>(budget::situation::mixture_weights);
  for (T far : {T(-88), T(-90), T(-200), T(-720), T(-900), T(-5000), gone}) {
    for (std::size_t classes : {3, 70, 300}) {
      losses::problem<T> row{1, classes, {0, 1, far}, {T(.5), 0, 1}};
      row.teacher.resize(classes, far);
      row.student.resize(classes, -2);
      std::string const where = "a gap of " + std::to_string(far);
      score::compare(report, list, row, where + " in the teacher");
      compare_teachers(report, list, row, where + " in the teacher");
      std::swap(row.teacher, row.student);
      score::compare(report, list, row, where + " in the student");
      compare_teachers(report, list, row, where + " in the student");
    }
  }
  report.finish();
}
