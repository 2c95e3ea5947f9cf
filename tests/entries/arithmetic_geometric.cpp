// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

namespace entries {

namespace {

class arithmetic_geometric_entry final : public entry_of<divot::arithmetic_geometric, false> {
  std::vector<double> tried() const override { return {0}; }
  bool on_long_rows() const override { return false; }

  quad f(quad u, quad /*a*/) const override {
    return (u + 1) / 2 * reference::log((u + 1) / (2 * reference::sqrt(u)));
  }
  quad at_zero(quad /*a*/) const override { return reference::infinity; }
  quad slope_at_infinity(quad /*a*/) const override { return reference::infinity; }
  double curvature(double u, double /*a*/) const override {
    return (u * u + 1) / (4 * u * u * (u + 1));
  }

  quad loss(row_pair const& row, std::size_t k, quad /*a*/) const override {
    smaller_ratio const r(row, k);
    return r.larger * (2 + r.x) / 2 * reference::log_cosh(r.y / 2);
  }
  quad slope(quad ell, quad /*a*/, bool /*far*/) const override {
    return reference::log_cosh(ell / 2) / 2 - reference::expm1(ell) / 4;
  }
  quad without_student(quad p, quad /*a*/) const override { return -p / 4; }
};

}  // namespace

losses::entry const& arithmetic_geometric() {
  static arithmetic_geometric_entry const entry;
  return entry;
}

}  // namespace entries
