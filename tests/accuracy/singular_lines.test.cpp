// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/samples.hpp>
#include <accuracy/score.hpp>

#include <cmath>
#include <sstream>
#include <vector>

namespace {

using losses::kind;

/// The α-β divergence on the singular lines and 10^−k beside them.
std::vector<losses::loss> on_and_beside_the_lines() {
  std::vector<losses::loss> list;
  auto const add = [&](double alpha, double beta) {
    list.push_back({kind::alpha_beta, alpha, beta});
  };
  for (double x : {0.5, -0.75, 2.0}) {
    add(0, x);
    add(x, 0);
    add(x, -x);
  }
  add(0, 0);
  for (int k = 1; k <= 16; ++k) {
    for (double e : {std::pow(10, -k), -std::pow(10, -k)}) {
      add(e, 0.5);
      add(e, -0.75);
      add(0.5, e);
      add(-0.75, e);
      add(0.75, e - 0.75);
      add(-0.5, 0.5 + e);
      add(e, -e);
      add(e, e / 2);
      add(e, 1 - e);
    }
  }
  return list;
}

/// All (α, β) as one line of the report, so that the table stays readable.
template <class T>
void compare(score::report& report, losses::problem<T> const& rows, std::string const& where) {
  for (losses::loss const& l : on_and_beside_the_lines()) {
    std::vector<score::exact_row> exact;
    for (std::size_t i = 0; i < rows.rows; ++i) exact.push_back(score::exact(l, rows, i));
    for (losses::policy p : losses::policies) {
      auto const answer = losses::run(p, l, rows, losses::wanted::student);
      for (std::size_t i = 0; i < rows.rows; ++i) {
        std::ostringstream here;
        here.precision(17);
        here << "alpha_beta(" << l.a << ", " << l.b << "), " << where << ", row " << i;
        CHECK_MESSAGE(answer.per_row[i] >= 0, here.str());
        report.loss("alpha_beta", p, score::error<T>(answer.per_row[i], exact[i].loss), here.str());
        std::span<T const> const got(answer.student.data() + i * rows.classes, rows.classes);
        report.gradient("alpha_beta", p, score::error(got, exact[i].gradient), here.str());
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("alpha-beta is within the budget on and beside every singular line", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::singular_lines);
  samples::random r(800);
  for (double scale : {1., 5., 15.}) {
    losses::problem<T> rows{3, 10, samples::logits<T>(r, 30, scale),
                            samples::logits<T>(r, 30, scale)};
    std::ostringstream where;
    where << "seed 800, scale " << scale;
    compare(report, rows, where.str());
  }
  losses::problem<T> rows{2, 67, {}, samples::logits<T>(r, 134, 1)};
  rows.teacher = samples::beside(r, rows.student, 1e-3, 7.3);
  compare(report, rows, "seed 800, near convergence");
  report.finish();
}
