// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <cmath>

namespace entries {

using reference::exp, reference::expm1, reference::sqrt;

namespace {

class blended_hellinger_entry final : public entry_of<divot::blended_hellinger, true> {
  std::vector<double> tried() const override { return {0.25, 0.5, 0.75, 1. / 64, 63. / 64}; }

  quad f(quad u, quad a) const override {
    quad const g = (u - 1) / (a * sqrt(u) + 1 - a);
    return g * g / 2;
  }
  quad at_zero(quad a) const override { return 1 / (2 * (1 - a) * (1 - a)); }
  quad slope_at_infinity(quad a) const override { return 1 / (2 * a * a); }
  double curvature(double u, double a) const override {
    double const r = std::sqrt(u), m = a * r + 1 - a, n = 1 - a + a * (r + 1 / r) / 2;
    return (n * n / m + (u - 1) / r * a * ((u - 1) / (4 * u) - n / m)) / (m * m * m);
  }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    quad const ell = row.ell[k], r = exp(-reference::abs(ell) / 2);
    quad const mean = ell > 0 ? a + (1 - a) * r : a * r + (1 - a);
    quad const g = expm1(-reference::abs(ell)) / mean;
    return (ell > 0 ? row.p(k) : row.q(k)) * g * g / 2;
  }
  quad slope(quad ell, quad a, bool far) const override {
    quad const r = exp(-reference::abs(ell) / 2), c = 1 - a;
    if (far && ell < 0) {
      quad const y = a * r / c, sum = y * (1 + 2 * r * r + 3 * y + y * y) + r * r * r * r;
      return -at_zero(a) * sum / ((1 + y) * (1 + y) * (1 + y));
    }
    quad const inner = c * (1 + r * r) + 2 * a * r, x = expm1(-reference::abs(ell));
    quad const m = ell > 0 ? a + c * r : a * r + c;
    quad const near = (ell > 0 ? x / r : -x) * inner / (2 * m * m * m);
    return far ? near - at_zero(a) : near;
  }
  quad reversed_slope(quad ell, quad a, bool far) const override { return slope(ell, 1 - a, far); }
};

}  // namespace

losses::entry const& blended_hellinger() {
  static blended_hellinger_entry const entry;
  return entry;
}

}  // namespace entries
