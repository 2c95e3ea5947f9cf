# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# Finds what divot's headers include. The build and the installed divotConfig.cmake share this file.
# What is missing stands in divot_MISSING afterwards, in words. Versions are compared here and not
# by find_package: Eigen 3.4 and 5 number differently, and xsimd's package refuses other majors.
set(divot_MISSING "")

if(NOT TARGET Eigen3::Eigen)
  find_package(Eigen3 QUIET NO_MODULE)
  if(NOT Eigen3_FOUND)
    string(APPEND divot_MISSING "Eigen 3.4 or newer is needed, and none was found. ")
  elseif(Eigen3_VERSION VERSION_LESS 3.4)
    string(APPEND divot_MISSING "Eigen 3.4 or newer is needed; ${Eigen3_DIR} has ${Eigen3_VERSION}. ")
  endif()
endif()

if(NOT TARGET xsimd)
  find_package(xsimd QUIET NO_MODULE)
  if(NOT xsimd_FOUND)
    string(APPEND divot_MISSING "xsimd 8.1 or newer is needed, and none was found. ")
  elseif(xsimd_VERSION VERSION_LESS 8.1)
    string(APPEND divot_MISSING "xsimd 8.1 or newer is needed; ${xsimd_DIR} has ${xsimd_VERSION}. ")
  endif()
endif()

# Debian 12's xsimd links a library "xtl" that does not exist (xtl is headers, used by choice only).
if(TARGET xsimd AND NOT TARGET xtl)
  get_target_property(divot_xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
  if(divot_xsimd_links STREQUAL "xtl")
    set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "")
  endif()
  unset(divot_xsimd_links)
endif()
