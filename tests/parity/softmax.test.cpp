// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The softmax family under every policy.

#include <doctest/doctest.h>
#include <divot/softmax.hpp>

#include <parity/grid.hpp>

#include <vector>

namespace {

using parity::dense;
using parity::grid;
using parity::layout;
using parity::row_error;

constexpr divot::index columns[] = {1,  2,   7,   8,   9,    16,   17,   63,  64,
                                    65, 128, 129, 597, 1003, 2048, 2049, 5000};

template <class T>
struct input {
  divot::index rows, cols;
  std::vector<T> x, upstream, row_upstream, softmax, log_softmax;

  input(std::uint64_t seed, divot::index r, divot::index c) : rows(r), cols(c) {
    samples::random random(seed);
    auto const n = static_cast<std::size_t>(r * c);
    x = samples::logits<T>(random, n, 4);
    upstream = samples::logits<T>(random, n, 1);
    row_upstream = samples::logits<T>(random, static_cast<std::size_t>(r), 1);
    softmax.resize(n);
    log_softmax.resize(n);
    divot::matrix_ref<T const> const from(x.data(), r, c);
    divot::softmax(divot::seq, from, divot::matrix_ref<T>(softmax.data(), r, c));
    divot::log_softmax(divot::seq, from, divot::matrix_ref<T>(log_softmax.data(), r, c));
  }
};

/// What the six functions wrote, one after the other.
template <class T>
struct family {
  std::vector<T> softmax, log_softmax, logsumexp, softmax_back, log_softmax_back, logsumexp_back;
  bool operator==(family const&) const = default;
};

template <class T, class Policy>
family<T> run(Policy const& policy, input<T> const& in, layout const& l, bool in_place,
              divot::batch const& options = {}) {
  family<T> out;
  auto const rows = in.rows, cols = in.cols;
  auto const with = [&](std::vector<T> const& first, auto const& call) {
    grid<T> const a(rows, cols, l, first), b(rows, cols, l, in.upstream);
    auto const& to = in_place ? a : b;
    call(a.input(), to.view());
    CHECK(a.surroundings_untouched());
    CHECK(b.surroundings_untouched());
    return to.row_major();
  };
  out.softmax = with(in.x, [&](auto const& x, auto const& y) {
    divot::softmax(policy, divot::logits(x, 1.5), y, options);
  });
  out.log_softmax = with(in.x, [&](auto const& x, auto const& y) {
    divot::log_softmax(policy, divot::logits(x, 1.5), y, options);
  });
  grid<T> const x(rows, cols, l, in.x), up(rows, cols, l, in.upstream);
  out.logsumexp.resize(static_cast<std::size_t>(rows));
  divot::logsumexp(policy, divot::logits(x.input(), 1.5), out.logsumexp, options);
  out.softmax_back = with(in.softmax, [&](auto const& y, auto const& to) {
    divot::softmax_pullback(policy, y, up.input(), to, 1.5, options);
  });
  out.log_softmax_back = with(in.log_softmax, [&](auto const& y, auto const& to) {
    divot::log_softmax_pullback(policy, y, up.input(), to, 1.5, options);
  });
  out.logsumexp_back = with(in.x, [&](auto const& from, auto const& to) {
    divot::logsumexp_pullback(policy, divot::logits(from, 1.5), in.row_upstream, to, options);
  });
  return out;
}

template <class T>
void agree(family<T> const& got, family<T> const& right, input<T> const& in) {
  auto const bound =
      2 * budget::promised(budget::situation::moderate, std::is_same_v<T, float>).gradient;
  auto const rows = in.rows, cols = in.cols;
  // pullbacks of what was rounded before: the error is one of the upstream gradient's size
  auto const added = [&](std::vector<T> x) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += in.upstream[i];
    return x;
  };
  CHECK(row_error(got.softmax, right.softmax, rows, cols) <= bound);
  CHECK(row_error(got.log_softmax, right.log_softmax, rows, cols) <= bound);
  CHECK(row_error(got.logsumexp, right.logsumexp, 1, rows) <= bound);
  CHECK(row_error(added(got.softmax_back), added(right.softmax_back), rows, cols) <= bound);
  CHECK(row_error(added(got.log_softmax_back), added(right.log_softmax_back), rows, cols) <= bound);
  CHECK(row_error(got.logsumexp_back, right.logsumexp_back, rows, cols) <= bound);
}

}  // namespace

TEST_CASE_TEMPLATE("simd agrees with seq and omp has simd's bits", T, float, double) {
  for (divot::index const cols : columns) {
    CAPTURE(cols);
    // enough rows for threads
    input<T> const in(static_cast<std::uint64_t>(cols), (1 << 15) / cols + 19, cols);
    auto const packs = run(divot::simd, in, dense, false);
    agree(packs, run(divot::seq, in, dense, false), in);
    for (int const threads : {1, 2, 7}) {
      CAPTURE(threads);
      CHECK(run(divot::omp(threads), in, dense, false) == packs);
    }
  }
}

TEST_CASE_TEMPLATE("layout and place change no bit", T, float, double) {
  for (divot::index const cols : {9, 65, 2049}) {
    CAPTURE(cols);
    input<T> const in(7, 37, cols);
    auto const everywhere = [&](auto const& policy) {
      auto const right = run(policy, in, dense, false);
      CHECK(run(policy, in, dense, true) == right);
      for (auto const& l : parity::layouts) {
        CAPTURE(std::string(l.name));
        CHECK(run(policy, in, l, false) == right);
        CHECK(run(policy, in, l, true) == right);
      }
    };
    everywhere(divot::seq);
    everywhere(divot::simd);
  }
}

TEST_CASE("threads that share a row leave simd's bits") {
  for (divot::index const rows : {1, 3}) {
    input<float> const in(8, rows, 100000);
    auto const right = run(divot::simd, in, dense, false);
    for (int const threads : {2, 3, 7}) {
      CAPTURE(rows);
      CAPTURE(threads);
      CHECK(run(divot::omp(threads), in, dense, false) == right);
      CHECK(run(divot::omp(threads), in, dense, true) == right);
      CHECK(run(divot::omp(threads), in, parity::layouts[4], false) == right);
    }
  }
}

TEST_CASE_TEMPLATE("masked rows and padded columns are zero under every policy", T, float, double) {
  input<T> const in(9, 600, 65);
  std::vector<std::uint8_t> mask(600);
  samples::random r(10);
  for (auto& m : mask) m = r.uniform() < 0.5;
  divot::batch options;
  options.mask = mask;
  options.valid_classes = 60;
  auto const packs = run(divot::simd, in, dense, false, options);
  agree(packs, run(divot::seq, in, dense, false, options), in);
  CHECK(run(divot::omp(2), in, dense, false, options) == packs);
  CHECK(run(divot::omp(7), in, dense, false, options) == packs);
  for (auto const* written : {&packs.softmax, &packs.log_softmax, &packs.softmax_back,
                              &packs.log_softmax_back, &packs.logsumexp_back}) {
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < written->size(); ++i) {
      wrong += (mask[i / 65] == 0 || i % 65 >= 60) && (*written)[i] != 0;
    }
    CHECK(wrong == 0);
  }
}
