// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Gradients of the reference: ∂D/∂s_k = q_k Σ_i q_i (omega_k − omega_i)/T with omega = ∂D/∂q,
// written relative to the row's largest class, so that nothing is subtracted from a number it is
// nearly equal to. The teacher's gradient is the student's of the reversed divergence.

#include <accuracy/reference.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace reference {

/// ∂D/∂x_k of a side from weight(k) = q_k (omega_k − omega_top). Where a class is missing on one
/// side and an entry's limit is infinite, all are NaN: such rows are for tests of their own.
template <class Weight>
std::vector<quad> project(side const& s, Weight weight) {
  std::vector<quad> gradient(s.p.size(), 0);
  quad sum = 0;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    if (k == s.top) continue;
    gradient[k] = weight(k);
    sum += gradient[k];
  }
  bool const finite = is_finite(sum);
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    gradient[k] = finite ? (gradient[k] - s.p[k] * sum) / s.temperature : nan();
  }
  return gradient;
}

/// ∂d/∂q of a class with q > 0, in the gauge that vanishes as p/q → 0 where there is one.
inline quad omega(divergence const& d, row_pair const& row, std::size_t k) {
  quad const ell = row.ell[k], u = row.p(k) / row.q(k), a = d.a;
  switch (d.what) {
    case form::kl:
    case form::soft_cross_entropy:
      return -u;
    case form::reverse_kl:
      return -ell;
    case form::jeffreys:
      return -u - ell;
    case form::jensen_shannon:
      return -log1p(u) / 2;
    case form::skew_js:
      return -d.rest() * log1p(a * u / d.rest());
    case form::skew_kl:
      return -d.rest() * u / (a * u + d.rest());
    case form::reverse_skew_kl: {
      quad const x = d.rest() * u / a;
      if (x > 0.01) return x / (1 + x) - log1p(x);
      quad sum = 0;  // −x²/2 + 2x³/3 − 3x⁴/4 + …
      for (int n = 20; n >= 2; --n) sum = -x * sum - (1 - quad(1) / n);
      return sum * x * x;
    }
    case form::squared_hellinger:
      return -sqrt(u);
    case form::pearson:
      return -u * u;
    case form::neyman:
      return 2 / u;
    case form::total_variation:
      return ell < 0 ? quad(0.5) : ell > 0 ? quad(-0.5) : quad(0);
    case form::le_cam:
      return -2 * u * u / ((1 + u) * (1 + u));
    case form::alpha_beta: {
      quad growth = a == 0 ? ell : expm1(a * ell) / a;
      if (u == 0) growth = a > 0 ? -1 / a : -infinity;
      return -exp((a + d.b - 1) * row.student.log_p[k]) * growth;
    }
    default:
      return nan();
  }
}

/// ∂d/∂q as a difference to that of other classes needs it: `far` says that the slope of the class
/// which the others are compared with is nearer to its limit f(0) as p/q → 0 than to 0.
inline quad slope(divergence const& d, row_pair const& row, std::size_t k, bool far) {
  return d.is_own() ? own_slope(d, row.ell[k], far) : omega(d, row, k);
}

inline bool far(divergence const& d, row_pair const& row) {
  quad const ell = row.ell[row.student.top];
  return d.is_own() ? own_slope(d, ell, false) > own_at_zero(d) / 2 : ell < -0.5;
}

/// The limit of q·omega as q → 0 at a fixed p > 0.
inline quad weight_without_student(divergence const& d, row_pair const& row, std::size_t k) {
  if (d.is_own()) return own_without_student(d, row.p(k));
  quad const p = row.p(k), lambda = d.a + d.b;
  switch (d.what) {
    case form::kl:
    case form::soft_cross_entropy:
    case form::jeffreys:
      return -p;
    case form::pearson:
      return -infinity;
    case form::alpha_beta:
      if (d.b > 0 && lambda > 0) return 0;
      if (d.a > 0 && d.b == 0) return -power(row.teacher.log_p[k], d.a) / d.a;
      if (d.a < 0 && lambda == 0) return 1 / d.a;
      return -infinity;
    default:
      return 0;
  }
}

inline std::vector<quad> composite_gradient(divergence const& d, row_pair const& row);

/// ∂D/∂s_k over the classes of the row.
inline std::vector<quad> student_gradient(divergence const& d, row_pair const& row) {
  if (d.composite()) return composite_gradient(d, row);
  std::size_t const top = row.student.top;
  if (d.what == form::alpha_beta && d.a + d.b == 1 && row.p(top) != 0) {
    // omega = −u^α/α up to a constant; its difference keeps its digits where u^α is tiny or flat.
    quad const top_power = power(row.ell[top], d.a);
    return project(row.student, [&](std::size_t k) {
      if (row.q(k) == 0) return weight_without_student(d, row, k);
      if (row.p(k) == 0) return d.a > 0 ? row.q(k) * top_power / d.a : infinity;
      quad const step = row.ell[k] - row.ell[top];
      return -row.q(k) * top_power * (d.a == 0 ? step : expm1(d.a * step) / d.a);
    });
  }
  bool const is_far = far(d, row);
  quad const at_top = slope(d, row, top, is_far);
  return project(row.student, [&](std::size_t k) {
    if (row.q(k) == 0) return weight_without_student(d, row, k);
    return row.q(k) * (slope(d, row, k, is_far) - at_top);
  });
}

