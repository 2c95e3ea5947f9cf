// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Values and gradients against textbook formulas in double, and finite differences of them.
#include "formulas.hpp"
#include "program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace cli_test {
namespace {

constexpr std::size_t rows = 4, classes = 5;
std::vector<double> const labels{1, 0, 4, 2};
double sum_over(numbers const& p, numbers const& q, std::function<double(double, double)> f) {
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) sum += f(p[k], q[k]);
  return sum;
}

/// Loss of one row from the teacher's and the student's logits and its label.
using row_loss = std::function<double(numbers const& t, numbers const& s, std::size_t label)>;

row_loss of_distributions(std::function<double(numbers const&, numbers const&)> d,
                          double temperature = 1) {
  return [=](numbers const& t, numbers const& s, std::size_t) {
    return d(softmax(t, temperature), softmax(s, temperature));
  };
}

double alpha_beta(numbers const& p, numbers const& q, double a, double b) {
  double const l = a + b;
  return sum_over(p, q, [=](double x, double y) {
    return -(std::pow(x, a) * std::pow(y, b) - a / l * std::pow(x, l) - b / l * std::pow(y, l)) /
           (a * b);
  });
}

struct known_loss {
  char const* spec;
  row_loss of_row;
};

std::vector<known_loss> known_losses() {
  auto const d = [](auto f) { return of_distributions(f); };
  auto const skew = [](double w) {
    return [w](numbers const& p, numbers const& q) { return kl(p, mix(w, p, q)); };
  };
  auto const skew_js = [](double w) {
    return [w](numbers const& p, numbers const& q) {
      numbers const m = mix(w, p, q);
      return w * kl(p, m) + (1 - w) * kl(q, m);
    };
  };
  auto const pearson = [](numbers const& p, numbers const& q) {
    return sum_over(p, q, [](double x, double y) { return (x - y) * (x - y) / y; });
  };
  auto const swapped = [](auto f) {
    return [f](numbers const& p, numbers const& q) { return f(q, p); };
  };
  auto const sum = [](numbers const& p, numbers const& q) {
    return 0.3 * kl(p, q) + 0.7 * kl(q, p);
  };
  auto const total_variation = [](numbers const& p, numbers const& q) {
    return sum_over(p, q, [](double x, double y) { return std::abs(x - y) / 2; });
  };
  auto const each = [](auto f) {
    return of_distributions([f](numbers const& p, numbers const& q) { return sum_over(p, q, f); });
  };
  auto const renyi = [](double a) {
    return [a](numbers const& p, numbers const& q) {
      double const s =
          sum_over(p, q, [a](double x, double y) { return std::pow(x, a) * std::pow(y, 1 - a); });
      return std::log(s) / (a - 1);
    };
  };
  auto const gamma = [](numbers const& p, numbers const& q) {
    auto const log_sum = [&](double a, double b) {
      return std::log(
          sum_over(p, q, [=](double x, double y) { return std::pow(x, a) * std::pow(y, b); }));
    };
    return log_sum(1.5, 0) / .75 + log_sum(0, 1.5) / 1.5 - log_sum(1, .5) / .5;
  };
  return {
      {"kl", d(kl)},
      {"reverse_kl", d(swapped(kl))},
      {"jeffreys", d([](auto const& p, auto const& q) { return kl(p, q) + kl(q, p); })},
      {"jensen_shannon", d(skew_js(0.5))},
      {"skew_js", d(skew_js(0.5))},
      {"skew_js(teacher_weight=0.1)", d(skew_js(0.1))},
      {"skew_kl", d(skew(0.1))},
      {"skew_kl(teacher_weight=0.3)", d(skew(0.3))},
      {"squared_hellinger", d([](numbers const& p, numbers const& q) {
         return sum_over(p, q, [](double x, double y) {
           return (std::sqrt(x) - std::sqrt(y)) * (std::sqrt(x) - std::sqrt(y));
         });
       })},
      {"pearson", d(pearson)},
      {"neyman", d(swapped(pearson))},
      {"total_variation", d(total_variation)},
      {"alpha(alpha=0.3)",
       d([](auto const& p, auto const& q) { return alpha_beta(p, q, 0.3, 0.7); })},
      {"alpha_beta(alpha=0.2,beta=0.7)",
       d([](auto const& p, auto const& q) { return alpha_beta(p, q, 0.2, 0.7); })},
      {"triangular", each([](double x, double y) { return (x - y) * (x - y) / (x + y); })},
      {"vajda", each([](double x, double y) { return y * std::pow(std::abs(x / y - 1), 3); })},
      {"reverse(vajda)",
       each([](double x, double y) { return x * std::pow(std::abs(y / x - 1), 3); })},
      {"puri_vincze(order=3)", each([](double x, double y) {
         return std::pow(std::abs(x - y), 3) / (2 * (x + y) * (x + y));
       })},
      {"matusita(exponent=0.4)", each([](double x, double y) {
         return std::pow(std::abs(std::pow(x, 0.4) - std::pow(y, 0.4)), 2.5);
       })},
      {"arithmetic_geometric", each([](double x, double y) {
         return (x + y) / 2 * std::log((x + y) / (2 * std::sqrt(x * y)));
       })},
      {"osterreicher_vajda", each([](double x, double y) {
         return 2 * (std::sqrt(x * x + y * y) - std::sqrt(0.5) * (x + y));
       })},
      {"hockey_stick", each([](double x, double y) { return std::max(x - 2 * y, 0.); })},
      {"degroot(prior=0.3)",
       each([](double x, double y) { return std::max(.3 * x - .7 * y, 0.); })},
      {"reverse(degroot(prior=0.3))",
       each([](double x, double y) { return std::max(.3 * y - .7 * x, 0.); })},
      {"marton", each([](double x, double y) { return std::pow(std::max(y - x, 0.), 2) / y; })},
      {"renyi(order=3)", d(renyi(3))},
      {"reverse(renyi(order=3))", d(swapped(renyi(3)))},
      {"renyi(order=inf)", d([](numbers const& p, numbers const& q) {
         double most = 0;
         for (std::size_t k = 0; k < p.size(); ++k) most = std::max(most, std::log(p[k] / q[k]));
         return most;
       })},
      {"bhattacharyya", d([=](auto const& p, auto const& q) { return renyi(.5)(p, q) / 2; })},
      {"sharma_mittal(order=3,degree=0.5)",
       d([=](auto const& p, auto const& q) { return std::expm1(-.5 * renyi(3)(p, q)) / -.5; })},
      {"log_alpha_beta(alpha=1,beta=0.5)", d(gamma)},
      {"gamma_divergence(gamma=0.5)", d(gamma)},
      {"jensen_shannon_distance",
       d([=](auto const& p, auto const& q) { return std::sqrt(skew_js(0.5)(p, q)); })},
      {"hellinger_distance", d([=](auto const& p, auto const& q) {
         return std::sqrt(1 - std::exp(-renyi(.5)(p, q) / 2));
       })},
      // around a divergence
      {"skew(kl,0.3)", d(skew(0.3))},
      {"skew(pearson,teacher_weight=0.2)",
       d([=](auto const& p, auto const& q) { return pearson(p, mix(.2, p, q)); })},
      {"skew(reverse(pearson),0.2)",
       d([=](auto const& p, auto const& q) { return pearson(mix(.2, p, q), p); })},
      {"reverse(skew(pearson,0.2))",
       d([=](auto const& p, auto const& q) { return pearson(q, mix(.8, p, q)); })},
      {"skew(skew(kl,0.2),0.3)",
       d([=](auto const& p, auto const& q) { return kl(p, mix(.44, p, q)); })},
      {"skew(renyi(order=3,temperature=2,t_squared=true),0.1)",
       of_distributions(
           [=](auto const& p, auto const& q) { return 4 * renyi(3)(p, mix(.1, p, q)); }, 2)},
      {"symmetrized(skew(kl,0.3))", d([=](auto const& p, auto const& q) {
         return kl(p, mix(.3, p, q)) + kl(q, mix(.3, q, p));
       })},
      {"power(jensen_shannon,0.5)",
       d([=](auto const& p, auto const& q) { return std::sqrt(skew_js(0.5)(p, q)); })},
      {"2*power(0.3*kl+0.7*reverse_kl,exponent=1.5)",
       d([=](auto const& p, auto const& q) { return 2 * std::pow(sum(p, q), 1.5); })},
      {"reverse(power(skew(kl,0.3),2))-0.1*kl", d([=](auto const& p, auto const& q) {
         return std::pow(kl(q, mix(.3, q, p)), 2) - 0.1 * kl(p, q);
       })},
      {"power(kl,1)", d(kl)},
      // other names
      {"generalised_js(teacher_weight=0.1)",
       d([=](auto const& p, auto const& q) { return skew_js(0.1)(p, q) / .09; })},
      {"topsoe(temperature=2)",
       of_distributions([=](auto const& p, auto const& q) { return 2 * skew_js(.5)(p, q); }, 2)},
      {"symmetrized(kl)", d([](auto const& p, auto const& q) { return kl(p, q) + kl(q, p); })},
      {"symmetric_chi_squared",
       d([=](auto const& p, auto const& q) { return pearson(p, q) + pearson(q, p); })},
      {"reverse(distillm_skew_reverse_kl(lambda=0.3))", d(skew(0.3))},
      {"cressie_read(lambda=0.5)",
       d([](auto const& p, auto const& q) { return 2 * alpha_beta(p, q, 1.5, -0.5); })},
      {"0.5*tsallis(order=3)",
       d([](auto const& p, auto const& q) { return 1.5 * alpha_beta(p, q, 3, -2); })},
      {"density_power(beta=0.5)",
       d([](auto const& p, auto const& q) { return 1.5 * alpha_beta(p, q, 1, 0.5); })},
      {"soft_cross_entropy", d([](numbers const& p, numbers const& q) {
         return sum_over(p, q, [](double x, double y) { return -x * std::log(y); });
       })},
      {"z_loss",
       [](auto const&, numbers const& s, std::size_t) { return std::pow(log_sum_exp(s, 1), 2); }},
      {"cross_entropy",
       [](auto const&, numbers const& s, std::size_t y) { return -std::log(softmax(s, 1)[y]); }},
      {"cross_entropy(smoothing=0.1,z_loss=0.01,temperature=2)",
       [](auto const&, numbers const& s, std::size_t y) {
         numbers const q = softmax(s, 2);
         double uniform = 0;
         for (double const x : q) uniform -= std::log(x) / classes;
         return -0.9 * std::log(q[y]) + 0.1 * uniform + 0.01 * std::pow(log_sum_exp(s, 1), 2);
       }},
      {"cross_entropy(z_loss=0.01,temperature=2,t_squared=true)",
       [](auto const&, numbers const& s, std::size_t y) {
         return -4 * std::log(softmax(s, 2)[y]) + 0.01 * std::pow(log_sum_exp(s, 1), 2);
       }},
      // reverses, temperatures and sums
      {"reverse(kl)", d(swapped(kl))},
      {"reverse(jensen_shannon)", d(skew_js(0.5))},
      {"reverse(total_variation)", d(total_variation)},
      {"reverse(neyman)", d(pearson)},
      {"reverse(reverse(pearson))", d(pearson)},
      {"reverse(skew_kl(teacher_weight=0.1))", d(swapped(skew(0.1)))},
      {"reverse(skew_js(teacher_weight=0.1))", d(swapped(skew_js(0.1)))},
      {"reverse(alpha(alpha=0.3))",
       d([](auto const& p, auto const& q) { return alpha_beta(p, q, 0.7, 0.3); })},
      {"reverse(alpha_beta(alpha=0.2,beta=0.7))",
       d([](auto const& p, auto const& q) { return alpha_beta(p, q, 0.7, 0.2); })},
      {"reverse(soft_cross_entropy)", d([](numbers const& p, numbers const& q) {
         return sum_over(p, q, [](double x, double y) { return -y * std::log(x); });
       })},
      {"kl(temperature=4)", of_distributions(kl, 4)},
      {"kl(temperature=4,t_squared=true)",
       of_distributions([](auto const& p, auto const& q) { return 16 * kl(p, q); }, 4)},
      {"0.3*kl+0.7*reverse_kl", d(sum)},
      {"(6*fkl+14*rkl)/2/10", d(sum)},
      {"jsd", d(skew_js(0.5))},
      {"skew(chi2,0.2)",
       d([=](auto const& p, auto const& q) { return pearson(p, mix(.2, p, q)); })},
      {"tvd(temperature=2)", of_distributions(total_variation, 2)},
      {"ce(z_loss=0.01,temperature=2)",
       [](auto const&, numbers const& s, std::size_t y) {
         return -std::log(softmax(s, 2)[y]) + 0.01 * std::pow(log_sum_exp(s, 1), 2);
       }},
      {" 2 * (0.15 * kl + reverse_kl*0.35) ", d(sum)},
      {"kl - 0.5*total_variation", d([=](numbers const& p, numbers const& q) {
         return kl(p, q) - 0.5 * total_variation(p, q);
       })},
      {"0.2*cross_entropy(z_loss=0.1,temperature=2,t_squared=true)+skew(kl,0.3)",
       [=](numbers const& t, numbers const& s, std::size_t y) {
         return -0.8 * std::log(softmax(s, 2)[y]) + 0.02 * std::pow(log_sum_exp(s, 1), 2) +
                skew(0.3)(softmax(t, 1), softmax(s, 1));
       }},
      {"1e-1*cross_entropy+0.9*kl(temperature=4,t_squared=true)",
       [](numbers const& t, numbers const& s, std::size_t y) {
         return -0.1 * std::log(softmax(s, 1)[y]) + 0.9 * 16 * kl(softmax(t, 4), softmax(s, 4));
       }},
  };
}

