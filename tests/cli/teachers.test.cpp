// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Sparse teachers, mixtures of teachers and transforms of logits, against textbook formulas in
// double and finite differences of them.
#include "formulas.hpp"
#include "program.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace cli_test {
namespace {

constexpr std::size_t rows = 3, classes = 5;
constexpr double low = -std::numeric_limits<double>::infinity();

/// A row of numbers, and which one it is.
using row_map = std::function<numbers(numbers const& x, std::size_t row)>;

/// Files t.npy, u.npy and s.npy of logits.
struct example : place {
  numbers t = logits(rows * classes, 11), u = logits(rows * classes, 12),
          s = logits(rows * classes, 13);
  example() {
    write<double>("t.npy", "<f8", {rows, classes}, t);
    write<double>("u.npy", "<f8", {rows, classes}, u);
    write<double>("s.npy", "<f8", {rows, classes}, s);
  }
};

/// `divot eval` on s.npy.
result eval_student(place const& where, std::string const& loss,
                    std::vector<std::string> const& more) {
  std::vector<std::string> arguments{"eval", "--loss", loss, "--student", "s.npy", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(where, arguments);
}

/// Runs the program, and compares its loss and the student's gradient with a function of the
/// student's logits.
void check_student(example const& here, std::string const& loss, std::vector<std::string> arguments,
                   std::function<double(numbers const& row, std::size_t i)> const& of_row) {
  CAPTURE(loss);
  CAPTURE(arguments.back());
  arguments.insert(arguments.end(), {"--gradient-out", "G.npy"});
  result const r = eval_student(here, loss, arguments);
  REQUIRE_MESSAGE(r.status == 0, r.errors);
  auto const mean = [&](numbers const& s) {
    double total = 0;
    for (std::size_t i = 0; i < rows; ++i) total += of_row(row_of(s, i, classes), i);
    return total / rows;
  };
  CHECK(r.parsed()["loss"].get<double>() == doctest::Approx(mean(here.s)).epsilon(1e-12));
  check_close(here.read("G.npy").values, differences(here.s, mean), 1e-8);
}

/// A row's K = 2 classes, and the logarithms of their probabilities.
struct named_classes {
  std::vector<double> const index{3, 0, 1, 4, 2, 1};
  numbers const log_p{std::log(.5), std::log(.2), std::log(.7),
                      std::log(.1), std::log(.3), std::log(.6)};

  double p(std::size_t row, std::size_t j) const { return std::exp(log_p[2 * row + j]); }
  std::size_t at(std::size_t row, std::size_t j) const {
    return static_cast<std::size_t>(index[2 * row + j]);
  }
  double rest(std::size_t row) const { return 1 - p(row, 0) - p(row, 1); }
  void write(place const& where) const {
    where.write<std::int64_t>("i.npy", "<i8", {rows, 2}, index);
    where.write<double>("p.npy", "<f8", {rows, 2}, log_p);
  }
};

numbers with_tail(named_classes const& k, std::size_t row, double named, double other) {
  numbers p(classes, other);
  for (std::size_t j = 0; j < 2; ++j) p[k.at(row, j)] = k.p(row, j) * named;
  return p;
}

/// The two classes and all others together.
numbers bucketed(named_classes const& k, std::size_t row, numbers const& q) {
  numbers out{q[k.at(row, 0)], q[k.at(row, 1)], 0};
  double sum = 0;
  for (double const x : q) sum += x;
  out[2] = sum - out[0] - out[1];
  return out;
}

double squared_hellinger(numbers const& p, numbers const& q) {
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    sum += std::pow(std::sqrt(p[k]) - std::sqrt(q[k]), 2);
  }
  return sum;
}

/// As kl, for probabilities of 0.
double kl_of_some(numbers const& p, numbers const& q) {
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) sum += p[k] > 0 ? p[k] * std::log(p[k] / q[k]) : 0;
  return sum;
}

numbers standardised(numbers const& x) {
  double n = 0, mean = 0, squares = 0;
  for (double const v : x) {
    if (v != low) n += 1, mean += v;
  }
  mean /= n;
  for (double const v : x) squares += v == low ? 0 : (v - mean) * (v - mean);
  numbers y;
  for (double const v : x) y.push_back(v == low ? v : (v - mean) / std::sqrt(squares / (n - 1)));
  return y;
}
numbers capped(numbers const& x, double cap) {
  numbers y;
  for (double const v : x) y.push_back(v == low ? v : cap * std::tanh(v / cap));
  return y;
}

}  // namespace

