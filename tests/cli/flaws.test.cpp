// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A flaw in the input: status 2, one line that names file, place and flaw, and no output file.
#include "program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cli_test {
namespace {

constexpr std::size_t rows = 3, classes = 4;

/// A directory with t.npy and s.npy that have no flaw.
class sound_place : public place {
 public:
  sound_place() {
    write<float>("t.npy", "<f4", {rows, classes}, logits(rows * classes, 9));
    write<float>("s.npy", "<f4", {rows, classes}, student);
  }
  std::vector<double> student = logits(rows * classes, 10);
};

void check_flaw(result const& r, std::string const& words) {
  CAPTURE(words);
  CAPTURE(r.errors);
  CHECK(r.status == 2);
  CHECK(r.output.empty());
  CHECK(std::count(r.errors.begin(), r.errors.end(), '\n') == 1);
  CHECK(r.errors.rfind("divot: ", 0) == 0);
  CHECK(r.errors.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("flaws of files") {
  sound_place const here;
  auto const bad = [&](std::string const& bytes, std::string const& words) {
    here.write_bytes("s.npy", bytes);
    std::size_t const before = here.file_count();
    check_flaw(eval(here, "kl", {"--gradient-out", "G.npy", "--per-row-out", "R.npy"}), words);
    CHECK(here.file_count() == before);
  };
  std::string const sound = read_bytes(here / "s.npy");
  auto const with_header = [&](std::string const& text) {
    return npy_header(text) + std::string(rows * classes * 4, '\0');
  };
  bad("", "s.npy: byte 0: not a .npy file");
  bad("hello", "s.npy: byte 0: not a .npy file");
  bad(sound.substr(0, 7), "s.npy: truncated");
  bad(sound.substr(0, 9), "s.npy: truncated");
  bad(sound.substr(0, 30), "s.npy: truncated: 30 bytes");
  bad(sound.substr(0, sound.size() - 1), "s.npy: truncated: shape (3, 4) of f4 needs 48 bytes");
  bad(sound + "x", "s.npy: shape (3, 4) of f4 ends at byte");
  bad("\x93NUMPY\x09\x01" + sound.substr(8), "s.npy: byte 6: format version 9");
  bad(with_header(dictionary(">f4", {rows, classes})), "s.npy: header: dtype '>f4': big-endian");
  bad(with_header(dictionary("|O", {rows, classes})), "s.npy: header: dtype '|O': Python objects");
  bad(with_header(dictionary("<c8", {rows, classes})), "s.npy: header: dtype '<c8'");
  bad(with_header(dictionary("<f16", {rows, classes})), "s.npy: header: dtype '<f16'");
  bad(with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 4), }"),
      "s.npy: header, character 11: the elements are records");
  bad(with_header("{'descr': '<f4', 'shape': (3, 4), }"), "'fortran_order' is missing");
  bad(with_header("{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4), }"),
      "s.npy: header, character 35: True or False is missing");
  bad(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, -4), }"),
      "s.npy: header, character 55: a number is missing");
  bad(with_header("{'descr': '<f4"), "s.npy: header, character 11: a string has no end");
  bad(with_header(dictionary("<f4", {1ull << 40, 1ull << 40})), "larger than any memory");
  bad(with_header(dictionary("<f4", {1ull << 40, 2})), "s.npy: truncated");
  bad(with_header(dictionary("<f4", {rows * classes})),
      "s.npy: the shape is (12,); logits have two dimensions");
  bad(with_header(dictionary("<f4", {1, rows, classes})), "s.npy: the shape is (1, 3, 4)");
  bad(with_header(dictionary("<i4", {rows, classes})), "s.npy: dtype i4: logits are float16");
  bad(with_header(dictionary("<f4", {classes, rows})), "s.npy: 4 rows, but t.npy has 3");
  bad(with_header(dictionary("<f8", {rows, 2})), "s.npy: 2 columns, but t.npy has 4");
}

