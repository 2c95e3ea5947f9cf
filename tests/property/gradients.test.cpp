// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/reference_gradient.hpp>
#include <accuracy/score.hpp>
#include <property/laws.hpp>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace {

using namespace laws;
using reference::quad;

template <class T>
double norm(std::vector<T> const& x) {
  double sum = 0;
  for (T y : x) sum += static_cast<double>(y) * static_cast<double>(y);
  return std::sqrt(sum);
}

template <class T>
double distance(std::vector<T> a, std::vector<T> const& b) {
  for (std::size_t k = 0; k < a.size(); ++k) a[k] -= b[k];
  return norm(a);
}

/// A class of a divergence that is a sum of such.
quad loss_of_class(reference::divergence const& d, reference::row_pair const& pair, std::size_t k) {
  if (d.exchanged) return d.own->loss(pair.swapped(), k, d.a);
  if (d.is_own()) return d.own->loss(pair, k, d.a);
  if (d.skewed_kl()) return reference::skew_loss(d, pair, k);
  if (d.what == reference::form::alpha_beta) return reference::alpha_beta_loss(d, pair, k);
  return pair.q(k) * reference::generator(d, quad(pair.p(k) / pair.q(k)));
}

/// Central differences of the reference's loss in the student's or the teacher's logits.
std::vector<quad> differences(reference::divergence const& d, row const& teacher,
                              row const& student, bool of_teacher) {
  quad const h = 1e-9;
  std::vector<quad> gradient;
  for (std::size_t k = 0; k < student.size(); ++k) {
    auto const moved = [&](quad step) {
      std::vector<quad> t(teacher.begin(), teacher.end()), s(student.begin(), student.end());
      (of_teacher ? t : s)[k] += step;
      return reference::loss(d, {std::span<quad const>(t), std::span<quad const>(s), 2, 2});
    };
    gradient.push_back((moved(h) - moved(-h)) / (2 * h));
  }
  return gradient;
}

}  // namespace

TEST_CASE("gradients equal finite differences of the reference's loss") {
  samples::random r(40);
  for (std::size_t classes : {2, 5}) {
    row const t = samples::logits<double>(r, classes, 3),
              s = samples::logits<double>(r, classes, 3);
    losses::problem<double> const given{1, classes, t, s, 2, 2};
    for (losses::loss const& l : losses::all()) {
      auto const d = losses::reference_of(l);
      auto const got = losses::run(losses::policy::simd, l, given, losses::wanted::everything);
      CAPTURE(losses::name(l));
      std::span<double const> const student(got.student), teacher(got.teacher);
      CHECK(score::error(student, differences(d, t, s, false)) <= budget::law<double>);
      CHECK(score::error(teacher, differences(d, t, s, true)) <= budget::law<double>);
    }
  }
}

