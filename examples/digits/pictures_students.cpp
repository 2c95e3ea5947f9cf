// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "pictures.hpp"

#include <algorithm>
#include <sstream>

namespace digits {

namespace {

/// A gnuplot data block: the step, then mean and deviation over seeds of each value.
std::string curves(std::string const& name, trained const& what, std::vector<int> const& steps,
                   std::vector<std::function<double(grades const&)>> const& values) {
  std::ostringstream text;
  text << '$' << name << " << EOD\n";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    text << steps[i];
    for (auto const& value : values) {
      spread const s =
          spread_over(what.runs, [&](student_run const& run) { return value(run.curve[i]); });
      text << ' ' << fixed(s.mean, 5) << ' ' << fixed(s.deviation, 5);
    }
    text << '\n';
  }
  text << "EOD\n";
  return text.str();
}

std::string panel_title(loss const& what) {
  return "set label 1 " + quoted(what.name) +
         " at graph 0,1.09 font 'Helvetica:Bold,14' textcolor rgb '" + colour(what.kind) + "'\n";
}

constexpr int across = 4, down = 3;
constexpr char const* twelve_panels =
    "set multiplot layout 3,4 margins 0.055,0.985,0.085,0.95 spacing 0.03,0.075\n";

/// Numbers only at the left and at the bottom.
std::string panel_tics(std::size_t panel, std::string const& x, std::string const& y) {
  bool const bottom = panel / across == down - 1, left = panel % across == 0;
  return "set xtics " + x + (bottom ? " format '%g'\n" : " format ''\n") + "set ytics " + y +
         (left ? "\n" : " format ''\n") +
         (bottom ? "set xlabel 'step' offset 0,0.6 textcolor rgb '#5b6268'\n" : "unset xlabel\n");
}

}  // namespace

picture draw_scores(std::vector<row> const& unsorted, grades const& teacher) {
  std::vector<row> rows = unsorted;
  std::stable_sort(rows.begin(), rows.end(),
                   [](row const& a, row const& b) { return a.accuracy.mean < b.accuracy.mean; });
  std::ostringstream s;
  s << "$rows << EOD\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    s << i;
    for (spread const& each : {rows[i].accuracy, rows[i].kl, rows[i].entropy}) {
      s << ' ' << fixed(each.mean, 4) << ' ' << fixed(each.deviation, 4);
    }
    s << " 0x" << colour(rows[i].loss.kind).substr(1) << '\n';
  }
  s << "EOD\nset multiplot\nset tmargin at screen 0.93\nset bmargin at screen 0.065\n"
    << "set border 0\nset yrange [-0.7:" << static_cast<double>(rows.size()) - 0.3 << "]\n"
    << "set grid xtics noytics linetype 1 linecolor rgb '#eceef0' linewidth 0.8\n";
  struct column {
    char const* title;
    int field;
    double teacher;
    double from, to;
    char const* tics;
  };
  column const columns[] = {
      {"right answers on the test images, %", 2, teacher.accuracy, 0.235, 0.57, "autofreq"},
      {"KL to the teacher, nats", 4, 0, 0.61, 0.78, "0,0.2"},
      {"entropy, nats", 6, teacher.entropy, 0.82, 0.985, "0,0.5"}};
  for (column const& c : columns) {
    s << "set lmargin at screen " << c.from << "\nset rmargin at screen " << c.to << '\n'
      << "set xtics " << c.tics << "\nset autoscale x\n"
      << (c.field == 2 ? "set xrange [*:" + fixed(c.teacher + 0.4, 1) + "]\n"
                       : "set xrange [0:*] noextend\n")
      << "unset label\nunset arrow\n"
      << "set label 1 " << quoted(c.title) << " at graph 0,1.035 font 'Helvetica:Bold,13' "
      << "textcolor rgb '" << text_ink << "'\n";
    s << "set autoscale xfixmax\n";
    if (c.teacher > 0) {
      s << "set arrow 1 from " << c.teacher << ",graph 0 to " << c.teacher
        << ",graph 1 nohead back linewidth 1 dashtype (5,4) linecolor rgb '" << teacher_ink << "'\n"
        << "set label 2 'teacher' at " << c.teacher << ",graph 0.03 offset -0.5,0 right font ',12' "
        << "textcolor rgb '" << teacher_ink << "'\n";
    }
    if (c.field == 2) {
      s << "set ytics scale 0 (";
      for (std::size_t i = 0; i < rows.size(); ++i) {
        s << (i ? ", " : "") << quoted(rows[i].loss.name) << ' ' << i;
      }
      s << ")\n";
    } else {
      s << "set ytics scale 0 format ''\nunset ytics\n";
    }
    s << "plot $rows using " << c.field << ":1:" << c.field + 1
      << ":8 with xerrorbars pointtype 0 linewidth 1.6 linecolor rgb variable, '' using " << c.field
      << ":1:8 with points pointtype 7 pointsize 0.75 linecolor rgb variable\n";
  }
  s << "unset multiplot\n";
  return {"scores", "Accuracy, KL to the teacher and entropy of the students of every loss", 1080,
          90 + 24 * static_cast<int>(rows.size()), s.str()};
}

