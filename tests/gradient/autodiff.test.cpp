// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Eigen's forward automatic differentiation through seq agrees with the closed forms; through the
// closed forms it gives second derivatives.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>
#include <divot/softmax.hpp>

#include <unsupported/Eigen/AutoDiff>

#include <accuracy/samples.hpp>
#include <gradient/stencil.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr int classes = 4;
using derivatives = Eigen::Matrix<double, 2 * classes, 1>;
using dual = Eigen::AutoDiffScalar<derivatives>;
template <class T>
using row = Eigen::Matrix<T, 1, classes>;

struct le_cam {
  static constexpr double at_zero = 0.5, slope_at_infinity = 0.5;
  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u));
  }
};

/// Teacher and student; as dual numbers their entries are the independent variables.
struct pair {
  row<double> teacher, student;

  pair(std::uint64_t seed, double scale) {
    samples::random r(seed);
    for (int k = 0; k < classes; ++k) {
      teacher[k] = scale * r.normal();
      student[k] = scale * r.normal();
    }
  }
  row<dual> dual_teacher() const {
    row<dual> x;
    for (int k = 0; k < classes; ++k) x[k] = dual(teacher[k], 2 * classes, k);
    return x;
  }
  row<dual> dual_student() const {
    row<dual> x;
    for (int k = 0; k < classes; ++k) x[k] = dual(student[k], 2 * classes, classes + k);
    return x;
  }
};

std::vector<std::int64_t> const label{2};

template <class Loss>
void check(char const* name, Loss const& what) {
  CAPTURE(name);
  divot::batch options;
  options.labels = label;
  for (double const scale : {0.1, 1., 4.}) {
    CAPTURE(scale);
    pair const given(static_cast<std::uint64_t>(scale * 10), scale);
    row<dual> const teacher = given.dual_teacher(), student = given.dual_student();
    row<double> g, h;
    double const value = divot::value_and_gradient(
        divot::seq, what, divot::logits(given.teacher, 2.), divot::logits(given.student, 2.),
        divot::gradients().student(g).teacher(h), options);
    dual const loss = divot::value(divot::seq, what, divot::logits(teacher, 2.),
                                   divot::logits(student, 2.), options)
                          .value;
    CHECK(loss.value() == doctest::Approx(value).epsilon(1e-12));
    derivatives both;
    both << h.transpose(), g.transpose();
    CHECK((loss.derivatives() - both).norm() <= 1e-12 * both.norm() + 1e-15);
  }
}

}  // namespace

TEST_CASE("automatic differentiation of every divergence agrees with its closed form") {
  check("kl", divot::kl{});
  check("reverse_kl", divot::reverse_kl{});
  check("jeffreys", divot::jeffreys{});
  check("jensen_shannon", divot::jensen_shannon{});
  check("skew_js", divot::skew_js{.teacher_weight = 0.2});
  check("skew_kl", divot::skew_kl{});
  check("squared_hellinger", divot::squared_hellinger{});
  check("pearson", divot::pearson{});
  check("neyman", divot::neyman{});
  check("total_variation", divot::total_variation{});
  check("alpha_beta", divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
  check("le_cam", divot::f_divergence<le_cam>{});
}

TEST_CASE("automatic differentiation of functions of a divergence agrees with the closed form") {
  check("power", divot::power(divot::jensen_shannon{}, 0.5));
  check("power of a sum", divot::power(.3 * divot::kl{} + 2 * divot::reverse_kl{}, 1.5));
  for (double const order : {0.3, 0.5, 1., 2., HUGE_VAL}) {
    CAPTURE(order);
    check("renyi", divot::renyi{.order = order});
    check("reverse(renyi)", divot::reverse(divot::renyi{.order = order}));
  }
  check("bhattacharyya", divot::bhattacharyya{});
  check("sharma_mittal", divot::sharma_mittal{.order = 0.5, .degree = 2});
  check("log_alpha_beta", divot::log_alpha_beta{.alpha = 0.2, .beta = 1});
  check("in a sum", divot::kl{} + 2 * divot::at(3, divot::log_alpha_beta{}));
}

TEST_CASE("automatic differentiation of label losses and sums agrees with the closed form") {
  check("cross_entropy", divot::cross_entropy{.smoothing = 0.1, .z_loss = 0.01});
  check("sum", 0.1 * divot::cross_entropy{} + 0.9 * divot::at(4, divot::kl{}, divot::t_squared));
}

TEST_CASE("automatic differentiation of the gradient is the slope of the gradient") {
  auto const second = [](char const* name, auto const& what) {
    CAPTURE(name);
    pair const given(7, 1);
    row<dual> const teacher = given.dual_teacher(), student = given.dual_student();
    row<dual> g;
    divot::gradient(divot::seq, what, teacher, student, g);
    for (int k = 0; k < classes; ++k) {
      for (int i = 0; i < classes; ++i) {
        auto const slope = stencil::slope(
            [&](long double step) {
              row<double> moved = given.student, out;
              moved[i] += static_cast<double>(step);
              divot::gradient(divot::seq, what, given.teacher, moved, out);
              return static_cast<long double>(out[k]);
            },
            0x1p-8L);
        CHECK(g[k].derivatives()[classes + i] ==
              doctest::Approx(static_cast<double>(slope)).epsilon(1e-7));
        // the Hessian is symmetric
        CHECK(g[k].derivatives()[classes + i] ==
              doctest::Approx(g[i].derivatives()[classes + k]).epsilon(1e-11));
      }
    }
  };
  second("kl", divot::kl{});
  second("jensen_shannon", divot::jensen_shannon{});
}

TEST_CASE("automatic differentiation of softmax is its pullback") {
  pair const given(9, 2);
  row<dual> const x = given.dual_student();
  row<dual> y, l;
  divot::softmax(divot::seq, divot::logits(x, 2.), y);
  divot::log_softmax(divot::seq, divot::logits(x, 2.), l);
  row<double> p, log_p, upstream(given.teacher), back, log_back;
  divot::softmax(divot::seq, divot::logits(given.student, 2.), p);
  divot::log_softmax(divot::seq, divot::logits(given.student, 2.), log_p);
  divot::softmax_pullback(divot::seq, p, upstream, back, 2.);
  divot::log_softmax_pullback(divot::seq, log_p, upstream, log_back, 2.);
  for (int i = 0; i < classes; ++i) {
    double sum = 0, log_sum = 0;
    for (int k = 0; k < classes; ++k) {
      sum += upstream[k] * y[k].derivatives()[classes + i];
      log_sum += upstream[k] * l[k].derivatives()[classes + i];
    }
    CHECK(back[i] == doctest::Approx(sum).epsilon(1e-13));
    CHECK(log_back[i] == doctest::Approx(log_sum).epsilon(1e-13));
  }
}
