// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/condition.hpp>
#include <accuracy/reference_gradient.hpp>
#include <accuracy/score.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace score {

namespace {

double const infinite = std::numeric_limits<double>::infinity();

}  // namespace

template <class T>
double error(quad got, quad exact) {
  quad const largest = std::numeric_limits<T>::max();
  quad const size = reference::abs(exact);
  if (reference::is_nan(got)) return infinite;
  if (size > largest * 0.999) {
    bool const overflowed = reference::is_infinite(got) && (got > 0) == (exact > 0);
    if (overflowed) return 0;
  }
  if (reference::is_infinite(got)) return infinite;
  if (size == 0) return got == 0 ? 0 : infinite;
  return static_cast<double>(reference::abs(got - exact) / size);
}
template double error<float>(quad, quad);
template double error<double>(quad, quad);

template <class T>
double error(std::span<T const> got, std::vector<quad> const& exact, quad scale) {
  // long double has the exponents that the squares of tiny gradients need.
  auto difference = 0.0L, norm = static_cast<long double>(scale * scale);
  quad const large = quad(std::numeric_limits<T>::max()) * 0.999;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    if (reference::abs(exact[k]) > large) {
      if (error<T>(got[k], exact[k]) > 1e-3) return infinite;
      continue;
    }
    if (!std::isfinite(got[k])) return infinite;
    auto const d = static_cast<long double>(got[k] - exact[k]);
    auto const e = static_cast<long double>(exact[k]);
    difference += d * d;
    norm += e * e;
  }
  if (norm == 0) return difference == 0 ? 0 : infinite;
  return static_cast<double>(std::sqrt(difference / norm));
}
template double error(std::span<float const>, std::vector<quad> const&, quad);
template double error(std::span<double const>, std::vector<quad> const&, quad);

namespace {

template <class T>
reference::row_pair pair_of(losses::problem<T> const& rows, std::size_t i) {
  return {std::span(rows.teacher_row(i), rows.classes),
          std::span(rows.student_row(i), rows.classes), rows.teacher_temperature,
          rows.student_temperature};
}

exact_row exact_of(losses::loss const& l, reference::row_pair const& row, std::int64_t label) {
  if (l.what == losses::kind::cross_entropy || l.what == losses::kind::z_loss) {
    exact_row result{0, std::vector<quad>(row.size(), 0)};
    auto const add = [&](reference::label_loss const& term) {
      result.loss += term.value;
      for (std::size_t k = 0; k < row.size(); ++k) result.gradient[k] += term.gradient[k];
    };
    if (l.what == losses::kind::cross_entropy) {
      add(reference::cross_entropy(row.student, static_cast<std::size_t>(label), l.a));
    }
    quad const factor = l.what == losses::kind::z_loss ? 1 : l.b;
    if (factor != 0) add(reference::z_loss(row.student.logits, factor));
    return result;
  }
  reference::divergence const d = losses::reference_of(l);
  return {reference::loss(d, row), row.spread(reference::student_gradient(d, row))};
}

}  // namespace

template <class T>
exact_row exact(losses::loss const& l, losses::problem<T> const& rows, std::size_t i) {
  return exact_of(l, pair_of(rows, i), rows.labels.empty() ? 0 : rows.labels[i]);
}
template exact_row exact(losses::loss const&, losses::problem<float> const&, std::size_t);
template exact_row exact(losses::loss const&, losses::problem<double> const&, std::size_t);

void report::keep(worst& w, double error, std::string const& where) {
  if (!(error <= w.error)) w = {std::isnan(error) ? infinite : error, where};
}

report::errors& report::of_loss(std::string const& name) {
  if (!errors_.contains(name)) order_.push_back(name);
  return errors_[name];
}

void report::loss(std::string const& name, losses::policy p, double error,
                  std::string const& where) {
  keep(of_loss(name).loss[p], error, where);
}

void report::gradient(std::string const& name, losses::policy p, double error,
                      std::string const& where) {
  keep(of_loss(name).gradient[p], error, where);
}

namespace {

/// A row of the printed table; each number is an error and whether more than promised is allowed.
void print_row(std::string const& name, std::vector<std::pair<double, bool>> const& errors) {
  std::printf("| `%s` |", name.c_str());
  for (auto const& [error, is_excused] : errors) {
    if (error < 0) {
      std::printf(" |");
    } else {
      std::printf(" %.1e%s |", error, is_excused ? " *" : "");
    }
  }
  std::printf("\n");
}

}  // namespace

void report::finish() const {
  std::string const type = in_float_ ? "float" : "double", situation = budget::at(where_).name;
  budget::bound const promised = budget::promised(where_, in_float_);
  if (budget::print_errors()) {
    std::printf("\n%s, %s (budget: loss %.0e, gradient %.0e; * where more is allowed)\n\n| loss |",
                situation.c_str(), type.c_str(), promised.loss, promised.gradient);
    for (losses::policy p : losses::policies) {
      std::printf(" %s: loss | gradient |", losses::name(p).c_str());
    }
    std::printf("\n|---|---|---|---|---|---|---|\n");
  }
  for (std::string const& name : order_) {
    errors const& seen = errors_.at(name);
    budget::bound const held = budget::held(name, where_, in_float_);
    if (budget::print_errors()) {
      std::vector<std::pair<double, bool>> row;
      auto const take = [&](std::map<losses::policy, worst> const& all, losses::policy p,
                            bool is_excused) {
        row.emplace_back(all.contains(p) ? all.at(p).error : -1, is_excused);
      };
      for (losses::policy p : losses::policies) {
        take(seen.loss, p, held.loss > promised.loss);
        take(seen.gradient, p, held.gradient > promised.gradient);
      }
      print_row(name, row);
    }
    auto const check = [&](std::string const& what, auto const& all, double bound) {
      for (auto const& of_policy : all) {
        worst const& w = of_policy.second;
        CHECK_MESSAGE(w.error <= bound, name, " ", type, " ", losses::name(of_policy.first), ", ",
                      situation, ": ", what, " off by ", w.error, " where ", bound, " is allowed; ",
                      w.where);
      }
    };
    check("loss", seen.loss, held.loss);
    check("gradient", seen.gradient, held.gradient);
  }
}

