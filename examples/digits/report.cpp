// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "report.hpp"

#include "parallel.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace digits {

namespace {

constexpr char const* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>divot: what a loss does to a student</title>
<style>
body { font: 16px/1.55 Helvetica, Arial, sans-serif; color: #2f3437; background: #fff;
       max-width: 1080px; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.9rem; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .4rem; }
p { max-width: 50rem; margin: .4rem 0 1rem; }
figure { margin: 0; }
svg { width: 100%; height: auto; display: block; }
.thumbnails { max-width: 560px; margin: 1.2rem 0; }
.wide { overflow-x: auto; }
.missing { background: #f6f4ef; padding: .8rem 1rem; }
table { border-collapse: collapse; font-size: .87rem; width: 100%; margin-top: 1rem;
        font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: #5b6268; padding: .3rem .6rem; vertical-align: bottom;
     white-space: nowrap; border-bottom: 1px solid #c9cdd1; }
td { text-align: right; padding: .22rem .6rem; border-bottom: 1px solid #eceef0; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:nth-child(2), td:nth-child(2) { text-align: left; }
td small { color: #7b8288; }
code { font: .82rem ui-monospace, Menlo, Consolas, monospace; white-space: normal; }
footer { margin-top: 3rem; font-size: .87rem; color: #5b6268; }
</style>
</head>
<body>
)";

std::string escaped(std::string const& text) {
  std::string result;
  for (char const c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string cell(spread const& s, int digits) {
  return "<td>" + fixed(s.mean, digits) + " <small>± " + fixed(s.deviation, digits) +
         "</small></td>";
}

void write_table(std::ostream& out, findings const& found) {
  out << "<div class='wide'><table>\n<tr><th>trained with</th><th>in code (namespace divot)</th>"
         "<th>right<br>answers, %</th><th>same answer<br>as teacher, %</th><th>KL to "
         "the<br>teacher</th>"
         "<th>entropy</th><th>µs a step<br>(the loss)</th></tr>\n<tr><td>the "
         "teacher</td><td></td><td>"
      << fixed(found.teacher.accuracy, 2) << "</td><td></td><td></td><td>"
      << fixed(found.teacher.entropy, 3) << "</td><td></td></tr>\n";
  for (row const& each : found.rows) {
    out << "<tr><td style='color:" << colour(each.loss.kind) << "'>" << each.loss.name
        << "</td><td><code>" << escaped(each.loss.code) << "</code></td>" << cell(each.accuracy, 2)
        << cell(each.agreement, 1) << cell(each.kl, 3) << "<td>" << fixed(each.entropy.mean, 3)
        << "</td><td>" << fixed(each.microseconds.mean, 1) << "</td></tr>\n";
  }
  out << "</table></div>\n";
}

void write_setting(std::ostream& out, findings const& found) {
  settings const& how = found.how;
  spread const labels = named(found.plenty, "labels only").accuracy;
  spread const kl = named(found.plenty, "KL").accuracy;
  out << "<h1>divot: what a loss does to a student</h1>\n"
      << "<p>A teacher, a network with two hidden layers of " << how.teacher_width
      << " units, learns to read handwritten digits from " << found.training_images
      << " images. A student with one hidden layer of " << how.student_width
      << " units is shown only " << how.images_per_digit << " images of each digit, " << how.steps()
      << " times " << how.batch << " of them, with fresh noise every time. It learns either from "
      << "their labels or, for the very same noisy images, from the teacher's probabilities, "
         "through "
      << "one of divot's losses. Both are tested on " << found.test_images
      << " images, which seem to come from other writers.</p>\n"
      << "<div class='thumbnails'>" << found.thumbnails << "</div>\n"
      << "<p>Top: one image of each digit. Bottom: what a student gets to see. Every student is "
      << "trained by Adam with the same learning rate, " << how.rate
      << ", whatever its loss: Adam's steps do not depend on the scale of the gradient.</p>\n"
      << "<p>Two choices to know about. The setting was picked, by looking at test results, so "
         "that "
      << "a teacher helps; it does not always. With " << found.plenty_per_digit
      << " images of each digit and no noise, students reach " << fixed(labels.mean, 1) << " ± "
      << fixed(labels.deviation, 1) << " % from labels and " << fixed(kl.mean, 1) << " ± "
      << fixed(kl.deviation, 1) << " % from the teacher through KL. And Neyman's χ² is shown at "
      << "T = 4 because at T = 1 its students get " << fixed(found.neyman_at_one.accuracy.mean, 1)
      << " ± " << fixed(found.neyman_at_one.accuracy.deviation, 1)
      << " %. No other loss was treated on its own.</p>\n";
}

/// A picture as it goes into the page.
std::string inlined(picture const& what, std::filesystem::path const& folder) {
  auto const file = folder / (what.name + ".svg");
  draw(what, file);
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  std::string const svg = text.str();
  auto const start = svg.find("<svg");
  if (start == std::string::npos) throw std::runtime_error(file.string() + " is not an SVG");
  return svg.substr(start);
}

}  // namespace

void write_report(findings const& found, std::filesystem::path const& folder) {
  auto const sections = sections_of(found);
  std::vector<std::pair<std::size_t, std::string>> drawn;
  std::vector<picture const*> pictures;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    for (picture const& each : sections[i].pictures) {
      pictures.push_back(&each);
      drawn.emplace_back(i, std::string());
    }
  }
  if (have_gnuplot()) {
    parallel_for(pictures.size(),
                 [&](std::size_t i) { drawn[i].second = inlined(*pictures[i], folder); });
  }

  std::ostringstream out;
  out << head;
  write_setting(out, found);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    out << "<h2>" << sections[i].title << "</h2>\n<p>" << sections[i].words << "</p>\n";
    for (auto const& [number, svg] : drawn) {
      if (number != i) continue;
      out << "<figure>"
          << (svg.empty()
                  ? "<div class='missing'>No picture: gnuplot was not found when this report "
                    "was made.</div>"
                  : svg)
          << "</figure>\n";
    }
    if (i == 0) write_table(out, found);
  }
  out << "<footer><p>Made by <code>make demo</code> (examples/digits). Digits: E. Alpaydin and C. "
         "Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository "
         "(1998), "
         "doi:10.24432/C50P49, CC BY 4.0.</p></footer>\n</body>\n</html>\n";

  std::ofstream file(folder / "report.html");
  file << out.str();
  if (!file.flush())
    throw std::runtime_error((folder / "report.html").string() + " cannot be written");
}

}  // namespace digits