TEST_CASE_TEMPLATE("a gradient sums to 0 over a row", T, float, double) {
  samples::random r(41);
  for (std::size_t classes : {2, 10, 128, 129, 1003}) {
    losses::problem<T> const given{1, classes, samples::logits<T>(r, classes, 5),
                                   samples::logits<T>(r, classes, 5)};
    for (losses::loss const& l : losses::all()) {
      CAPTURE(losses::name(l));
      for (losses::policy p : losses::policies) {
        auto const got = losses::run(p, l, given, losses::wanted::everything);
        for (auto const* g : {&got.student, &got.teacher}) {
          double const sum = std::accumulate(g->begin(), g->end(), 0.0);
          CHECK(std::abs(sum) <= budget::law<T> * norm(*g));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("shifting all logits of a side changes nothing", T, float, double) {
  samples::random r(42);
  for (std::size_t classes : {3, 128, 150}) {
    // Multiples of 1/256, so that the shifts are exact.
    losses::problem<T> given{1, classes, samples::logits<T>(r, classes, 5),
                             samples::logits<T>(r, classes, 5)};
    for (auto* x : {&given.teacher, &given.student}) {
      for (T& y : *x) y = std::round(y * 256) / 256;
    }
    losses::problem<T> teacher_moved = given, student_moved = given;
    for (T& y : teacher_moved.teacher) y += 200;
    for (T& y : student_moved.student) y -= 7.25f;
    for (losses::loss const& l : losses::all()) {
      CAPTURE(losses::name(l));
      for (losses::policy p : losses::policies) {
        auto const whole = losses::run(p, l, given, losses::wanted::student);
        for (auto const* moved : {&teacher_moved, &student_moved}) {
          auto const other = losses::run(p, l, *moved, losses::wanted::student);
          CHECK(std::abs(other.per_row[0] - whole.per_row[0]) <= budget::law<T> * whole.per_row[0]);
          CHECK(distance(other.student, whole.student) <= budget::law<T> * norm(whole.student));
        }
      }
    }
  }
}

TEST_CASE("exchanging the arguments exchanges the gradients") {
  samples::random r(43);
  row const p = samples::logits<double>(r, 20, 2), q = samples::logits<double>(r, 20, 2);
  for (f_divergence const& d : f_divergences()) {
    CAPTURE(losses::name(d.what));
    auto const one = everything(d.what, p, q), other = everything(d.reversed, q, p);
    CHECK(distance(one.student, other.teacher) <= budget::law<double> * norm(one.student));
    CHECK(distance(one.teacher, other.student) <= budget::law<double> * norm(one.teacher));
  }
}

// With w = ∂d/∂ln q and v = ∂d/∂ln p per class, v + w = λ d (homogeneity). After the projections
// g = w − qΣw and h = v − pΣv this says g + h − λ(d − D p) = (p − q)Σw: one number for all classes.
TEST_CASE("student and teacher gradients add up to the class losses, as homogeneity demands") {
  samples::random r(44);
  row const t = samples::logits<double>(r, 8, 2), s = samples::logits<double>(r, 8, 2);
  reference::row_pair const pair{std::span<double const>(t), std::span<double const>(s)};
  for (losses::loss const& l : losses::all()) {
    auto const d = losses::reference_of(l);
    if (d.what == reference::form::soft_cross_entropy ||
        d.what == reference::form::total_variation || d.composite()) {
      continue;
    }
    CAPTURE(losses::name(l));
    auto const got = everything(l, t, s);
    bool const plane = d.what == reference::form::alpha_beta;
    double const lambda = plane ? static_cast<double>(d.a + d.b) : 1;
    row rest, difference;
    double along = 0, length = 0;
    for (std::size_t k = 0; k < t.size(); ++k) {
      quad const of_class = loss_of_class(d, pair, k);
      rest.push_back(
          got.student[k] + got.teacher[k] -
          lambda * (static_cast<double>(of_class) - got.value * static_cast<double>(pair.p(k))));
      difference.push_back(static_cast<double>(pair.p(k) - pair.q(k)));
      along += rest[k] * difference[k];
      length += difference[k] * difference[k];
    }
    for (double& x : difference) x *= along / length;
    CHECK(distance(rest, difference) <=
          budget::law<double> * (norm(got.student) + norm(got.teacher) + got.value));
  }
}

TEST_CASE("a temperature's derivative is minus the logits' gradient along the logits") {
  samples::random r(45);
  losses::problem<double> const given{
      1, 30, samples::logits<double>(r, 30, 4), samples::logits<double>(r, 30, 4), 2, 3};
  auto const along = [](row const& x, row const& g, double temperature) {
    return -std::inner_product(x.begin(), x.end(), g.begin(), 0.0) / temperature;
  };
  for (losses::loss const& l : losses::all()) {
    CAPTURE(losses::name(l));
    auto const got = losses::run(losses::policy::simd, l, given, losses::wanted::everything);
    double const student = along(given.student, got.student, 3);
    double const teacher = along(given.teacher, got.teacher, 2);
    CHECK(std::abs(got.student_temperature - student) <=
          budget::law<double> * norm(given.student) * norm(got.student));
    CHECK(std::abs(got.teacher_temperature - teacher) <=
          budget::law<double> * norm(given.teacher) * norm(got.teacher));
  }
}