TEST_CASE("flaws of values") {
  sound_place const here;
  double const inf = std::numeric_limits<double>::infinity();
  auto const bad = [&](std::size_t at, double value, std::string const& words,
                       std::vector<std::string> more = {}) {
    auto values = here.student;
    values[at] = value;
    here.write<double>("s.npy", "<f8", {rows, classes}, values);
    std::size_t const before = here.file_count();
    more.insert(more.end(), {"--gradient-out", "G.npy"});
    check_flaw(eval(here, "kl+z_loss", more), words);
    CHECK(here.file_count() == before);
  };
  bad(6, std::numeric_limits<double>::quiet_NaN(), "s.npy: row 1, column 2: NaN");
  bad(6, std::numeric_limits<double>::quiet_NaN(), "s.npy: row 1, column 2: NaN",
      {"--policy", "seq"});
  bad(11, inf, "s.npy: row 2, column 3: +inf");
  bad(0, 1e300, "s.npy: row 0, column 0: 1e+300 is beyond the range of f32", {"--dtype", "f32"});
  bad(0, 70000, "s.npy: row 0, column 0: 70000 is beyond the range of f16", {"--dtype", "f16"});
  auto values = here.student;
  std::fill(values.begin() + classes, values.begin() + 2 * classes, -inf);
  here.write<double>("s.npy", "<f8", {rows, classes}, values);
  check_flaw(eval(here, "kl"), "s.npy: row 1: every logit is -inf");

  here.write<float>("s.npy", "<f4", {rows, classes}, here.student);
  here.write<std::int64_t>("y.npy", "<i8", {rows}, {0, 4, 1});
  check_flaw(eval(here, "cross_entropy", {"--labels", "y.npy"}),
             "y.npy: row 1: label 4 is not in 0");
  here.write<std::int64_t>("y.npy", "<i8", {rows}, {0, 1, -1});
  check_flaw(eval(here, "cross_entropy", {"--labels", "y.npy"}), "y.npy: row 2: label -1");
  here.write<std::int64_t>("y.npy", "<i8", {2}, {0, 1});
  check_flaw(eval(here, "cross_entropy", {"--labels", "y.npy"}),
             "y.npy: 2 elements, but s.npy has 3 rows");
  here.write<float>("y.npy", "<f4", {rows}, {0, 1, 2});
  check_flaw(eval(here, "cross_entropy", {"--labels", "y.npy"}), "y.npy: dtype f4");
  here.write<double>("w.npy", "<f8", {rows}, {0, 1, inf});
  check_flaw(eval(here, "kl", {"--weights", "w.npy"}), "w.npy: row 2: the weight inf");
  check_flaw(eval(here, "kl", {"--mask", "w.npy"}), "w.npy: dtype f8: masks are");
  check_flaw(eval(here, "kl", {"--mask", "t.npy"}), "t.npy: the shape is (3, 4)");
}