double mean_loss(row_loss const& of_row, numbers const& t, numbers const& s) {
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    sum +=
        of_row(row_of(t, i, classes), row_of(s, i, classes), static_cast<std::size_t>(labels[i]));
  }
  return sum / rows;
}

}  // namespace

TEST_CASE("every loss has the value and the gradients of its formula") {
  place const here;
  numbers const t = logits(rows * classes, 1), s = logits(rows * classes, 2);
  here.write<double>("t.npy", "<f8", {rows, classes}, t);
  here.write<double>("s.npy", "<f8", {rows, classes}, s);
  here.write<std::int64_t>("y.npy", "<i8", {rows}, labels);
  for (known_loss const& known : known_losses()) {
    std::string const spec = known.spec;
    row_loss const& of_row = known.of_row;
    CAPTURE(spec);
    result const r = eval(here, spec,
                          {"--labels", "y.npy", "--gradient-out", "G.npy", "--teacher-gradient-out",
                           "H.npy", "--per-row-out", "R.npy"});
    REQUIRE_MESSAGE(r.status == 0, r.errors);
    CHECK(r.errors.empty());
    auto const fields = r.parsed();
    CHECK(fields["loss"].get<double>() == doctest::Approx(mean_loss(of_row, t, s)).epsilon(1e-11));

    numbers each;
    for (std::size_t i = 0; i < rows; ++i) {
      each.push_back(of_row(row_of(t, i, classes), row_of(s, i, classes),
                            static_cast<std::size_t>(labels[i])));
    }
    check_close(here.read("R.npy").values, each, 1e-10);
    array const g = here.read("G.npy");
    CHECK(g.descr == "<f8");
    CHECK(g.shape == std::vector<std::size_t>{rows, classes});
    check_close(g.values, differences(s, [&](auto const& x) { return mean_loss(of_row, t, x); }),
                1e-7);
    check_close(here.read("H.npy").values,
                differences(t, [&](auto const& x) { return mean_loss(of_row, x, s); }), 1e-7);
    double squares = 0;
    for (double const x : g.values) squares += x * x;
    CHECK(fields["gradient_norm"].get<double>() ==
          doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
  }
}

}  // namespace cli_test
