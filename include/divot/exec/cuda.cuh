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
  return {processors, shared_bytes, major >= 9 ? 16 : 1};
}

/// A kernel's launch on a stream, laid out like this.
class launch_form {
 public:
  launch_form(cudaStream_t stream, device_layout const& layout) {
    config_.gridDim = dim3(static_cast<unsigned>(layout.grid));
    config_.blockDim = dim3(static_cast<unsigned>(layout.threads));
    config_.dynamicSmemBytes = layout.shared_bytes;
    config_.stream = stream;
    if (layout.cluster > 1) {
      attribute_.id = cudaLaunchAttributeClusterDimension;
      attribute_.val.clusterDim.x = static_cast<unsigned>(layout.cluster);
      attribute_.val.clusterDim.y = attribute_.val.clusterDim.z = 1;
      config_.attrs = &attribute_;
      config_.numAttrs = 1;
    }
  }
  launch_form(launch_form const&) = delete;
  launch_form& operator=(launch_form const&) = delete;

  /// Lets a kernel have the shared memory and the clusters that it is launched with.
  void allow(void const* kernel, char const* what) const {
    auto const set = [&](cudaFuncAttribute attribute, int value) {
      check_cuda(cudaFuncSetAttribute(kernel, attribute, value), "cudaFuncSetAttribute", what);
    };
    // always as much as there is: calls from other threads may want more than this one
    if (config_.dynamicSmemBytes > 0) {
      cudaFuncAttributes of = {};
      check_cuda(cudaFuncGetAttributes(&of, kernel), "cudaFuncGetAttributes", what);
      auto const all = current_device().shared_bytes - static_cast<index>(of.sharedSizeBytes);
      set(cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(all));
    }
    // more than eight blocks are up to the device
    if (config_.numAttrs > 0 && attribute_.val.clusterDim.x > 8) {
      set(cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
    }
  }
  cudaLaunchConfig_t const* config() const { return &config_; }

 private:
  cudaLaunchConfig_t config_ = {};
  cudaLaunchAttribute attribute_ = {};
};

template <class... Parameters, class... Arguments>
void launch(cudaStream_t stream, device_layout const& layout, char const* what,
            void (*kernel)(Parameters...), Arguments const&... arguments) {
  launch_form const form(stream, layout);
  form.allow(reinterpret_cast<void const*>(kernel), what);
  check_cuda(cudaLaunchKernelEx(form.config(), kernel, arguments...), "cudaLaunchKernelEx", what);
}

/// The first pass over rows by a kernel that knows of clusters, in clusters as large as the device
/// has room for. (Code for older devices knows of none, whatever runs it.)
template <class... Parameters>
device_layout layout_for(void (*kernel)(Parameters...), device_limits limits,
                         device_arrays const& arrays, index rows, index classes, index width,
                         index number_bytes) {
  auto const* const address = reinterpret_cast<void const*>(kernel);
  char const* const what = "clusters of blocks";
  cudaFuncAttributes of = {};
  check_cuda(cudaFuncGetAttributes(&of, address), "cudaFuncGetAttributes", what);
  if (of.ptxVersion < 90) limits.cluster = 1;
  for (;; limits.cluster /= 2) {
    auto const l = layout_of_rows(limits, arrays, rows, classes, width, number_bytes);
    if (l.cluster <= 8) return l;
    launch_form const form(nullptr, l);
    form.allow(address, what);
    int clusters = 0;
    cudaError_t const found = cudaOccupancyMaxActiveClusters(&clusters, address, form.config());
    if (found == cudaSuccess && clusters > 0) return l;
    (void)cudaGetLastError();  // it was a question
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
