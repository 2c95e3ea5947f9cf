// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "thumbnails.hpp"

#include <algorithm>
#include <sstream>

namespace digits {

namespace {

constexpr int side = 8, pitch = 10;

Eigen::Index first_of(std::vector<std::int64_t> const& labels, int digit) {
  return std::distance(labels.begin(), std::find(labels.begin(), labels.end(), digit));
}

void add_image(std::ostream& out, view images, Eigen::Index image, int left, int top) {
  out << "<g transform='translate(" << left << ',' << top << ")'>";
  for (int pixel = 0; pixel < pixels; ++pixel) {
    float const ink = std::clamp(images(image, pixel), 0.F, 1.F);
    auto const grey = static_cast<int>(255 - 215 * ink);
    out << "<rect x='" << pixel % side << "' y='" << pixel / side
        << "' width='1.03' height='1.03' fill='rgb(" << grey << ',' << grey << ',' << grey
        << ")'/>";
  }
  out << "</g>";
}

}  // namespace

std::string draw_thumbnails(dataset const& from, lesson const& seen) {
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << pitch * classes - 2 << ' '
      << 2 * pitch - 2 << "'>";
  for (int digit = 0; digit < classes; ++digit) {
    add_image(out, from.images, first_of(from.labels, digit), pitch * digit, 0);
    add_image(out, seen.images, first_of(seen.labels, digit), pitch * digit, pitch);
  }
  out << "</svg>";
  return out.str();
}

}  // namespace digits
