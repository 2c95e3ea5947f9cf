// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Transforms of logits as a device does them, on host threads that imitate a block, against seq.

#include <divot/divot.hpp>

#include <doctest/doctest.h>
#include <lockstep/imitated_device.hpp>
#include <parity/grid.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using divot::index;
using parity::problem;

using byte_rows = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct numbers {
  double loss = -1;
  std::vector<float> student, teacher;
  divot::device_status status;
};

/// The same call on both; `wrap` is given the logits' wrapper and who is to have the numbers.
struct on_host {
  problem<float> const& p;
  auto logits(std::vector<float> const& x, double t) const {
    return divot::logits(divot::matrix_ref<float const>(x.data(), p.rows, p.cols), t);
  }
  template <class B>
  B const& vector(B const& b) const {
    return b;
  }
  auto matrix(std::vector<std::uint8_t> const& keep) const {
    return byte_rows(Eigen::Map<byte_rows const>(keep.data(), p.rows, p.cols));
  }
};
struct on_device {
  problem<float> const& p;
  auto logits(std::vector<float> const& x, double t) const {
    return divot::logits(divot::device_view<float const>(x.data(), p.rows, p.cols), t);
  }
  template <class B>
  auto vector(std::vector<B> const& b) const {
    return divot::device_span<B const>(b.data(), static_cast<index>(b.size()));
  }
  auto matrix(std::vector<std::uint8_t> const& keep) const {
    return divot::device_view<std::uint8_t const>(keep.data(), p.rows, p.cols);
  }
};

template <class Wrap>
numbers by_seq(problem<float> const& p, Wrap const& wrap) {
  numbers out{-1, p.student, p.teacher, {}};
  auto const [teacher, student] = wrap(on_host{p});
  divot::matrix_ref<float> const g(out.student.data(), p.rows, p.cols),
      h(out.teacher.data(), p.rows, p.cols);
  out.loss =
      static_cast<double>(divot::value_and_gradient(divot::seq, divot::kl{}, teacher, student,
                                                    divot::gradients().student(g).teacher(h))
                              .value);
  return out;
}
template <class Wrap>
numbers imitate(problem<float> const& p, Wrap const& wrap) {
  numbers out{-1, p.student, p.teacher, {}};
  auto const [teacher, student] = wrap(on_device{p});
  divot::device_view<float> const g(out.student.data(), p.rows, p.cols),
      h(out.teacher.data(), p.rows, p.cols);
  divot::device_batch options;
  options.loss = &out.loss;
  options.status = &out.status;
  lockstep::value_and_gradient(lockstep::imitated_policy{3}, divot::kl{}, teacher, student,
                               divot::device_gradients{g, h}, options);
  return out;
}

/// Worked out in double on both, and rounded once.
template <class Wrap>
void agree(problem<float> const& p, Wrap const& wrap) {
  CAPTURE(p.cols);
  auto const got = imitate(p, wrap), right = by_seq(p, wrap);
  CHECK(got.status.bad_rows == 0);
  CHECK(got.loss == doctest::Approx(right.loss).epsilon(1e-6));
  CHECK(parity::row_error(got.student, right.student, p.rows, p.cols) <= 1e-6);
  CHECK(parity::row_error(got.teacher, right.teacher, p.rows, p.cols) <= 1e-6);
}

}  // namespace

TEST_CASE("transforms and the way back through them are those of seq") {
  std::uint64_t seed = 300;
  for (divot::index const cols : {3, 5, 33, 1000}) {
    problem<float> p(++seed, 3, cols, 4);
    p.teacher[0] = -std::numeric_limits<float>::infinity();
    std::vector<double> b;
    std::vector<std::uint8_t> keep, each;
    for (divot::index k = 0; k < cols; ++k) {
      b.push_back(std::sin(static_cast<double>(k)));
      keep.push_back(k < 2 || k % 3 != 0);
    }
    for (divot::index i = 0; i < 3 * cols; ++i) each.push_back(i % cols == 1 || i % 5 != 0);
    agree(p, [&](auto const& at) {
      return std::pair(at.logits(p.teacher, 2).softcap(5), at.logits(p.student, 1.5));
    });
    agree(p, [&](auto const& at) {
      return std::pair(at.logits(p.teacher, 2).standardise(),
                       at.logits(p.student, 2).bias(at.vector(b)).standardise());
    });
    agree(p, [&](auto const& at) {
      auto const both = [&](auto const& x) {
        return x.mask(at.vector(keep)).mask(at.matrix(each));
      };
      return std::pair(both(at.logits(p.teacher, 1)), both(at.logits(p.student, 1)));
    });
    agree(p, [&](auto const& at) {
      return std::pair(at.logits(p.teacher, 2).bias(at.vector(b)).mask(at.vector(keep)),
                       at.logits(p.student, 3)
                           .softcap(30)
                           .bias(at.vector(b))
                           .standardise()
                           .mask(at.vector(keep)));
    });
  }
}

TEST_CASE("a constant row becomes 0, and so does its gradient") {
  problem<float> p(310, 2, 40);
  for (std::size_t k = 0; k < 40; ++k) p.student[k] = 3;
  auto const wrap = [&](auto const& at) {
    return std::pair(at.logits(p.teacher, 1), at.logits(p.student, 1).standardise());
  };
  agree(p, wrap);
  CHECK(imitate(p, wrap).student[7] == 0);
}

TEST_CASE("what no transform can take makes a bad row, which keeps what it had") {
  problem<float> p(311, 3, 40);
  p.student[40 + 3] = std::numeric_limits<float>::infinity();  // a cap would hide it
  auto const capped = imitate(p, [&](auto const& at) {
    return std::pair(at.logits(p.teacher, 1), at.logits(p.student, 1).softcap(30));
  });
  CHECK(capped.status.bad_rows == 1);
  CHECK(~capped.status.first_bad_inverted == 1);
  CHECK(capped.student[40] == p.student[40]);
  CHECK(capped.student[0] != p.student[0]);

  std::vector<std::uint8_t> keep(120, 1);
  for (std::size_t k = 80; k < 120; ++k) keep[k] = 0;
  auto const masked = imitate(p, [&](auto const& at) {
    return std::pair(at.logits(p.teacher, 1).mask(at.matrix(keep)), at.logits(p.teacher, 1));
  });
  CHECK(masked.status.bad_rows == 1);
  CHECK(~masked.status.first_bad_inverted == 2);

  std::vector<float> const b(40, std::numeric_limits<float>::quiet_NaN());
  auto const biased = imitate(p, [&](auto const& at) {
    return std::pair(at.logits(p.teacher, 1).bias(at.vector(b)), at.logits(p.teacher, 1));
  });
  CHECK(biased.status.bad_rows == 3);
}
