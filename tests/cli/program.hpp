// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace cli_test {

using json = nlohmann::json;

/// An array of numbers with one or two dimensions, as tests write and read them.
struct array {
  std::vector<std::size_t> shape;
  std::vector<double> values;  ///< row by row
  std::string descr;           ///< as read
};

inline std::string read_bytes(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
void append(std::string& bytes, T const& value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

/// A header of version 1, 2 or 3 with the dictionary given.
inline std::string npy_header(std::string const& dictionary, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  std::string const text = dictionary + "\n";
  if (version == 1) {
    append(bytes, static_cast<std::uint16_t>(text.size()));
  } else {
    append(bytes, static_cast<std::uint32_t>(text.size()));
  }
  return bytes + text;
}

inline std::string dictionary(std::string const& descr, std::vector<std::size_t> const& shape,
                              bool fortran_order = false) {
  std::string text = "{'descr': '" + descr + "', 'fortran_order': ";
  text.append(fortran_order ? "True" : "False").append(", 'shape': (");
  for (std::size_t const n : shape) text.append(std::to_string(n)).append(", ");
  return text + "), }";
}

/// A directory of its own for each test case, in which the program runs.
class place {
 public:
  place() {
    std::random_device random;
    path_ = std::filesystem::temp_directory_path() / ("divot-cli-test-" + std::to_string(random()));
    std::filesystem::create_directories(path_);
  }
  place(place const&) = delete;
  place& operator=(place const&) = delete;
  ~place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path operator/(std::string const& name) const { return path_ / name; }
  bool has(std::string const& name) const { return std::filesystem::exists(path_ / name); }
  std::size_t file_count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

  void write_bytes(std::string const& name, std::string const& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }
  /// Values as elements of type T, with the name of the type in the header.
  template <class T>
  void write(std::string const& name, std::string const& descr,
             std::vector<std::size_t> const& shape, std::vector<double> const& values,
             bool fortran_order = false, int version = 1) const {
    std::string bytes = npy_header(dictionary(descr, shape, fortran_order), version);
    std::size_t const cols = shape.size() == 2 ? shape[1] : 1, rows = shape[0];
    for (std::size_t k = 0; k < values.size(); ++k) {
      append(bytes, static_cast<T>(values[fortran_order ? k % rows * cols + k / rows : k]));
    }
    write_bytes(name, bytes);
  }
  /// A file in C order, of float32 or float64.
  array read(std::string const& name) const {
    std::string const bytes = read_bytes(path_ / name);
    std::size_t const begin = 10 + static_cast<unsigned char>(bytes.at(8)) +
                              256u * static_cast<unsigned char>(bytes.at(9));
    std::string const header = bytes.substr(10, begin - 10);
    array out;
    out.descr = header.substr(header.find("'descr': '") + 10, 3);
    char const* shape = header.c_str() + header.find('(') + 1;
    for (char* end = nullptr; *shape != ')'; shape = end) {
      out.shape.push_back(std::strtoul(shape, &end, 10));
      while (*end == ',' || *end == ' ') ++end;
    }
    for (std::size_t at = begin; at < bytes.size(); at += out.descr == "<f4" ? 4 : 8) {
      float single = 0;
      double twice = 0;
      std::memcpy(&single, bytes.data() + at, 4);
      if (out.descr == "<f8") std::memcpy(&twice, bytes.data() + at, 8);
      out.values.push_back(out.descr == "<f4" ? static_cast<double>(single) : twice);
    }
    return out;
  }

 private:
  std::filesystem::path path_;
};

struct result {
  int status = -1;
  std::string output, errors;
  json parsed() const { return json::parse(output); }
};

/// Runs the program in the directory; its outputs lie beside it, not in it.
inline result run(place const& where, std::vector<std::string> const& arguments) {
  auto const quoted = [](std::string const& text) {
    std::string out = "'";
    for (char const c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
  };
  place const outputs;
  std::string command = "cd " + quoted(where / "") + " && " + quoted(DIVOT_PROGRAM);
  for (auto const& argument : arguments) command += " " + quoted(argument);
  command += " >" + quoted(outputs / "out") + " 2>" + quoted(outputs / "err") + " </dev/null";
  int const raw = std::system(command.c_str());
  result r;
  r.status = raw >= 0 ? (raw >> 8) & 0xff : -1;
  if ((raw & 0x7f) != 0) r.status = -1;  // ended by a signal
  r.output = read_bytes(outputs / "out");
  r.errors = read_bytes(outputs / "err");
  return r;
}

/// `divot eval` on t.npy and s.npy with more arguments, and --json.
inline result eval(place const& where, std::string const& loss,
                   std::vector<std::string> const& more = {}) {
  std::vector<std::string> arguments{"eval",  "--loss",    loss,    "--teacher",
                                     "t.npy", "--student", "s.npy", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(where, arguments);
}

/// Logits in −3 … 3, the same on every platform.
inline std::vector<double> logits(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> values(count);
  for (double& x : values) x = (static_cast<double>(random() % 65536) / 65536 - 0.5) * 6;
  return values;
}

}  // namespace cli_test
