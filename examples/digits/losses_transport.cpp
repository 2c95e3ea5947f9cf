// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

#include <utility>

namespace digits {

using divot::kl, divot::sinkd;

namespace {

/// One-hot rows, which the batch's students are transported to.
loss sinkd_of_labels() {
  return {"SinKD of labels", "sinkd{}, labels(y)", kind::transport,
          [](teachers const&, label_span labels, view student, matrix& gradient) -> float {
            return divot::value_and_gradient(sinkd{}, divot::labels(labels), student, gradient);
          }};
}

/// Losses of rows and losses between them add up in the gradient.
loss kl_and_sinkd() {
  return {"KL + 0.8 SinKD", "kl{}, then accumulate: 0.8 of sinkd{}", kind::transport,
          [](teachers const& t, label_span, view student, matrix& gradient) -> float {
            float const row = divot::value_and_gradient(kl{}, t.first, student, gradient);
            return row + 0.8f * divot::value_and_gradient(sinkd{}, t.first, student,
                                                          divot::accumulate(gradient, 0.8));
          }};
}

}  // namespace

/// Optimal transport between the students' and the teacher's distributions in a batch.
std::vector<loss> transport_losses() {
  return {
      DIGITS_LOSS("SinKD", kind::transport, sinkd{}),
      sinkd_of_labels(),
      kl_and_sinkd(),
  };
}

}  // namespace digits
