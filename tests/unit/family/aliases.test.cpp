// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/refusal.hpp>

#include <array>
#include <cmath>
#include <string>

namespace {

constexpr int classes = 5;
double const teacher[classes] = {0.1, 0.25, 0.05, 0.4, 0.2};
double const student[classes] = {0.3, 0.15, 0.1, 0.05, 0.4};

/// The loss of the two rows above, given as their logarithms.
template <class Loss>
double value(Loss const& loss) {
  Eigen::RowVectorXd t(classes), s(classes);
  for (int k = 0; k < classes; ++k) {
    t[k] = std::log(teacher[k]);
    s[k] = std::log(student[k]);
  }
  return divot::value(divot::seq, loss, t, s);
}

/// Σ d(p, q).
template <class Definition>
double sum(Definition const& d) {
  double total = 0;
  for (int k = 0; k < classes; ++k) total += d(teacher[k], student[k]);
  return total;
}

doctest::Approx about(double x) { return doctest::Approx(x).epsilon(1e-12); }

double kl_term(double p, double q) { return p * std::log(p / q); }

}  // namespace

TEST_CASE("names of twice the Jensen-Shannon divergence") {
  double const exact = sum([](double p, double q) {
    double const m = (p + q) / 2;
    return kl_term(p, m) + kl_term(q, m);
  });
  CHECK(value(divot::topsoe()) == about(exact));
  CHECK(value(divot::capacitory()) == about(exact));
  CHECK(value(divot::gan()) == about(exact));
  CHECK(value(divot::jensen_shannon_distance()) == about(std::sqrt(exact / 2)));
}

TEST_CASE("multiples, sums and functions of divergences are symmetrized too") {
  using namespace divot;
  CHECK(value(symmetrized(2 * kl{})) == about(2 * value(jeffreys{})));
  CHECK(value(symmetrized(gan())) == about(2 * value(gan())));
  CHECK(value(symmetrized(kl{} + .5 * pearson{})) ==
        about(value(jeffreys{}) + .5 * value(symmetric_chi_squared())));
  CHECK(value(symmetrized(renyi{2})) == about(value(renyi{2}) + value(reverse(renyi{2}))));
}

TEST_CASE("skews under the names of those who use them") {
  auto const skew = [](double a, double b, double share) {
    return kl_term(a, share * a + (1 - share) * b);
  };
  CHECK(value(divot::lin_k()) == about(sum([&](double p, double q) { return skew(p, q, .5); })));
  CHECK(value(divot::distillm_skew_kl(.2)) ==
        about(sum([&](double p, double q) { return skew(p, q, .2); })));
  CHECK(value(divot::distillm_skew_reverse_kl(.2)) ==
        about(sum([&](double p, double q) { return skew(q, p, .2); })));
  // JS_π/(π(1 − π)) tends to kl as π goes to 0
  double const kl = value(divot::kl{});
  CHECK(value(divot::generalised_js(1e-7)) == doctest::Approx(kl).epsilon(1e-5));
}

TEST_CASE("powers carry their own parameter and factor") {
  double const lambda = 2. / 3;
  CHECK(value(divot::cressie_read(lambda)) == about(sum([&](double p, double q) {
          return 2 / (lambda * (lambda + 1)) * p * (std::pow(p / q, lambda) - 1);
        })));
  double const order = 1.7;
  double const s =
      sum([&](double p, double q) { return std::pow(p, order) * std::pow(q, 1 - order); });
  CHECK(value(divot::tsallis(order)) == about((s - 1) / (order - 1)));
  CHECK(value(divot::hellinger_of_order(order)) == about((s - 1) / (order - 1)));
  CHECK(value(divot::renyi{order}) == about(std::log(s) / (order - 1)));
  CHECK(value(divot::sharma_mittal{order, order}) == about((s - 1) / (order - 1)));
  double const roots = sum([](double p, double q) { return std::sqrt(p * q); });
  CHECK(value(divot::bhattacharyya{}) == about(-std::log(roots)));
  CHECK(value(divot::hellinger_distance()) == about(std::sqrt(1 - roots)));
  CHECK(value(divot::symmetric_chi_squared()) ==
        about(sum([](double p, double q) { return (p - q) * (p - q) * (p + q) / (p * q); })));
}

TEST_CASE("divergences of unnormalised vectors") {
  CHECK(value(divot::squared_euclidean()) ==
        about(sum([](double p, double q) { return (p - q) * (p - q); })));
  CHECK(value(divot::generalised_kl()) ==
        about(sum([](double p, double q) { return kl_term(p, q) - p + q; })));
  CHECK(value(divot::itakura_saito()) ==
        about(sum([](double p, double q) { return p / q - std::log(p / q) - 1; })));
  double const b = 0.6;
  auto const power = [](double x, double y) { return std::pow(x, y); };
  CHECK(value(divot::beta_divergence(b)) == about(sum([&](double p, double q) {
          return (power(p, b + 1) - (b + 1) * p * power(q, b) + b * power(q, b + 1)) /
                 (b * (b + 1));
        })));
  CHECK(value(divot::density_power(b)) == about(sum([&](double p, double q) {
          return power(q, 1 + b) - (1 + 1 / b) * p * power(q, b) + power(p, 1 + b) / b;
        })));
  double const pp = sum([&](double p, double) { return power(p, 1 + b); });
  double const qq = sum([&](double, double q) { return power(q, 1 + b); });
  double const pq = sum([&](double p, double q) { return p * power(q, b); });
  CHECK(value(divot::gamma_divergence(b)) ==
        about(std::log(pp) / (b * (1 + b)) + std::log(qq) / (1 + b) - std::log(pq) / b));
}

