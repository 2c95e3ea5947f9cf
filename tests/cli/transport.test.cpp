// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// `divot transport` on the problems of tests/unit/sinkhorn.test.cpp.
#include "program.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace cli_test {
namespace {

result run_words(place const& here, std::string const& words) {
  std::istringstream in(words);
  return run(here, std::vector<std::string>{std::istream_iterator<std::string>(in), {}});
}

}  // namespace

TEST_CASE("transport solves a problem and writes plan and gradient") {
  place const here;
  here.write<double>("c.npy", "<f8", {3, 2}, {0, 1, 2, .5, 1, 3});
  here.write<double>("a.npy", "<f8", {3}, {.2, .3, .5});
  here.write<double>("b.npy", "<f8", {2}, {.6, .4});
  result const r =
      run_words(here,
                "transport --cost c.npy --a a.npy --b b.npy --epsilon 1 --tolerance 1e-13 "
                "--plan-out p.npy --gradient-out g.npy --json");
  REQUIRE(r.status == 0);
  json const out = json::parse(r.output);
  CHECK(out.at("status") == "converged");
  CHECK(std::abs(out.at("transport_cost").get<double>() - .933808798251) <= 1e-12);
  CHECK(std::abs(out.at("entropic").get<double>() - 1.142591859646) <= 1e-12);
  array const plan = here.read("p.npy"), slope = here.read("g.npy");
  CHECK(plan.shape == std::vector<std::size_t>{3, 2});
  CHECK(std::abs(plan.values[4] - .423231148610) <= 1e-12);
  CHECK(std::abs(slope.values[5] + .000139214684) <= 1e-12);
  CHECK(run_words(here, "transport --cost c.npy --epsilon 0.1").output.find("converged") !=
        std::string::npos);
}

TEST_CASE("transport takes points, and says what is wrong") {
  place const here;
  here.write<float>("x.npy", "<f4", {2, 2}, {0, 0, 1, 1});
  here.write<float>("y.npy", "<f4", {2, 2}, {1, 1, 0, 0});
  here.write<double>("a.npy", "<f8", {3}, {.2, .3, .5});
  here.write<double>("c.npy", "<f8", {1, 2}, {0, std::nan("")});
  auto const cost = [&](std::string const& ground) {
    result const r = run_words(here, "transport --x x.npy --y y.npy --epsilon 0.5 --json" + ground);
    REQUIRE(r.status == 0);
    return json::parse(r.output).at("transport_cost").get<double>();
  };
  auto const two_by_two = [](double apart) { return apart / (1 + std::exp(apart / .5)); };
  CHECK(std::abs(cost("") - two_by_two(2)) <= 1e-9);
  CHECK(std::abs(cost(" --ground l2") - two_by_two(std::sqrt(2.))) <= 1e-9);
  CHECK(std::abs(cost(" --ground squared_l2") - two_by_two(2)) <= 1e-9);
  auto const refusal = [&](std::string const& arguments) {
    result const r = run_words(here, "transport " + arguments);
    CHECK(r.status == 2);
    CHECK(r.output.empty());
    return r.errors;
  };
  auto const says = [&](std::string const& arguments, std::string const& words) {
    CAPTURE(arguments);
    CHECK(refusal(arguments).find(words) != std::string::npos);
  };
  says("--epsilon 1", "give either --cost, or --x and --y");
  says("--x x.npy --epsilon 1", "--y is missing");
  says("--x x.npy --y y.npy", "--epsilon is required");
  says("--x x.npy --y y.npy --epsilon 0", "epsilon is 0; it must be positive");
  says("--x x.npy --y y.npy --a a.npy --epsilon 1", "a.npy: 3 masses for 2 rows");
  says("--x x.npy --y y.npy --epsilon 1 --gradient-out g.npy",
       "there are --x-gradient-out and --y-gradient-out");
  says("--x x.npy --y y.npy --epsilon 1 --moved .5", "--moved: needs --cost");
  says("--x x.npy --y y.npy --epsilon 1 --ground lp", "--ground lp: --order is missing");
  says("--x x.npy --y y.npy --epsilon 1 --order 2", "only --ground lp and --line have one");
  says("--x x.npy --y y.npy --epsilon 1 --ground cosine", "row 0 is 0: it has no cosine");
  says("--x x.npy --y y.npy --epsilon 1 --ground lp --order .5", "lp's p is 0.5");
  says("--cost c.npy --epsilon 1 --ground l1", "--ground: only points have one");
  says("--cost c.npy --epsilon 1 --x-gradient-out g.npy", "--x-gradient-out: only points have one");
  says("--cost c.npy --epsilon 1 --objective divergence", "--objective divergence: only points");
  says("--cost c.npy --epsilon 1 --moved .5 --row-penalty 1", "excludes");
  says("--cost c.npy --epsilon 1 --sweeps 2 --max-sweeps 3", "excludes");
  says("--cost c.npy --epsilon 1 --feasible", "--feasible requires --plan-out");
  says("--cost c.npy --epsilon 1 --row-penalty 1 --plan-out p.npy --feasible",
       "no masses to be kept");
  says("--x x.npy --y y.npy --line --epsilon 1", "excludes");
  says("--x x.npy --y y.npy --line", "2 columns; points on the line have one");
  says("--cost c.npy --line", "--line: only points have one");
  says("--cost c.npy --epsilon 1 --plan-out p.npy",
       "c.npy: row 0, column 1: nan; costs must be finite");
  says("--x x.npy --y y.npy --epsilon 1 --sweeps 3 --objective divergence --x-gradient-out g.npy",
       "is not solved");
  CHECK(!here.has("p.npy"));
  CHECK(!here.has("g.npy"));
}