TEST_CASE("flaws of the loss") {
  sound_place const here;
  for (auto const& [spec, words] : std::vector<std::pair<std::string, std::string>>{
           {"", "character 1: a loss is missing"},
           {"hellinger", "there is no loss 'hellinger'; the nearest are squared_hellinger"},
           {"0.5*kl+jss", "character 8: there is no loss 'jss'; the nearest are "},
           {"skew_kl(0.1)", "character 9: a key is missing, as in skew_kl(teacher_weight=0.1)"},
           {"alpha_beta(alpha=1,.5)", "a key is missing, as in alpha_beta(alpha="},
           {"kl(2)", "character 4: a key is missing, as in kl(temperature=2)"},
           {"tsallis(3)", "character 9: a key is missing, as in tsallis(order=2)"},
           {"tvd(order=1)", "character 5: total_variation has no key 'order'"},
           {"2/kl", "character 3: what stands behind a / must be a number"},
           {"kl/0", "character 1: the weight is not finite"},
           {"kl(weight=1)", "character 4: kl has no key 'weight'; it has temperature, t_squared"},
           {"skew_kl(alpha=.1)", "it has teacher_weight, temperature, t_squared"},
           {"kl(temperature=0)", "character 16: a temperature must be greater than 0"},
           {"kl(temperature=x)", "character 16: a number is missing"},
           {"kl(temperature=1e999)", "character 16: the number is out of range"},
           {"kl(t_squared=yes)", "character 14: 't_squared' is true or false"},
           {"kl(temperature=2,temperature=2)", "character 18: 'temperature' is given twice"},
           {"alpha(alpha=nan)", "character 13: the number must be finite"},
           {"skew_js(teacher_weight=2)", "skew_js: teacher_weight is 2"},
           {"0.3", "character 1: a number without a loss"},
           {"kl*kl", "character 4: a loss times a loss"},
           {"kl kl", "character 4: '+', '-' or the end is missing"},
           {"(kl", "character 4: ')' is missing"},
           {"kl)", "character 3: this parenthesis closes nothing"},
           {"kl\n+", "character 3: '+', '-' or the end is missing"},
           {"reverse(z_loss)", "character 1: z_loss has no reverse"},
           {"reverse", "character 8: reverse takes a divergence"},
           {"skew(kl)", "character 8: the teacher_weight is missing, as in skew(kl,0.1)"},
           {"skew(kl,1)", "character 9: a skew's weight of the teacher must lie in (0, 1)"},
           {"skew(kl,weight=.1)", "character 9: skew has no key 'weight'; it has teacher_weight"},
           {"skew(kl,.1,temperature=2)", "keys stand inside: skew(kl(temperature=2),0.1)"},
           {"skew(0.1,kl)", "character 6: a number without a loss"},
           {"skew(cross_entropy,0.1)", "character 1: cross_entropy has no skew"},
           {"kl+power(z_loss,2)", "character 4: z_loss has no power"},
           {"power(kl,0)", "character 10: an exponent must be greater than 0"},
           {"power(power(kl,2),2)", "character 1: a power inside a power"},
           {"power(kl-0.5*pearson,2)", "weights that are not negative; that of pearson is"},
           {"skew(skew_js(teacher_weight=2),0.1)",
            "term skew(skew_js(teacher_weight=2),0.1): skew_js: teacher_weight is 2"},
           {std::string(9999, '('), "too many parentheses"},
           {"cross_entropy", "cross_entropy needs the classes of the rows: give --labels"},
       }) {
    check_flaw(eval(here, spec, {"--gradient-out", "G.npy"}), words);
    CHECK(here.file_count() == 2);
  }
}

