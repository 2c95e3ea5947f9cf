// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#define DIVOT_VERSION_MAJOR 0
#define DIVOT_VERSION_MINOR 1
#define DIVOT_VERSION_PATCH 0