namespace {

/// The answers of all policies for one loss against its exact rows.
template <class T>
void judge(report& r, losses::loss const& l, losses::problem<T> const& rows,
           std::vector<reference::row_pair> const& pairs, std::vector<exact_row> const& exact,
           std::string const& where) {
  std::string const name = losses::name(l);
  reference::divergence const d = losses::reference_of(l);
  std::map<losses::policy, losses::answer<T>> answers;
  for (losses::policy p : losses::policies) {
    answers[p] = losses::run(p, l, rows, losses::wanted::student);
  }
  for (auto const& each : answers) {
    losses::policy const p = each.first;
    auto const& answer = each.second;
    double sum = 0, size = 0;
    for (double x : answer.per_row) sum += x, size += std::abs(x);
    bool const same =
        size > static_cast<double>(std::numeric_limits<T>::max()) ||
        std::abs(sum - static_cast<double>(answer.value)) <=
            budget::law<T> * size + static_cast<double>(std::numeric_limits<T>::min());
    CHECK_MESSAGE(same, name, " ", losses::name(p), " sums rows of ", sum, " to ", answer.value,
                  "; ", where);
  }
  for (std::size_t i = 0; i < rows.rows; ++i) {
    std::string const here = where + ", row " + std::to_string(i) + " of " +
                             std::to_string(rows.rows) + " x " + std::to_string(rows.classes);
    auto norm = 0.0L;
    for (quad const& x : exact[i].gradient) {
      norm += static_cast<long double>(x) * static_cast<long double>(x);
    }
    double const factor = power_factor(d, pairs[i]);
    bool const exempt = std::sqrt(norm) < static_cast<long double>(budget::smallest<T>);
    for (auto const& each : answers) {
      losses::policy const p = each.first;
      auto const& answer = each.second;
      double const loss = answer.per_row[i];
      CHECK_MESSAGE(loss >= 0, name, " ", losses::name(p), " gives ", loss, "; ", here);
      if (exempt) continue;
      if (exact[i].loss >= budget::smallest<T>) {
        double const allowed = factor * cancellation(d, pairs[i]);
        r.loss(name, p, error<T>(loss, exact[i].loss) / allowed, here);
      }
      std::span<T const> const got(answer.student.data() + i * rows.classes, rows.classes);
      if (std::isnan(norm)) {  // an entry's limit is infinite
        bool const nan = std::any_of(got.begin(), got.end(), [](T g) { return std::isnan(g); });
        CHECK_MESSAGE(!nan, name, " ", losses::name(p), " gives NaN; ", here);
      } else if (reference::kink_of(d)) {
        r.gradient(name, p, gradient_error(d, pairs[i], got, exact[i].gradient) / factor, here);
      } else {
        // Against smoothed labels the gradient q − y can vanish for no reason of its own.
        bool const smoothed = l.what == losses::kind::cross_entropy && l.a != 0;
        r.gradient(name, p, error(got, exact[i].gradient, smoothed ? l.a : 0) / factor, here);
      }
    }
  }
}

/// What the comparisons share: the rows in quadruple precision and the exact rows of each loss.
template <class T>
std::vector<reference::row_pair> pairs_of(losses::problem<T> const& rows) {
  std::vector<reference::row_pair> pairs;
  for (std::size_t i = 0; i < rows.rows; ++i) pairs.push_back(pair_of(rows, i));
  return pairs;
}

std::vector<std::vector<exact_row>> exact_rows(std::vector<losses::loss> const& what,
                                               std::vector<reference::row_pair> const& pairs,
                                               std::vector<std::int64_t> const& labels) {
  std::vector<std::vector<exact_row>> exact(what.size());
  auto const count = static_cast<std::ptrdiff_t>(what.size());
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(2)
#endif
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    auto const at = static_cast<std::size_t>(n);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      exact[at].push_back(exact_of(what[at], pairs[i], labels.empty() ? 0 : labels[i]));
    }
  }
  return exact;
}

}  // namespace

template <class T>
void compare(report& r, std::vector<losses::loss> const& what, losses::problem<T> const& rows,
             std::string const& where) {
  auto const pairs = pairs_of(rows);
  auto const exact = exact_rows(what, pairs, rows.labels);
  for (std::size_t n = 0; n < what.size(); ++n) judge(r, what[n], rows, pairs, exact[n], where);
}
template void compare(report&, std::vector<losses::loss> const&, losses::problem<float> const&,
                      std::string const&);
template void compare(report&, std::vector<losses::loss> const&, losses::problem<double> const&,
                      std::string const&);

void compare(report& in_float, report& in_double, std::vector<losses::loss> const& what,
             losses::problem<float> const& rows, std::string const& where) {
  losses::problem<double> const wide{rows.rows,
                                     rows.classes,
                                     {rows.teacher.begin(), rows.teacher.end()},
                                     {rows.student.begin(), rows.student.end()},
                                     rows.teacher_temperature,
                                     rows.student_temperature,
                                     rows.labels};
  auto const pairs = pairs_of(rows);
  auto const exact = exact_rows(what, pairs, rows.labels);
  for (std::size_t n = 0; n < what.size(); ++n) {
    judge(in_float, what[n], rows, pairs, exact[n], where);
    judge(in_double, what[n], wide, pairs, exact[n], where);
  }
}

}  // namespace score