TEST_CASE("flaws of teachers") {
  sound_place const here;
  auto const bad = [&](std::vector<std::string> more, std::string const& words) {
    std::vector<std::string> arguments{"eval", "--loss", "kl", "--student", "s.npy"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--gradient-out", "G.npy"});
    check_flaw(run(here, arguments), words);
    CHECK(!here.has("G.npy"));
  };
  bad({}, "--loss: kl needs a teacher: give --teacher, or --teacher-top-k for a sparse one");
  auto const alone = [&](std::vector<std::string> const& more, std::string const& words) {
    std::vector<std::string> arguments{"eval", "--loss", "z_loss", "--student", "s.npy"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_flaw(run(here, arguments), words);
  };
  alone({"--teacher-gradient-out", "H.npy"}, "--teacher-gradient-out needs a teacher");
  alone({"--diagnostics"}, "--diagnostics needs a teacher: give --teacher");
  alone({"--teacher-transforms", "softcap=3"}, "--teacher-transforms: there is no teacher");
  alone({"--teacher-weights", "1"}, "--teacher-weights: 1 weights for 0 teachers");
  check_flaw(run(here, {"compare", "--student", "s.npy"}), "compare needs a teacher");
  bad({"--teacher", "t.npy", "none.npy"}, "none.npy: No such file");
  bad({"--teacher", "t.npy", "s.npy", "--teacher-weights", "0.3,0.6"},
      "--teacher-weights: the weights sum to 0.9; they must sum to 1");
  bad({"--teacher", "t.npy", "s.npy", "--teacher-weights", "1"},
      "--teacher-weights: 1 weights for 2 teachers");
  bad({"--teacher", "t.npy", "s.npy", "--teacher-weights", "1.5,-0.5"},
      "--teacher-weights: -0.5; a weight must be 0 or positive");
  bad({"--teacher", "t.npy", "s.npy", "--teacher-gradient-out", "H.npy"},
      "--teacher-gradient-out: a mixture of teachers has no gradient");
  bad({"--teacher", "t.npy", "--tail", "bucket"}, "--tail: only a sparse teacher has a tail");
  here.write<float>("u.npy", "<f4", {rows, 3}, logits(rows * 3, 1));
  bad({"--teacher", "t.npy", "u.npy"}, "s.npy: 4 columns, but u.npy has 3");
  auto values = logits(rows * classes, 9);
  values[7] = std::numeric_limits<double>::quiet_NaN();
  here.write<float>("u.npy", "<f4", {rows, classes}, values);
  bad({"--teacher", "t.npy", "u.npy"}, "u.npy: row 1, column 3: NaN");
  bad({"--teacher", "u.npy", "--teacher-transforms", "softcap=3"}, "u.npy: row 1, column 3: NaN");

  std::vector<std::string> const sparse{"--teacher-top-k", "i.npy", "p.npy"};
  auto const bad_sparse = [&](std::vector<double> const& indices, std::vector<double> const& p,
                              std::string const& words, std::vector<std::string> more = {}) {
    here.write<std::int64_t>("i.npy", "<i8", {indices.size() / 2, 2}, indices);
    here.write<double>("p.npy", "<f8", {p.size() / 2, 2}, p);
    more.insert(more.begin(), sparse.begin(), sparse.end());
    bad(more, words);
  };
  std::vector<double> const i{0, 1, 2, 3, 1, 0}, p{-1, -2, -1, -2, -1, -2};
  bad_sparse({0, 1, 2, 4, 1, 0}, p, "i.npy: row 1, column 1: class 4 is not in 0 … 3");
  bad_sparse({0, 1, 2, 3, -1, 0}, p, "i.npy: row 2, column 0: class -1 is not in 0 … 3");
  bad_sparse({0, 0, 2, 3, 1, 0}, p, "i.npy: row 0, column 1: class 0 stands there a second time");
  bad_sparse(i, {-1, -2, 1, -2, -1, -2},
             "p.npy: row 1, column 0: the log-probability is 1; it must not be positive");
  bad_sparse(i, {-1, -2, -1, -2, -0.1, -0.2}, "p.npy: row 2: the probabilities sum to 1.7");
  bad_sparse(i, {-1, -2, -1, -2}, "p.npy: 2 × 2, but i.npy is 3 × 2");
  bad_sparse({0, 1, 2, 3}, {-1, -2, -1, -2}, "s.npy: 3 rows, but i.npy has 2");
  bad_sparse(i, {-HUGE_VAL, -HUGE_VAL, -1, -2, -1, -2}, "p.npy: row 0: every class is -inf");
  bad_sparse(i, p, "--teacher-gradient-out: a sparse teacher has no gradient",
             {"--teacher-gradient-out", "H.npy"});
  bad_sparse(i, p, "--teacher-top-k: a sparse teacher cannot stand beside --teacher",
             {"--teacher", "t.npy"});
  bad_sparse(i, p, "--teacher-transforms: a sparse teacher has no logits",
             {"--teacher-transforms", "softcap=3"});
  bad_sparse(i, p, "--tail: all not in {renormalise,uniform,bucket}", {"--tail", "all"});
  here.write<double>("l.npy", "<f8", {rows}, {-1, -1, -1});
  bad_sparse(i, p, "l.npy: row 0: probabilities and tail mass sum to 0.87",
             {"--tail-log-mass", "l.npy"});
  bad({"--teacher-top-k", "t.npy", "s.npy"}, "t.npy: dtype f4: indices of classes are integers");
  bad({"--teacher-top-k", "i.npy", "i.npy"}, "i.npy: dtype i8: log-probabilities are float16");
}

TEST_CASE("flaws of transforms") {
  sound_place const here;
  here.write<double>("b.npy", "<f8", {3}, {1, 2, 3});
  here.write<double>("inf.npy", "<f8", {classes}, {1, 2, 3, HUGE_VAL});
  here.write<std::uint8_t>("none.npy", "|b1", {classes}, {0, 0, 0, 0});
  here.write<std::uint8_t>("row.npy", "|b1", {rows, classes}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1});
  for (auto const& [list, words] : std::vector<std::pair<std::string, std::string>>{
           {"", "--student-transforms: the name is empty"},
           {"cap=3", "--student-transforms: there is no transform 'cap'; there are softcap=C"},
           {"softcap", "--student-transforms: softcap needs a value: softcap=30"},
           {"standardise,softcap=x", "--student-transforms: softcap=x: a number is missing"},
           {"softcap=0", "--student-transforms: softcap=0; a cap must be positive and finite"},
           {"standardise=1", "--student-transforms: standardise takes no value"},
           {"bias=", "--student-transforms: bias needs a value: bias=FILE.npy"},
           {"bias=absent.npy", "absent.npy: No such file"},
           {"bias=b.npy", "b.npy: 3 elements, but the logits have 4 columns"},
           {"bias=inf.npy", "inf.npy: class 3: the bias inf is not finite"},
           {"bias=t.npy", "t.npy: the shape is (3, 4); biases have one dimension"},
           {"mask=b.npy", "b.npy: dtype f8: masks are integers or bool"},
           {"mask=none.npy", "none.npy: row 0: the mask leaves no class"},
           {"mask=row.npy", "row.npy: row 1: the mask leaves no class of this row"},
       }) {
    check_flaw(eval(here, "kl", {"--gradient-out", "G.npy", "--student-transforms", list}), words);
    CHECK(!here.has("G.npy"));
  }
  check_flaw(eval(here, "kl", {"--student-transforms", "bias=b.npy", "--gradient-out", "b.npy"}),
             "--gradient-out: b.npy: is an input too");
}

TEST_CASE("flaws of the command line") {
  sound_place const here;
  check_flaw(run(here, {}), "subcommand is required");
  check_flaw(run(here, {"evaluate"}), "there is no command 'evaluate'");
  check_flaw(run(here, {"list", "--all"}), "--all");
  check_flaw(run(here, {"eval", "--loss", "kl", "--teacher", "t.npy"}), "--student is required");
  check_flaw(run(here, {"compare", "--teacher", "t.npy", "--student", "none.npy"}),
             "none.npy: No such file or directory");
  check_flaw(run(here, {"compare", "--teacher", ".", "--student", "s.npy"}), ".: Is a directory");
  for (auto const& [option, value, words] : std::vector<std::array<std::string, 3>>{
           {"--temperature", "0", "--temperature: 0; it must be positive"},
           {"--temperature", "-1", "--temperature: -1;"},
           {"--temperature", "nan", "--temperature: nan;"},
           {"--temperature", "warm", "--temperature"},
           {"--threads", "0", "--threads: 0;"},
           {"--policy", "cuda", "--policy: cuda not in {seq,simd,omp}"},
           {"--dtype", "f8", "--dtype: f8 not in"},
           {"--reduction", "max", "--reduction: max not in"},
           {"--repeat", "0", "--repeat: 0;"},
           {"--valid-classes", "0", "--valid-classes: 0;"},
           {"--valid-classes", "5", "t.npy: 4 columns, fewer than --valid-classes 5"},
           {"--gradient-out", "", "--gradient-out: the name is empty"},
           {"--gradient-out", "none/G.npy", "--gradient-out: none/G.npy: No such file"},
           {"--gradient-out", ".", "--gradient-out: .: not a regular file"},
           {"--gradient-out", "/dev/null", "/dev/null: not a regular file"},
           {"--gradient-out", "s.npy", "--gradient-out: s.npy: is an input too"},
       }) {
    check_flaw(eval(here, "kl", {option, value}), words);
  }
  check_flaw(eval(here, "kl", {"--gradient-out", "G.npy", "--per-row-out", "./G.npy"}),
             "--per-row-out: ./G.npy: is another output too");
  check_flaw(eval(here, "kl", {"--policy", "simd", "--threads", "2"}),
             "policy simd uses one thread");
  CHECK(here.file_count() == 2);
}

}  // namespace cli_test
