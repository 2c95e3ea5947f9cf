// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What a device does with rows, on host threads that imitate a block, against seq.

#include <divot/divot.hpp>

#include <doctest/doctest.h>
#include <lockstep/imitated_device.hpp>
#include <parity/grid.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using divot::index;
using lockstep::imitated_policy;
using parity::problem;

constexpr double inf = std::numeric_limits<double>::infinity();

template <class T>
struct result {
  double loss = -1;
  std::vector<double> per_row;
  std::vector<T> student, teacher;
  index left = 0;
  divot::device_status status;
};

template <class T>
divot::device_view<T const> seen(std::vector<T> const& x, index rows) {
  auto const cols = rows > 0 ? static_cast<index>(x.size()) / rows : 0;
  return {x.data(), rows, cols};
}
template <class T>
divot::device_view<T> target(std::vector<T>& x, index rows) {
  return {x.data(), rows, static_cast<index>(x.size()) / rows};
}

template <class T, class L>
result<T> imitate(imitated_policy const& policy, L const& what, problem<T> const& p,
                  divot::device_batch options = {}) {
  result<T> out;
  out.per_row.assign(static_cast<std::size_t>(p.rows), -1);
  out.student.assign(p.student.size(), T(99));
  out.teacher.assign(p.teacher.size(), T(99));
  options.loss = &out.loss;
  options.per_row = {out.per_row.data(), p.rows};
  options.status = &out.status;
  out.left = lockstep::value_and_gradient(
      policy, what, divot::logits(seen(p.teacher, p.rows), p.teacher_temperature),
      divot::logits(seen(p.student, p.rows), p.student_temperature),
      divot::device_gradients{target(out.student, p.rows), target(out.teacher, p.rows)}, options);
  return out;
}
template <class T, class L>
result<T> by_seq(L const& what, problem<T> const& p, divot::batch options = {}) {
  result<T> out;
  out.per_row.assign(static_cast<std::size_t>(p.rows), -1);
  out.student.assign(p.student.size(), T(99));
  out.teacher.assign(p.teacher.size(), T(99));
  options.per_row = out.per_row;
  divot::matrix_ref<T const> const teacher(p.teacher.data(), p.rows, p.cols);
  divot::matrix_ref<T const> const student(p.student.data(), p.rows, p.cols);
  divot::matrix_ref<T> const g(out.student.data(), p.rows, p.cols);
  divot::matrix_ref<T> const h(out.teacher.data(), p.rows, p.cols);
  out.loss = static_cast<double>(
      divot::value_and_gradient(divot::seq, what, divot::logits(teacher, p.teacher_temperature),
                                divot::logits(student, p.student_temperature),
                                divot::gradients().student(g).teacher(h), options)
          .value);
  return out;
}

/// Two that each keep the budget differ by twice the budget at most.
template <class T>
void agree(std::string const& name, result<T> const& got, result<T> const& right, index rows,
           index cols) {
  CAPTURE(name);
  auto const bound = budget::held(name, budget::situation::confident, std::is_same_v<T, float>);
  std::size_t wrong = 0;
  double total = 0;
  for (std::size_t r = 0; r < right.per_row.size(); ++r) {
    double const size = std::abs(right.per_row[r]);
    bool const same = got.per_row[r] == right.per_row[r];
    wrong += !(same || std::abs(got.per_row[r] - right.per_row[r]) <= 2 * bound.loss * size);
    total += size;
  }
  CHECK(wrong == 0);
  CHECK((got.loss == right.loss || std::abs(got.loss - right.loss) <= 2 * bound.loss * total));
  CHECK(parity::row_error(got.student, right.student, rows, cols) <= 2 * bound.gradient);
  CHECK(parity::row_error(got.teacher, right.teacher, rows, cols) <= 2 * bound.gradient);
}

