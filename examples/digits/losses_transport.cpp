// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

#include <utility>

namespace digits {

using divot::cross_entropy, divot::kl, divot::route, divot::sinkd, divot::transport_objective;

namespace {

// Losses of rows and losses between them stand in one sum. SinKD alone does not say which student
// is which image's: it is as content when they have changed places.

loss labels_and_sinkd() {
  return {"labels + 0.8 SinKD", "cross_entropy{} + 0.8 * sinkd{}", kind::transport,
          [](teachers const& t, label_span labels, view student, matrix& gradient) -> float {
            return divot::value_and_gradient(cross_entropy{} + 0.8 * sinkd{}, t.first, student,
                                             gradient, {.labels = labels});
          }};
}

loss kl_and_sinkd() {
  return {"KL + 0.8 SinKD", "kl{} + 0.8 * sinkd{}", kind::transport,
          [](teachers const& t, label_span, view student, matrix& gradient) -> float {
            return divot::value_and_gradient(kl{} + 0.8 * sinkd{}, t.first, student, gradient);
          }};
}

/// 0 where student and teacher agree, as SinKD is not.
loss kl_and_debiased_sinkd() {
  return {"KL + 0.8 debiased SinKD", "kl{} + 0.8 * sinkd{.debiased = true, …}", kind::transport,
          [](teachers const& t, label_span, view student, matrix& gradient) -> float {
            constexpr sinkd debiased{.sweeps = 0,
                                     .objective = transport_objective::entropic,
                                     .debiased = true,
                                     .gradient = route::envelope,
                                     .tolerance = 1e-6};
            return divot::value_and_gradient(kl{} + 0.8 * debiased, t.first, student, gradient);
          }};
}

/// One-hot rows in the teacher's place: another teacher than the other loss's, so no sum.
loss kl_and_sinkd_of_labels() {
  return {"KL + 0.8 SinKD of labels", "kl{}, then accumulate: 0.8 of sinkd{} and labels(y)",
          kind::transport,
          [](teachers const& t, label_span labels, view student, matrix& gradient) -> float {
            float const row = divot::value_and_gradient(kl{}, t.first, student, gradient);
            return row + 0.8f * divot::value_and_gradient(sinkd{}, divot::labels(labels), student,
                                                          divot::accumulate(gradient, 0.8));
          }};
}

}  // namespace

/// Optimal transport between the students' and the teacher's distributions in a batch.
std::vector<loss> transport_losses() {
  return {labels_and_sinkd(), kl_and_sinkd(), kl_and_debiased_sinkd(), kl_and_sinkd_of_labels()};
}

}  // namespace digits
