// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// sinkd in --loss: alone, in sums, and what is wrong with it.
#include "program.hpp"

#include <divot/divot.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace cli_test {
namespace {

constexpr std::size_t rows = 4, classes = 6;
using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using options = std::vector<std::string>;

/// A directory with t.npy, s.npy, y.npy, weights w.npy and a mask m.npy, and what is in them.
class example : public place {
 public:
  example() {
    write<double>("t.npy", "<f8", {rows, classes}, t);
    write<double>("s.npy", "<f8", {rows, classes}, s);
    write<std::int64_t>("y.npy", "<i8", {rows}, {0, 5, 2, 1});
    write<double>("w.npy", "<f8", {rows}, weights);
    write<std::uint8_t>("m.npy", "|b1", {rows}, {1, 1, 0, 1});
  }
  std::vector<double> t = logits(rows * classes, 11), s = logits(rows * classes, 12);
  std::vector<double> weights{1, .5, 2, 3};
  std::vector<std::int64_t> labels{0, 5, 2, 1};
  std::vector<std::uint8_t> mask{1, 1, 0, 1};

  matrix teacher() const { return Eigen::Map<matrix const>(t.data(), rows, classes); }
  matrix student() const { return Eigen::Map<matrix const>(s.data(), rows, classes); }
};

void check_near(std::vector<double> const& a, double const* b, double tolerance = 1e-13) {
  for (std::size_t k = 0; k < a.size(); ++k) CHECK(std::abs(a[k] - b[k]) <= tolerance);
}

/// The program's value, rows' losses and gradients beside the library's.
template <class Loss>
void check_same(example const& here, std::string const& spec, options more, Loss const& loss,
                divot::batch batch = {}) {
  CAPTURE(spec);
  matrix g(rows, classes), h(rows, classes);
  std::vector<double> per_row(rows);
  batch.per_row = per_row;
  double const value = divot::value_and_gradient(loss, here.teacher(), here.student(),
                                                 divot::gradients().student(g).teacher(h), batch);
  more.insert(more.end(), {"--gradient-out", "G.npy", "--teacher-gradient-out", "H.npy",
                           "--per-row-out", "R.npy", "--repeat", "2"});
  result const r = eval(here, spec, more);
  REQUIRE_MESSAGE(r.status == 0, r.errors);
  CHECK(r.parsed()["loss"].get<double>() == doctest::Approx(value).epsilon(1e-13));
  check_near(here.read("G.npy").values, g.data());
  check_near(here.read("H.npy").values, h.data());
  check_near(here.read("R.npy").values, per_row.data());
}

}  // namespace

