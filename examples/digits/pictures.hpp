// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "humps.hpp"
#include "log_ratio.hpp"
#include "plans.hpp"
#include "plot.hpp"
#include "table.hpp"

#include <vector>

namespace digits {

struct fitted {
  digits::loss loss;
  std::vector<valley> valleys;
};

/// A point of the α-β plane with the width of the Gaussian that fits best there.
struct plane_point {
  double alpha = 0, beta = 0;
  gaussian student;
};

struct clouds {
  digits::loss loss;
  log_ratios ratios;
};

picture draw_two_humps(std::vector<fitted> const& fits);
picture draw_alpha_beta(std::vector<plane_point> const& line,
                        std::vector<plane_point> const& plane);
picture draw_scores(std::vector<row> const& rows, grades const& teacher);
picture draw_learning_curves(std::vector<trained> const& all, grades const& teacher,
                             std::vector<int> const& steps);
picture draw_masses(std::vector<trained> const& all, grades const& teacher,
                    std::vector<int> const& steps);
picture draw_log_ratios(std::vector<clouds> const& all);
picture draw_plans(std::vector<transport_plan> const& plans);

/// The losses of the small multiples, in reading order.
inline std::vector<std::string> const shown_in_panels = {
    // towards KL
    "KL", "KL, T = 4", "skew KL 0.1", "GKD 0.1",
    // the same for both sides
    "Jensen–Shannon", "squared Hellinger", "total variation", "WSD 0.5",
    // α-β, and where it leads
    "α-β (0.8, 0.3)", "α-β (0.5, 0.5)", "α-β (0.2, 0.7)", "reverse KL"};

template <class Range>
auto const& named(Range const& range, std::string const& name) {
  for (auto const& each : range) {
    if (each.loss.name == name) return each;
  }
  throw std::logic_error("no loss is called " + name);
}

}  // namespace digits
