// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "calls.hpp"

#include <divot/divergence.hpp>

namespace calls {
namespace {

/// call(policy) with the library's own policy.
template <class F>
auto dispatch(policy who, F const& call) {
  switch (who) {
    case policy::seq:
      return call(divot::seq);
#if DIVOT_HAS_OPENMP
    case policy::omp:
      return call(divot::omp(2));
#endif
    default:
      return call(divot::simd);
  }
}

template <class F>
result with_operands(operands const& x, F const& call) {
  switch (x.are) {
    case kind::log_probabilities:
      return call(divot::log_probabilities(x.teacher), divot::log_probabilities(x.student));
    case kind::probabilities:
      return call(divot::probabilities(x.teacher), divot::probabilities(x.student));
    default:
      return call(divot::logits(x.teacher, x.teacher_temperature),
                  divot::logits(x.student, x.student_temperature));
  }
}

auto tempered(view const& x, double temperature) { return divot::logits(x, temperature); }

}  // namespace

std::vector<policy> const& policies() {
#if DIVOT_HAS_OPENMP
  static std::vector<policy> const all{policy::seq, policy::simd, policy::omp};
#else
  static std::vector<policy> const all{policy::seq, policy::simd};
#endif
  return all;
}

std::string name(policy p) {
  return p == policy::seq ? "seq" : p == policy::simd ? "simd" : "omp(2)";
}

result kl(policy who, operands const& x, divot::batch const& options) {
  return dispatch(who, [&](auto const& p) {
    return divot::value(p, divot::kl{}, tempered(x.teacher, x.teacher_temperature),
                        tempered(x.student, x.student_temperature), options);
  });
}

result kl(policy who, operands const& x, target const& student, divot::batch const& options) {
  return dispatch(who, [&](auto const& p) {
    return with_operands(x, [&](auto const& t, auto const& s) {
      return divot::value_and_gradient(p, divot::kl{}, t, s, student, options);
    });
  });
}

result kl(policy who, operands const& x, target const& student, target const& teacher,
          divot::temperature_gradient& temperature, divot::batch const& options) {
  return dispatch(who, [&](auto const& p) {
    return divot::value_and_gradient(
        p, divot::kl{}, tempered(x.teacher, x.teacher_temperature),
        tempered(x.student, x.student_temperature),
        divot::gradients().student(student).teacher(teacher).temperature(temperature), options);
  });
}

result cross_entropy(policy who, std::span<std::int64_t const> y, double smoothing,
                     view const& student, target const& where, divot::batch const& options) {
  return dispatch(who, [&](auto const& p) {
    return divot::value_and_gradient(p, divot::cross_entropy{}, divot::labels(y, smoothing),
                                     student, where, options);
  });
}

result mixed(policy who, operands const& x, target const& student, divot::batch const& options) {
  return dispatch(who, [&](auto const& p) {
    return divot::value_and_gradient(p, 0.5 * divot::kl{} + 0.5 * divot::cross_entropy{},
                                     tempered(x.teacher, x.teacher_temperature),
                                     tempered(x.student, x.student_temperature), student, options);
  });
}

result kl_to_labels(policy who, std::span<std::int64_t const> y, double smoothing,
                    view const& student, target const& where, divot::batch const& options) {
  return dispatch(who, [&](auto const& p) {
    return divot::value_and_gradient(p, divot::kl{}, divot::labels(y, smoothing), student, where,
                                     options);
  });
}

}  // namespace calls
