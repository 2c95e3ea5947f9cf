// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What must hold for every loss on every input, checked on one call; a finding is printed with
// its operands, and aborts.

#include <divot/divot.hpp>
#include <fuzz/problem.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace fuzz {

enum class policy { seq, simd, omp };

/// DIVOT_FUZZ_POLICY=seq|simd|omp keeps to one policy; without it the input chooses.
inline policy policy_from(std::uint8_t chosen) {
  static char const* const fixed = std::getenv("DIVOT_FUZZ_POLICY");
  if (fixed == nullptr) return static_cast<policy>(chosen % 3);
  return std::strcmp(fixed, "seq") == 0    ? policy::seq
         : std::strcmp(fixed, "simd") == 0 ? policy::simd
                                           : policy::omp;
}
inline char const* name(policy p) {
  return p == policy::seq ? "seq" : p == policy::simd ? "simd" : "omp(2)";
}

/// A loss, and what may be asked of its value.
template <class What>
struct subject {
  What what;
  std::string name;
  bool single = true;     // one divergence: its loss is not negative
  double comparable = 0;  // losses above it have most of their digits: policies agree on them
  bool has_teacher = true;
};

template <class T>
struct answer {
  bool refused = false;
  std::string why;
  T value = 0;
  std::vector<double> per_row;
  std::vector<T> gradient;
};

template <class Policy, class What, class Problem, class T = typename Problem::number>
answer<T> call_with(Policy const& with, What const& what, Problem const& given) {
  auto const rows = static_cast<divot::index>(given.rows);
  auto const classes = static_cast<divot::index>(given.classes);
  divot::index const across = given.column_major ? 1 : classes;
  divot::index const along = given.column_major ? rows : 1;
  answer<T> result;
  result.per_row.assign(given.rows, -1);
  result.gradient = given.student;
  if (!given.in_place) {
    result.gradient.assign(given.student.size(), given.accumulate ? T(0) : T(-7));
  }
  T const* const student = given.in_place ? result.gradient.data() : given.student.data();
  divot::matrix_ref<T const> const t(given.teacher.data(), rows, classes, across, along);
  divot::matrix_ref<T const> const s(student, rows, classes, across, along);
  divot::matrix_ref<T> const g(result.gradient.data(), rows, classes, across, along);
  divot::batch options;
  options.reduction = divot::reduction::sum;
  options.mask = given.mask;
  options.weights = given.weights;
  options.upstream = given.upstream;
  options.temperatures = given.temperatures;
  options.valid_classes = static_cast<divot::index>(given.valid_classes);
  options.valid_classes_per_row = given.valid_per_row;
  options.labels = given.labels;
  if (given.check_first) options.check = divot::check::first;
  options.per_row = result.per_row;
  try {
    given.with_operands(t, s, [&](auto const& teacher, auto const& pupil) {
      if (given.accumulate) {
        result.value = divot::value_and_gradient(with, what, teacher, pupil,
                                                 divot::accumulate(g, .5), options);
      } else {
        result.value = divot::value_and_gradient(with, what, teacher, pupil, g, options);
      }
    });
  } catch (divot::bad_value const& e) {
    result.refused = true;
    result.why = e.what();
  } catch (divot::error const& e) {
    std::fprintf(stderr, "refused: %s\n", e.what());
    std::abort();  // parameters and options are legal
  }
  return result;
}

template <class What, class Problem>
auto call(policy p, What const& what, Problem const& given) {
  if (p == policy::seq) return call_with(divot::seq, what, given);
  if (p == policy::simd) return call_with(divot::simd, what, given);
  return call_with(divot::omp(2), what, given);
}

template <class T>
[[noreturn]] void report(char const* finding, std::string const& loss, policy p,
                         problem<T> const& given, std::size_t row, double seen, double expected) {
  std::fprintf(
      stderr,
      "finding: %s\n  %s on %s, %s, %s, %zu×%zu%s%s%s, valid classes %zu, temperatures %.17g "
      "(teacher) %.17g, of the row %.17g\n  row %zu: seen %.17g, expected %.17g\n",
      finding, loss.c_str(), given.operands.c_str(), name(p), sizeof(T) == 4 ? "float" : "double",
      given.rows, given.classes, given.column_major ? ", column-major" : "",
      given.in_place ? ", in place" : "", given.accumulate ? ", accumulated" : "", given.valid(row),
      given.teacher_temperature, given.student_temperature,
      given.temperatures.empty() ? 0 : given.temperatures[row], row, seen, expected);
  for (auto const* side : {&given.teacher, &given.student}) {
    std::fputs(side == &given.teacher ? "  teacher" : "  student", stderr);
    for (std::size_t k = 0; k < given.valid(row); ++k) {
      std::fprintf(stderr, " %a", static_cast<double>((*side)[given.place(row, k)]));
    }
    std::fputc('\n', stderr);
  }
  std::abort();
}

