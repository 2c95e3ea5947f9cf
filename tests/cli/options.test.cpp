// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The commands and their options.
#include "program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace cli_test {
namespace {

constexpr std::size_t rows = 4, classes = 6;

place const& example() {
  static place const here;
  static bool const written = [] {
    here.write<float>("t.npy", "<f4", {rows, classes}, logits(rows * classes, 7));
    here.write<float>("s.npy", "<f4", {rows, classes}, logits(rows * classes, 8));
    here.write<std::int64_t>("y.npy", "<i8", {rows}, {0, 5, 2, 1});
    return true;
  }();
  static_cast<void>(written);
  return here;
}

json parsed(result const& r) {
  REQUIRE_MESSAGE(r.status == 0, r.errors);
  return r.parsed();
}

}  // namespace

TEST_CASE("a loss that reads no teacher needs none") {
  place const& here = example();
  for (std::string const loss : {"z_loss", "cross_entropy(smoothing=0.1)+0.5*z_loss"}) {
    CAPTURE(loss);
    for (std::vector<std::string> more :
         {std::vector<std::string>{}, {"--student-transforms", "softcap=3"}}) {
      more.insert(more.end(), {"--labels", "y.npy", "--gradient-out", "G.npy"});
      json const beside = parsed(eval(here, loss, more));
      auto const gradient = here.read("G.npy").values;
      std::vector<std::string> alone{"eval", "--loss", loss, "--student", "s.npy", "--json"};
      alone.insert(alone.end(), more.begin(), more.end());
      CHECK(parsed(run(here, alone))["loss"] == beside["loss"]);
      CHECK(here.read("G.npy").values == gradient);
    }
  }
}

TEST_CASE("list names every loss with parameters, defaults and formula") {
  place const here;
  result const r = run(here, {"list", "--json"});
  REQUIRE(r.status == 0);
  std::set<std::string> names;
  for (auto const& loss : r.parsed()) {
    names.insert(loss["name"].get<std::string>());
    CHECK(!loss["formula"].get<std::string>().empty());
    if (loss["name"] == "skew_kl") {
      CHECK(loss["parameters"][0]["name"] == "teacher_weight");
      CHECK(loss["parameters"][0]["default"] == 0.1);
    }
    if (loss["name"] == "power") CHECK(loss["parameters"][1]["name"] == "exponent");
  }
  for (char const* name : {"kl",
                           "reverse_kl",
                           "jeffreys",
                           "jensen_shannon",
                           "skew_js",
                           "skew_kl",
                           "squared_hellinger",
                           "pearson",
                           "neyman",
                           "total_variation",
                           "alpha",
                           "alpha_beta",
                           "cross_entropy",
                           "soft_cross_entropy",
                           "z_loss",
                           "reverse",
                           "symmetrized",
                           "skew",
                           "power",
                           "generalised_js"}) {
    CHECK(names.count(name) == 1);
    CHECK(run(here, {"list"}).output.find(name) != std::string::npos);
  }
}

TEST_CASE("list --shapes draws f of every f-divergence") {
  place const here;
  std::size_t shapes = 0;
  for (auto const& loss : run(here, {"list", "--json", "--shapes"}).parsed()) {
    if (!loss.contains("shape")) continue;
    ++shapes;
    auto const u = loss["shape"]["u"].get<std::vector<double>>();
    auto const f = loss["shape"]["f"].get<std::vector<double>>();
    auto const slope = loss["shape"]["slope"].get<std::vector<double>>();
    REQUIRE(f.size() == u.size());
    REQUIRE(slope.size() == u.size());
    for (std::size_t i = 0; i < u.size(); ++i) {
      if (u[i] == 1) CHECK(f[i] == 0);
      if (i > 0) CHECK(slope[i] >= slope[i - 1] - 1e-12);
    }
    if (loss["name"] == "kl") {
      CHECK(loss["f_at_zero"] == 1);
      CHECK(loss["f_slope_at_infinity"] == "inf");
      CHECK(f.back() == doctest::Approx(32 * std::log(32.) - 31));
    }
  }
  CHECK(shapes > 15);
  CHECK(run(here, {"list", "--shapes"}).status != 0);
}

