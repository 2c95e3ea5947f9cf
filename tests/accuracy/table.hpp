// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Reads the tables that tools/make_reference.py writes.

#include <accuracy/quad.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace reference {

/// One loss of one row; the vectors are empty where the table does not have them.
struct table_entry {
  std::string name;                // of the divergence, or "labels"
  std::vector<double> parameters;  // labels: label, smoothing, z-loss factor
  std::map<std::string, std::vector<quad>> numbers;
};

struct table_row {
  double teacher_temperature = 1, student_temperature = 1;
  std::vector<double> teacher, student;
  std::vector<table_entry> entries;
};

/// All rows of tests/accuracy/tables/<name>.
inline std::vector<table_row> read_table(std::string const& name) {
  std::string path = DIVOT_TABLES;
  path.append("/").append(name);
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no table " + path);
  std::vector<table_row> rows;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string key, word;
    words >> key;
    auto const doubles = [&] {
      std::vector<double> all;
      while (words >> word) all.push_back(std::strtod(word.c_str(), nullptr));
      return all;
    };
    if (key == "#") continue;
    if (key == "row") {
      std::vector<double> const numbers = doubles();  // classes, temperatures
      rows.push_back({numbers.at(1), numbers.at(2), {}, {}, {}});
    } else if (key == "teacher") {
      rows.back().teacher = doubles();
    } else if (key == "student") {
      rows.back().student = doubles();
    } else if (key == "loss") {
      words >> word;
      std::string const loss = word;
      rows.back().entries.push_back({loss, doubles(), {}});
    } else if (key == "labels") {
      rows.back().entries.push_back({"labels", doubles(), {}});
    } else {
      std::vector<quad>& numbers = rows.back().entries.back().numbers[key];
      while (words >> word) numbers.push_back(parse_quad(word));
    }
  }
  return rows;
}

}  // namespace reference