/// Calls and checks.
template <class What, class Problem>
void check(policy p, subject<What> const& loss, Problem const& given) {
  auto const seen = call(p, loss.what, given);
  bool bad = false;
  for (std::size_t i = 0; i < given.rows; ++i) bad = bad || given.is_bad(i, loss.has_teacher);
  if (seen.refused != bad) {
    std::fprintf(stderr, "%s\n", seen.why.c_str());
    report(seen.refused ? "legal input refused" : "bad input accepted", loss.name, p, given, 0,
           seen.refused, bad);
  }
  if (seen.refused && given.all_or_nothing()) return;
  for (std::size_t i = 0; i < given.rows; ++i) {
    if (given.is_bad(i, loss.has_teacher)) continue;  // as it was
    double const row_loss = seen.per_row[i];
    if (std::isnan(row_loss)) report("the loss is NaN", loss.name, p, given, i, row_loss, 0);
    if (loss.single && row_loss < 0) {
      report("the loss is negative", loss.name, p, given, i, row_loss, 0);
    }
    if (!given.counts(i) && row_loss != 0) {
      report("a masked row has a loss", loss.name, p, given, i, row_loss, 0);
    }
    for (std::size_t k = 0; k < given.classes; ++k) {
      double const slope = static_cast<double>(seen.gradient[given.place(i, k)]);
      if (std::isnan(slope)) {
        report("the gradient is NaN", loss.name, p, given, i, static_cast<double>(k), slope);
      }
      if (slope != 0 && (!given.counts(i) || k >= given.valid(i))) {
        report("a gradient where there is none", loss.name, p, given, i, slope, 0);
      }
    }
  }
  if (p == policy::seq || !(loss.comparable < 1e30)) return;
  auto const expected = call(policy::seq, loss.what, given);
  for (std::size_t i = 0; i < given.rows; ++i) {
    if (given.is_bad(i, loss.has_teacher)) continue;
    double const a = seen.per_row[i], b = expected.per_row[i];
    // subnormal sums have no digits to compare
    double const least = std::max((loss.comparable + 1e-30) * given.weight(i), 1e-290);
    if (std::isnan(b)) report("the loss is NaN", loss.name, policy::seq, given, i, b, 0);
    if (!(std::abs(b) > least) || std::abs(b) > 1e30) continue;
    if (!(std::abs(a - b) <= 1e-3 * std::abs(b))) {
      report("policies disagree", loss.name, p, given, i, a, b);
    }
  }
}

/// One of several losses, on float or double, by one of the policies.
template <template <class> class Problem, class... Make>
void check_one_of(bits& from, Make const&... make) {
  auto const p = policy_from(from.byte());
  bool const narrow = from.flag();
  auto const chosen = from.byte() % sizeof...(Make);
  std::size_t number = 0;
  auto const run = [&](auto const& made) {
    if (number++ != chosen) return;
    auto const loss = made(from);
    if (narrow) {
      check(p, loss, Problem<float>(from));
    } else {
      check(p, loss, Problem<double>(from));
    }
  };
  (..., run(make));
}

/// "name(a, b)", with all digits.
template <class... Numbers>
std::string named(char const* name, Numbers... parameters) {
  std::string text = name;
  char const* before = "(";
  char digits[40];
  (..., (std::snprintf(digits, sizeof digits, "%s%.17g", before, parameters), before = ", ",
         text += digits));
  return sizeof...(Numbers) == 0 ? text : text + ")";
}

/// A loss without parameters.
template <class What>
auto plain(What const& what, char const* text, double comparable = 0, bool has_teacher = true) {
  return [=](bits&) { return subject<What>{what, text, true, comparable, has_teacher}; };
}

}  // namespace fuzz

/// The entry that libFuzzer calls: losses, each made from what it is passed, on logits, or on what
/// else a class of problems has for operands.
#define DIVOT_FUZZ(...) DIVOT_FUZZ_ON(fuzz::problem, __VA_ARGS__)
#define DIVOT_FUZZ_ON(PROBLEM, ...)                                                   \
  extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) { \
    fuzz::bits from({data, size});                                                    \
    fuzz::check_one_of<PROBLEM>(from, __VA_ARGS__);                                   \
    return 0;                                                                         \
  }