TEST_CASE("eval prints the same as text and as JSON") {
  auto const fields = parsed(eval(example(), "kl"));
  std::set<std::string> keys;
  for (auto const& [key, value] : fields.items()) keys.insert(key);
  CHECK(keys == std::set<std::string>{"loss", "rows", "valid_rows", "classes", "dtype", "policy",
                                      "threads", "seconds", "gradient_norm"});
  CHECK(fields["rows"] == rows);
  CHECK(fields["valid_rows"] == rows);
  CHECK(fields["classes"] == classes);
  CHECK(fields["policy"] == "simd");
  CHECK(fields["threads"] == 1);
  CHECK(fields["seconds"].get<double>() > 0);
  result const text =
      run(example(), {"eval", "--loss", "kl", "--teacher", "t.npy", "--student", "s.npy"});
  CHECK(text.status == 0);
  CHECK(text.output.find("classes          6\n") != std::string::npos);
}

TEST_CASE("mask, weights and reductions") {
  place const& here = example();
  here.write<std::uint8_t>("m.npy", "|b1", {rows}, {1, 0, 1, 1});
  here.write<double>("w.npy", "<f8", {rows}, {0.5, 9, -1, 2});
  parsed(eval(here, "kl", {"--per-row-out", "plain.npy"}));
  auto const plain = here.read("plain.npy").values;
  double const sum = 0.5 * plain[0] - plain[2] + 2 * plain[3];

  std::vector<std::string> const rows_only{"--mask", "m.npy", "--weights", "w.npy", "--reduction"};
  using known = std::pair<std::string, double>;
  for (known const& one : {known{"sum", sum}, known{"none", sum}, known{"mean", sum / 3}}) {
    std::string const reduction = one.first;
    double const expected = one.second;
    CAPTURE(reduction);
    auto arguments = rows_only;
    arguments.insert(arguments.end(),
                     {reduction, "--gradient-out", "G.npy", "--per-row-out", "R.npy"});
    auto const fields = parsed(eval(here, "kl", arguments));
    CHECK(fields["loss"].get<double>() == doctest::Approx(expected).epsilon(1e-5));
    CHECK(fields["valid_rows"] == 3);
    auto const losses = here.read("R.npy").values;
    CHECK(losses[0] == doctest::Approx(0.5 * plain[0]).epsilon(1e-5));
    CHECK(losses[1] == 0);
    auto const gradient = here.read("G.npy").values;
    CHECK(std::all_of(gradient.begin() + classes, gradient.begin() + 2 * classes,
                      [](double x) { return x == 0; }));
  }
}

TEST_CASE("temperature is the default of terms that name none") {
  place const& here = example();
  auto const loss = [&](char const* spec, char const* temperature) {
    return parsed(eval(here, spec, {"--temperature", temperature}))["loss"].get<double>();
  };
  CHECK(loss("kl", "3") == loss("kl(temperature=3)", "1"));
  CHECK(loss("kl(temperature=3)", "7") == loss("kl(temperature=3)", "1"));
  CHECK(loss("kl(t_squared=true)", "3") == doctest::Approx(9 * loss("kl", "3")).epsilon(1e-6));
}

TEST_CASE("valid classes leave padding out") {
  place const& here = example();
  auto const s = here.read("s.npy").values;
  std::vector<double> wide;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < classes + 3; ++k) {
      wide.push_back(k < classes ? s[i * classes + k] : std::nan(""));
    }
  }
  here.write<float>("wide.npy", "<f4", {rows, classes + 3}, wide);
  result const r = run(here, {"eval", "--loss", "kl", "--teacher", "t.npy", "--student", "wide.npy",
                              "--valid-classes", "6", "--json", "--gradient-out", "G.npy"});
  auto const fields = parsed(r);
  CHECK(fields["loss"] == parsed(eval(here, "kl"))["loss"]);
  CHECK(fields["classes"] == classes);
  array const gradient = here.read("G.npy");
  CHECK(gradient.shape == std::vector<std::size_t>{rows, classes + 3});
  CHECK(gradient.values[classes] == 0);
  CHECK(parsed(eval(here, "kl", {"--valid-classes", "4"}))["loss"] != fields["loss"]);
}

