// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

namespace entries {

using reference::exp, reference::expm1;

namespace {

class triangular_entry final : public entry_of<divot::triangular, false> {
  std::vector<double> tried() const override { return {0}; }

  quad f(quad u, quad /*a*/) const override { return (u - 1) * (u - 1) / (u + 1); }
  quad at_zero(quad /*a*/) const override { return 1; }
  quad slope_at_infinity(quad /*a*/) const override { return 1; }
  double curvature(double u, double /*a*/) const override {
    return 8 / ((1 + u) * (1 + u) * (1 + u));
  }

  quad loss(row_pair const& row, std::size_t k, quad /*a*/) const override {
    smaller_ratio const r(row, k);
    return r.larger * r.x * r.x / (2 + r.x);
  }
  quad slope(quad ell, quad /*a*/, bool far) const override {
    quad const u = exp(ell), v = exp(-ell);  // v for u > 1, where u² might overflow
    if (far) return ell > 0 ? -4 / ((1 + v) * (1 + v)) : -4 * u * u / ((1 + u) * (1 + u));
    if (ell > 0) return expm1(-ell) * (3 + v) / ((1 + v) * (1 + v));
    return -expm1(ell) * (3 * u + 1) / ((1 + u) * (1 + u));
  }
};

}  // namespace

losses::entry const& triangular() {
  static triangular_entry const entry;
  return entry;
}

}  // namespace entries