TEST_CASE("transport of points has gradients, a debiased divergence and other grounds") {
  place const here;
  here.write<double>("x.npy", "<f8", {3, 2}, {.1, .9, 1.2, .3, -.4, 1});
  here.write<double>("y.npy", "<f8", {2, 2}, {1, 1, .2, -.7});
  std::string const points =
      "transport --x x.npy --y y.npy --epsilon 0.5 --tolerance 1e-12 --json ";
  auto const solved = [&](std::string const& more) {
    CAPTURE(more);
    result const r = run_words(here, points + more);
    CHECK(r.errors.empty());
    REQUIRE(r.status == 0);
    return json::parse(r.output);
  };
  auto const number = [](json const& from, char const* key) { return from.at(key).get<double>(); };
  for (std::string const objective : {"transport_cost", "entropic", "divergence"}) {
    std::string const more = "--ground squared_l2 --objective " + objective;
    here.write<double>("x.npy", "<f8", {3, 2}, {.1, .9, 1.2, .3, -.4, 1});
    solved(more + " --x-gradient-out g.npy --y-gradient-out h.npy");
    CHECK(here.read("h.npy").shape == std::vector<std::size_t>{2, 2});
    double const slope = here.read("g.npy").values[2];
    auto const moved = [&](double by) {
      here.write<double>("x.npy", "<f8", {3, 2}, {.1, .9, 1.2 + by, .3, -.4, 1});
      return number(solved(more), objective.c_str());
    };
    CHECK(std::abs((moved(1e-4) - moved(-1e-4)) / 2e-4 - slope) <= 1e-6);
  }
  CHECK(number(solved("--ground lp --order 2"), "transport_cost") ==
        doctest::Approx(number(solved("--ground l2"), "transport_cost")).epsilon(1e-12));
  CHECK(number(solved("--ground lp --order 1 --policy seq"), "dual") ==
        doctest::Approx(number(solved("--threads 2"), "dual")).epsilon(1e-12));
  json const d = solved("--objective divergence");
  CHECK(number(d, "divergence") ==
        doctest::Approx(number(d.at("between"), "dual") - number(d.at("of_rows"), "dual") / 2 -
                        number(d.at("of_columns"), "dual") / 2));
  CHECK(d.at("between").at("status") == "converged");
  CHECK(number(solved("--ground cosine"), "mass") == doctest::Approx(1));
}

