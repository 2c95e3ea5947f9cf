// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/extent.hpp>
#include <accuracy/random_rows.hpp>
#include <accuracy/score.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

std::vector<losses::loss> const& a_few() {
  using losses::kind;
  static std::vector<losses::loss> const list{
      {kind::kl}, {kind::jensen_shannon}, {kind::alpha_beta, 0.2, 0.7}};
  return list;
}

}  // namespace

TEST_CASE("losses and gradients of long rows are within the budget") {
  auto in_float = score::report::of<float>(budget::situation::moderate);
  auto in_double = score::report::of<double>(budget::situation::moderate);
  for (double scale : {1., 5., 15.}) {
    auto const list = all_rows() || scale == 15 ? losses::with_labels(losses::some()) : a_few();
    score::compare(in_float, in_double, list, losses::random_rows<float>(200, 1, 32000, scale, 2),
                   losses::random_name(200, scale, 2));
  }
  score::compare(in_float, in_double, all_rows() ? losses::with_labels(losses::some()) : a_few(),
                 losses::random_rows<float>(201, 1, 152064, 5, 1), losses::random_name(201, 5, 1));
  in_float.finish();
  in_double.finish();
}

TEST_CASE("rows of 128 256 classes near convergence are within the budget") {
  auto in_float = score::report::of<float>(budget::situation::near_convergence);
  auto in_double = score::report::of<double>(budget::situation::near_convergence);
  for (double delta : {1e-4, 1e-3, 1e-2}) {
    for (double shift : {0., 7.3, 200.}) {
      bool const first = delta == 1e-4 && shift == 200;
      if (!all_rows() && !first && (delta != 1e-3 || shift != 7.3)) continue;
      score::compare(in_float, in_double, all_rows() ? losses::all() : a_few(),
                     losses::converged_rows<float>(700, 1, 128256, delta, shift),
                     losses::converged_name(700, delta, shift));
    }
  }
  in_float.finish();
  in_double.finish();
}
