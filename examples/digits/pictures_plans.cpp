// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "pictures.hpp"

#include <cmath>
#include <sstream>
#include <string>

namespace digits {

picture draw_plans(std::vector<transport_plan> const& plans) {
  std::ostringstream s;
  for (std::size_t k = 0; k < plans.size(); ++k) {
    // roots of the shares: an even spread over all images would be invisible beside a whole one;
    // what would be nearly white is left out, or the file would be twice as long
    s << "$plan" << k << " << EOD\n";
    for (Eigen::Index i = 0; i < plans[k].mass.rows(); ++i) {
      for (Eigen::Index j = 0; j < plans[k].mass.cols(); ++j) {
        double const share = plans[k].mass(i, j);
        if (share >= 0.001) s << j << ' ' << i << ' ' << fixed(std::sqrt(share), 2) << '\n';
      }
    }
    s << "EOD\n";
  }
  auto const images = static_cast<double>(classes * shown_per_digit);
  s << "set multiplot\nset border 0\nunset grid\nset xrange [-0.5:" << images - 0.5
    << "]\nset yrange [" << images - 0.5 << ":-0.5]\nset cbrange [0:1]\n"
    << "set palette defined (0 '#ffffff', 0.15 '#f6e9f1', 0.45 '#d9a3c4', 0.75 '"
    << colour(kind::transport) << "', 1 '#4d1438')\n"
    << "set tmargin at screen 0.85\nset bmargin at screen 0.13\nset tics scale 0\n"
    << "set cbtics ('2 %%' " << fixed(std::sqrt(.02), 4) << ", '20 %%' " << fixed(std::sqrt(.2), 4)
    << ", '100 %%' 1) textcolor rgb '#5b6268'\n"
    << "unset colorbox\n"
    << "set xlabel 'teacher, image by image' offset 0,0.5\n";
  std::string const bar =
      "set colorbox noborder user origin screen 0.94, screen 0.13 size screen 0.012, screen "
      "0.72\n";
  for (auto const* axis : {"xtics", "ytics"}) {
    s << "set " << axis << " (";
    for (int digit = 0; digit < classes; ++digit) {
      double const middle = (digit + .5) * static_cast<double>(shown_per_digit) - .5;
      s << (digit ? ", " : "") << quoted(std::to_string(digit)) << ' ' << middle;
    }
    s << ")\n";
  }
  for (int digit = 1; digit < classes; ++digit) {
    double const at = digit * static_cast<double>(shown_per_digit) - .5;
    s << "set arrow from " << at << ",graph 0 to " << at
      << ",graph 1 nohead front linewidth 0.6 linecolor rgb '" << faint_ink << "'\n"
      << "set arrow from graph 0,first " << at << " to graph 1,first " << at
      << " nohead front linewidth 0.6 linecolor rgb '" << faint_ink << "'\n";
  }
  for (std::size_t k = 0; k < plans.size(); ++k) {
    double const left = 0.055 + 0.296 * static_cast<double>(k);
    s << "set lmargin at screen " << left << "\nset rmargin at screen " << left + 0.272 << '\n'
      << "unset label\nset label 1 " << quoted("after " + std::to_string(plans[k].step) + " steps")
      << " at graph 0,1.115 font 'Helvetica:Bold,14' textcolor rgb '" << colour(kind::transport)
      << "'\nset label 2 "
      << quoted(fixed(100 * plans[k].own_digit, 0) + " % stays with its digit, " +
                fixed(100 * plans[k].own_image, 0) + " % with its image")
      << " at graph 0,1.045 font ',12' textcolor rgb '#5b6268'\n"
      << (k == 0 ? "set ylabel 'student, image by image' offset 0.7,0\n" : "unset ylabel\n")
      << (k + 1 == plans.size() ? bar : "") << "plot $plan" << k
      << " using 1:2:(.5):(.5):3 with boxxyerror fillstyle solid 1 noborder fillcolor palette\n";
  }
  s << "unset multiplot\n";
  return {"plans",
          "Transport plans between a student's and the teacher's distributions, early and late",
          1080, 420, s.str()};
}

}  // namespace digits