template <class T, class Body>
void each_loss(Body const& body) {
  body("kl", divot::kl{});
  body("alpha_beta(.2, .7)", divot::alpha_beta{.alpha = .2, .beta = .7});
  if constexpr (std::is_same_v<T, float>) {
    body("jensen_shannon", divot::jensen_shannon{});
    body("total_variation", divot::total_variation{});
    body("renyi(2)", divot::renyi{});
    body("0.3 kl + 0.7 reverse_kl at 4",
         .3 * divot::kl{} + .7 * divot::at(4, divot::reverse_kl{}, divot::t_squared));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a block agrees with seq at every number of columns", T, float, double) {
  std::uint64_t seed = 40;
  for (divot::index const cols : {1, 2, 3, 5, 31, 32, 33, 129, 1000, 5003}) {
    problem<T> const p(++seed, 3, cols, 4, 2, 2), q(++seed, 2, cols, 5, 1.5, 3);
    each_loss<T>([&](std::string const& name, auto const& what) {
      CAPTURE(cols);
      agree(name, imitate({3}, what, p), by_seq(what, p), p.rows, cols);
      agree(name, imitate({1}, what, q), by_seq(what, q), q.rows, cols);
    });
  }
}

TEST_CASE("several warps agree with seq, and give the same bits again") {
  problem<float> const p(90, 2, 3001, 4, 2, 2);
  auto const once = imitate({70}, divot::kl{}, p), again = imitate({70}, divot::kl{}, p);
  agree("kl", once, by_seq(divot::kl{}, p), p.rows, p.cols);
  CHECK(once.loss == again.loss);
  CHECK(once.student == again.student);
  CHECK(once.teacher == again.teacher);
}

TEST_CASE("near convergence a block keeps the digits") {
  problem<float> p(91, 2, 4099, 3);
  samples::random random(92);
  for (std::size_t i = 0; i < p.student.size(); ++i) {
    p.student[i] = p.teacher[i] + 7.25f + 1e-3f * static_cast<float>(random.normal());
  }
  each_loss<float>([&](std::string const& name, auto const& what) {
    agree(name, imitate({3}, what, p), by_seq(what, p), p.rows, p.cols);
  });
  p.student = p.teacher;
  CHECK(imitate({3}, divot::kl{}, p).loss == 0);
}

TEST_CASE("weights, upstream gradients, masks, classes and temperatures of rows count as on seq") {
  problem<float> const p(93, 6, 37);
  std::vector<double> const weights{1, .5, 2, 0, 1, 3}, upstream{1, -1, .25, 2, 1, 1};
  std::vector<std::uint8_t> const mask{1, 0, 1, 1, 1, 1};
  std::vector<divot::index> const classes{37, 5, 36, 1, 20, 2};
  std::vector<double> const temperatures{1, 2, .5, 3, 1, 10};
  divot::batch host;
  host.weights = weights, host.upstream = upstream, host.mask = mask;
  host.valid_classes_per_row = classes, host.temperatures = temperatures;
  divot::device_batch device;
  device.weights = {weights.data(), 6}, device.upstream = {upstream.data(), 6};
  device.mask = {mask.data(), 6}, device.valid_classes_per_row = {classes.data(), 6};
  device.temperatures = {temperatures.data(), 6};
  for (auto const how : {divot::reduction::mean, divot::reduction::sum}) {
    host.reduction = device.reduction = how;
    auto const got = imitate({3}, divot::kl{}, p, device), right = by_seq(divot::kl{}, p, host);
    agree("kl", got, right, p.rows, p.cols);
    for (divot::index k = 0; k < p.cols; ++k)
      CHECK(got.student[static_cast<std::size_t>(37 + k)] == 0);
    for (divot::index k = 2; k < p.cols; ++k) {
      CHECK(got.student[static_cast<std::size_t>(5 * 37 + k)] == 0);
    }
  }
  host.normaliser = device.normaliser = 11;
  host.reduction = device.reduction = divot::reduction::mean;
  agree("kl", imitate({3}, divot::kl{}, p, device), by_seq(divot::kl{}, p, host), p.rows, p.cols);
}

TEST_CASE("labels count as on seq, beside a teacher and as one") {
  problem<float> const p(94, 5, 41, 3, 2, 2);
  auto const what = .1 * divot::cross_entropy{.smoothing = .1, .z_loss = 1e-3} +
                    .9 * divot::at(4, divot::kl{}, divot::t_squared);
  divot::batch host;
  host.labels = p.labels;
  divot::device_batch device;
  device.labels = {p.labels.data(), 5};
  agree("kl", imitate({3}, what, p, device), by_seq(what, p, host), p.rows, p.cols);

  for (double const smoothing : {0., .1}) {
    std::vector<float> g(p.student.size()), right(p.student.size());
    double loss = 0;
    divot::device_batch where;
    where.loss = &loss;
    lockstep::value_and_gradient(imitated_policy{3}, divot::cross_entropy{} + divot::kl{},
                                 divot::labels(device.labels, smoothing),
                                 divot::logits(seen(p.student, 5), 2.), target(g, 5), where);
    auto const expected = divot::value_and_gradient(
        divot::seq, divot::cross_entropy{} + divot::kl{}, divot::labels(p.labels, smoothing),
        divot::logits(divot::matrix_ref<float const>(p.student.data(), 5, 41), 2.),
        divot::matrix_ref<float>(right.data(), 5, 41));
    auto const bound = budget::held("kl", budget::situation::moderate, true);
    CHECK(loss == doctest::Approx(static_cast<double>(expected.value)).epsilon(2 * bound.loss));
    CHECK(parity::row_error(g, right, 5, 41) <= 2 * bound.gradient);
  }
}

TEST_CASE("rows beyond float are done again on wider numbers") {
  problem<float> p(95, 4, 33);
  p.student[0] = -100;         // row 0: double
  p.student[33 + 4] = -5e4f;   // row 1: leaves double, too
  p.teacher[66 + 3] = -3e38f;  // row 2: nothing is left of the teacher's class
  auto const got = imitate({3}, divot::pearson{}, p), right = by_seq(divot::pearson{}, p);
  CHECK(got.left == 3);
  CHECK(got.status.bad_rows == 0);
  agree("pearson", got, right, p.rows, p.cols);
  CHECK(right.per_row[1] == inf);
}

TEST_CASE("classes of probability 0 count as on seq") {
  problem<float> p(96, 4, 50);
  for (divot::index const k : {0, 7, 49}) {
    auto const at = static_cast<std::size_t>(k);
    p.teacher[at] = p.student[at] = -std::numeric_limits<float>::infinity();
    p.teacher[50 + at] = -std::numeric_limits<float>::infinity();
    p.student[100 + at] = -std::numeric_limits<float>::infinity();
  }
  each_loss<float>([&](std::string const& name, auto const& what) {
    agree(name, imitate({3}, what, p), by_seq(what, p), p.rows, p.cols);
  });
}

TEST_CASE("bad rows are counted and left as they were; the others are complete") {
  problem<float> p(97, 5, 40);
  p.student[40 + 39] = std::numeric_limits<float>::quiet_NaN();
  p.teacher[120] = std::numeric_limits<float>::infinity();
  for (std::size_t k = 160; k < 200; ++k) p.student[k] = -std::numeric_limits<float>::infinity();
  auto const got = imitate({3}, divot::kl{}, p);
  CHECK(got.status.bad_rows == 3);
  CHECK(~got.status.first_bad_inverted == 1);
  CHECK(got.loss != got.loss);
  problem<float> const good = [&] {
    auto q = p;
    std::fill(q.student.begin(), q.student.end(), 0.f);
    std::fill(q.teacher.begin(), q.teacher.end(), 0.f);
    for (std::size_t k = 0; k < 40; ++k) {
      for (std::size_t const r : {std::size_t(0), std::size_t(2)}) {
        q.student[r * 40 + k] = p.student[r * 40 + k];
        q.teacher[r * 40 + k] = p.teacher[r * 40 + k];
      }
    }
    return q;
  }();
  auto const right = by_seq(divot::kl{}, good);
  for (std::size_t const r :
       {std::size_t(0), std::size_t(1), std::size_t(2), std::size_t(3), std::size_t(4)}) {
    bool const fine = r == 0 || r == 2;
    std::vector<float> const row(got.student.begin() + static_cast<long>(r) * 40,
                                 got.student.begin() + static_cast<long>(r) * 40 + 40);
    if (fine) {
      std::vector<float> const expected(right.student.begin() + static_cast<long>(r) * 40,
                                        right.student.begin() + static_cast<long>(r) * 40 + 40);
      CHECK(parity::row_error(row, expected, 1, 40) <= 2e-6);
    } else {
      CHECK(row == std::vector<float>(40, 99.f));
      CHECK(got.per_row[r] == -1);
    }
  }
}

TEST_CASE("in place and out of place give the same bits; padding is zeroed; sums are added to") {
  problem<float> const p(98, 4, 45, 3, 2, 2);
  auto const apart = imitate({3}, divot::kl{}, p);
  auto student = p.student, teacher = p.teacher;
  lockstep::value_and_gradient(imitated_policy{3}, divot::kl{},
                               divot::logits(target(teacher, 4), 2.),
                               divot::logits(target(student, 4), 2.),
                               divot::device_gradients{target(student, 4), target(teacher, 4)}, {});
  CHECK(student == apart.student);
  CHECK(teacher == apart.teacher);

  // rows that begin anywhere, with columns behind the valid classes
  std::vector<float> odd(4 * 51 + 1, 7.f), g(4 * 51 + 1, 7.f);
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t k = 0; k < 45; ++k) odd[1 + r * 51 + k] = p.student[r * 45 + k];
  }
  divot::device_batch options;
  options.valid_classes = 45;
  lockstep::value_and_gradient(
      imitated_policy{3}, divot::kl{}, divot::logits(seen(p.teacher, 4), 2.),
      divot::logits(divot::device_view<float>(odd.data() + 1, 4, 49, 51), 2.),
      divot::device_view<float>(g.data() + 1, 4, 49, 51), options);
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t k = 0; k < 51; ++k) {
      float const expected = k < 45 ? apart.student[r * 45 + k] : k < 49 ? 0.f : 7.f;
      if (1 + r * 51 + k < g.size()) CHECK(g[1 + r * 51 + k] == expected);
    }
  }

  std::vector<float> sum(p.student.size(), 1.f);
  lockstep::value_and_gradient(
      imitated_policy{3}, divot::kl{}, divot::logits(seen(p.teacher, 4), 2.),
      divot::logits(seen(p.student, 4), 2.),
      divot::device_gradients{target(sum, 4), divot::nowhere{}, true, -2.}, {});
  for (std::size_t i = 0; i < sum.size(); ++i) {
    CHECK(sum[i] == doctest::Approx(1 - 2 * apart.student[i]).epsilon(1e-6));
  }
}

