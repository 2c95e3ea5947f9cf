// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The softmax family as a device does it, on host threads that imitate a block, against seq.

#include <divot/divot.hpp>

#include <divot/exec/device_softmax_row.hpp>

#include <doctest/doctest.h>
#include <lockstep/imitated_group.hpp>
#include <parity/grid.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using divot::softmax_task;

template <softmax_task Task, class Call>
std::vector<bool> imitate(Call call, divot::index threads = 3) {
  using team = divot::lockstep_team<float, lockstep::imitated_group>;
  call.rows = call.x.rows;
  call.classes = call.options.valid_classes > 0 ? call.options.valid_classes : call.x.cols;
  divot::index const step = (call.classes + 3) / 4 * 4;
  std::vector<float> memory(static_cast<std::size_t>(2 * step + 4), std::nanf(""));
  auto const misaligned = reinterpret_cast<std::uintptr_t>(memory.data()) % 16 / sizeof(float);
  float* const base = memory.data() + (4 - misaligned) % 4;
  std::vector<bool> good(static_cast<std::size_t>(call.rows));
  lockstep::imitated_group::run(threads, [&] {
    for (divot::index r = 0; r < call.rows; ++r) {
      bool const fine = divot::device_softmax_row<Task, team>(call, base, step, 0, r);
      if (team::leads()) good[static_cast<std::size_t>(r)] = fine;
    }
  });
  return good;
}

struct sample {
  parity::problem<float> p;
  std::vector<float> out, right;
  divot::matrix_ref<float const> x, u;
  divot::matrix_ref<float> to;
  divot::device_view<float const> dx, du;
  divot::device_view<float> dto;

  sample(std::uint64_t seed, divot::index rows, divot::index cols)
      : p(seed, rows, cols, 4),
        out(p.student.size(), 99.f),
        right(p.student.size(), 99.f),
        x(p.student.data(), rows, cols),
        u(p.teacher.data(), rows, cols),
        to(right.data(), rows, cols),
        dx(p.student.data(), rows, cols),
        du(p.teacher.data(), rows, cols),
        dto(out.data(), rows, cols) {}
  bool agree() const {
    auto const bound = budget::held("softmax", budget::situation::moderate, true);
    return parity::row_error(out, right, p.rows, p.cols) <= 2 * bound.gradient;
  }
};

}  // namespace

TEST_CASE("a block's softmax, log-softmax and pullbacks agree with seq") {
  std::uint64_t seed = 20;
  for (divot::index const cols : {1, 2, 5, 32, 33, 129, 3001}) {
    CAPTURE(cols);
    sample s(++seed, 3, cols);
    divot::softmax(divot::seq, divot::logits(s.x, 2), s.to);
    imitate<softmax_task::softmax>(divot::softmax_of(divot::logits(s.dx, 2), s.dto, {}));
    CHECK(s.agree());
    // what it returned, pulled back in place
    divot::softmax_pullback(divot::seq, s.to, s.u, s.to, 2);
    imitate<softmax_task::softmax_pullback>(divot::pullback_of(s.dto, s.du, s.dto, 2, {}));
    CHECK(s.agree());
    divot::log_softmax(divot::seq, s.x, s.to);
    imitate<softmax_task::log_softmax>(divot::softmax_of(s.dx, s.dto, {}));
    CHECK(s.agree());
    divot::log_softmax_pullback(divot::seq, s.to, s.u, s.to, 3);
    imitate<softmax_task::log_softmax_pullback>(divot::pullback_of(s.dto, s.du, s.dto, 3, {}));
    CHECK(s.agree());
  }
}

TEST_CASE("a block's logsumexp and its pullback agree with seq") {
  sample s(60, 4, 45);
  std::vector<double> out(4, -1), right(4, -1), arrives{1, -2, .5, 3};
  std::vector<std::uint8_t> const mask{1, 1, 0, 1};
  divot::device_batch options;
  options.mask = {mask.data(), 4};
  divot::batch host;
  host.mask = mask;
  divot::logsumexp(divot::seq, divot::logits(s.x, .5), right, host);
  auto call = divot::softmax_of(divot::logits(s.dx, .5), divot::device_view<float>(), options);
  call.row_out = {out.data(), 4};
  imitate<softmax_task::logsumexp>(call);
  for (std::size_t r = 0; r < 4; ++r) CHECK(out[r] == doctest::Approx(right[r]).epsilon(1e-6));
  divot::logsumexp_pullback(divot::seq, s.x, arrives, s.to, host);
  auto back = divot::softmax_of(s.dx, s.dto, options);
  back.row_upstream = {arrives.data(), 4};
  imitate<softmax_task::logsumexp_pullback>(back);
  CHECK(s.agree());
}

TEST_CASE("bad rows are told, and left as they were") {
  sample s(61, 3, 20);
  s.p.student[25] = std::numeric_limits<float>::quiet_NaN();
  auto const good = imitate<softmax_task::softmax>(divot::softmax_of(s.dx, s.dto, {}));
  CHECK(good == std::vector<bool>{true, false, true});
  CHECK(std::vector<float>(s.out.begin() + 20, s.out.begin() + 40) == std::vector<float>(20, 99.f));
}