TEST_CASE("sinkd is a loss, and a term of sums, with the library's numbers") {
  example const here;
  divot::sinkd const other{.temperature = 3,
                           .epsilon = .05,
                           .sweeps = 4,
                           .mass = divot::mass::probability,
                           .gradient = divot::route::plan_detached};
  std::string const spelt =
      "sinkd(temperature=3,epsilon=0.05,sweeps=4,mass=probability,gradient=plan_detached)";
  divot::kl const kl;
  auto const sum = divot::reduction::sum;
  check_same(here, "sinkd", {}, divot::sinkd{});
  check_same(here, "sinkd", {"--temperature", "7"}, divot::sinkd{});  // it has its own
  check_same(here, spelt, {"--reduction", "sum"}, other, {.reduction = sum});
  check_same(here, "0.9*kl(temperature=4)+0.1*cross_entropy+0.8*sinkd", {"--labels", "y.npy"},
             .9 * divot::at(4, kl) + .1 * divot::cross_entropy{} + .8 * divot::sinkd{},
             {.labels = here.labels});
  check_same(here, "2*(sinkd-" + spelt + "/4)-kl", {"--reduction", "sum"},
             2 * (divot::sinkd{} - other / 4) - kl, {.reduction = sum});
  check_same(here, "kl+0.8*sinkd", {"--weights", "w.npy", "--mask", "m.npy"},
             kl + .8 * divot::sinkd{}, {.weights = here.weights, .mask = here.mask});
  check_same(here, "z_loss+0.8*sinkd", {}, divot::z_loss{} + .8 * divot::sinkd{});
  divot::sinkd const limit{.epsilon = .2,
                           .sweeps = 0,
                           .objective = divot::transport_objective::entropic,
                           .debiased = true,
                           .gradient = divot::route::envelope,
                           .rows_per_problem = 2,
                           .tolerance = 1e-7};
  check_same(here,
             "kl+0.5*sinkd(epsilon=0.2,sweeps=0,objective=entropic,debiased=true,gradient=envelope,"
             "cost=squared_l2,rows_per_problem=2,tolerance=1e-7)",
             {}, kl + .5 * with_cost(limit, divot::ground::squared_l2{}));
  check_same(here, "sinkd(sweeps=0,gradient=implicit,cost=l2)", {},
             with_cost(divot::sinkd{.sweeps = 0, .gradient = divot::route::implicit},
                       divot::ground::l2{}));
  check_same(here, "sinkd(cost=absolute_difference)", {},
             with_cost(divot::sinkd{}, divot::ground::absolute_difference{}));
  // where the other terms are put together at run time
  check_same(here, "skew(pearson,0.3)+0.8*sinkd+power(kl,0.5)", {},
             skew(divot::pearson{}, .3) + .8 * divot::sinkd{} + power(kl, .5));
  options const threads{"--policy", "omp", "--threads", "2"};
  if (DIVOT_PROGRAM_HAS_OPENMP) check_same(here, "kl+0.8*sinkd", threads, kl + .8 * divot::sinkd{});
  for (char const* const type : {"f32", "f16", "bf16"}) {
    result const r = eval(here, "kl+0.8*sinkd", {"--dtype", type});
    REQUIRE_MESSAGE(r.status == 0, r.errors);
    double const exact = divot::value(kl + .8 * divot::sinkd{}, here.teacher(), here.student());
    CHECK(r.parsed()["loss"].get<double>() == doctest::Approx(exact).epsilon(1e-2));
  }
}

TEST_CASE("class_transport is a term of sums, with costs from a file") {
  example const here;
  std::vector<double> const costs = logits(classes * classes, 13);
  here.write<double>("c.npy", "<f8", {classes, classes}, costs);
  divot::class_transport const what{
      .cost = Eigen::Map<matrix const>(costs.data(), classes, classes),
      .temperature = 3,
      .epsilon = .2};
  std::string const spelt = "class_transport(cost=c.npy, temperature=3, epsilon=0.2)";
  check_same(here, "kl+0.25*" + spelt + "-0.8*sinkd", {"--weights", "w.npy", "--mask", "m.npy"},
             divot::kl{} + .25 * what - .8 * divot::sinkd{},
             {.weights = here.weights, .mask = here.mask});
  auto const says = [&](std::string const& spec, options const& more, std::string const& words) {
    CAPTURE(spec);
    result const r = eval(here, spec, more);
    CHECK(r.status == 2);
    CHECK(r.errors.find(words) != std::string::npos);
  };
  says("class_transport", {}, "class_transport(cost=C.npy)");
  says("class_transport(cost=)", {}, "the name of a file, which is missing");
  says("class_transport(cost=t.npy)", {},
       "term class_transport(cost=t.npy,temperature=2,epsilon=0.05,objective=transport_cost,"
       "tolerance=0): class_transport: the cost is 4×6");
  says("class_transport(cost=none.npy)", {}, "none.npy");
  says("reverse(" + spelt + ")", {}, "class_transport has no reverse");
  says(spelt, {"--gradient-out", "c.npy"}, "c.npy");
}

TEST_CASE("compare takes sinkd as one more loss") {
  example const here;
  options const arguments{"compare", "--teacher", "t.npy", "--student", "s.npy",
                          "--json",  "--loss",    "sinkd", "--loss",    "kl+0.8*sinkd"};
  result const r = run(here, arguments);
  REQUIRE_MESSAGE(r.status == 0, r.errors);
  json const out = r.parsed();
  auto const& losses = out["losses"];
  CHECK(losses[losses.size() - 2]["name"] == "sinkd");
  CHECK(losses[losses.size() - 2]["loss"] == eval(here, "sinkd").parsed()["loss"]);
  CHECK(losses.back()["loss"] == eval(here, "kl+0.8*sinkd").parsed()["loss"]);
}

