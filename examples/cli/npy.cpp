// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "npy.hpp"

#include "flaw.hpp"
#include "npy_header.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>
#include <type_traits>

static_assert(std::endian::native == std::endian::little, "elements are read as they stand");

namespace cli {
namespace {

std::vector<char> read_bytes(std::string const& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) fail(path, ": ", std::strerror(errno));
  // One byte more than the file has, so that one read sees its end. Pipes have no size and grow.
  std::error_code no_size;
  auto const size = std::filesystem::file_size(path, no_size);
  std::vector<char> bytes(no_size ? std::size_t{1} << 16 : static_cast<std::size_t>(size) + 1);
  std::size_t used = 0;
  while (true) {
    used += std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
    if (std::ferror(file.get())) fail(path, ": ", std::strerror(errno));
    if (used < bytes.size()) break;
    bytes.resize(2 * used);
  }
  bytes.resize(used);
  return bytes;
}

/// The element type that descr names.
void set_type(npy_array& array, std::string descr) {
  auto const refuse = [&](std::string_view why) {
    fail(array.path, ": header: dtype '", descr, "': ", why);
  };
  std::string const named = descr;
  char order = '=';
  if (!descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    order = descr[0];
    descr.erase(0, 1);
  }
  std::string const type = descr;
  descr = named;
  if (type == "O") refuse("Python objects; numbers are needed");
  for (std::string_view const known :
       {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}) {
    if (type != known) continue;
    array.kind = type[0];
    array.item_size = static_cast<std::size_t>(type[1] - '0');
    if (order == '>' && array.item_size > 1) {
      refuse("big-endian; save it with .astype(a.dtype.newbyteorder('<'))");
    }
    return;
  }
  refuse("float16, float32, float64, integers and bool can be read");
}

std::size_t read_little_endian(char const* bytes, int count) {
  std::size_t value = 0;
  for (int i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Calls f with a value of the type that the integer or bool array holds.
template <class F>
void with_integer_type(npy_array const& array, F const& f) {
  if (array.kind == 'b') return f(std::uint8_t{});
  bool const is_signed = array.kind == 'i';
  switch (array.item_size) {
    case 1:
      return is_signed ? f(std::int8_t{}) : f(std::uint8_t{});
    case 2:
      return is_signed ? f(std::int16_t{}) : f(std::uint16_t{});
    case 4:
      return is_signed ? f(std::int32_t{}) : f(std::uint32_t{});
    default:
      return is_signed ? f(std::int64_t{}) : f(std::uint64_t{});
  }
}

void require_one_dimension(npy_array const& array, std::string_view what) {
  if (array.shape.size() != 1) {
    fail(array.path, ": the shape is ", array.shape_text(), "; ", what, " have one dimension");
  }
}

}  // namespace

std::size_t npy_array::size() const {
  std::size_t product = 1;
  for (std::size_t const n : shape) product *= n;
  return product;
}

std::string npy_array::shape_text() const {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

npy_array read_npy(std::string const& path) {
  npy_array array;
  array.path = path;
  array.bytes = read_bytes(path);
  auto const& bytes = array.bytes;
  constexpr std::string_view magic = "\x93NUMPY";
  if (std::string_view(bytes.data(), std::min(bytes.size(), magic.size())) != magic) {
    fail(path, ": byte 0: not a .npy file (it does not begin with \\x93NUMPY)");
  }
  auto const need = [&](std::size_t count, char const* what) {
    if (bytes.size() < count) {
      fail(path, ": truncated: ", bytes.size(), " bytes, and ", what, " needs ", count);
    }
  };
  need(8, "the version");
  int const version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) fail(path, ": byte 6: format version ", version, " is unknown");
  int const width = version == 1 ? 2 : 4;
  std::size_t const header_begin = 8 + static_cast<std::size_t>(width);
  need(header_begin, "the header's length");
  array.begin = header_begin + read_little_endian(bytes.data() + 8, width);
  need(array.begin, "the header");

  std::string_view const header(bytes.data() + header_begin, array.begin - header_begin);
  npy_fields const fields = npy_header_parser(path, header).parse();
  set_type(array, fields.descr);
  array.fortran_order = fields.fortran_order;
  array.shape = fields.shape;

  std::size_t expected = array.item_size;
  bool empty = false;
  for (std::size_t const n : array.shape) empty = empty || n == 0;
  for (std::size_t const n : array.shape) {
    if (empty) break;
    if (expected > std::numeric_limits<std::size_t>::max() / n) {
      fail(path, ": header: the shape ", array.shape_text(), " is larger than any memory");
    }
    expected *= n;
  }
  if (empty) expected = 0;
  std::size_t const present = bytes.size() - array.begin;
  if (present < expected) {
    fail(path, ": truncated: shape ", array.shape_text(), " of ", array.dtype(), " needs ",
         expected, " bytes after the header, and ", present, " are there");
  }
  if (present > expected) {
    fail(path, ": shape ", array.shape_text(), " of ", array.dtype(), " ends at byte ",
         array.begin + expected, ", but the file has ", bytes.size(), " bytes");
  }
  return array;
}

std::string npy_header(std::string_view dtype, std::vector<std::size_t> const& shape) {
  npy_array named;
  named.shape = shape;
  std::string text = "{'descr': '";
  text.append(dtype).append("', 'fortran_order': False, 'shape': ");
  text.append(named.shape_text()).append(", }");
  constexpr std::size_t before = 10;
  while ((before + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string header = "\x93NUMPY";
  for (std::size_t const byte :
       {std::size_t{1}, std::size_t{0}, text.size() & 255, text.size() >> 8}) {
    header += static_cast<char>(static_cast<unsigned char>(byte));
  }
  return header + text;
}

std::vector<std::int64_t> to_integers(npy_array const& array, std::string_view what) {
  require_one_dimension(array, what);
  return integer_elements(array, what);
}

std::vector<std::int64_t> integer_elements(npy_array const& array, std::string_view what) {
  if (array.kind == 'f') {
    fail(array.path, ": dtype ", array.dtype(), ": ", what, " are integers or bool");
  }
  std::vector<std::int64_t> values(array.size());
  with_integer_type(array, [&](auto type) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto const value = npy_element<decltype(type)>(array, i);
      if constexpr (sizeof(value) == 8 && std::is_unsigned_v<decltype(type)>) {
        if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
          fail(array.path, array.shape.size() == 1 ? ": row " : ": element ", i, ": ", value,
               " is beyond 64-bit integers");
        }
      }
      values[i] = static_cast<std::int64_t>(value);
    }
  });
  return values;
}

std::vector<double> to_numbers(npy_array const& array, std::string_view what) {
  require_one_dimension(array, what);
  std::vector<double> values(array.size());
  if (array.kind != 'f') {
    with_integer_type(array, [&](auto type) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<double>(npy_element<decltype(type)>(array, i));
      }
    });
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = array.item_size == 2   ? static_cast<double>(npy_element<Eigen::half>(array, i))
                : array.item_size == 4 ? static_cast<double>(npy_element<float>(array, i))
                                       : npy_element<double>(array, i);
  }
  return values;
}

}  // namespace cli
