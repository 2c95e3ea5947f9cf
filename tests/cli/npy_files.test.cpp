// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What kinds of .npy files are read, and which of them give the same numbers.
#include "program.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace cli_test {
namespace {

/// Multiples of 1/4 up to 4: exact in float16 and bfloat16 too.
std::vector<double> coarse(std::size_t count, unsigned seed) {
  std::vector<double> values = logits(count, seed);
  for (double& x : values) x = std::round(x * 4) / 4;
  return values;
}

/// The bits of a coarse value in float16.
std::uint16_t half_bits(double x) {
  if (x == 0) return 0;
  int exponent = 0;
  double const fraction = std::frexp(std::abs(x), &exponent);  // in [½, 1)
  auto const mantissa = static_cast<unsigned>((fraction * 2 - 1) * 1024);
  return static_cast<std::uint16_t>((x < 0 ? 0x8000u : 0u) |
                                    static_cast<unsigned>(exponent - 1 + 15) << 10 | mantissa);
}

double loss_of(result const& r) {
  REQUIRE_MESSAGE(r.status == 0, r.errors);
  return r.parsed()["loss"].get<double>();
}

}  // namespace

TEST_CASE("types, storage orders and versions of .npy files") {
  place const here;
  constexpr std::size_t rows = 3, classes = 7;
  std::vector<std::size_t> const shape{rows, classes};
  auto const t = coarse(rows * classes, 3), s = coarse(rows * classes, 4);
  here.write<double>("t.npy", "<f8", shape, t);
  here.write<double>("s.npy", "<f8", shape, s);
  double const expected = loss_of(eval(here, "kl", {"--dtype", "f32"}));
  CHECK(expected > 0);

  auto const same = [&](char const* what) {
    CAPTURE(what);
    CHECK(loss_of(eval(here, "kl", {"--dtype", "f32"})) == expected);
  };
  here.write<float>("s.npy", "<f4", shape, s);
  same("float32");
  here.write<float>("s.npy", "f4", shape, s);
  same("no byte order");
  here.write<float>("s.npy", "=f4", shape, s);
  same("native byte order");
  here.write<double>("s.npy", "<f8", shape, s, true);
  same("Fortran order");
  here.write<float>("s.npy", "<f4", shape, s, true, 2);
  same("version 2");
  here.write<float>("s.npy", "<f4", shape, s, false, 3);
  same("version 3");
  std::vector<double> bits;
  for (double const x : s) bits.push_back(half_bits(x));
  here.write<std::uint16_t>("s.npy", "<f2", shape, bits);
  same("float16");
  here.write<std::uint16_t>("s.npy", "<f2", shape, bits, true);
  same("float16, Fortran order");
  std::string bytes = npy_header("{ \"shape\" : (3,7) ,'descr':'<f8' , 'fortran_order':False}   ");
  for (double const x : s) append(bytes, x);
  here.write_bytes("s.npy", bytes);
  same("other spacing and order of keys");

  // the dtype is that of the wider file, or as asked for
  here.write<float>("s.npy", "<f4", shape, s);
  CHECK(eval(here, "kl").parsed()["dtype"] == "f64");
  here.write<float>("t.npy", "<f4", shape, t);
  CHECK(eval(here, "kl").parsed()["dtype"] == "f32");
  here.write<std::uint16_t>("s.npy", "<f2", shape, bits);
  CHECK(eval(here, "kl").parsed()["dtype"] == "f32");
  for (char const* type : {"f16", "bf16", "f32", "f64"}) {
    CAPTURE(type);
    result const r = eval(here, "kl", {"--dtype", type, "--gradient-out", "G.npy"});
    CHECK(loss_of(r) == doctest::Approx(expected).epsilon(1e-6));
    CHECK(r.parsed()["dtype"] == type);
    CHECK(here.read("G.npy").descr == (std::string(type) == "f64" ? "<f8" : "<f4"));
  }
}

TEST_CASE("labels and masks of every width") {
  place const here;
  std::vector<std::size_t> const shape{3, 2};
  here.write<float>("t.npy", "<f4", shape, logits(6, 5));
  here.write<float>("s.npy", "<f4", shape, logits(6, 6));
  std::vector<double> const y{1, 0, 1};
  here.write<std::int64_t>("y.npy", "<i8", {3}, y);
  result const all = eval(here, "cross_entropy", {"--labels", "y.npy"});
  result const some = eval(here, "cross_entropy", {"--labels", "y.npy", "--mask", "y.npy"});
  double const expected = loss_of(all), expected_masked = loss_of(some);
  CHECK(some.parsed()["valid_rows"] == 2);
  CHECK(expected != expected_masked);
  auto const check = [&](char const* descr) {
    CAPTURE(descr);
    CHECK(loss_of(eval(here, "cross_entropy", {"--labels", "z.npy"})) == expected);
    CHECK(loss_of(eval(here, "cross_entropy", {"--labels", "z.npy", "--mask", "z.npy"})) ==
          expected_masked);
  };
  auto const with = [&]<class T>(T, char const* descr) {
    here.write<T>("z.npy", descr, {3}, y);
    check(descr);
  };
  with(std::int8_t{}, "|i1");
  with(std::uint8_t{}, "|u1");
  with(std::uint8_t{}, "|b1");
  with(std::int16_t{}, "<i2");
  with(std::uint16_t{}, "<u2");
  with(std::int32_t{}, "<i4");
  with(std::uint32_t{}, "<u4");
  with(std::uint64_t{}, "<u8");
}

TEST_CASE("rounding to half happens once") {
  place const here;
  // 1 + 2^-11 + 2^-40 lies just above the middle of two halves; through float it would land on the
  // middle and be rounded down to 1
  double const above = 1 + std::ldexp(1., -11) + std::ldexp(1., -40);
  here.write<double>("t.npy", "<f8", {1, 2}, {0, 0});
  here.write<double>("s.npy", "<f8", {1, 2}, {above, 0});
  double const rounded_up = loss_of(eval(here, "kl", {"--dtype", "f16"}));
  here.write<double>("s.npy", "<f8", {1, 2}, {1 + std::ldexp(1., -10), 0});
  CHECK(loss_of(eval(here, "kl", {"--dtype", "f16"})) == rounded_up);
}

}  // namespace cli_test
