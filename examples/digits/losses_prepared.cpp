// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace digits {

using divot::at, divot::kl, divot::logits, divot::mixture, divot::t_squared;

namespace {

/// A loss with operands of its own: from (t, labels, student, gradient).
#define DIGITS_PREPARED(name, ...)                                                                 \
  loss {                                                                                           \
    name, #__VA_ARGS__, kind::prepared,                                                            \
        [](teachers const& t, [[maybe_unused]] label_span labels, view student,                    \
           matrix& gradient) -> float { return divot::value_and_gradient(__VA_ARGS__, gradient); } \
  }

/// What a cache of a large teacher's outputs would hold: its three likeliest classes in each row.
struct likeliest {
  static constexpr int count = 3;
  Eigen::Matrix<int, Eigen::Dynamic, count, Eigen::RowMajor> index;
  Eigen::Matrix<float, Eigen::Dynamic, count, Eigen::RowMajor> log_p;

  explicit likeliest(view teacher) : index(teacher.rows(), count), log_p(teacher.rows(), count) {
    matrix all(teacher.rows(), classes);
    divot::log_softmax(teacher, all);
    std::array<int, classes> order;
    for (Eigen::Index i = 0; i < all.rows(); ++i) {
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + count, order.end(),
                        [&](int a, int b) { return all(i, a) > all(i, b); });
      for (int j = 0; j < count; ++j) {
        index(i, j) = order[static_cast<std::size_t>(j)];
        log_p(i, j) = all(i, index(i, j));
      }
    }
  }
};

loss top_3(std::string name, std::string code, divot::tail tail) {
  return {std::move(name), std::move(code), kind::prepared,
          [tail](teachers const& t, label_span, view student, matrix& gradient) -> float {
            likeliest const known(t.first);
            return divot::value_and_gradient(kl{}, divot::top_k(known.index, known.log_p, tail),
                                             student, gradient);
          }};
}

/// The divergence sees z-scores on both sides, the cross-entropy the student's own logits, to which
/// it gives their scale.
loss z_scored() {
  return {"0.1 labels + 0.9 KL of z-scores",
          "0.9 * at(0.5, kl{}, t_squared), logits(t).standardise(), logits(s).standardise()",
          kind::prepared,
          [](teachers const& t, label_span labels, view student, matrix& gradient) -> float {
            float const own = divot::value_and_gradient(0.1 * divot::cross_entropy{},
                                                        divot::labels(labels), student, gradient);
            return own + divot::value_and_gradient(
                             0.9 * at(0.5, kl{}, t_squared), logits(t.first).standardise(),
                             logits(student).standardise(), divot::accumulate(gradient));
          }};
}

}  // namespace

/// KL, of logits that something has been done to and of teachers that are more or less than one.
std::vector<loss> prepared_losses() {
  return {
      DIGITS_PREPARED("KL, two teachers", kl{}, mixture(t.first, t.second, std::array{.5, .5}),
                      student),
      top_3("KL, top 3, renormalised", "kl{}, top_k(index, log_p, tail::renormalise), student",
            divot::tail::renormalise),
      top_3("KL, top 3, bucket", "kl{}, top_k(index, log_p, tail::bucket), student",
            divot::tail::bucket),
      DIGITS_PREPARED("KL, softcap 5", kl{}, logits(t.first).softcap(5),
                      logits(student).softcap(5)),
      z_scored(),
  };
}

}  // namespace digits