TEST_CASE("list shows sinkd with parameters, defaults and formula") {
  place const here;
  bool found = false;
  for (auto const& loss : run(here, {"list", "--json"}).parsed()) {
    if (loss["name"] != "sinkd") continue;
    found = true;
    CHECK(loss["between_rows"] == true);
    CHECK(loss["formula"].get<std::string>().find("exp(−C/ε)") != std::string::npos);
    std::vector<std::string> names;
    for (auto const& p : loss["parameters"]) names.push_back(p["name"]);
    CHECK(names == std::vector<std::string>{"temperature", "epsilon", "sweeps", "mass", "gradient",
                                            "objective", "debiased", "cost", "rows_per_problem",
                                            "tolerance"});
    CHECK(loss["parameters"][0]["default"] == 2);
    CHECK(loss["parameters"][3]["default"] == "one_per_sample");
    CHECK(loss["parameters"][4]["choices"] ==
          json{"unrolled", "implicit", "envelope", "plan_detached"});
  }
  CHECK(found);
  CHECK(run(here, {"list"}).output.find("mass=one_per_sample") != std::string::npos);
}

TEST_CASE("flaws of sinkd") {
  example const here;
  auto const bad = [&](std::string const& spec, std::string const& words, options more = {}) {
    CAPTURE(spec);
    std::size_t const before = here.file_count();
    more.insert(more.end(), {"--gradient-out", "G.npy"});
    result const r = eval(here, spec, more);
    CHECK(r.status == 2);
    CHECK(r.output.empty());
    CHECK_MESSAGE(r.errors.find(words) != std::string::npos, r.errors);
    CHECK(here.file_count() == before);
  };
  bad("sinkd(t_squared=true)",
      "character 7: sinkd has no key 't_squared'; it has temperature, epsilon, sweeps, mass, "
      "gradient, objective, debiased, cost, rows_per_problem, tolerance");
  bad("sinkd(mass=2)", "character 12: 'mass' is one_per_sample or probability");
  bad("sinkd(gradient=exact)",
      "character 16: 'gradient' is unrolled or implicit or envelope or plan_");
  bad("sinkd(sweeps=many)", "character 14: a number is missing");
  bad("sinkd(0.1)", "a key is missing, as in sinkd(temperature=2,epsilon=0.1,sweeps=20,mass=one");
  bad("sinkd(sweeps=2.5)", "sweeps is 2.5; it must be a whole number from 0");
  bad("sinkd(sweeps=0)", "sinkd: sweeps = 0 sweeps until converged");
  bad("sinkd(gradient=envelope,sweeps=0)", "is the gradient of the entropic value alone");
  bad("sinkd(rows_per_problem=3)", "4 rows are no whole number of sequences of 3");
  bad("sinkd(rows_per_problem=1.5)", "rows_per_problem is 1.5; it must be a whole number");
  bad("sinkd(cost=l3)", "character 12: 'cost' is l1 or l2");
  bad("sinkd(cost=absolute_difference,temperature=3)", "compares numbers as they are");
  bad("kl+sinkd(epsilon=0)", "sinkd: epsilon is 0; it must be at least 1e-12");
  bad("sinkd(temperature=-1)", "sinkd: the temperature is -1");
  bad("sinkd(mass=probability)", "it needs eval --reduction sum");
  bad("reverse(sinkd)", "sinkd has no reverse");
  bad("skew(sinkd,0.1)", "sinkd has no skew");
  bad("power(kl+sinkd,2)", "sinkd has no power");
  bad("sinkhd", "the nearest are ");
  bad("kl+sinkd", "sinkd takes logits as they stand in their files",
      {"--student-transforms", "softcap=3"});
  result const alone = run(here, {"eval", "--loss", "sinkd", "--student", "s.npy"});
  CHECK(alone.errors.find("--loss: sinkd needs a teacher") != std::string::npos);
  auto values = here.s;
  values[7] = std::numeric_limits<double>::quiet_NaN();
  here.write<double>("s.npy", "<f8", {rows, classes}, values);
  bad("sinkd", "s.npy: row 1, column 1: NaN");
  bad("power(kl,2)+sinkd", "s.npy: row 1, column 1: NaN");
}

}  // namespace cli_test
