// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <cmath>
#include <optional>

namespace entries {

using reference::expm1, reference::log;

namespace {

class hockey_stick_entry final : public entry_of<divot::hockey_stick, true> {
  std::vector<double> tried() const override { return {2, 1}; }
  bool on_long_rows() const override { return false; }

  quad f(quad u, quad a) const override { return u > a ? u - a : quad(0); }
  quad at_zero(quad /*a*/) const override { return 0; }
  quad slope_at_infinity(quad /*a*/) const override { return 1; }
  double curvature(double /*u*/, double /*a*/) const override { return std::nan(""); }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    quad const beyond = row.ell[k] - log(a);
    return beyond > 0 ? a * row.q(k) * expm1(beyond) : quad(0);
  }
  quad slope(quad ell, quad a, bool /*far*/) const override { return ell > log(a) ? -a : quad(0); }
  quad reversed_slope(quad ell, quad a, bool far) const override {
    return (-ell > log(a) ? 1 : 0) - (far ? 1 : 0);
  }

  std::optional<reference::kink> kink_at(quad a) const override { return reference::kink{log(a)}; }
  double cancellation(row_pair const& row, quad a) const override {
    return hinge_cancellation(row, log(a), true, 1);
  }
};

}  // namespace

losses::entry const& hockey_stick() {
  static hockey_stick_entry const entry;
  return entry;
}

}  // namespace entries