TEST_CASE("algebra: reverse, symmetrized, skew and power of sums") {
  auto const chi = [](double a, double b) { return (a - b) * (a - b) / b; };
  double const forward = sum(chi), backward = sum([&](double p, double q) { return chi(q, p); });
  CHECK(value(divot::reverse(divot::pearson{})) == about(backward));
  CHECK(value(divot::reverse(divot::reverse(divot::pearson{}))) == about(forward));
  CHECK(value(divot::symmetrized(divot::pearson{})) == about(forward + backward));
  auto const both = 0.3 * divot::pearson{} + 0.7 * divot::kl{};
  double const kl = sum(kl_term), back = sum([](double p, double q) { return kl_term(q, p); });
  CHECK(value(divot::reverse(both)) == about(0.3 * backward + 0.7 * back));
  CHECK(value(divot::power(both, 1.5)) == about(std::pow(0.3 * forward + 0.7 * kl, 1.5)));
  CHECK(value(divot::skew(both, .2)) == about(sum([&](double p, double q) {
          double const m = .2 * p + .8 * q;
          return 0.3 * chi(p, m) + 0.7 * kl_term(p, m);
        })));
}

TEST_CASE("parameters out of their domain are named") {
  auto const text = [](auto const& loss) { return refusal([&] { value(loss); }); };
  auto const has = [](std::string const& where, char const* what) {
    return where.find(what) != std::string::npos;
  };
  CHECK(has(text(divot::vajda{.5}), "vajda: order is 0.5"));
  CHECK(has(text(divot::puri_vincze{NAN}), "puri_vincze: order is nan"));
  CHECK(has(text(divot::matusita{2}), "matusita: exponent is 2"));
  CHECK(has(text(divot::osterreicher_vajda{0}), "osterreicher_vajda: order is 0"));
  CHECK(has(text(divot::hockey_stick{.9}), "hockey_stick: threshold is 0.9"));
  CHECK(has(text(divot::degroot{1}), "degroot: prior is 1"));
  CHECK(has(text(divot::renyi{0}), "renyi: order is 0"));
  CHECK(has(text(divot::sharma_mittal{INFINITY, 2}), "sharma_mittal: order is inf"));
  CHECK(has(text(divot::log_alpha_beta{1, -1}), "log_alpha_beta: alpha + beta is 0"));
  CHECK(has(text(divot::power(divot::kl{}, 0)), "power: exponent is 0"));
  CHECK(has(text(divot::power(-1 * divot::kl{}, 2)), "the weight -1 inside it is negative"));
  CHECK(has(text(divot::skew(divot::kl{}, 1)), "skew: teacher_weight is 1"));
  CHECK_THROWS_WITH_AS(divot::density_power(-1),
                       "divot: density_power: beta is -1; it must be greater than -1",
                       divot::error);
}

TEST_CASE("derivatives in alpha and beta are those of the loss, reversed too") {
  Eigen::RowVectorXd t(3), s(3);
  t << 0, 1, -1;
  s << .5, -.25, 1;
  auto const of = [&](double a, double b) {
    return divot::value(divot::reverse(divot::alpha_beta{a, b}), t, s).value;
  };
  std::array<double, 2> slopes{};
  divot::gradient(divot::reverse(divot::alpha_beta{.2, .7}), t, s,
                  divot::gradients().parameters(slopes));
  double const h = 1e-5;
  CHECK(slopes[0] == doctest::Approx((of(.2 + h, .7) - of(.2 - h, .7)) / (2 * h)).epsilon(1e-7));
  CHECK(slopes[1] == doctest::Approx((of(.2, .7 + h) - of(.2, .7 - h)) / (2 * h)).epsilon(1e-7));
}

TEST_CASE("a temperature's derivative is never 0 for want of its side's gradient") {
  Eigen::RowVectorXd t(3), s(3), g(3), h(3);
  t << 0, 1, -1;
  s << .5, -.25, 1;
  divot::temperature_gradient both, one;
  auto const teacher = divot::logits(t, 2), student = divot::logits(s, 3);
  divot::gradient(divot::kl{}, teacher, student,
                  divot::gradients().student(g).teacher(h).temperature(both));
  divot::gradient(divot::kl{}, teacher, student, divot::gradients().student(g).temperature(one));
  CHECK(one.student == both.student);
  CHECK(std::isnan(one.teacher));
  divot::gradient(divot::at(2, divot::kl{}), teacher, student,
                  divot::gradients().student(g).temperature(one));
  CHECK(one.shared() == 0);
  CHECK_THROWS_WITH_AS(
      divot::gradient(divot::kl{}, teacher, student, divot::gradients().temperature(one)),
      "divot: gradients().temperature(…) needs the student's gradient: add .student(…)",
      divot::error);
}
