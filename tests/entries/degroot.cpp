// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <cmath>
#include <optional>

namespace entries {

using reference::expm1, reference::log;

namespace {

class degroot_entry final : public entry_of<divot::degroot, true> {
  std::vector<double> tried() const override { return {0.25, 0.5, 0.75}; }
  bool on_long_rows() const override { return false; }

  /// With prior ½ half of either argument's side, which is the same sum.
  quad f(quad u, quad a) const override {
    quad const x = a * u - (1 - a);
    if (a == 0.5) return reference::abs(x) / 2;
    return (x > 0) == (a < 0.5) ? reference::abs(x) : quad(0);
  }
  quad at_zero(quad a) const override { return a == 0.5 ? quad(0.25) : a < 0.5 ? quad(0) : 1 - a; }
  quad slope_at_infinity(quad a) const override { return a == 0.5 ? quad(0.25) : a < 0.5 ? a : 0; }
  double curvature(double /*u*/, double /*a*/) const override { return std::nan(""); }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    quad const beyond = row.ell[k] - place(a), q = row.q(k);
    if (a == 0.5) return q * reference::abs(expm1(beyond)) / 4;
    if ((beyond > 0) != (a < 0.5)) return 0;
    return (1 - a) * q * reference::abs(expm1(beyond));
  }
  quad slope(quad ell, quad a, bool far) const override {
    quad const beyond = ell - place(a);
    quad const gauge = far ? at_zero(a) : quad(0);
    if (a == 0.5) return -quad(reference::sign(ell)) / 4 - gauge;
    if (a < 0.5) return (beyond > 0 ? a - 1 : quad(0)) - gauge;
    return (beyond < 0 ? 1 - a : quad(0)) - gauge;
  }
  quad reversed_slope(quad ell, quad a, bool far) const override { return slope(ell, 1 - a, far); }

  std::optional<reference::kink> kink_at(quad a) const override {
    return reference::kink{place(a)};
  }
  double cancellation(row_pair const& row, quad a) const override {
    return hinge_cancellation(row, place(a), a <= 0.5, a);
  }

  static quad place(quad a) { return log((1 - a) / a); }
};

}  // namespace

losses::entry const& degroot() {
  static degroot_entry const entry;
  return entry;
}

}  // namespace entries
