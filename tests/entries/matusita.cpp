// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <cmath>
#include <optional>

namespace entries {

using reference::expm1, reference::raised;

namespace {

class matusita_entry final : public entry_of<divot::matusita, false> {
  std::vector<double> tried() const override { return {0.3, 0.5, 1}; }
  bool on_long_rows() const override { return false; }

  quad f(quad u, quad a) const override { return raised(reference::abs(raised(u, a) - 1), 1 / a); }
  quad at_zero(quad /*a*/) const override { return 1; }
  quad slope_at_infinity(quad /*a*/) const override { return 1; }
  double curvature(double u, double a) const override {
    if (a > 0.25 && a != 0.5) return std::nan("");  // too little smooth at 1 for a quadrature
    return (1 - a) * std::pow(std::abs(std::pow(u, a) - 1), 1 / a - 2) * std::pow(u, a - 2);
  }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    smaller_ratio const r(row, k);
    return r.larger * raised(-expm1(a * r.y), 1 / a);
  }
  quad slope(quad ell, quad a, bool far) const override {
    if (far && a * ell < -1) return expm1((1 / a - 1) * reference::log1p(-reference::exp(a * ell)));
    quad const gauge = far ? 1 : 0;
    int const s = reference::sign(ell);
    return s == 0 ? -gauge : -s * raised(reference::abs(expm1(a * ell)), 1 / a - 1) - gauge;
  }

  std::optional<reference::kink> kink_at(quad a) const override { return kink_of_power(1 / a); }
  double largest_exponent(row_pair const& row, quad /*a*/) const override {
    return exponent_of_ratio(row, 1);
  }
};

}  // namespace

losses::entry const& matusita() {
  static matusita_entry const entry;
  return entry;
}

}  // namespace entries
