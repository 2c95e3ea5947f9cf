// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

namespace entries {

using reference::expm1;

namespace {

class marton_entry final : public entry_of<divot::marton, true> {
  std::vector<double> tried() const override { return {0}; }
  bool on_long_rows() const override { return false; }

  quad f(quad u, quad /*a*/) const override { return u < 1 ? (1 - u) * (1 - u) : quad(0); }
  quad at_zero(quad /*a*/) const override { return 1; }
  quad slope_at_infinity(quad /*a*/) const override { return 0; }
  double curvature(double u, double /*a*/) const override { return u < 1 ? 2. : 0.; }

  quad loss(row_pair const& row, std::size_t k, quad /*a*/) const override {
    quad const x = expm1(row.ell[k]);
    return x < 0 ? row.q(k) * x * x : quad(0);
  }
  quad slope(quad ell, quad /*a*/, bool far) const override {
    if (ell >= 0) return far ? -1 : 0;
    quad const u = reference::exp(ell);
    return far ? -u * u : -expm1(2 * ell);
  }
  quad reversed_slope(quad ell, quad /*a*/, bool /*far*/) const override {
    return ell > 0 ? 2 * expm1(-ell) : quad(0);
  }
};

}  // namespace

losses::entry const& marton() {
  static marton_entry const entry;
  return entry;
}

}  // namespace entries
