// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "losses.hpp"

#include <filesystem>
#include <string>

namespace digits {

/// A gnuplot program that draws one picture.
struct picture {
  std::string name;    ///< of its file, without suffix
  std::string shows;   ///< for those who cannot see it
  int width, height;   ///< in pixels at full size
  std::string script;  ///< without terminal and output
};

/// Whether gnuplot can be run.
bool have_gnuplot();

/// Runs gnuplot; the SVG goes to `to`. Throws std::runtime_error if that fails.
void draw(picture const& what, std::filesystem::path const& to);

/// The same colours in every picture, as "#rrggbb".
std::string colour(kind k);
std::string colour_of_role(int role);
constexpr char const* teacher_fill = "#e3e0d8";
constexpr char const* teacher_ink = "#8a8272";
constexpr char const* text_ink = "#2f3437";
constexpr char const* faint_ink = "#c9cdd1";

/// A string in gnuplot's single quotes.
std::string quoted(std::string const& text);

/// 2.345 with so many digits after the point.
std::string fixed(double value, int digits);

/// The same for human eyes, with a real minus sign.
std::string in_words(double value, int digits);

}  // namespace digits
