// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// All units in one program, in the order that this program's name tells.

#include <doctest/doctest.h>
#include <odr/units.hpp>

#include <array>
#include <cstdio>
#include <map>
#include <string>

// Two threads are there on any machine.
#if defined(__clang__)  // whose omp.h declares it without noexcept
extern "C" int omp_get_num_procs() { return 4; }
#else
extern "C" int omp_get_num_procs() noexcept { return 4; }
#endif

namespace {

struct program {
  odr::unit const& (*unit)();
  char const* alone;  // the program of this unit alone
};

program const programs[] = {
    {odr::baseline, DIVOT_ALONE_baseline},       {odr::avx, DIVOT_ALONE_avx},
    {odr::avx_fma, DIVOT_ALONE_avx_fma},         {odr::avx2, DIVOT_ALONE_avx2},
    {odr::avx512, DIVOT_ALONE_avx512},
#if DIVOT_ODR_OPENMP
    {odr::avx2_openmp, DIVOT_ALONE_avx2_openmp},
#endif
};

std::string output_of(char const* command) {
  std::FILE* const pipe = popen(command, "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 64> line{};
  bool const read = std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr;
  pclose(pipe);
  std::string text = read ? line.data() : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

template <class Check>
void each_unit(Check const& check) {
  for (program const& p : programs) {
    odr::unit const& u = p.unit();
    CAPTURE(std::string(u.name));
    CAPTURE(std::string(u.abi));
    if (!u.runs_here()) {
      std::printf("skipped: this processor cannot run %s\n", u.name);
      continue;
    }
    check(p, u);
  }
}

}  // namespace

TEST_CASE("each unit's code is in a namespace of its own") {
  std::map<std::string, std::string> names;
  for (program const& p : programs) {
    odr::unit const& u = p.unit();
    INFO(u.name, " and ", names[u.abi], ": ", u.abi);
    CHECK(names[u.abi].empty());
    names[u.abi] = u.name;
  }
}

TEST_CASE("each unit has the packs of its own flags") {
  CHECK(odr::baseline().width == 4);
  CHECK(odr::avx().width == 8);
  CHECK(odr::avx_fma().width == 8);
  CHECK(odr::avx2().width == 8);
  CHECK(odr::avx512().width == 16);
}

TEST_CASE("each unit computes, to the bit, what it computes alone") {
  each_unit([](program const& p, odr::unit const& u) {
    std::string const alone = output_of(p.alone);
    CHECK(!alone.empty());
    CHECK(odr::digest(u) == alone);
  });
}

TEST_CASE("units in turn, with one workspace, do not disturb each other") {
  std::map<std::string, std::string> first;
  for (int round = 0; round < 3; ++round) {
    each_unit([&](program const&, odr::unit const& u) {
      std::string const now = odr::digest(u);
      if (round == 0) first[u.name] = now;
      CHECK(now == first[u.name]);
    });
  }
}

TEST_CASE("units with OpenMP run threads and the others do without") {
  each_unit([](program const&, odr::unit const& u) {
    if (u.threads == nullptr) return;
    std::vector<float> const t(400 * 500, 1.f), s(400 * 500, 0.5f);
    std::vector<float> g(400 * 500);
    int seen = 0;
    u.threads(divot::omp(2), {t.data(), 400, 500}, {s.data(), 400, 500},
              {odr::output(g.data(), 400, 500)}, seen);
    CHECK(seen == 2);
  });
}

TEST_CASE("one unit's exception is caught by another") {
  each_unit([](program const&, odr::unit const& u) {
    bool caught = false;
    try {
      u.fail();
    } catch (divot::bad_value const& e) {
      caught = e.row() == 0 && e.column() == 1;
    }
    CHECK(caught);
  });
}
