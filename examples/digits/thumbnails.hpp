// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "students.hpp"

#include <string>

namespace digits {

/// An SVG with an image of each digit, as it is in the file and, below, as a student sees it.
std::string draw_thumbnails(dataset const& from, lesson const& seen);

}  // namespace digits
