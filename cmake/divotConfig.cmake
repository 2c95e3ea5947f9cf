# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# find_package(divot) defines divot::divot, divot::openmp where the compiler has OpenMP, and
# divot::cuda where there is a CUDA toolkit.
include("${CMAKE_CURRENT_LIST_DIR}/divotDependencies.cmake")
if(divot_MISSING)
  set(divot_FOUND FALSE)
  set(divot_NOT_FOUND_MESSAGE "${divot_MISSING}")
  return()
endif()

include("${CMAKE_CURRENT_LIST_DIR}/divotTargets.cmake")

find_package(OpenMP QUIET COMPONENTS CXX)
if(TARGET OpenMP::OpenMP_CXX AND NOT TARGET divot::openmp)
  add_library(divot::openmp INTERFACE IMPORTED)
  target_link_libraries(divot::openmp INTERFACE divot::divot OpenMP::OpenMP_CXX)
endif()

find_package(CUDAToolkit 12 QUIET)
if(TARGET CUDA::cudart AND NOT TARGET divot::cuda)
  add_library(divot::cuda INTERFACE IMPORTED)
  target_link_libraries(divot::cuda INTERFACE divot::divot CUDA::cudart)
  target_compile_options(divot::cuda INTERFACE
    $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)
endif()

# find_package(divot COMPONENTS openmp) fails where there is none.
foreach(component IN LISTS divot_FIND_COMPONENTS)
  if(NOT TARGET divot::${component} AND divot_FIND_REQUIRED_${component})
    set(divot_FOUND FALSE)
    set(divot_NOT_FOUND_MESSAGE "divot has no component ${component} here.")
  endif()
endforeach()
