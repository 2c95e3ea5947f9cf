// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace entries {

using reference::abs, reference::exp, reference::expm1, reference::log1p_beyond_first,
    reference::raised;

namespace {

class vajda_entry final : public entry_of<divot::vajda, true> {
  std::vector<double> tried() const override { return {1, 1.5, 3, 4}; }
  bool on_long_rows() const override { return false; }

  quad f(quad u, quad a) const override { return raised(abs(u - 1), a); }
  quad at_zero(quad /*a*/) const override { return 1; }
  quad slope_at_infinity(quad a) const override { return a > 1 ? reference::infinity : quad(1); }
  double curvature(double u, double a) const override {
    return a < 2 ? std::nan("") : a * (a - 1) * std::pow(std::abs(u - 1), a - 2);
  }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    quad const ell = row.ell[k], x = expm1(-abs(ell));
    if (ell > 0) return exp(row.student.log_p[k] + a * (ell + reference::log(-x)));
    return row.q(k) * raised(-x, a);
  }
  quad slope(quad ell, quad a, bool far) const override {
    quad const u = exp(ell), x = expm1(ell), gauge = far ? 1 : 0;
    if (far && u < 0.0625) {  // (1−u)^(k−1) (1 + (k−1)u) − 1
      return expm1((a - 1) * log1p_beyond_first(-u) + log1p_beyond_first((a - 1) * u));
    }
    if (ell < 0) return raised(-x, a - 1) * (1 + (a - 1) * u) - gauge;
    return ell == 0 ? -gauge : -raised(x, a - 1) * (1 + (a - 1) * u) - gauge;
  }
  quad reversed_slope(quad ell, quad a, bool far) const override {
    quad const x = expm1(-ell);
    if (reference::is_infinite(x)) return a > 1 ? reference::infinity : far ? quad(0) : a;
    quad const slope = x == 0 ? quad(0) : reference::sign(x) * a * raised(abs(x), a - 1);
    return far && a == 1 ? slope - 1 : slope;
  }
  quad without_student(quad /*p*/, quad a) const override {
    return a > 1 ? -reference::infinity : quad(0);
  }

  std::optional<reference::kink> kink_at(quad a) const override { return kink_of_power(a); }
  double largest_exponent(row_pair const& row, quad a) const override {
    return std::max(exponent_of_ratio(row, a), exponent_of_size(row, a, [](quad x) { return x; }));
  }
};

}  // namespace

losses::entry const& vajda() {
  static vajda_entry const entry;
  return entry;
}

}  // namespace entries
