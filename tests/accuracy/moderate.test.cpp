// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/samples.hpp>
#include <accuracy/score.hpp>

#include <cstdint>
#include <sstream>

namespace {

/// Rows of scale·N(0, 1) on both sides, a label for each.
template <class T>
losses::problem<T> random_rows(std::uint64_t seed, std::size_t rows, std::size_t classes,
                               double scale, double temperature) {
  samples::random r(seed);
  losses::problem<T> p{rows,
                       classes,
                       samples::logits<T>(r, rows * classes, scale * temperature),
                       samples::logits<T>(r, rows * classes, scale * temperature),
                       temperature,
                       temperature};
  for (std::size_t i = 0; i < rows; ++i) {
    p.labels.push_back(static_cast<std::int64_t>(r.bits() % classes));
  }
  return p;
}

std::string describe(std::uint64_t seed, double scale, double temperature) {
  std::ostringstream text;
  text << "seed " << seed << ", scale/T " << scale << ", T " << temperature;
  return text.str();
}

std::vector<losses::loss> with_labels(std::vector<losses::loss> list) {
  using losses::kind;
  list.push_back({kind::cross_entropy, 0, 0});
  list.push_back({kind::cross_entropy, 0.1, 0});
  list.push_back({kind::cross_entropy, 0.1, 1e-4});
  list.push_back({kind::z_loss});
  return list;
}

}  // namespace

TEST_CASE_TEMPLATE("losses and gradients of ordinary rows are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::moderate);
  auto const short_list = with_labels(losses::all());
  std::uint64_t seed = 100;
  for (double scale : {1., 5., 15.}) {
    for (double temperature : {1., 2., 0.5, 3.}) {
      for (std::size_t classes : {2, 3, 7, 10, 64, 65, 1000}) {
        std::size_t const rows = classes < 64 ? 8 : classes < 1000 ? 3 : 1;
        ++seed;
        score::compare(report, short_list, random_rows<T>(seed, rows, classes, scale, temperature),
                       describe(seed, scale, temperature));
      }
    }
  }
  report.finish();
}

TEST_CASE("losses and gradients of long rows are within the budget") {
  auto in_float = score::report::of<float>(budget::situation::moderate);
  auto in_double = score::report::of<double>(budget::situation::moderate);
  auto const list = with_labels(losses::some());
  for (double scale : {1., 5., 15.}) {
    score::compare(in_float, in_double, list, random_rows<float>(200, 1, 32000, scale, 2),
                   describe(200, scale, 2));
  }
  score::compare(in_float, in_double, list, random_rows<float>(201, 1, 152064, 5, 1),
                 describe(201, 5, 1));
  in_float.finish();
  in_double.finish();
}

TEST_CASE_TEMPLATE("losses and gradients of many short rows are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::moderate);
  std::uint64_t seed = 300;
  for (std::size_t classes : {2, 3, 5, 8, 10, 17, 33, 63, 64}) {
    ++seed;
    score::compare(report, with_labels(losses::all()), random_rows<T>(seed, 67, classes, 5, 2),
                   describe(seed, 5, 2));
  }
  report.finish();
}

TEST_CASE_TEMPLATE("losses and gradients of confident rows are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::confident);
  std::uint64_t seed = 400;
  for (double scale : {30., 60.}) {
    for (double temperature : {1., 2., 0.5, 3.}) {
      for (std::size_t classes : {2, 3, 10, 65, 1000}) {
        std::size_t const rows = classes < 64 ? 11 : 1;
        ++seed;
        score::compare(report, with_labels(losses::all()),
                       random_rows<T>(seed, rows, classes, scale, temperature),
                       describe(seed, scale, temperature));
      }
    }
  }
  score::compare(report, with_labels(losses::some()), random_rows<T>(500, 1, 32000, 60, 1),
                 describe(500, 60, 1));
  report.finish();
}
