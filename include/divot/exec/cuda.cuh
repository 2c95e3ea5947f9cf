// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_view.hpp>
#include <divot/core/errors.hpp>
#include <divot/exec/device_plan.hpp>
#include <divot/exec/policy.hpp>

#include <cuda_runtime.h>

#include <cstddef>
#include <stdexcept>
#include <string>

#if !defined(__CUDACC__)
#error "divot: <divot/cuda.cuh> holds kernels: compile this unit with nvcc, as C++20"
#endif
#if !defined(__CUDACC_RELAXED_CONSTEXPR__)
#error \
    "divot: device code uses the standard library's constexpr functions: link divot::cuda or compile with --expt-relaxed-constexpr"
#endif

namespace divot {

/// A CUDA call that has failed: which one, and what the runtime says of it.
class cuda_error : public std::runtime_error {
 public:
  cuda_error(std::string const& what, cudaError_t code) : std::runtime_error(what), code_(code) {}
  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

inline namespace DIVOT_ABI {

/// Throws unless a call has gone well. `call` is its name, `place` what divot wanted of it.
inline void check_cuda(cudaError_t code, char const* call, char const* place) {
  if (code == cudaSuccess) return;
  throw cuda_error((message() << place << ": " << call << ": " << cudaGetErrorName(code) << " ("
                              << cudaGetErrorString(code) << ")")
                       .text(),
                   code);
}

/// Memory that is there from here on in a stream's order, and gone behind what was launched before
/// this ends: the caller's, or some of the device's pool. Nothing waits.
class stream_memory {
 public:
  stream_memory(cudaStream_t stream, device_span<std::byte> const& given, std::size_t bytes)
      : stream_(stream) {
    if (bytes == 0) return;
    if (given.data != nullptr) {
      if (static_cast<std::size_t>(given.size) < bytes) {
        fail("device_batch::workspace has ", given.size, " bytes; this call needs ",
             static_cast<index>(bytes));
      }
      if (reinterpret_cast<std::uintptr_t>(given.data) % 256 != 0) {
        fail("device_batch::workspace must be aligned to 256 bytes");
      }
      data_ = given.data;
    } else {
      void* memory = nullptr;
      check_cuda(cudaMallocAsync(&memory, bytes, stream), "cudaMallocAsync", "the call's memory");
      data_ = own_ = static_cast<std::byte*>(memory);
    }
  }
  stream_memory(stream_memory const&) = delete;
  stream_memory& operator=(stream_memory const&) = delete;
  ~stream_memory() {
    if (own_ != nullptr) cudaFreeAsync(own_, stream_);
  }
  std::byte* data() const { return data_; }

 private:
  cudaStream_t stream_;
  std::byte *data_ = nullptr, *own_ = nullptr;
};

/// The device that a call runs on.
inline device_limits current_device() {
  int device = 0, processors = 1, shared_bytes = 0, major = 0;
  auto const ask = [&](int& to, cudaDeviceAttr what) {
    check_cuda(cudaDeviceGetAttribute(&to, what, device), "cudaDeviceGetAttribute", "the device");
  };
  check_cuda(cudaGetDevice(&device), "cudaGetDevice", "the device");
  ask(processors, cudaDevAttrMultiProcessorCount);
  ask(shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  ask(major, cudaDevAttrComputeCapabilityMajor);
  return {processors, shared_bytes, major >= 9};
}

/// The device's limits for a kernel that has to know of clusters: code for older devices does not,
/// whatever runs it.
template <class... Parameters>
device_limits limits_for(void (*kernel)(Parameters...)) {
  device_limits limits = current_device();
  cudaFuncAttributes of = {};
  check_cuda(cudaFuncGetAttributes(&of, reinterpret_cast<void const*>(kernel)),
             "cudaFuncGetAttributes", "the kernel");
  limits.has_clusters = limits.has_clusters && of.ptxVersion >= 90;
  return limits;
}

/// Launches a kernel on a stream, in clusters of so many blocks.
template <class... Parameters, class... Arguments>
void launch(cudaStream_t stream, int grid, int threads, int cluster, std::size_t shared_bytes,
            char const* what, void (*kernel)(Parameters...), Arguments const&... arguments) {
  if (shared_bytes > (48 << 10)) {
    check_cuda(cudaFuncSetAttribute(reinterpret_cast<void const*>(kernel),
                                    cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared_bytes)),
               "cudaFuncSetAttribute", what);
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(grid));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute attribute = {};
  if (cluster > 1) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = static_cast<unsigned>(cluster);
    attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
    config.attrs = &attribute;
    config.numAttrs = 1;
  }
  check_cuda(cudaLaunchKernelEx(&config, kernel, arguments...), "cudaLaunchKernelEx", what);
}

}  // namespace DIVOT_ABI
}  // namespace divot