TEST_CASE("sparse teachers have the loss and the gradient of their tail") {
  example const here;
  named_classes const k;
  k.write(here);
  auto const arguments = [](std::string const& tail) {
    return std::vector<std::string>{"--teacher-top-k", "i.npy", "p.npy", "--temperature", "2",
                                    "--tail",          tail};
  };
  auto const renormalised = [&](std::size_t i) { return with_tail(k, i, 1 / (1 - k.rest(i)), 0); };
  auto const uniform = [&](std::size_t i) { return with_tail(k, i, 1, k.rest(i) / 3); };
  auto const bucket = [&](std::size_t i) { return numbers{k.p(i, 0), k.p(i, 1), k.rest(i)}; };
  for (auto const d : {kl_of_some, squared_hellinger}) {
    std::string const name = d == kl_of_some ? "kl" : "squared_hellinger";
    check_student(here, name, arguments("renormalise"), [&](numbers const& s, std::size_t i) {
      return d(renormalised(i), softmax(s, 2));
    });
    check_student(here, name, arguments("uniform"),
                  [&](numbers const& s, std::size_t i) { return d(uniform(i), softmax(s, 2)); });
    check_student(here, name, arguments("bucket"), [&](numbers const& s, std::size_t i) {
      return d(bucket(i), bucketed(k, i, softmax(s, 2)));
    });
  }
  // a term's own temperature is the student's, z_loss sees all classes, a skew the bucket
  check_student(here, "kl(temperature=3,t_squared=true)+0.1*z_loss+skew(reverse_kl,0.3)",
                arguments("bucket"), [&](numbers const& s, std::size_t i) {
                  numbers const q = bucketed(k, i, softmax(s, 2));
                  return 9 * kl(bucket(i), bucketed(k, i, softmax(s, 3))) +
                         0.1 * std::pow(log_sum_exp(s, 1), 2) +
                         kl(mix(.3, bucket(i), q), bucket(i));
                });
  // the tail's mass may be given, the default is to renormalise, and a comma may join the files
  here.write<double>("l.npy", "<f8", {rows},
                     {std::log(k.rest(0)), std::log(k.rest(1)), std::log(k.rest(2))});
  auto given = arguments("uniform");
  given.insert(given.end(), {"--tail-log-mass", "l.npy"});
  check_student(here, "kl", given,
                [&](numbers const& s, std::size_t i) { return kl(uniform(i), softmax(s, 2)); });
  check_student(
      here, "kl", {"--teacher-top-k", "i.npy,p.npy"},
      [&](numbers const& s, std::size_t i) { return kl_of_some(renormalised(i), softmax(s, 1)); });
}

TEST_CASE("a mixture is the mean of the teachers' probabilities") {
  example const here;
  auto const p = [&](std::size_t i, double weight, double temperature) {
    return mix(weight, softmax(row_of(here.t, i, classes), temperature),
               softmax(row_of(here.u, i, classes), temperature));
  };
  std::vector<std::string> const three_to_seven{
      "--temperature", "2", "--teacher", "t.npy", "u.npy", "--teacher-weights", "0.3,0.7"};
  check_student(here, "kl", three_to_seven,
                [&](numbers const& s, std::size_t i) { return kl(p(i, .3, 2), softmax(s, 2)); });
  check_student(here, "reverse(skew(kl(temperature=3),0.1))", three_to_seven,
                [&](numbers const& s, std::size_t i) {
                  numbers const q = softmax(s, 3);
                  return kl(q, mix(.1, q, p(i, .3, 3)));
                });
  check_student(here, "kl", {"--teacher", "t.npy", "--teacher", "u.npy"},
                [&](numbers const& s, std::size_t i) { return kl(p(i, .5, 1), softmax(s, 1)); });
  // five of them, transformed
  check_student(here, "power(kl,2)",
                {"--teacher", "t.npy", "u.npy", "t.npy", "u.npy", "t.npy", "--teacher-transforms",
                 "softcap=2"},
                [&](numbers const& s, std::size_t i) {
                  numbers const all = mix(.6, softmax(capped(row_of(here.t, i, classes), 2), 1),
                                          softmax(capped(row_of(here.u, i, classes), 2), 1));
                  return std::pow(kl(all, softmax(s, 1)), 2);
                });
}

TEST_CASE("transforms of teacher and student") {
  example const here;
  numbers const b{.5, -1, 2, 0, .25};
  here.write<double>("b.npy", "<f8", {classes}, b);
  here.write<std::uint8_t>("m.npy", "|b1", {classes}, {1, 1, 0, 1, 1});
  numbers const keep{1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1};
  here.write<std::int64_t>("k.npy", "<i8", {rows, classes}, keep, true);
  row_map const cap = [](numbers const& x, std::size_t) { return capped(x, 2.5); };
  row_map const bias = [&](numbers x, std::size_t) {
    for (std::size_t k = 0; k < classes; ++k) x[k] += b[k];
    return x;
  };
  row_map const z_score = [](numbers const& x, std::size_t) { return standardised(x); };
  row_map const mask = [](numbers x, std::size_t) {
    x[2] = low;
    return x;
  };
  row_map const mask_rows = [&](numbers x, std::size_t row) {
    for (std::size_t k = 0; k < classes; ++k) x[k] = keep[row * classes + k] != 0 ? x[k] : low;
    return x;
  };
  auto const after = [](row_map first, row_map second) -> row_map {
    return [first, second](numbers const& x, std::size_t i) { return second(first(x, i), i); };
  };
  struct known {
    char const* list;
    row_map of;
  };
  for (known const& one :
       {known{"softcap=2.5", cap}, known{"bias=b.npy", bias}, known{"standardise", z_score},
        known{"mask=m.npy", mask}, known{"softcap=2.5,bias=b.npy", after(cap, bias)},
        known{"bias=b.npy,softcap=2.5", after(bias, cap)},
        known{"mask=m.npy,standardise", after(mask, z_score)},
        known{"standardise,mask=k.npy", after(z_score, mask_rows)},
        known{"softcap=2.5,mask=k.npy,standardise,bias=b.npy",
              after(after(after(cap, mask_rows), z_score), bias)}}) {
    CAPTURE(one.list);
    auto const d = [&](numbers const& t, numbers const& s) {
      double total = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        total += kl_of_some(softmax(one.of(row_of(t, i, classes), i), 2),
                            softmax(one.of(row_of(s, i, classes), i), 2));
      }
      return total / rows;
    };
    result const r =
        eval_student(here, "kl",
                     {"--teacher", "t.npy", "--temperature", "2", "--gradient-out", "G.npy",
                      "--teacher-gradient-out", "H.npy", "--teacher-transforms", one.list,
                      "--student-transforms", one.list});
    REQUIRE_MESSAGE(r.status == 0, r.errors);
    CHECK(r.parsed()["loss"].get<double>() == doctest::Approx(d(here.t, here.s)).epsilon(1e-12));
    check_close(here.read("G.npy").values,
                differences(here.s, [&](numbers const& s) { return d(here.t, s); }), 1e-8);
    check_close(here.read("H.npy").values,
                differences(here.t, [&](numbers const& t) { return d(t, here.s); }), 1e-8);
  }
}