picture draw_learning_curves(std::vector<trained> const& all, grades const& teacher,
                             std::vector<int> const& steps) {
  std::vector<std::function<double(grades const&)>> const accuracy = {
      [](grades const& g) { return g.accuracy; }};
  std::ostringstream s;
  s << curves("labels", named(all, "labels only"), steps, accuracy);
  for (std::size_t i = 0; i < shown_in_panels.size(); ++i) {
    s << curves("d" + std::to_string(i), named(all, shown_in_panels[i]), steps, accuracy);
  }
  s << twelve_panels << "set logscale x\nset xrange [1:" << steps.back() << "]\n"
    << "set yrange [0:100]\n";
  std::string const tics = "(1, 10, 100, " + std::to_string(steps.back()) + ")";
  std::string const grey = colour(kind::labels);
  for (std::size_t i = 0; i < shown_in_panels.size(); ++i) {
    loss const& what = named(all, shown_in_panels[i]).loss;
    std::string const data = "$d" + std::to_string(i), ink = colour(what.kind);
    s << "unset label\n" << panel_title(what) << panel_tics(i, tics, "0,50,100");
    if (i == 0) {
      s << "set label 2 'teacher' at 1.2,88 font ',12' textcolor rgb '" << teacher_ink << "'\n"
        << "set label 3 'labels only' at 60,58 font ',12' textcolor rgb '" << grey << "'\n"
        << "set label 4 'with the teacher' at 1.2,45 font ',12' textcolor rgb '" << ink << "'\n";
    }
    s << "plot " << teacher.accuracy << " with lines linewidth 1 dashtype (5,4) linecolor rgb '"
      << teacher_ink << "', " << data
      << " using 1:($2-$3):($2+$3) with filledcurves fillcolor rgb '" << ink
      << "' fillstyle transparent solid 0.18 noborder, $labels using 1:2 with lines "
      << "linewidth 1.5 linecolor rgb '" << grey << "', " << data
      << " using 1:2 with lines linewidth 2.2 linecolor rgb '" << ink << "'\n";
  }
  s << "unset multiplot\n";
  return {"learning_curves", "Accuracy during training for twelve losses", 1080, 620, s.str()};
}