TEST_CASE("transport misses masses at a price, moves parts of them, and rounds plans") {
  place const here;
  here.write<double>("c.npy", "<f8", {1, 3}, {3, 1, 2});
  here.write<double>("a.npy", "<f8", {1}, {1});
  here.write<double>("b.npy", "<f8", {3}, {.5, .5, .5});
  std::string const costs = "transport --cost c.npy --a a.npy --b b.npy --json ";
  auto const solved = [&](std::string const& more) {
    result const r = run_words(here, costs + more);
    CHECK(r.errors.empty());
    REQUIRE(r.status == 0);
    return json::parse(r.output);
  };
  // the cheapest first
  json const part = solved("--epsilon 0.01 --moved 0.75 --plan-out p.npy --gradient-out g.npy");
  CHECK(part.at("status") == "converged");
  CHECK(std::abs(part.at("mass").get<double>() - .75) <= 1e-8);
  CHECK(std::abs(part.at("transport_cost").get<double>() - 1) <= 1e-6);
  CHECK(std::abs(here.read("p.npy").values[1] - .5) <= 1e-6);
  CHECK(here.read("g.npy").shape == std::vector<std::size_t>{1, 3});
  json const free = solved("--epsilon 1 --row-penalty 0.5 --column-penalty 2");
  CHECK(free.at("domain") == "logarithms");
  CHECK(free.at("entropic").get<double>() ==
        doctest::Approx(free.at("dual").get<double>()).epsilon(1e-8));
  // a row alone, one ρ: all of its entries are known
  json const rows = solved("--epsilon 1 --row-penalty 1e-3");
  CHECK(rows.at("mass").get<double>() == doctest::Approx(1.5).epsilon(1e-6));

  here.write<double>("c.npy", "<f8", {2, 2}, {0, 1, 2, .5});
  here.write<double>("a.npy", "<f8", {2}, {.3, .7});
  here.write<double>("b.npy", "<f8", {2}, {.6, .4});
  json const few = solved("--epsilon 0.1 --sweeps 1 --plan-out p.npy --feasible");
  CHECK(few.at("status") == "sweeps_done");
  array const plan = here.read("p.npy");
  CHECK(plan.values[0] + plan.values[1] == doctest::Approx(.3).epsilon(1e-14));
  CHECK(plan.values[0] + plan.values[2] == doctest::Approx(.6).epsilon(1e-14));
  json const stopped = solved("--epsilon 0.01 --max-sweeps 1");
  CHECK(stopped.at("sweeps").get<int>() <= 1);
  CHECK(run_words(here, costs + "--epsilon 0.1 --moved 0").errors.find("must be positive") !=
        std::string::npos);
}

TEST_CASE("transport writes the gradient of what a number of sweeps computes") {
  place const here;
  std::vector<double> const cost{0, 1, 2, .5, 1, 3};
  here.write<double>("a.npy", "<f8", {3}, {.2, .3, .5});
  here.write<double>("b.npy", "<f8", {2}, {.6, .4});
  std::string const few =
      "transport --cost c.npy --a a.npy --b b.npy --epsilon .2 --sweeps 2 --json";
  auto const paid = [&](double by) {
    std::vector<double> moved = cost;
    moved[2] += by;
    here.write<double>("c.npy", "<f8", {3, 2}, moved);
    result const r = run_words(here, few + (by == 0 ? " --gradient-out g.npy" : ""));
    REQUIRE(r.status == 0);
    return json::parse(r.output).at("transport_cost").get<double>();
  };
  paid(0);
  double const slope = here.read("g.npy").values[2];
  CHECK((paid(1e-4) - paid(-1e-4)) / 2e-4 == doctest::Approx(slope).epsilon(1e-6));
}

TEST_CASE("transport on the line is exact") {
  place const here;
  here.write<double>("x.npy", "<f8", {3}, {3, 1, 2});
  here.write<double>("y.npy", "<f8", {2, 1}, {5, 0});
  here.write<double>("b.npy", "<f8", {2}, {2. / 3, 1. / 3});
  result const r = run_words(here,
                             "transport --x x.npy --y y.npy --b b.npy --line --order 2 --json "
                             "--plan-out p.npy --x-gradient-out g.npy");
  REQUIRE(r.status == 0);
  json const out = json::parse(r.output);
  // 1 to 0, 2 and 3 to 5
  CHECK(out.at("transport_cost").get<double>() == doctest::Approx(14. / 3).epsilon(1e-14));
  CHECK(out.at("distance").get<double>() == doctest::Approx(std::sqrt(14. / 3)).epsilon(1e-14));
  CHECK(here.read("p.npy").shape == std::vector<std::size_t>{3, 3});
  CHECK(here.read("g.npy").values[0] == doctest::Approx(-4. / 3).epsilon(1e-14));
}

}  // namespace cli_test