TEST_CASE("16-bit logits are worked out in float and rounded once") {
  problem<float> p(99, 3, 70);
  std::vector<Eigen::half> t, s, g(p.student.size());
  for (auto& x : p.teacher) t.push_back(Eigen::half(x)), x = static_cast<float>(t.back());
  for (auto& x : p.student) s.push_back(Eigen::half(x)), x = static_cast<float>(s.back());
  lockstep::value_and_gradient(imitated_policy{3}, divot::kl{}, seen(t, 3), seen(s, 3),
                               target(g, 3), {});
  auto const wide = imitate({3}, divot::kl{}, p);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < g.size(); ++i) wrong += g[i] != Eigen::half(wide.student[i]);
  CHECK(wrong == 0);
}

TEST_CASE("log-probabilities are taken as they are, and refused where they are none") {
  problem<float> p(100, 2, 30);
  for (auto* x : {&p.teacher, &p.student}) {
    for (divot::index r = 0; r < 2; ++r) {
      double sum = 0;
      auto const row = x->begin() + r * 30;
      for (divot::index k = 0; k < 30; ++k) sum += std::exp(static_cast<double>(row[k]));
      for (divot::index k = 0; k < 30; ++k)
        row[k] = static_cast<float>(static_cast<double>(row[k]) - std::log(sum));
    }
  }
  auto const run = [&] {
    double loss = 0;
    divot::device_status status;
    divot::device_batch options;
    options.loss = &loss, options.status = &status;
    lockstep::value_and_gradient(
        imitated_policy{3}, divot::kl{}, divot::log_probabilities(seen(p.teacher, 2)),
        divot::log_probabilities(seen(p.student, 2)), divot::device_gradients<>{}, options);
    return status.bad_rows > 0 ? -1. : loss;
  };
  auto const right = divot::value(
      divot::seq, divot::kl{},
      divot::log_probabilities(divot::matrix_ref<float const>(p.teacher.data(), 2, 30)),
      divot::log_probabilities(divot::matrix_ref<float const>(p.student.data(), 2, 30)));
  CHECK(run() == doctest::Approx(static_cast<double>(right.value)).epsilon(1e-5));
  p.student[3] += 1;
  CHECK(run() == -1);
}

