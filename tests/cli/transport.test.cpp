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
  says("--cost c.npy --epsilon 1 --plan-out p.npy",
       "c.npy: row 0, column 1: nan; costs must be finite");
  says("--x x.npy --y y.npy --epsilon 1 --sweeps 3 --gradient-out g.npy", "is not solved");
  CHECK(!here.has("p.npy"));
  CHECK(!here.has("g.npy"));
}

}  // namespace cli_test
