// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "plot.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace digits {

namespace {

constexpr char const* style = R"(
set encoding utf8
set minussign
set border 3 linecolor rgb '#9aa0a6' linewidth 0.8
set tics nomirror out scale 0.4 textcolor rgb '#5b6268'
set grid ytics linetype 1 linecolor rgb '#eceef0' linewidth 0.7
set title textcolor rgb '#2f3437'
set xlabel textcolor rgb '#5b6268'
set ylabel textcolor rgb '#5b6268'
unset key
)";

std::string const font = "font-family=\"Helvetica, Arial, sans-serif\"";

void replace_all(std::string& text, std::string const& what, std::string const& by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

/// gnuplot names every curve after its command; browsers would show that under the mouse.
void remove_titles(std::string& text) {
  std::string const open = "<title>", close = "</title>";
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    auto const end = text.find(close, at);
    if (end == std::string::npos) break;
    text.erase(at, end + close.size() - at);
  }
}

}  // namespace

bool have_gnuplot() {
  static bool const found = std::system("gnuplot --version >/dev/null 2>&1") == 0;
  return found;
}

void draw(picture const& what, std::filesystem::path const& to) {
  std::filesystem::remove(to);
  std::FILE* gnuplot = popen("gnuplot", "w");
  if (!gnuplot) throw std::runtime_error("gnuplot cannot be started");
  std::ostringstream head;
  head << "set terminal svg size " << what.width << ',' << what.height
       << " noenhanced font 'Helvetica,13' background 'white' name " << quoted(what.name)
       << "\nset output " << quoted(to.string()) << style;
  std::string const program = head.str() + what.script;
  std::fwrite(program.data(), 1, program.size(), gnuplot);
  if (pclose(gnuplot) != 0 || !std::filesystem::exists(to)) {
    throw std::runtime_error("gnuplot failed on the picture " + what.name);
  }

  std::ifstream drawn(to);
  std::string text(std::istreambuf_iterator<char>(drawn), {});
  drawn.close();
  replace_all(text, "font-family=\"Helvetica:Bold\"", "font-weight=\"bold\" " + font);
  replace_all(text, "font-family=\"Helvetica\"", font);
  remove_titles(text);
  replace_all(text, "<svg ", "<svg role=\"img\" aria-label=\"" + what.shows + "\"");
  std::ofstream(to) << text;
}

std::string colour(kind k) {
  switch (k) {
    case kind::labels:
      return "#6b7280";
    case kind::forward:
      return "#2463ae";
    case kind::reverse:
      return "#c8432b";
    case kind::between:
      return "#2d8659";
    case kind::alpha_beta:
      return "#7d4fa8";
    case kind::chi_squared:
      return "#b07a16";
    case kind::prepared:
      return "#0f7f8f";
    case kind::transport:
      return "#a03a78";
  }
  return "#000000";
}

std::string colour_of_role(int role) {
  constexpr std::array<char const*, 3> colours = {"#1f7a8c", "#d1661f", "#9aa0a6"};
  return colours.at(static_cast<std::size_t>(role));
}

std::string quoted(std::string const& text) {
  std::string result = "'";
  for (char const c : text) {
    if (c == '\'') result += '\'';
    result += c;
  }
  result += '\'';
  return result;
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string in_words(double value, int digits) {
  std::string text = fixed(value, digits);
  replace_all(text, "-", "−");
  return text;
}

}  // namespace digits