TEST_CASE("a few classes of a teacher count as on seq, and are refused where they are none") {
  problem<float> p(101, 4, 50);
  std::vector<std::int64_t> at;
  std::vector<float> log_p;
  for (int r = 0; r < 4; ++r) {
    for (std::int64_t const k : {3, 49, 7 + r}) at.push_back(k);
    for (double const x : {.5, .25, .125}) log_p.push_back(static_cast<float>(std::log(x)));
  }
  using indices = Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  divot::matrix_ref<float const> const host_p(log_p.data(), 4, 3);
  for (auto const what : {divot::tail::renormalise, divot::tail::uniform, divot::tail::bucket}) {
    std::vector<float> g(p.student.size(), 99.f), right(p.student.size());
    double loss = 0;
    divot::device_status status;
    divot::device_batch options;
    options.loss = &loss, options.status = &status;
    auto const run = [&] {
      lockstep::value_and_gradient(imitated_policy{3}, divot::jensen_shannon{},
                                   divot::top_k(seen(at, 4), seen(log_p, 4), what),
                                   divot::logits(seen(p.student, 4), 2.), target(g, 4), options);
    };
    run();
    auto const expected = divot::value_and_gradient(
        divot::seq, divot::jensen_shannon{},
        divot::top_k(Eigen::Map<indices const>(at.data(), 4, 3), host_p, what),
        divot::logits(divot::matrix_ref<float const>(p.student.data(), 4, 50), 2.),
        divot::matrix_ref<float>(right.data(), 4, 50));
    auto const bound = budget::held("jensen_shannon", budget::situation::moderate, true);
    CHECK(status.bad_rows == 0);
    CHECK(loss == doctest::Approx(static_cast<double>(expected.value)).epsilon(2 * bound.loss));
    CHECK(parity::row_error(g, right, 4, 50) <= 2 * bound.gradient);
    auto const good = at;
    at[4] = 3;   // row 1: twice
    at[6] = 50;  // row 2: out of range
    run();
    CHECK(status.bad_rows == 2);
    CHECK(~status.first_bad_inverted == 1);
    at = good;
    log_p[9] = .1f;  // row 3: more than 1
    run();
    CHECK(status.bad_rows == 3);
    log_p[9] = static_cast<float>(std::log(.5));
  }
}

