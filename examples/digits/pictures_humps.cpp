// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "pictures.hpp"

#include <sstream>

namespace digits {

namespace {

/// A gnuplot data block: x, the teacher's density, then a column per student.
std::string densities(std::string const& name, std::vector<gaussian> const& students) {
  std::vector<std::vector<double>> columns = {density(teacher_logits())};
  for (gaussian const& each : students) columns.push_back(density(student_logits(each)));
  std::ostringstream text;
  text << '$' << name << " << EOD\n";
  for (Eigen::Index i = 0; i < line::points; i += 2) {
    text << fixed(line::at(i), 2);
    for (auto const& column : columns) text << ' ' << fixed(column[static_cast<std::size_t>(i)], 4);
    text << '\n';
  }
  text << "EOD\n";
  return text.str();
}

std::string about(gaussian const& g) {
  return "mean " + in_words(g.mean, 2) + ", width " + fixed(g.width, 2);
}

/// Two colours mixed, 0 for the first and 1 for the second.
std::string mix(std::string const& a, std::string const& b, double share) {
  std::string result = "#";
  for (std::size_t i = 1; i < 7; i += 2) {
    auto const channel = [&](std::string const& c) {
      return std::stoi(c.substr(i, 2), nullptr, 16);
    };
    auto const mixed = static_cast<int>((1 - share) * channel(a) + share * channel(b));
    constexpr char const* hex = "0123456789abcdef";
    result += hex[mixed / 16];
    result += hex[mixed % 16];
  }
  return result;
}

}  // namespace

picture draw_two_humps(std::vector<fitted> const& fits) {
  std::ostringstream s;
  for (std::size_t i = 0; i < fits.size(); ++i) {
    std::vector<gaussian> students;
    for (valley const& each : fits[i].valleys) students.push_back(each.student);
    s << densities("d" + std::to_string(i), students);
  }
  s << "set multiplot layout 2,4 margins 0.01,0.99,0.07,0.89 spacing 0.025,0.2\n"
       "set border 1\nunset ytics\nunset grid\nset xrange [-6:6]\nset yrange [0:0.7]\n"
       "set xtics -4,4,4 scale 0.4 format '%g'\n";
  for (std::size_t i = 0; i < fits.size(); ++i) {
    std::string const data = "$d" + std::to_string(i), ink = colour(fits[i].loss.kind);
    gaussian const& best = fits[i].valleys.front().student;
    s << "unset label\n"
      << "set label 1 " << quoted(fits[i].loss.name)
      << " at graph 0.02,1.12 font 'Helvetica:Bold,16' textcolor rgb '" << ink << "'\n"
      << "set label 2 " << quoted(about(best)) << " at graph 0.02,1.0 font ',13' textcolor rgb '"
      << "#5b6268'\n";
    if (i == 0) {
      s << "set label 3 'teacher' at 3.2,0.22 font ',14' textcolor rgb '" << teacher_ink << "'\n"
        << "set label 4 'student' at -5.8,0.13 font ',14' textcolor rgb '" << ink << "'\n";
    }
    s << "plot " << data << " using 1:2 with filledcurves y=0 fillcolor rgb '" << teacher_fill
      << "' fillstyle solid 1 noborder, '' using 1:2 with lines linewidth 1 linecolor rgb '"
      << teacher_ink << "'";
    for (std::size_t v = 1; v < fits[i].valleys.size(); ++v) {
      s << ", '' using 1:" << v + 3 << " with lines linewidth 1.3 dashtype (6,5) linecolor rgb '"
        << mix(ink, "#ffffff", 0.4) << "'";
    }
    s << ", '' using 1:3 with lines linewidth 2.6 linecolor rgb '" << ink << "'\n";
  }
  s << "unset multiplot\n";
  return {"two_humps", "What Gaussians fitted with eight losses make of a teacher with two humps",
          1080, 480, s.str()};
}

picture draw_alpha_beta(std::vector<plane_point> const& line,
                        std::vector<plane_point> const& plane) {
  std::vector<gaussian> students;
  for (plane_point const& each : line) students.push_back(each.student);
  std::ostringstream s;
  s << densities("line", students) << "$plane << EOD\n";
  for (plane_point const& each : plane) {
    s << fixed(each.alpha, 3) << ' ' << fixed(each.beta, 3) << ' ' << fixed(each.student.width, 3)
      << '\n';
  }
  s << "EOD\n"
       "set multiplot\n"
       "set lmargin at screen 0.02\nset rmargin at screen 0.50\n"
       "set tmargin at screen 0.86\nset bmargin at screen 0.11\n"
       "set border 1\nunset ytics\nunset grid\nset xrange [-6:6]\nset yrange [0:0.56]\n"
       "set xtics -4,2,4\n"
       "set label 1 'α + β = 1: the student for each α' at graph 0.02,1.07 font "
       "'Helvetica:Bold,15' textcolor rgb '"
    << text_ink << "'\n";
  // the curves fall into two bundles: those on one hump, and those over both
  for (bool const narrow : {true, false}) {
    std::vector<plane_point> bundle;
    for (plane_point const& each : line) {
      if ((share_of_one_hump(each.student) > 0.9) == narrow) bundle.push_back(each);
    }
    if (bundle.empty()) continue;
    gaussian const& g = (narrow ? bundle.front() : bundle.back()).student;
    s << "set label " << (narrow ? 2 : 3) << ' '
      << quoted("α = " + fixed(bundle.front().alpha, 1) + " … " + fixed(bundle.back().alpha, 1))
      << " at " << fixed(g.mean + (narrow ? 0.7 : 0.05), 2) << ','
      << fixed(0.399 / g.width + (narrow ? -0.02 : 0.045), 3)
      << " font 'Helvetica:Bold,14' textcolor rgb '"
      << colour(narrow ? kind::reverse : kind::forward) << "'\n";
  }
  s << "plot $line using 1:2 with filledcurves y=0 fillcolor rgb '" << teacher_fill
    << "' fillstyle solid 1 noborder, '' using 1:2 with lines linewidth 1 linecolor rgb '"
    << teacher_ink << "'";
  for (std::size_t i = 0; i < line.size(); ++i) {
    s << ", '' using 1:" << i + 3 << " with lines linewidth 1.8 linecolor rgb '"
      << mix(colour(kind::reverse), colour(kind::forward), line[i].alpha) << "'";
  }
  s << "\nunset label\n"
       "set lmargin at screen 0.59\nset rmargin at screen 0.91\n"
       "set border 0\nset size square\nset autoscale\nset xtics 0,0.5,1\nset ytics 0,0.5,1\n"
       "set xlabel 'α' offset 0,0.9\nset ylabel 'β' rotate by 0 offset 2.5,0\n"
       "set label 1 'the whole plane: width of the student' at graph -0.05,1.07 font "
       "'Helvetica:Bold,15' textcolor rgb '"
    << text_ink << "'\nset palette defined (0 '" << colour(kind::reverse)
    << "', 0.35 '#f0c9b8', 0.6 '#f3f1ec', 0.8 '#a9c4e2', 1 '" << colour(kind::forward)
    << "')\nset cbtics 0.5 scale 0 textcolor rgb '#5b6268'\nset colorbox noborder\n"
       "set xrange [-0.025:1.225]\nset yrange [-0.025:1.225]\n"
       "$marks << EOD\n1 0 \"KL\"\n0 1 \"reverse KL\"\n0.5 0.5 \"Hellinger\"\n"
       "0.2 0.7 \"(0.2, 0.7)\"\n0.8 0.3 \"(0.8, 0.3)\"\nEOD\n"
       "plot $plane using 1:2:3 with image pixels, $marks using 1:2 with points pointtype 7 "
       "pointsize 0.7 linecolor rgb '#2f3437', '' using 1:2:3 with labels left offset 0.7,0.5 font "
       "',12' textcolor rgb '#2f3437'\nunset multiplot\n";
  return {"alpha_beta",
          "Fits along the line from reverse KL to KL, and the width of the fit over the α-β plane",
          1080, 440, s.str()};
}

}  // namespace digits