picture draw_masses(std::vector<trained> const& all, grades const& teacher,
                    std::vector<int> const& steps) {
  std::vector<std::function<double(grades const&)>> masses;
  for (std::size_t r = 0; r < roles; ++r) {
    masses.push_back([r](grades const& g) { return g.mass[r]; });
  }
  std::ostringstream s;
  for (std::size_t i = 0; i < shown_in_panels.size(); ++i) {
    s << curves("d" + std::to_string(i), named(all, shown_in_panels[i]), steps, masses);
  }
  s << twelve_panels << "set logscale xy\nset xrange [1:" << steps.back() << "]\n"
    << "set yrange [0.002:1]\n";
  std::string const tics = "(1, 10, 100, " + std::to_string(steps.back()) + ")";
  char const* const names[] = {"right class", "hard classes", "easy classes"};
  double const places[] = {17, 1.3, 1.3}, heights[] = {0.105, 0.275, 0.47};
  for (std::size_t i = 0; i < shown_in_panels.size(); ++i) {
    s << "unset label\n"
      << panel_title(named(all, shown_in_panels[i]).loss)
      << panel_tics(i, tics,
                    i % across == 0 ? "('1 %%' 0.01, '10 %%' 0.1, '100 %%' 1)"
                                    : "('' 0.01, '' 0.1, '' 1)");
    if (i == 0) {
      s << "set label 5 'teacher' at 1.3,0.0046 font ',12' textcolor rgb '" << colour_of_role(2)
        << "'\n";
    }
    for (int r = 0; i == 0 && r < roles; ++r) {
      s << "set label " << r + 2 << ' ' << quoted(names[r]) << " at " << places[r] << ','
        << heights[r] << " font ',12' textcolor rgb '" << colour_of_role(r) << "'\n";
    }
    s << "plot ";
    for (int r = 0; r < roles; ++r) {
      s << (r ? ", " : "") << teacher.mass[static_cast<std::size_t>(r)]
        << " with lines linewidth 1 dashtype (5,4) linecolor rgb '" << colour_of_role(r) << "', $d"
        << i << " using 1:" << 2 * r + 2 << " with lines linewidth 2.2 linecolor rgb '"
        << colour_of_role(r) << "'";
    }
    s << '\n';
  }
  s << "unset multiplot\n";
  return {
      "masses",
      "Probability of the right, the hard and the easy classes during training for twelve losses",
      1080, 700, s.str()};
}

picture draw_log_ratios(std::vector<clouds> const& all) {
  std::ostringstream s;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (int r = 0; r < roles; ++r) {
      s << "$d" << i << '_' << r << " << EOD\n";
      for (log_ratio const& each : all[i].ratios.classes) {
        if (static_cast<int>(each.role) == r) {
          s << fixed(each.predicted, 4) << ' ' << fixed(each.measured, 4) << '\n';
        }
      }
      s << "EOD\n";
    }
  }
  s << "set multiplot layout 2,4 margins 0.065,0.985,0.11,0.93 spacing 0.02,0.12\n"
       "set size square\nset xrange [-0.34:0.34]\nset yrange [-0.34:0.34]\n"
       "set xtics -0.3,0.3,0.3\nset ytics -0.3,0.3,0.3\nset grid xtics ytics\n"
       "set style fill transparent solid 0.5 noborder\n";
  char const* const names[] = {"right class", "hard classes", "easy classes"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    s << "unset label\n"
      << panel_title(all[i].loss) << "set label 5 " << quoted("η = " + fixed(all[i].ratios.rate, 2))
      << " at graph 0.97,0.06 right font ',12' textcolor rgb '#5b6268'\n";
    for (int r = 0; i == 0 && r < roles; ++r) {
      s << "set label " << r + 2 << ' ' << quoted(names[r]) << " at graph 0.04," << 0.94 - 0.09 * r
        << " font ',12' textcolor rgb '" << colour_of_role(r) << "'\n";
    }
    s << (i / 4 == 1 ? "set xlabel 'predicted' offset 0,0.4 textcolor rgb '#5b6268'\n"
                     : "unset xlabel\n")
      << (i % 4 == 0 ? "set ylabel 'measured' offset 1.5,0 textcolor rgb '#5b6268'\n"
                     : "unset ylabel\n")
      << "plot x with lines linewidth 1 linecolor rgb '" << faint_ink << "'";
    for (int r : {2, 1, 0}) {
      s << ", $d" << i << '_' << r << " with points pointtype 7 pointsize 0.3 linecolor rgb '"
        << colour_of_role(r) << "'";
    }
    s << '\n';
  }
  s << "unset multiplot\n";
  return {"log_ratios", "Measured against predicted changes of log-probabilities for eight losses",
          1080, 580, s.str()};
}

}  // namespace digits