TEST_CASE("policies agree") {
  place const& here = example();
  auto const loss = [&](std::vector<std::string> const& how) {
    return parsed(eval(here, "alpha_beta(alpha=0.2,beta=0.7)", how))["loss"].get<double>();
  };
  double const simd = loss({});
  CHECK(loss({"--policy", "simd", "--threads", "1", "--repeat", "3"}) == simd);
  CHECK(loss({"--policy", "seq"}) == doctest::Approx(simd).epsilon(1e-6));
  if constexpr (DIVOT_PROGRAM_HAS_OPENMP) {
    CHECK(loss({"--policy", "omp", "--threads", "2"}) == simd);
    auto const fields = parsed(eval(here, "kl", {"--threads", "2"}));
    CHECK(fields["policy"] == "omp");
    CHECK(fields["threads"] == 2);
  } else {
    result const r = eval(here, "kl", {"--policy", "omp"});
    CHECK(r.status == 2);
    CHECK(r.errors.find("without OpenMP") != std::string::npos);
  }
}

TEST_CASE("an infinite loss is a string in JSON") {
  place const here;
  double const gone = -std::numeric_limits<double>::infinity();
  here.write<double>("t.npy", "<f8", {1, 3}, {0, 1, 2});
  here.write<double>("s.npy", "<f8", {1, 3}, {0, 1, gone});
  CHECK(parsed(eval(here, "kl"))["loss"] == "inf");
  CHECK(parsed(eval(here, "-1*kl"))["loss"] == "-inf");
  CHECK(parsed(eval(here, "total_variation"))["loss"].is_number());
}

TEST_CASE("no rows, and a run that overwrites its output") {
  place const here;
  here.write<float>("t.npy", "<f4", {0, 3}, {});
  here.write<float>("s.npy", "<f4", {0, 3}, {});
  here.write_bytes("G.npy", "something old");
  auto const fields = parsed(eval(here, "kl", {"--gradient-out", "G.npy"}));
  CHECK(fields["loss"] == 0);
  CHECK(fields["valid_rows"] == 0);
  CHECK(here.read("G.npy").shape == std::vector<std::size_t>{0, 3});
  CHECK(here.file_count() == 3);
}

TEST_CASE("compare sets all losses beside KL") {
  place const& here = example();
  std::vector<std::string> arguments{"compare",   "--teacher", "t.npy",
                                     "--student", "s.npy",     "--json"};
  auto const without = parsed(run(here, arguments));
  CHECK(without["left_out"][0]["name"] == "cross_entropy");
  CHECK(without["losses"][0]["name"] == "kl");
  CHECK(without["losses"][0]["loss"] == parsed(eval(here, "kl"))["loss"]);
  CHECK(without["losses"][0]["cosine_to_kl"].get<double>() == doctest::Approx(1));
  for (auto const& loss : without["losses"]) {
    for (char const* key : {"gradient_norm", "largest_gradient_entry", "cosine_to_kl",
                            "ns_per_element", "gigabytes_per_second"}) {
      CHECK(loss[key].is_number());
    }
  }
  arguments.insert(arguments.end(), {"--labels", "y.npy", "--temperature", "2"});
  auto const with = parsed(run(here, arguments));
  CHECK(with["losses"].size() == without["losses"].size() + 1);
  CHECK(with["left_out"].empty());
  CHECK(with["losses"][0]["loss"] == parsed(eval(here, "kl", {"--temperature", "2"}))["loss"]);
  result const text = run(here, {"compare", "--teacher", "t.npy", "--student", "s.npy"});
  CHECK(text.output.find("cross_entropy is left out: it needs --labels") != std::string::npos);
}

TEST_CASE("help and version end well") {
  place const here;
  CHECK(run(here, {"--help"}).status == 0);
  std::string const help = run(here, {"eval", "--help"}).output;
  for (char const* word : {"--gradient-out", "--teacher-top-k", "--tail", "--teacher-weights",
                           "--student-transforms", "softcap=C", "skew(D,W)", "power(D,R)"}) {
    CHECK(help.find(word) != std::string::npos);
  }
  CHECK(run(here, {"--version"}).status == 0);
}

}  // namespace cli_test
