// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <cmath>

namespace entries {

using reference::exp, reference::expm1, reference::log, reference::log1p, reference::log_cosh,
    reference::raised;

namespace {

class osterreicher_vajda_entry final : public entry_of<divot::osterreicher_vajda, false> {
  std::vector<double> tried() const override { return {2, 0.5, 1, 8}; }

  quad f(quad u, quad a) const override {
    if (a == 1) return u * log(u) - (u + 1) * log((u + 1) / 2);
    return (raised(1 + raised(u, a), 1 / a) - raised(2, 1 / a - 1) * (1 + u)) / (1 - 1 / a);
  }
  quad at_zero(quad a) const override {
    quad const slope = 1 / a - 1;
    return slope == 0 ? log(quad(2)) : expm1(slope * log(quad(2))) / slope;
  }
  quad slope_at_infinity(quad a) const override { return at_zero(a); }
  double curvature(double u, double a) const override {
    return a * std::pow(u, a - 2) * std::pow(1 + std::pow(u, a), 1 / a - 2);
  }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    // 2^(1/b) (power mean − mean)/(1 − 1/b); ln of a power mean is y/2 + ln cosh(by/2)/b
    smaller_ratio const r(row, k);
    quad const mean = r.larger * (2 + r.x) / 2;
    if (a == 1) return 2 * mean * (r.y / 2 * r.x / (2 + r.x) - log_cosh(r.y / 2));
    quad const ratio = log_cosh(a * r.y / 2) / a - log_cosh(r.y / 2);
    return exp(log(quad(2)) / a) * mean * expm1(ratio) / (1 - 1 / a);
  }
  quad slope(quad ell, quad a, bool far) const override {
    quad const slope = 1 / a - 1;
    quad const l = far ? log1p(exp(a * ell)) : log1p(expm1(a * ell) / 2);
    quad const scale = far ? quad(1) : exp(slope * log(quad(2)));
    return -scale * (slope == 0 ? l : expm1(slope * l) / slope);
  }

  double largest_exponent(row_pair const& row, quad a) const override {
    return exponent_of_ratio(row, a > 1 ? a : quad(1));
  }
};

}  // namespace

losses::entry const& osterreicher_vajda() {
  static osterreicher_vajda_entry const entry;
  return entry;
}

}  // namespace entries
