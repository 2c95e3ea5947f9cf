// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Divergences whose class has a closed form that keeps its digits everywhere: f(u) and its slope
// omega = f − u f' from ell = ln u, without a difference of nearly equal numbers.

#include <accuracy/quad.hpp>
#include <accuracy/reference_form.hpp>
#include <accuracy/row_pair.hpp>

#include <cstddef>
#include <optional>

namespace reference {

/// log1p(x) − x.
inline quad log1p_beyond_first(quad x) {
  if (abs(x) > 0.0625) return log1p(x) - x;
  quad sum = 0;  // −x²/2 + x³/3 − …
  for (int n = 30; n >= 2; --n) sum = -x * sum - quad(1) / n;
  return sum * x * x;
}

/// ln cosh(x).
inline quad log_cosh(quad x) {
  x = abs(x);
  if (is_infinite(x)) return infinity;
  if (x > 1) return x - log(quad(2)) + log1p(exp(-2 * x));
  quad const e = expm1(x / 2), twice_sinh = e + e / (1 + e);
  return log1p(twice_sinh * twice_sinh / 2);
}

/// x^y for x ≥ 0; 0^0 = 1.
inline quad raised(quad x, quad y) { return power(x == 0 ? -infinity : log(x), y); }

inline int sign(quad x) { return (x > 0) - (x < 0); }

/// Where the slope of a class jumps (or, with `step` false, has an infinite derivative), as
/// ln(p/q).
struct kink {
  quad at = 0;
  bool step = true;
};

inline std::optional<kink> kink_of(divergence const& d) {
  quad smoothness = 2;  // the power of |ell| that the loss begins with
  switch (d.what) {
    case form::total_variation:
      return kink{};
    case form::hockey_stick:
      return kink{d.exchanged ? -log(d.a) : log(d.a)};
    case form::degroot:
      return kink{log((1 - d.a) / d.a)};
    case form::vajda:
    case form::puri_vincze:
      smoothness = d.a;
      break;
    case form::matusita:
      smoothness = 1 / d.a;
      break;
    default:
      break;
  }
  if (smoothness >= 2) return std::nullopt;
  return kink{0, smoothness == 1};
}

inline quad closed_at_zero(divergence const& d) {
  switch (d.what) {
    case form::vajda:
      return d.exchanged && d.a > 1 ? infinity : quad(1);
    case form::puri_vincze:
      return quad(1) / 2;
    case form::arithmetic_geometric:
      return infinity;
    case form::osterreicher_vajda: {
      quad const slope = 1 / d.a - 1;
      return slope == 0 ? log(quad(2)) : expm1(slope * log(quad(2))) / slope;
    }
    case form::hockey_stick:
      return d.exchanged ? 1 : 0;
    case form::degroot:  // with prior ½ half of either argument's side, which is the same sum
      return d.a == 0.5 ? quad(0.25) : d.a < 0.5 ? quad(0) : 1 - d.a;
    case form::marton:
      return d.exchanged ? 0 : 1;
    default:
      return 1;
  }
}

/// A class with p, q > 0 of a divergence that is not exchanged.
inline quad closed_loss(divergence const& d, row_pair const& row, std::size_t k) {
  quad const p = row.p(k), q = row.q(k), ell = row.ell[k], a = d.a;
  // Those that are symmetric see the smaller ratio, which never overflows.
  quad const larger = ell < 0 ? q : p, y = -abs(ell), x = expm1(y);
  switch (d.what) {
    case form::triangular:
      return larger * x * x / (2 + x);
    case form::vajda:
      if (ell > 0) return exp(row.student.log_p[k] + a * (ell + log(-x)));
      return q * raised(-x, a);
    case form::puri_vincze:
      return larger * (2 + x) / 2 * raised(-x / (2 + x), a);
    case form::matusita:
      return larger * raised(-expm1(a * y), 1 / a);
    case form::arithmetic_geometric:
      return larger * (2 + x) / 2 * log_cosh(y / 2);
    case form::osterreicher_vajda: {
      // 2^(1/b) (power mean − mean)/(1 − 1/b); ln of a power mean is y/2 + ln cosh(by/2)/b.
      quad const mean = larger * (2 + x) / 2;
      if (a == 1) return 2 * mean * (y / 2 * x / (2 + x) - log_cosh(y / 2));
      quad const ratio = log_cosh(a * y / 2) / a - log_cosh(y / 2);
      return exp(log(quad(2)) / a) * mean * expm1(ratio) / (1 - 1 / a);
    }
    case form::hockey_stick: {
      quad const beyond = ell - log(a);
      return beyond > 0 ? a * q * expm1(beyond) : quad(0);
    }
    case form::degroot: {
      quad const beyond = ell - log((1 - a) / a);
      if (a == 0.5) return q * abs(expm1(beyond)) / 4;
      if ((beyond > 0) != (a < 0.5)) return 0;
      return (1 - a) * q * abs(expm1(beyond));
    }
    case form::marton:
      return ell < 0 ? q * x * x : quad(0);
    default:
      return nan();
  }
}

/// f'(q/p): ∂d/∂q of D(q‖p) of the forms that are not symmetric.
inline quad exchanged_slope(divergence const& d, quad ell) {
  quad const x = expm1(-ell);
  switch (d.what) {
    case form::vajda:
      if (is_infinite(x)) return d.a > 1 ? infinity : d.a;
      return x == 0 ? quad(0) : sign(x) * d.a * raised(abs(x), d.a - 1);
    case form::hockey_stick:
      return -ell > log(d.a) ? 1 : 0;
    case form::marton:
      return ell > 0 ? 2 * x : quad(0);
    default:
      return nan();
  }
}

/// omega = ∂d/∂q of a class with q > 0: 0 at p = q or, where `far`, less f(0), which is 0 as
/// p/q → 0. Each keeps its digits where the other loses them. Total variation's is here for those
/// who ask for slopes beside a kink.
inline quad closed_slope(divergence const& d, quad ell, bool far) {
  if (d.exchanged) return exchanged_slope(d, ell);
  quad const a = d.a, u = exp(ell), x = expm1(ell), s = sign(ell), gauge = far ? 1 : 0;
  switch (d.what) {
    case form::triangular: {
      quad const v = exp(-ell);  // for u > 1, where u² might overflow
      if (far) return ell > 0 ? -4 / ((1 + v) * (1 + v)) : -4 * u * u / ((1 + u) * (1 + u));
      if (ell > 0) return expm1(-ell) * (3 + v) / ((1 + v) * (1 + v));
      return -x * (3 * u + 1) / ((1 + u) * (1 + u));
    }
    case form::vajda:
      if (far && u < 0.0625) {  // (1−u)^(k−1) (1 + (k−1)u) − 1
        return expm1((a - 1) * log1p_beyond_first(-u) + log1p_beyond_first((a - 1) * u));
      }
      if (ell < 0) return raised(-x, a - 1) * (1 + (a - 1) * u) - gauge;
      return s == 0 ? -gauge : -raised(x, a - 1) * (1 + (a - 1) * u) - gauge;
    case form::puri_vincze: {
      if (far && u < 0.0625) {  // ½ [(1−u)^(k−1) (1+u)^(−k) (1 + (2k−1)u) − 1]
        return expm1((a - 1) * log1p_beyond_first(-u) - a * log1p_beyond_first(u) +
                     log1p_beyond_first((2 * a - 1) * u)) /
               2;
      }
      quad const v = exp(-abs(ell)), tanh = -expm1(-abs(ell)) / (1 + v);
      quad const share = ell < 0 ? v / (1 + v) : 1 / (1 + v);  // p/(p + q)
      return s == 0 ? -gauge / 2 : raised(tanh, a - 1) * (tanh / 2 - s * a * share) - gauge / 2;
    }
    case form::matusita: {
      if (far && a * ell < -1) return expm1((1 / a - 1) * log1p(-exp(a * ell)));
      return s == 0 ? -gauge : -s * raised(abs(expm1(a * ell)), 1 / a - 1) - gauge;
    }
    case form::arithmetic_geometric:
      return log_cosh(ell / 2) / 2 - x / 4;
    case form::osterreicher_vajda: {
      quad const slope = 1 / a - 1;
      quad const l = far ? log1p(exp(a * ell)) : log1p(expm1(a * ell) / 2);
      quad const scale = far ? quad(1) : exp(slope * log(quad(2)));
      return -scale * (slope == 0 ? l : expm1(slope * l) / slope);
    }
    case form::total_variation:
      return -s / 2;
    case form::hockey_stick:
      return ell > log(a) ? -a : quad(0);
    case form::degroot: {
      quad const beyond = ell - log((1 - a) / a);
      if (a == 0.5) return -quad(s) / 4;
      if (a < 0.5) return beyond > 0 ? a - 1 : quad(0);
      return beyond < 0 ? 1 - a : quad(0);
    }
    case form::marton:
      if (ell >= 0) return -gauge;
      return far ? -u * u : -expm1(2 * ell);
    default:
      return nan();
  }
}

/// The limit of q·omega as q → 0 at a fixed p > 0.
inline quad closed_without_student(divergence const& d, quad p) {
  if (d.what == form::arithmetic_geometric) return -p / 4;
  return d.what == form::vajda && !d.exchanged && d.a > 1 ? -infinity : quad(0);
}

}  // namespace reference
