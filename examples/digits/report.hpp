// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "pictures.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace digits {

/// Everything the demonstration found out.
struct findings {
  settings how;
  Eigen::Index training_images = 0, test_images = 0;
  grades teacher;
  std::vector<trained> students;
  std::vector<row> rows;
  std::vector<row> plenty;  ///< labels only and KL with many images and no noise
  int plenty_per_digit = 0;
  row neyman_at_one;
  std::vector<int> steps;  ///< of the learning curves
  std::vector<fitted> humps;
  std::vector<plane_point> line, plane;
  std::vector<clouds> ratios;
  std::vector<transport_plan> plans;  ///< early to late
  std::string thumbnails;             ///< SVG
};

/// A section of the report: its words are HTML, their numbers from the findings.
struct section {
  std::string title, words;
  std::vector<picture> pictures;
};

std::vector<section> sections_of(findings const& found);

/// Writes report.html to the folder, with the pictures in it; without gnuplot, a note in their
/// place.
void write_report(findings const& found, std::filesystem::path const& folder);

}  // namespace digits