TEST_CASE("a bucket that the student, or the teacher, has nothing in") {
  constexpr float low = -std::numeric_limits<float>::infinity();
  std::vector<std::int64_t> const at{0, 2, 1, 4, 0, 1};
  std::vector<float> const log_p{-1, -1, -2, -1, -1, std::log1p(-std::exp(-1.f))};
  // row 0: the student has none of the tail; row 1: some; row 2: the teacher has none
  std::vector<float> const student{1, low, 2, low, low, 0, 1, low, 3, 1, 2, 1, 0, 1, -1};
  using indices = Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  divot::matrix_ref<float const> const host_p(log_p.data(), 3, 2), host_s(student.data(), 3, 5);
  auto const compare = [&](auto const& what) {
    std::vector<float> g(15, 99.f), right(15);
    std::vector<double> losses(3), expected(3);
    divot::device_batch options;
    options.per_row = {losses.data(), 3};
    lockstep::value_and_gradient(imitated_policy{3}, what,
                                 divot::top_k(seen(at, 3), seen(log_p, 3), divot::tail::bucket),
                                 divot::logits(seen(student, 3), 2.), target(g, 3), options);
    divot::batch host;
    host.per_row = expected;
    divot::gradient(
        divot::seq, what,
        divot::top_k(Eigen::Map<indices const>(at.data(), 3, 2), host_p, divot::tail::bucket),
        divot::logits(host_s, 2.), divot::matrix_ref<float>(right.data(), 3, 5), host);
    for (std::size_t r = 0; r < 3; ++r) {
      CHECK((losses[r] == expected[r] || std::abs(losses[r] - expected[r]) < 1e-6));
    }
    for (std::size_t i = 0; i < 15; ++i) {
      CHECK((g[i] == right[i] || std::abs(g[i] - right[i]) < 1e-6f));
    }
  };
  compare(divot::kl{});
  compare(divot::reverse_kl{});
  compare(divot::jensen_shannon{});
}