TEST_CASE("what is worked out in a wider type knows masks, weights, reductions and padding") {
  example const here;
  here.write<std::uint8_t>("m.npy", "|b1", {rows}, {1, 0, 1});
  here.write<double>("w.npy", "<f8", {rows}, {0.5, 9, -2});
  numbers wide;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < classes + 2; ++k) {
      wide.push_back(k >= classes ? std::nan("") : i == 1 ? std::nan("") : here.s[i * classes + k]);
    }
  }
  here.write<float>("s.npy", "<f4", {rows, classes + 2}, wide);
  std::vector<std::string> const rows_only{"--teacher",      "t.npy", "--mask",          "m.npy",
                                           "--weights",      "w.npy", "--valid-classes", "5",
                                           "--gradient-out", "G.npy", "--per-row-out",   "R.npy",
                                           "--dtype",        "f32",   "--reduction"};
  for (std::string const reduction : {"mean", "sum", "none"}) {
    CAPTURE(reduction);
    auto arguments = rows_only;
    arguments.push_back(reduction);
    auto const fields = eval_student(here, "skew_kl(teacher_weight=0.3)", arguments).parsed();
    numbers const g = here.read("G.npy").values, r = here.read("R.npy").values;
    auto const composed = eval_student(here, "skew(kl,0.3)", arguments).parsed();
    CHECK(composed["valid_rows"] == 2);
    CHECK(composed["loss"].get<double>() ==
          doctest::Approx(fields["loss"].get<double>()).epsilon(1e-6));
    array const wider = here.read("G.npy");
    CHECK(wider.descr == "<f4");
    CHECK(wider.shape == std::vector<std::size_t>{rows, classes + 2});
    check_close(wider.values, g, 1e-7);
    check_close(here.read("R.npy").values, r, 1e-6);
    CHECK(here.read("R.npy").values[1] == 0);
  }
}

TEST_CASE("a skew, a power and a mixture of what is the same are exactly 0") {
  example const here;
  for (char const* loss : {"skew(kl,0.3)", "power(kl,0.5)", "reverse(skew(pearson,0.1))"}) {
    CAPTURE(loss);
    result const r = eval_student(here, loss, {"--teacher", "s.npy", "--gradient-out", "G.npy"});
    CHECK(r.parsed()["loss"] == 0);
    check_close(here.read("G.npy").values, numbers(rows * classes, 0.), 1e-18);
  }
}

TEST_CASE("compare takes every kind of teacher, and more losses") {
  example const here;
  named_classes const k;
  k.write(here);
  auto const table = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"compare", "--student", "s.npy", "--json", "--repeat", "1",
                                         "--loss", "power(kl,2)", "--loss", "2*kl"});
    result const r = run(here, arguments);
    REQUIRE_MESSAGE(r.status == 0, r.errors);
    return r.parsed()["losses"];
  };
  std::vector<std::vector<std::string>> const teachers{
      {"--teacher", "t.npy"},
      {"--teacher", "t.npy", "u.npy"},
      {"--teacher", "t.npy", "--student-transforms", "standardise"},
      {"--teacher-top-k", "i.npy", "p.npy", "--tail", "bucket"}};
  for (auto const& teacher : teachers) {
    auto const losses = table(teacher);
    CHECK(losses[0]["loss"] == eval_student(here, "kl", teacher).parsed()["loss"]);
    auto const& added = losses[losses.size() - 2];
    CHECK(added["name"] == "power(kl,2)");
    CHECK(added["loss"] == eval_student(here, "power(kl,2)", teacher).parsed()["loss"]);
    CHECK(losses.back()["cosine_to_kl"].get<double>() == doctest::Approx(1));
  }
}

}  // namespace cli_test
