# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# What tests, benchmarks and examples are built with, and never divot::divot itself.
set(CMAKE_CXX_EXTENSIONS OFF)
set(DIVOT_ARCH "baseline" CACHE STRING "Instruction set of tests, benchmarks and examples")
set_property(CACHE DIVOT_ARCH PROPERTY STRINGS native baseline avx2 avx512)

set(arch_native -march=native)
set(arch_baseline "")
set(arch_avx2 -march=x86-64-v3)
set(arch_avx512 -march=x86-64-v4)
if(NOT DEFINED arch_${DIVOT_ARCH})
  message(FATAL_ERROR "divot: DIVOT_ARCH is '${DIVOT_ARCH}'; it can be native, baseline, avx2 or avx512.")
endif()

add_library(divot_development INTERFACE)
target_compile_options(divot_development INTERFACE
  ${arch_${DIVOT_ARCH}} -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# GCC 12's own AVX-512 intrinsics set these off wherever they are used (GCC bug 105593).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(divot_development INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized)
endif()

# divot_links(target [OPENMP]): divot, the flags above and, where asked for and to be had, OpenMP.
function(divot_links target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPENMP" "" "")
  if(arg_OPENMP AND TARGET divot::openmp)
    target_link_libraries(${target} PRIVATE divot_development divot::openmp)
  else()
    target_link_libraries(${target} PRIVATE divot_development divot::divot)
  endif()
endfunction()

# find_package with a remedy in the error text.
macro(divot_find package option group)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "divot: ${package} was not found: run `tools/install-deps ${group}`, "
                        "or configure with -D${option}=OFF.")
  endif()
endmacro()
