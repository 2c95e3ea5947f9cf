// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

#include <utility>

namespace digits {

using divot::cross_entropy, divot::kl, divot::sinkd;

namespace {

// Losses of rows and losses between them add up in the gradient. SinKD alone does not say which
// student is which image's: it is as content when they have changed places.

template <class Teacher>
float add_sinkd(Teacher const& teacher, view student, matrix& gradient) {
  return 0.8f *
         divot::value_and_gradient(sinkd{}, teacher, student, divot::accumulate(gradient, 0.8));
}

loss labels_and_sinkd() {
  return {"labels + 0.8 SinKD", "cross_entropy{}, then accumulate: 0.8 of sinkd{}", kind::transport,
          [](teachers const& t, label_span labels, view student, matrix& gradient) -> float {
            float const row = divot::value_and_gradient(cross_entropy{}, divot::labels(labels),
                                                        student, gradient);
            return row + add_sinkd(t.first, student, gradient);
          }};
}

/// One-hot rows in the teacher's place.
loss kl_and_sinkd_of_labels() {
  return {"KL + 0.8 SinKD of labels", "kl{}, then accumulate: 0.8 of sinkd{} and labels(y)",
          kind::transport,
          [](teachers const& t, label_span labels, view student, matrix& gradient) -> float {
            float const row = divot::value_and_gradient(kl{}, t.first, student, gradient);
            return row + add_sinkd(divot::labels(labels), student, gradient);
          }};
}

loss kl_and_sinkd() {
  return {"KL + 0.8 SinKD", "kl{}, then accumulate: 0.8 of sinkd{}", kind::transport,
          [](teachers const& t, label_span, view student, matrix& gradient) -> float {
            float const row = divot::value_and_gradient(kl{}, t.first, student, gradient);
            return row + add_sinkd(t.first, student, gradient);
          }};
}

}  // namespace

/// Optimal transport between the students' and the teacher's distributions in a batch.
std::vector<loss> transport_losses() {
  return {labels_and_sinkd(), kl_and_sinkd(), kl_and_sinkd_of_labels()};
}

}  // namespace digits