/// The gradient of D(p‖m) or D(q‖n), m and n mixtures.
inline std::vector<quad> skew_gradient(divergence const& d, row_pair const& row) {
  std::size_t const top = row.student.top;
  if (d.exchanged) {
    bool const is_far = far(d, row);
    quad const at_top = exchanged_skew_slope(d, row.ell[top], is_far);
    return project(row.student, [&](std::size_t k) {
      if (row.q(k) == 0) return exchanged_skew_without_student(d, row.p(k));
      return row.q(k) * (exchanged_skew_slope(d, row.ell[k], is_far) - at_top);
    });
  }
  row_pair const mixture = mixed(row, d.a);
  bool const is_far = far(d.inner(), mixture);
  quad const at_top = slope(d.inner(), mixture, top, is_far);
  return project(row.student, [&](std::size_t k) {
    if (row.q(k) == 0) return quad(0);
    return (1 - d.a) * row.q(k) * (slope(d.inner(), mixture, k, is_far) - at_top);
  });
}

/// The gradient of the largest ln(p/q), or of the largest ln(q/p); 0 where p = q.
inline std::vector<quad> largest_gradient(bool exchanged, row_pair const& row) {
  std::size_t const largest = largest_ratio(exchanged ? row.swapped() : row);
  if (row.ell[largest] == 0) return std::vector<quad>(row.size(), 0);
  std::size_t const top = row.student.top;
  int const direction = exchanged ? 1 : -1;
  return project(row.student, [&](std::size_t k) {
    if (largest == top) return -direction * row.q(k) / row.q(top);
    return k == largest ? quad(direction) : quad(0);
  });
}

inline std::vector<quad> composite_gradient(divergence const& d, row_pair const& row) {
  if (d.what == form::skew) return skew_gradient(d, row);
  if (d.what == form::renyi && is_infinite(d.a)) return largest_gradient(d.exchanged, row);
  std::vector<quad> gradient = student_gradient(d.inner(), row);
  if (d.what == form::symmetrized) {
    std::vector<quad> const other = student_gradient(d.inner().reversed(), row);
    for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += other[k];
    return gradient;
  }
  quad const factor = outer_of(d, loss(d.inner(), row), row).slope;
  for (quad& g : gradient) g *= factor;
  return gradient;
}

/// ∂D/∂t_k over the classes of the row.
inline std::vector<quad> teacher_gradient(divergence const& d, row_pair const& row) {
  if (d.what != form::soft_cross_entropy) return student_gradient(d.reversed(), row.swapped());
  return project(row.teacher, [&](std::size_t k) {
    return row.p(k) * (row.student.log_p[row.teacher.top] - row.student.log_p[k]);
  });
}

/// ∂D/∂T of a side from its gradient with respect to its logits.
inline quad temperature_gradient(side const& s, std::vector<quad> const& gradient) {
  quad sum = 0;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    if (!is_infinite(s.logits[k])) sum -= (s.logits[k] - s.logits[s.top]) * gradient[k];
  }
  return sum / s.temperature;
}

/// ∂D/∂α and ∂D/∂β of the α-β divergence.
inline std::array<quad, 2> parameter_gradient(divergence const& d, row_pair const& row) {
  quad const lambda = d.a + d.b;
  std::array<quad, 2> sum{0, 0};
  for (std::size_t k = 0; k < row.size(); ++k) {
    quad const ell = row.ell[k], lq = row.student.log_p[k];
    quad const x = d.a * ell, y = lambda * ell;
    quad const scale = power(lq, lambda) * ell * ell;
    quad const in_lambda = lq * exp_divided(std::array<quad, 3>{0, x, y}) +
                           ell * exp_divided(std::array<quad, 4>{0, x, y, y});
    sum[0] += scale * (in_lambda + ell * exp_divided(std::array<quad, 4>{0, x, x, y}));
    sum[1] += scale * in_lambda;
  }
  return sum;
}

/// Cross-entropy of a row of logits against (1 − smoothing)·one-hot + smoothing/classes, and what
/// a z-loss c·lse(logits)² adds: value and ∂/∂s_k.
struct label_loss {
  quad value = 0;
  std::vector<quad> gradient;
};

inline label_loss cross_entropy(side const& student, std::size_t label, quad smoothing) {
  std::size_t const n = student.p.size();
  quad const share = smoothing / static_cast<double>(n);
  label_loss result{0, std::vector<quad>(n, 0)};
  quad others = 0;
  for (std::size_t k = 0; k < n; ++k) {
    quad const target = k == label ? share + (1 - smoothing) : share;
    if (target != 0) result.value -= target * student.log_p[k];
    if (k == label) continue;
    result.gradient[k] = (student.p[k] - share) / student.temperature;
    others += result.gradient[k];
  }
  result.gradient[label] = -others;
  return result;
}

/// c·lse(x)² of the logits as they are, whatever the temperature.
inline label_loss z_loss(std::span<quad const> logits, quad factor) {
  side s{{logits.begin(), logits.end()}, 1, {}, {}, 0, 0, 0};
  s.normalise();
  quad const lse = s.logits[s.top] - s.log_p[s.top];
  label_loss result{factor * lse * lse, s.p};
  for (quad& x : result.gradient) x *= 2 * factor * lse;
  return result;
}

}  // namespace reference
