// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "transforms.hpp"

#include "flaw.hpp"
#include "npy.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cli {
namespace {

struct named_transform {
  std::string name, value;
  bool has_value = false;
};

std::vector<named_transform> split(std::string const& text) {
  std::vector<named_transform> all;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find(',', begin), text.size());
    std::string const item = text.substr(begin, end - begin);
    std::size_t const equals = item.find('=');
    named_transform one{item.substr(0, equals), {}, equals != std::string::npos};
    if (one.has_value) one.value = item.substr(equals + 1);
    all.push_back(std::move(one));
    begin = end + 1;
  }
  return all;
}

bool reads_file(named_transform const& t) { return t.name == "bias" || t.name == "mask"; }

double read_cap(std::string_view option, std::string const& text) {
  double cap = 0;
  auto const [end, status] = std::from_chars(text.data(), text.data() + text.size(), cap);
  if (status != std::errc() || end != text.data() + text.size()) {
    fail(option, ": softcap=", text, ": a number is missing");
  }
  // its inverse must be a number too
  if (!(cap > 0) || !std::isfinite(cap) || !std::isfinite(1 / cap)) {
    fail(option, ": softcap=", text, "; a cap must be positive and finite");
  }
  return cap;
}

std::vector<double> read_bias(std::string const& path) {
  std::vector<double> const bias = to_numbers(read_npy(path), "biases");
  for (std::size_t k = 0; k < bias.size(); ++k) {
    if (!std::isfinite(bias[k])) {
      fail(path, ": class ", k, ": the bias ", bias[k],
           " is not finite (a mask leaves classes out)");
    }
  }
  return bias;
}

}  // namespace

std::vector<transform> read_transforms(std::string_view option, std::string const& text) {
  std::vector<transform> all;
  if (text.empty()) return all;
  for (named_transform const& t : split(text)) {
    if (t.name == "standardise") {
      if (t.has_value) fail(option, ": standardise takes no value");
      all.push_back({transform::kind::standardise});
      continue;
    }
    if (t.name != "softcap" && !reads_file(t)) {
      fail(option, ": there is no transform '", t.name,
           "'; there are softcap=C, bias=B.npy, standardise and mask=M.npy");
    }
    if (t.value.empty()) {
      fail(option, ": ", t.name,
           " needs a value: ", t.name == "softcap" ? "softcap=30" : t.name + "=FILE.npy");
    }
    if (t.name == "softcap") {
      all.push_back({transform::kind::softcap, read_cap(option, t.value)});
    } else if (t.name == "bias") {
      all.push_back({transform::kind::bias, 0, read_bias(t.value), {}, t.value});
    } else {
      auto const flags = to_integer_matrix(read_npy(t.value), "masks", true);
      all.push_back(
          {transform::kind::mask, 0, {}, (flags.array() != 0).cast<std::uint8_t>(), t.value});
    }
  }
  return all;
}

std::vector<std::string> transform_files(std::string const& text) {
  std::vector<std::string> files;
  for (named_transform const& t : split(text)) {
    if (reads_file(t)) files.push_back(t.value);
  }
  return files;
}

}  // namespace cli
